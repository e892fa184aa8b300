-- next_page(queue, consumer, max_return, batch, wait) finishes the page that was received
-- as batch, as ack does, and returns the next one, in one change of the cursor. A null batch
-- finishes nothing: then it is receive. A batch tells the consumer, too. It joins waiting
-- windows into one of about 64 pages, and at least 1000 events. The messages are those
-- of receive; those of joined windows come in the order of their ids.
--
-- next_page_<queue_id>, of the queue itself, does the same and copies nothing.
--
-- An open page comes again as it is, whatever max_return. A null max_return is no limit.
--
-- Raises PQ003 when the batch is not open (any more), and, without wait, 55P03 when
-- another session works at the cursor; then nothing changes. Else as receive.
create or replace function pgque.next_page(i_queue text, i_consumer text, i_max_return int, i_batch_id bigint, i_wait boolean)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query execute format('select * from pgque.next_page_%s($1, $2, $3, $4)', (pgque._queue(i_queue)).queue_id)
        using i_consumer, i_max_return, i_batch_id, i_wait;
end
$$;
call pgque._allow('pgque_reader', 'pgque.next_page(text, text, integer, bigint, boolean)');

-- _before_page locks the cursor that next_page is to move: that of the open batch, or of
-- the consumer. A null row when there is nothing to do. What is looked at before the lock
-- costs no transaction id.
create or replace function pgque._before_page(
    i_queue_id integer, i_consumer text, i_max_return int, i_batch_id bigint, i_wait boolean)
returns pgque.subscription
language plpgsql as $$
declare
    v_sub pgque.subscription;
begin
    perform pgque._check_max_return(i_max_return);
    if i_batch_id is not null then
        v_sub.sub_no := i_batch_id % 4194304;
    else
        v_sub := pgque._subscription_of(i_queue_id, i_consumer);
        perform pgque._check_normal(v_sub);
        if v_sub.sub_next_tick is null
           and not exists (select from pgque.tick where tick_queue = i_queue_id and tick_id > v_sub.sub_last_tick) then
            return null;
        end if;
    end if;
    if i_wait then
        v_sub := pgque._lock_subscription(v_sub);
    else
        v_sub := pgque._lock_subscription_at_once(v_sub);
    end if;
    if i_batch_id is not null and (v_sub.sub_batch is distinct from i_batch_id or v_sub.sub_queue <> i_queue_id) then
        raise exception 'batch not found: %', i_batch_id using errcode = 'PQ003';
    elsif v_sub.sub_no is null then
        raise exception 'not subscriber to queue: %/%',
            (select queue_name from pgque.queue where queue_id = i_queue_id), i_consumer using errcode = 'PQ002';
    end if;
    perform pgque._check_normal(v_sub);
    return v_sub;
end
$$;

-- _open_page returns the messages of an open page. It stays as it is, also for a session
-- that would take more: another one may have it too, and whoever finishes it must have had
-- all of it.
create or replace function pgque._open_page(i_sub pgque.subscription) returns setof pgque.message
language plpgsql as $$
declare
    v_batch constant bigint := i_sub.sub_batch;
begin
    return query
        select ev_id, v_batch, ev_type, ev_data, ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4
        from pgque._window_events(i_sub, pgque._batch_from(i_sub), i_sub.sub_page_end, null);
end
$$;

-- _in_window is the cursor with a batch in the window it is in, else in the next one that
-- joins ticks up to about 64 pages of i_rows; without a window when no tick waits.
create or replace function pgque._in_window(i_sub pgque.subscription, i_rows bigint) returns pgque.subscription
language plpgsql as $$
begin
    if i_sub.sub_next_tick is null then
        i_sub.sub_next_tick := pgque._next_tick_within(i_sub.sub_queue, i_sub.sub_last_tick, greatest(64 * i_rows, 1000));
    end if;
    if i_sub.sub_next_tick is not null and i_sub.sub_batch is null then
        i_sub.sub_batch := pgque._new_batch_id(i_sub.sub_no);
        i_sub.sub_active := clock_timestamp();
    end if;
    return i_sub;
end
$$;

-- turn_page(batch, next_batch, page_end, rows) finishes an open page, as ack does, and opens
-- the one behind it, which the caller has read by itself (page_window): rows events, up to
-- the id page_end. That page has the batch id next_batch, from page_window or from the last
-- turn. Returns the batch id of the page after it. What has been done already is not done
-- again.
--
-- Raises PQ003 when the batch is not open (any more), PQ009 for a page that does not lie
-- behind it in its window and for a batch id of another cursor; then nothing changes.
create or replace function pgque.turn_page(i_batch_id bigint, i_next_batch_id bigint, i_page_end bigint, i_rows integer)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription;
begin
    v_sub.sub_no := i_batch_id % 4194304;
    v_sub := pgque._lock_subscription(v_sub);
    if v_sub.sub_batch = i_next_batch_id and v_sub.sub_page_end = i_page_end then
        return pgque._new_batch_id(v_sub.sub_no);
    elsif v_sub.sub_batch is distinct from i_batch_id or v_sub.sub_page_end is null then
        raise exception 'batch not found: %', i_batch_id using errcode = 'PQ003';
    end if;
    perform pgque._check_normal(v_sub);
    if v_sub.sub_page_last or i_rows is null or i_rows < 1 or coalesce(i_page_end, v_sub.sub_page_end) <= v_sub.sub_page_end
       or i_next_batch_id = i_batch_id or i_next_batch_id % 4194304 is distinct from v_sub.sub_no then
        raise exception 'no page behind batch %', i_batch_id using errcode = 'PQ009';
    end if;
    v_sub := pgque._passed_page(v_sub);
    v_sub.sub_batch := i_next_batch_id;
    v_sub.sub_active := clock_timestamp();
    v_sub.sub_page_end := i_page_end;
    v_sub.sub_page_rows := i_rows;
    perform pgque._store_cursor(v_sub);
    return pgque._new_batch_id(v_sub.sub_no);
end
$$;
call pgque._allow('pgque_reader', 'pgque.turn_page(bigint, bigint, bigint, integer)');
