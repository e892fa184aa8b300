-- force_next_tick(queue) makes the next call of the ticker tick, due or not. It does
-- not tick itself. Returns the id of the last tick.
--
-- Other engines push the event sequence ahead to this end; that races with those who
-- draw from it. A mark on the queue does not.
--
-- Raises PQ001 when there is no such queue, PQ011 when it is paused or ticked from
-- outside.
create or replace function pgque.force_next_tick(i_queue_name text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._ticking_queue(i_queue_name);
    v_last pgque.tick := pgque._last_tick(v_queue.queue_id);
begin
    update pgque.queue set queue_forced_tick = v_last.tick_id
    where queue_id = v_queue.queue_id and queue_forced_tick is distinct from v_last.tick_id;
    return v_last.tick_id;
end
$$;

-- force_tick is its older name.
create or replace function pgque.force_tick(i_queue_name text) returns bigint
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.force_next_tick(i_queue_name)
$$;
