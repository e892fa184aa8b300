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
    v_done integer;
begin
    perform pgque._check_read_committed();
    v_done := pgque.maint_retry_events() + pgque.maint_deliver_delayed() + pgque.maint_idem() + pgque._turn_many(null);
    perform pgque._compact('pgque.retry_queue'), pgque._compact('pgque.delayed');
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
    v_done integer;
begin
    perform pgque._check_read_committed();
    v_done := pgque._move_due(v_queue, 'pgque.retry_queue') + pgque._move_due(v_queue, 'pgque.delayed')
        + pgque.maint_idem() + pgque._turn(v_queue.queue_id);
    perform pgque._compact('pgque.retry_queue'), pgque._compact('pgque.delayed');
    return v_done;
end
$$;
call pgque._allow('pgque_reader', 'pgque.maint_queue(text)');

-- maint_queues(queues) is maint() for those of the named queues that exist. It never
-- waits; when nothing is due it writes nothing. Returns how many events became new ones of
-- their queues: due retries and delayed events.
--
-- Raises PQ014.
create or replace function pgque.maint_queues(i_queues text[]) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_names text[] := coalesce(i_queues, '{}');
    v_moved integer;
begin
    perform pgque._check_read_committed();
    v_moved := pgque._move_many('pgque.retry_queue', v_names) + pgque._move_many('pgque.delayed', v_names);
    perform pgque.maint_idem(), pgque._turn_many(v_names);
    perform pgque._compact('pgque.retry_queue'), pgque._compact('pgque.delayed');
    return v_moved;
end
$$;
call pgque._allow('pgque_reader', 'pgque.maint_queues(text[])');

-- _turn_many turns those of the named queues, without names those of all, that need it.
create or replace function pgque._turn_many(i_names text[]) returns integer
language plpgsql as $$
declare
    v_queue pgque.queue;
    v_done integer := 0;
begin
    for v_queue in
        select * from pgque.queue
        where (queue_switch_step2 is null or queue_switch_time + queue_rotation_period <= clock_timestamp())
          and (i_names is null or queue_name = any (i_names))
        order by queue_id
    loop
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

-- _turn completes an older rotation, then begins the next.
create or replace function pgque._turn(i_queue_id integer) returns integer
language plpgsql as $$
begin
    return pgque._complete_rotation(i_queue_id)::integer + pgque._rotate(i_queue_id)::integer;
end
$$;

-- _compact writes a table of waiting events anew when the dead rows in it, through which
-- each search for what is due would go, far outnumber those that wait. Vacuum sees to
-- that otherwise; while an old snapshot is held it may not.
--
-- The table is locked when it is read: nobody has a row in it that is not yet committed.
-- When somebody has, or there are so many rows that writing them would take long, it
-- stays as it is. Of a transaction that began before and looks later the table is empty;
-- dumps are none of those, they lock it from their beginning.
create or replace function pgque._compact(i_table text) returns void
language plpgsql as $$
declare
    v_dead bigint := pg_stat_get_dead_tuples(i_table::regclass);
    v_waiting bigint := pg_stat_get_live_tuples(i_table::regclass);
begin
    if v_dead < 5000 or v_dead < 2 * v_waiting or v_waiting > 100000
       or not has_database_privilege(current_database(), 'temporary') or not pgque._lock_table(i_table) then
        return;
    end if;
    execute 'create temp table pgque_waiting on commit drop as select * from ' || i_table;
    execute 'truncate ' || i_table;
    execute 'insert into ' || i_table || ' select * from pg_temp.pgque_waiting';
    drop table pg_temp.pgque_waiting;
end
$$;
