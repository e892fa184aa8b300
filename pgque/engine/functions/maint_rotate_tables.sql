-- Rotation: events go to the next of the queue's tables, which is emptied first. The
-- engine needs no second step to read correctly; step2 is kept since programs know it,
-- and since one switch at a time leaves each table in place for a whole period.

-- maint_rotate_tables_step1(queue) rotates the queue if its rotation period is over,
-- the previous rotation is complete, and no consumer needs anything in the table to
-- be emptied. Returns 1 when it rotated, else 0. It waits for nobody: when a reader, a
-- dump or another maintenance is in the way it leaves the rotation to a later call.
--
-- Raises PQ001, PQ014.
create or replace function pgque.maint_rotate_tables_step1(i_queue_name text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
begin
    perform pgque._check_read_committed();
    return pgque._rotate(v_queue.queue_id)::integer;
end
$$;

-- maint_rotate_tables_step2() completes rotations that other transactions began.
-- Returns how many.
create or replace function pgque.maint_rotate_tables_step2() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue_id integer;
    v_completed integer := 0;
begin
    for v_queue_id in select queue_id from pgque.queue where queue_switch_step2 is null order by queue_id loop
        v_completed := v_completed + pgque._complete_rotation(v_queue_id)::integer;
    end loop;
    return v_completed;
end
$$;

-- _complete_rotation returns false when there is nothing to complete, when the
-- rotation is this transaction's own, and when the queue is locked.
create or replace function pgque._complete_rotation(i_queue_id integer) returns boolean
language plpgsql as $$
begin
    perform from pgque.queue where queue_id = i_queue_id and queue_switch_step2 is null
        and queue_switch_step1 is distinct from pg_current_xact_id_if_assigned()::text::bigint
        for no key update skip locked;
    if not found then
        return false;
    end if;
    update pgque.queue set queue_switch_step2 = pg_current_xact_id()::text::bigint where queue_id = i_queue_id;
    return true;
end
$$;

-- _rotate locks the queue's row against consumers that subscribe (they start at the
-- last tick and need what came after it), and the table against readers and writers.
--
-- TRUNCATE does not ask who still sees a row. So once the table is locked, and what
-- was committed into it can be seen by a statement that starts now, the question is
-- asked again: a transaction may have looked the table up before the last rotation
-- and inserted into it since.
create or replace function pgque._rotate(i_queue_id integer) returns boolean
language plpgsql as $$
declare
    v_queue pgque.queue;
    v_next integer;
    v_table text;
begin
    select * into v_queue from pgque.queue
    where queue_id = i_queue_id and queue_switch_step2 is not null
      and queue_switch_time + queue_rotation_period <= clock_timestamp()
    for no key update skip locked;
    if not found then
        return false;
    end if;
    if pgque._is_restored(i_queue_id) then
        return false; -- its ticks say nothing of what was sent here
    end if;
    v_next := (v_queue.queue_cur_table + 1) % v_queue.queue_ntables;
    v_table := v_queue.queue_data_pfx || '_' || v_next;
    if pgque._is_needed(v_queue, v_table) or not pgque._lock_table(v_table) or pgque._is_needed(v_queue, v_table) then
        return false;
    end if;
    execute 'truncate ' || v_table;
    v_queue.queue_table_ticks[v_next + 1] := (pgque._last_tick(i_queue_id)).tick_id;
    update pgque.queue set
        queue_cur_table = v_next,
        queue_switch_time = clock_timestamp(),
        queue_switch_step1 = pg_current_xact_id()::text::bigint,
        queue_switch_step2 = null,
        queue_table_ticks = v_queue.queue_table_ticks
    where queue_id = i_queue_id;
    perform pgque._delete_ticks(v_queue, v_queue.queue_table_ticks[(v_next + 1) % v_queue.queue_ntables + 1]);
    return true;
end
$$;

-- _lock_table returns false when somebody uses the table.
create or replace function pgque._lock_table(i_table text) returns boolean
language plpgsql as $$
begin
    execute format('lock table %s in access exclusive mode nowait', i_table);
    return true;
exception
    when lock_not_available then
        return false;
end
$$;

-- _is_needed tells whether a table holds an event that the slowest consumer, or one
-- that subscribes now, has not seen: one whose transaction began after the snapshot
-- of its tick, or was running then.
create or replace function pgque._is_needed(i_queue pgque.queue, i_table text) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off set max_parallel_workers_per_gather = 0
as $$
declare
    v_slowest bigint := pgque._slowest_tick(i_queue.queue_id);
    v_snapshot pg_snapshot;
    v_is_needed boolean;
begin
    select tick_snapshot into v_snapshot from pgque.tick
    where tick_queue = i_queue.queue_id and tick_id = least(v_slowest, (pgque._last_tick(i_queue.queue_id)).tick_id);
    if not found then
        return true;
    end if;
    execute format('select exists (select from %1$s where ev_txid >= $1)'
                   ' or exists (select from %1$s where ev_txid = any ($2))', i_table)
        into v_is_needed
        using pg_snapshot_xmax(v_snapshot), array(select pg_snapshot_xip(v_snapshot));
    return v_is_needed;
end
$$;

-- _delete_ticks drops the ticks before a given one, except those a consumer is at.
create or replace function pgque._delete_ticks(i_queue pgque.queue, i_before bigint) returns void
language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
    v_slowest bigint := pgque._slowest_tick(i_queue.queue_id);
begin
    delete from pgque.tick
    where tick_queue = i_queue.queue_id
      and tick_id < i_before
      and tick_id < coalesce(v_slowest, i_before);
end
$$;
