-- insert_event(queue, type, data [, extra1 .. extra4]) appends one event and returns
-- its id. Null type and data are stored as they are.
--
-- Raises PQ001 when there is no such queue, PQ006 when inserting into it is disabled.
create or replace function pgque.insert_event(
    queue_name text, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(queue_name, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4);
end
$$;
call pgque._allow('pgque_writer', 'pgque.insert_event(text, text, text, text, text, text, text)');

create or replace function pgque.insert_event(queue_name text, ev_type text, ev_data text)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(queue_name, ev_type, ev_data, null, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.insert_event(text, text, text)');

-- _append inserts one event of the caller's.
create or replace function pgque._append(
    i_queue text, i_type text, i_data text, i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text)
returns bigint
language plpgsql as $$
declare
    v_table text := pgque._table_for_insert(i_queue);
    v_id bigint;
begin
    execute 'insert into ' || v_table || ' (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
            ' values ($1, $2, $3, $4, $5, $6) returning ev_id'
        into v_id using i_type, i_data, i_extra1, i_extra2, i_extra3, i_extra4;
    return v_id;
end
$$;

-- _table_for_insert names the table that takes events now.
--
-- The transaction gets its id in a statement before the one that looks the table
-- up, and before any event id is drawn. The first keeps a transaction that has to
-- wait for its table older than the rotation it missed; the second lets a tick tell
-- which transactions can own event ids below its own (_window_sql).
--
-- From then on until it ends the queue is not dropped, or has been: also for those whose
-- snapshot still shows it. The lock is one on the name, and costs about a hundredth
-- of the insert; a handler for the missing table would cost each event a second
-- transaction id.
create or replace function pgque._table_for_insert(i_queue text) returns text
language plpgsql as $$
declare
    v_table text;
    v_disabled boolean;
begin
    perform pg_current_xact_id(), pg_advisory_xact_lock_shared(pgque._lock_class('send'), hashtext(i_queue));
    select queue_data_pfx || '_' || queue_cur_table, queue_disable_insert into v_table, v_disabled
    from pgque.queue where queue_name = i_queue;
    if not found or (current_setting('transaction_isolation') <> 'read committed' and to_regclass(v_table) is null) then
        raise exception 'queue not found: %', i_queue using errcode = 'PQ001';
    end if;
    if v_disabled and current_setting('session_replication_role') <> 'replica' then
        raise exception 'Insert into queue disallowed' using errcode = 'PQ006', detail = 'queue: ' || i_queue;
    end if;
    return v_table;
end
$$;

-- insert_event_raw inserts a row as it is: with an id, time, owner and retry count of
-- the caller's choice; null id and time get their defaults. Returns the event id.
--
-- Ids that the queue's own sequence did not draw break the tie between ids and
-- transactions, so the queue remembers that it holds such. A number is drawn all the same:
-- it shows the ticker that there is something new.
--
-- Raises as insert_event does; PQ009 for an id below 1 or beyond 2^62, which leaves no room
-- for the ids that follow it, and for an infinite time, which clients cannot read.
create or replace function pgque.insert_event_raw(
    queue_name text, ev_id bigint, ev_time timestamptz, ev_owner integer, ev_retry integer,
    ev_type text, ev_data text, ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_table text := pgque._table_for_insert(queue_name);
    v_queue pgque.queue := pgque._queue(queue_name);
    v_drawn bigint := nextval(v_queue.queue_event_seq);
    v_id bigint := coalesce(ev_id, v_drawn);
begin
    perform pgque._check_raw_event(v_id, ev_time);
    if ev_id is not null and ev_owner is null then
        update pgque.queue q set queue_foreign_ids = true
        where q.queue_id = v_queue.queue_id and not queue_foreign_ids;
    end if;
    execute 'insert into ' || v_table ||
            ' (ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
            ' values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
        using v_id, coalesce(ev_time, now()), ev_owner, ev_retry, ev_type, ev_data,
              ev_extra1, ev_extra2, ev_extra3, ev_extra4;
    return v_id;
end
$$;

create or replace function pgque._check_raw_event(i_id bigint, i_time timestamptz) returns void
language plpgsql as $$
begin
    if i_id not between 1 and 4611686018427387904 then
        raise exception 'event id must be between 1 and 4611686018427387904, got %', i_id using errcode = 'PQ009';
    elsif not isfinite(i_time) then
        raise exception 'event time must be finite, got %', i_time using errcode = 'PQ009';
    end if;
end
$$;
