-- maint() is all the upkeep there is: due retries and delayed events, expired
-- keys, completing rotations, rotating.
-- Call it every few seconds to minutes, from as many places as you like. Returns the
-- number of things done. A failure on one queue is a warning.
--
-- Must not run in a transaction with ticker() or receive(). Raises PQ014.
create or replace function pgque.maint() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue;
    v_done integer := 0;
begin
    perform pgque._check_read_committed();
    v_done := pgque.maint_retry_events() + pgque.maint_deliver_delayed() + pgque.maint_idem();
    for v_queue in select * from pgque.queue order by queue_id loop
        begin
            v_done := v_done + pgque._turn(v_queue.queue_id);
        exception
            when others then
                raise warning 'queue % is not rotated: %', v_queue.queue_name, sqlerrm;
        end;
    end loop;
    return v_done;
end
$$;

-- maint_queue(queue) is maint() for one queue. It never waits; when nothing is due it
-- writes nothing.
--
-- Raises PQ001, PQ014.
create or replace function pgque.maint_queue(i_queue text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
begin
    perform pgque._check_read_committed();
    return pgque._move_retries(v_queue) + pgque._deliver_delayed(v_queue) + pgque.maint_idem() + pgque._turn(v_queue.queue_id);
end
$$;
call pgque._allow('pgque_reader', 'pgque.maint_queue(text)');

-- _turn completes an older rotation, then begins the next.
create or replace function pgque._turn(i_queue_id integer) returns integer
language plpgsql as $$
begin
    return pgque._complete_rotation(i_queue_id)::integer + pgque._rotate(i_queue_id)::integer;
end
$$;
