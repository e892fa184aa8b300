-- next_batch(queue, consumer) opens the next window as one batch and returns its id;
-- as long as it is open the same one again. Null when no tick waits.
--
-- Raises PQ001 when there is no such queue, PQ002 when the consumer is not
-- subscribed, PQ012 when it is cooperative.
create or replace function pgque.next_batch(i_queue_name text, i_consumer_name text) returns bigint
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select batch_id from pgque.next_batch_custom(i_queue_name, i_consumer_name, null, null, null)
$$;
call pgque._allow('pgque_reader', 'pgque.next_batch(text, text)');

-- next_batch_info(queue, consumer) is next_batch and tells the window too. All null
-- when no tick waits.
create or replace function pgque.next_batch_info(
    i_queue_name text, i_consumer_name text,
    out batch_id bigint, out cur_tick_id bigint, out prev_tick_id bigint,
    out cur_tick_time timestamptz, out prev_tick_time timestamptz,
    out cur_tick_event_seq bigint, out prev_tick_event_seq bigint)
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select * from pgque.next_batch_custom(i_queue_name, i_consumer_name, null, null, null)
$$;
call pgque._allow('pgque_reader', 'pgque.next_batch_info(text, text)');

-- next_batch_custom(queue, consumer, min_lag, min_count, min_interval) is next_batch_info
-- for those who prefer large batches: the window grows over as many ticks as it takes
-- to hold min_count events and to last min_interval, and ends at least min_lag ago.
-- Null wishes are none. While the wishes are not met there is no batch.
--
-- Raises as next_batch does; PQ009 for a min_lag beyond a thousand years.
create or replace function pgque.next_batch_custom(
    i_queue_name text, i_consumer_name text,
    i_min_lag interval, i_min_count int4, i_min_interval interval,
    out batch_id bigint, out cur_tick_id bigint, out prev_tick_id bigint,
    out cur_tick_time timestamptz, out prev_tick_time timestamptz,
    out cur_tick_event_seq bigint, out prev_tick_event_seq bigint)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_subscription(pgque._subscription(i_queue_name, i_consumer_name));
begin
    perform pgque._check_normal(v_sub);
    if v_sub.sub_batch is null then
        v_sub := pgque._open_window(v_sub, i_min_lag, i_min_count, i_min_interval);
    end if;
    batch_id := v_sub.sub_batch;
    if batch_id is null then
        return;
    end if;
    select tick_id, tick_time, tick_event_seq into cur_tick_id, cur_tick_time, cur_tick_event_seq
    from pgque.tick where tick_queue = v_sub.sub_queue and tick_id = v_sub.sub_next_tick;
    select tick_id, tick_time, tick_event_seq into prev_tick_id, prev_tick_time, prev_tick_event_seq
    from pgque.tick where tick_queue = v_sub.sub_queue and tick_id = v_sub.sub_last_tick;
end
$$;
call pgque._allow('pgque_reader', 'pgque.next_batch_custom(text, text, interval, int4, interval)');

-- _open_window opens the rest of the window the cursor is in, else the next window
-- that satisfies the wishes. The cursor is unchanged when there is none.
create or replace function pgque._open_window(
    i_sub pgque.subscription, i_min_lag interval, i_min_count int4, i_min_interval interval)
returns pgque.subscription
language plpgsql as $$
begin
    i_sub.sub_next_tick := coalesce(i_sub.sub_next_tick,
        pgque._wished_tick(i_sub.sub_queue, i_sub.sub_last_tick, i_min_lag, i_min_count, i_min_interval));
    if i_sub.sub_next_tick is null then
        return i_sub;
    end if;
    i_sub.sub_batch := pgque._new_batch_id(i_sub.sub_no);
    i_sub.sub_active := clock_timestamp();
    perform pgque._store_cursor(i_sub);
    return i_sub;
end
$$;

-- _wished_tick is the first tick after i_tick that satisfies the wishes, or null.
create or replace function pgque._wished_tick(
    i_queue_id integer, i_tick bigint, i_min_lag interval, i_min_count int4, i_min_interval interval)
returns bigint
language plpgsql as $$
declare
    v_start pgque.tick;
begin
    if i_min_lag is null and i_min_count is null and i_min_interval is null then
        return pgque._next_tick(i_queue_id, i_tick, 1);
    end if;
    perform pgque._check_span('min_lag', i_min_lag);
    select * into v_start from pgque.tick where tick_queue = i_queue_id and tick_id = i_tick;
    return min(tick_id) from pgque.tick
    where tick_queue = i_queue_id and tick_id > i_tick
      and tick_time <= clock_timestamp() - coalesce(i_min_lag, interval '0')
      and tick_event_seq - v_start.tick_event_seq >= coalesce(i_min_count, 0)
      and tick_time - v_start.tick_time >= coalesce(i_min_interval, interval '0');
end
$$;
