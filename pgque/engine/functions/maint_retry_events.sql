-- maint_retry_events() re-inserts all events whose retry is due, each for its own
-- consumer only, with its id, time and retry count. Returns how many. Several may run
-- at once: what one is moving the others pass over. A failure on one queue is a
-- warning and does not keep the others waiting.
--
-- The events are received after the next tick of their queue.
create or replace function pgque.maint_retry_events() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue;
    v_now timestamptz := clock_timestamp(); -- in a variable, for the index
    v_moved integer := 0;
begin
    for v_queue in
        select * from pgque.queue q
        where exists (select from pgque.retry_queue where ev_queue = q.queue_id and ev_retry_after <= v_now)
        order by queue_id
    loop
        begin
            v_moved := v_moved + pgque._move_retries(v_queue);
        exception
            when others then
                raise warning 'retries of queue % stay where they are: %', v_queue.queue_name, sqlerrm;
        end;
    end loop;
    return v_moved;
end
$$;

-- _move_retries moves what is due, ten thousand at a time. Drawing one number of the
-- event sequence shows the ticker that there is something new.
create or replace function pgque._move_retries(i_queue pgque.queue) returns integer
language plpgsql
set enable_seqscan = off
as $$
declare
    v_due_by timestamptz := clock_timestamp();
    v_table text;
    v_moved integer;
    v_total integer := 0;
begin
    if not exists (select from pgque.retry_queue where ev_queue = i_queue.queue_id and ev_retry_after <= v_due_by) then
        return 0;
    end if;
    perform pg_current_xact_id(); -- before the table is looked up, as for every insert
    v_table := pgque.current_event_table(i_queue.queue_name);
    loop
        execute 'with due as (delete from pgque.retry_queue where ctid = any (array('
                '   select ctid from pgque.retry_queue where ev_queue = $1 and ev_retry_after <= $2'
                '   order by ev_retry_after limit 10000 for update skip locked)) returning *)'
                ' insert into ' || v_table || ' (ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data,'
                '                               ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
                ' select ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'
                ' from due order by ev_id'
            using i_queue.queue_id, v_due_by;
        get diagnostics v_moved = row_count;
        exit when v_moved = 0;
        v_total := v_total + v_moved;
    end loop;
    if v_total > 0 then
        perform nextval(i_queue.queue_event_seq);
    end if;
    return v_total;
end
$$;
