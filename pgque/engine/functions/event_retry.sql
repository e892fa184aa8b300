-- event_retry(batch, event, when) puts one event of an open batch back for its
-- consumer, however often it was put back before. Returns 1, or 0 when it waits
-- already. The batch stays open.
--
-- Raises PQ003 when the batch is not open, PQ004 when it does not hold the event, PQ009
-- when the time is null or infinite.
create or replace function pgque.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_time timestamptz) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_open_batch(x_batch_id);
    v_queue pgque.queue;
    v_event pgque.event_template;
begin
    perform pgque._check_retry_time(x_retry_time);
    select * into v_event from pgque._batch_events(v_sub, array[x_event_id]) order by ev_retry desc nulls last limit 1;
    if v_event.ev_id is null then
        raise exception 'event not found: % in batch %', x_event_id, x_batch_id using errcode = 'PQ004';
    end if;
    select * into v_queue from pgque.queue where queue_id = v_sub.sub_queue;
    if pgque._is_retried(v_queue, v_sub.sub_id, v_event.ev_id, coalesce(v_event.ev_retry, 0) + 1) then
        return 0;
    end if;
    return pgque._insert_retry(v_sub, v_event, x_retry_time);
end
$$;
call pgque._allow('pgque_reader', 'pgque.event_retry(bigint, bigint, timestamptz)');

create or replace function pgque.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_seconds int) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque._check_retry_secs(x_retry_seconds);
    return pgque.event_retry(x_batch_id, x_event_id, clock_timestamp() + make_interval(secs => x_retry_seconds));
end
$$;
call pgque._allow('pgque_reader', 'pgque.event_retry(bigint, bigint, integer)');

-- event_retry_raw(queue, consumer, retry_after, id, time, retry, type, data, extra1 .. extra4)
-- puts an event of the caller's making among a consumer's retries: with an id, time and
-- retry count of the caller's choice, where null id and time get their defaults. Returns
-- the event id; when that id waits already, the one that waits stays as it is.
--
-- Raises PQ001, PQ002 when the consumer is not subscribed, PQ009 for a time that is null or
-- infinite, and as insert_event_raw does.
create or replace function pgque.event_retry_raw(
    x_queue text, x_consumer text, x_retry_after timestamptz, x_ev_id bigint, x_ev_time timestamptz, x_ev_retry integer,
    x_ev_type text, x_ev_data text, x_ev_extra1 text, x_ev_extra2 text, x_ev_extra3 text, x_ev_extra4 text)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(x_queue);
    v_sub pgque.subscription := pgque._lock_subscription(pgque._subscription(x_queue, x_consumer));
    v_id bigint := coalesce(x_ev_id, nextval(v_queue.queue_event_seq));
begin
    perform pgque._check_retry_time(x_retry_after);
    perform pgque._check_raw_event(v_id, x_ev_time);
    insert into pgque.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,
                                   ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (x_retry_after, v_queue.queue_id, v_id, coalesce(x_ev_time, now()), null, v_sub.sub_id, x_ev_retry,
            x_ev_type, x_ev_data, x_ev_extra1, x_ev_extra2, x_ev_extra3, x_ev_extra4)
    on conflict (ev_owner, ev_id) do nothing;
    return v_id;
end
$$;

-- batch_retry(batch, seconds) puts all events of an open batch back. Returns how many
-- it put back. The batch stays open.
--
-- Raises PQ003 when the batch is not open, PQ009 for a delay that is null or negative.
create or replace function pgque.batch_retry(i_batch_id bigint, i_retry_seconds int) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_open_batch(i_batch_id);
    v_due timestamptz := clock_timestamp() + make_interval(secs => i_retry_seconds);
    v_event pgque.event_template;
    v_count integer := 0;
begin
    perform pgque._check_retry_secs(i_retry_seconds);
    perform pgque._check_retry_time(v_due);
    for v_event in
        select * from pgque._window_events(v_sub, pgque._batch_from(v_sub), pgque._batch_to(v_sub), null)
    loop
        v_count := v_count + pgque._insert_retry(v_sub, v_event, v_due);
    end loop;
    return v_count;
end
$$;

-- _lock_open_batch locks the cursor behind an open batch.
--
-- Raises PQ003 when the batch is not open, PQ012 when it is a slot's.
create or replace function pgque._lock_open_batch(i_batch_id bigint) returns pgque.subscription
language plpgsql as $$
declare
    v_sub pgque.subscription := pgque._lock_batch(i_batch_id);
begin
    if v_sub.sub_no is null then
        raise exception 'batch not found: %', i_batch_id using errcode = 'PQ003';
    end if;
    perform pgque._check_unpartitioned(v_sub, 'nack_partitioned');
    return v_sub;
end
$$;

-- _check_retry_time raises PQ009 for a time that never comes.
create or replace function pgque._check_retry_time(i_time timestamptz) returns void
language plpgsql as $$
begin
    if i_time is null or not isfinite(i_time) then
        raise exception 'retry time must be finite, got %', i_time using errcode = 'PQ009';
    end if;
end
$$;

create or replace function pgque._insert_retry(i_sub pgque.subscription, i_event pgque.event_template, i_due timestamptz)
returns integer
language plpgsql as $$
declare
    v_inserted integer;
begin
    insert into pgque.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,
                                   ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (i_due, i_sub.sub_queue, i_event.ev_id, i_event.ev_time, null, i_sub.sub_id, coalesce(i_event.ev_retry, 0) + 1,
            i_event.ev_type, i_event.ev_data, i_event.ev_extra1, i_event.ev_extra2, i_event.ev_extra3, i_event.ev_extra4)
    on conflict (ev_owner, ev_id) do nothing;
    get diagnostics v_inserted = row_count;
    return v_inserted;
end
$$;
