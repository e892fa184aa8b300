-- get_queue_info([queue]) tells settings and state of one queue or all: age of the last
-- tick, events per second between the last ticks, events since the last one (counting
-- those of running and failed transactions), and its id.
--
-- Raises PQ001 when a queue is named that does not exist.
create or replace function pgque.get_queue_info(
    i_queue_name text,
    out queue_name text, out queue_ntables integer, out queue_cur_table integer,
    out queue_rotation_period interval, out queue_switch_time timestamptz,
    out queue_external_ticker boolean, out queue_ticker_paused boolean,
    out queue_ticker_max_count integer, out queue_ticker_max_lag interval, out queue_ticker_idle_period interval,
    out ticker_lag interval, out ev_per_sec double precision, out ev_new bigint, out last_tick_id bigint)
returns setof record
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
begin
    return query select * from pgque._queue_info(v_queue);
end
$$;
call pgque._allow('pgque_reader', 'pgque.get_queue_info(text)');

create or replace function pgque.get_queue_info(
    out queue_name text, out queue_ntables integer, out queue_cur_table integer,
    out queue_rotation_period interval, out queue_switch_time timestamptz,
    out queue_external_ticker boolean, out queue_ticker_paused boolean,
    out queue_ticker_max_count integer, out queue_ticker_max_lag interval, out queue_ticker_idle_period interval,
    out ticker_lag interval, out ev_per_sec double precision, out ev_new bigint, out last_tick_id bigint)
returns setof record
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select i.* from pgque.queue q cross join lateral pgque._queue_info(q) i order by q.queue_name
$$;
call pgque._allow('pgque_reader', 'pgque.get_queue_info()');

-- _queue_info measures the rate over the last twenty ticks.
create or replace function pgque._queue_info(
    i_queue pgque.queue,
    out queue_name text, out queue_ntables integer, out queue_cur_table integer,
    out queue_rotation_period interval, out queue_switch_time timestamptz,
    out queue_external_ticker boolean, out queue_ticker_paused boolean,
    out queue_ticker_max_count integer, out queue_ticker_max_lag interval, out queue_ticker_idle_period interval,
    out ticker_lag interval, out ev_per_sec double precision, out ev_new bigint, out last_tick_id bigint)
returns setof record
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_last pgque.tick := pgque._last_tick(i_queue.queue_id);
    v_events bigint;
    v_seconds double precision;
begin
    select max(tick_event_seq) - min(tick_event_seq), extract(epoch from max(tick_time) - min(tick_time))
    into v_events, v_seconds
    from (select tick_event_seq, tick_time from pgque.tick
          where tick_queue = i_queue.queue_id order by tick_queue desc, tick_id desc limit 20) as recent;
    return query select
        i_queue.queue_name, i_queue.queue_ntables, i_queue.queue_cur_table,
        i_queue.queue_rotation_period, i_queue.queue_switch_time,
        i_queue.queue_external_ticker, i_queue.queue_ticker_paused,
        i_queue.queue_ticker_max_count, i_queue.queue_ticker_max_lag, i_queue.queue_ticker_idle_period,
        clock_timestamp() - v_last.tick_time, v_events / nullif(v_seconds, 0),
        greatest(pgque._last_drawn(i_queue.queue_event_seq) - v_last.tick_event_seq, 0), v_last.tick_id;
end
$$;
