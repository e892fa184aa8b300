-- get_consumer_info([queue [, consumer]]) tells where consumers stand: age of what they
-- have finished, time since they last opened a batch, the last tick they finished, the
-- open batch and its end, and about how many events lie before them. A null or missing
-- name means all.
create or replace function pgque.get_consumer_info(
    i_queue_name text, i_consumer_name text,
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval,
    out last_tick bigint, out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
    return query
        select q.queue_name, c.co_name, clock_timestamp() - t.tick_time, clock_timestamp() - s.sub_active,
               s.sub_last_tick, s.sub_batch, s.sub_next_tick,
               greatest(pgque._last_drawn(q.queue_event_seq) - t.tick_event_seq, 0)
        from pgque.queue q
        cross join lateral unnest(pgque._subscriptions(q.queue_id)) s
        join pgque.consumer c on c.co_id = s.sub_consumer
        left join pgque.tick t on t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick
        where (i_queue_name is null or q.queue_name = i_queue_name)
          and (i_consumer_name is null or c.co_name = i_consumer_name)
        order by 1, 2;
end
$$;
call pgque._allow('pgque_reader', 'pgque.get_consumer_info(text, text)');

create or replace function pgque.get_consumer_info(
    i_queue_name text,
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval,
    out last_tick bigint, out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select * from pgque.get_consumer_info(i_queue_name, null)
$$;
call pgque._allow('pgque_reader', 'pgque.get_consumer_info(text)');

create or replace function pgque.get_consumer_info(
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval,
    out last_tick bigint, out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select * from pgque.get_consumer_info(null, null)
$$;
call pgque._allow('pgque_reader', 'pgque.get_consumer_info()');
