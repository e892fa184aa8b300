-- get_batch_info(batch) tells the window behind an open batch.
--
-- Returns nothing when the batch is not open.
create or replace function pgque.get_batch_info(
    x_batch_id bigint,
    out queue_name text, out consumer_name text, out batch_start timestamptz, out batch_end timestamptz,
    out prev_tick_id bigint, out tick_id bigint, out lag interval, out seq_start bigint, out seq_end bigint)
returns setof record
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._find_batch(x_batch_id);
begin
    return query
        select q.queue_name, c.co_name, l.tick_time, n.tick_time, l.tick_id, n.tick_id,
               clock_timestamp() - n.tick_time, l.tick_event_seq, n.tick_event_seq
        from pgque.queue q, pgque.consumer c, pgque.tick l, pgque.tick n
        where q.queue_id = v_sub.sub_queue and c.co_id = v_sub.sub_consumer
          and l.tick_queue = v_sub.sub_queue and l.tick_id = v_sub.sub_last_tick
          and n.tick_queue = v_sub.sub_queue and n.tick_id = v_sub.sub_next_tick;
end
$$;
call pgque._allow('pgque_reader', 'pgque.get_batch_info(bigint)');
