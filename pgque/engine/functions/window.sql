-- Windows. A window (last, next] holds the events that the snapshot of tick next sees
-- and that of tick last does not, as far as the subscription may see them. What it
-- holds never changes.

-- _next_tick returns the i_step-th tick after i_tick, or the last one if there are
-- fewer; null when there is none.
create or replace function pgque._next_tick(i_queue_id integer, i_tick bigint, i_step integer) returns bigint
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
begin
    return max(tick_id) from (
        select tick_id from pgque.tick
        where tick_queue = i_queue_id and tick_id > i_tick
        order by tick_queue, tick_id limit i_step) as ahead;
end
$$;

-- _next_tick_within returns the last tick after i_tick that is at most i_events
-- events (and 256 ticks) ahead, but at least the next one; null when there is none.
create or replace function pgque._next_tick_within(i_queue_id integer, i_tick bigint, i_events bigint) returns bigint
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
declare
    v_start bigint;
begin
    select tick_event_seq into v_start from pgque.tick where tick_queue = i_queue_id and tick_id = i_tick;
    return coalesce(max(tick_id) filter (where tick_event_seq - v_start <= i_events), min(tick_id)) from (
        select tick_id, tick_event_seq from pgque.tick
        where tick_queue = i_queue_id and tick_id > i_tick
        order by tick_queue, tick_id limit 256) as ahead;
end
$$;

-- _window_sql builds the query for those events of the cursor's window whose ids lie
-- in (i_from, i_to], in the order of their ids, at most i_limit of them (null: all).
--
-- Ids decide the order because they follow causes: who draws an id after another
-- transaction's commit draws a higher one. Transaction ids do not; a transaction may
-- get its id early and send late.
--
-- The window may lie anywhere in a log of millions and be huge itself, yet the query
-- reads little more than it returns. An event of the window was inserted
--   by a transaction that began after the low mark of the last tick was read. Its id
--     is above that mark, and not above the high mark of the next tick: an index on
--     ids yields these in order;
--   by one that was running then. Those are few, and known: the running ones of the
--     last tick's snapshot and those between its xmax and its next xid. An index on
--     transactions yields their events with ids up to the low mark;
--   for this subscription alone (retries, replays). These keep their old ids; an
--     index on owner and transaction yields them.
-- Where callers chose event ids the marks mean nothing, and the whole window is read
-- by transaction. The terms ev_id + 0 keep the planner from the index on ids where
-- transactions are the way.
--
-- A slot of a partitioned consumer sees the keys (ev_extra1) that hash to it; events
-- without a key are in slot 0.
--
-- All children are read, not only the current one: a transaction may have looked the
-- table up long before it inserted. A child that is empty on disk is left out, and so
-- are indexes that hold nothing: what belongs to the window was committed before its
-- tick, and so is on disk by now. Planning is most of the work of a small page, and
-- grows with each scan.
create or replace function pgque._window_sql(i_sub pgque.subscription, i_from bigint, i_to bigint, i_limit bigint) returns text
language plpgsql
set enable_seqscan = off
as $$
declare
    v_last pgque.tick;
    v_next pgque.tick;
    v_queue pgque.queue;
    v_low bigint;
    v_next_xid xid8;
    v_running xid8[];
    v_slot text := '';
    v_table text;
    v_parts text[];
begin
    select * into v_queue from pgque.queue where queue_id = i_sub.sub_queue;
    select * into v_last from pgque.tick where tick_queue = i_sub.sub_queue and tick_id = i_sub.sub_last_tick;
    select * into v_next from pgque.tick where tick_queue = i_sub.sub_queue and tick_id = i_sub.sub_next_tick;
    if v_last.tick_id is null or v_next.tick_id is null then
        raise exception 'cannot find data for batch: ticks % and % of queue %',
            i_sub.sub_last_tick, i_sub.sub_next_tick, v_queue.queue_name using errcode = 'PQ003';
    end if;

    v_low := case when v_queue.queue_foreign_ids then 9223372036854775807 else v_last.tick_event_seq end;
    v_next_xid := case when v_queue.queue_foreign_ids then null else v_last.tick_next_xid end;
    v_next_xid := least(coalesce(v_next_xid, pg_snapshot_xmax(v_next.tick_snapshot)), pg_snapshot_xmax(v_next.tick_snapshot));
    v_running := array(select x from pg_snapshot_xip(v_last.tick_snapshot) as x
                       where pg_visible_in_snapshot(x, v_next.tick_snapshot));

    if i_sub.sub_slot is not null then
        v_slot := format(' and ((coalesce(hashtextextended(ev_extra1, 0), 0) %% %1$s) + %1$s) %% %1$s = %s', i_sub.sub_slots, i_sub.sub_slot);
    end if;

    for i in 0 .. v_queue.queue_ntables - 1 loop
        v_table := v_queue.queue_data_pfx || '_' || i;
        continue when pg_relation_size(v_table) = 0;
        if i_to > v_low then
            v_parts := v_parts || format(
                '(select * from %s where ev_id > %s and ev_id <= %s and ev_owner is null'
                ' and pg_visible_in_snapshot(ev_txid, %L) and not pg_visible_in_snapshot(ev_txid, %L)'
                '%s order by ev_id limit %s)',
                v_table, greatest(i_from, v_low), least(i_to, v_next.tick_event_high),
                v_next.tick_snapshot, v_last.tick_snapshot, v_slot, coalesce(i_limit::text, 'all'));
        end if;
        if i_from < v_low and cardinality(v_running) > 0 then
            v_parts := v_parts || format(
                'select * from %s where ev_txid = any (%L::xid8[]) and ev_owner is null and ev_id + 0 > %s and ev_id + 0 <= %s%s',
                v_table, v_running, i_from, least(i_to, v_low), v_slot);
        end if;
        if i_from < v_low and v_next_xid > pg_snapshot_xmax(v_last.tick_snapshot) then
            v_parts := v_parts || format(
                'select * from %s where ev_txid >= %L and ev_txid < %L and ev_owner is null'
                ' and pg_visible_in_snapshot(ev_txid, %L) and ev_id + 0 > %s and ev_id + 0 <= %s%s',
                v_table, pg_snapshot_xmax(v_last.tick_snapshot), v_next_xid,
                v_next.tick_snapshot, i_from, least(i_to, v_low), v_slot);
        end if;
        continue when not pgque._has_owned(v_table);
        if cardinality(v_running) > 0 then
            v_parts := v_parts || format(
                'select * from %s where ev_owner = %s and ev_txid = any (%L::xid8[]) and ev_id + 0 > %s and ev_id + 0 <= %s',
                v_table, i_sub.sub_id, v_running, i_from, i_to);
        end if;
        v_parts := v_parts || format(
            'select * from %s where ev_owner = %s and ev_txid >= %L and ev_txid < %L'
            ' and pg_visible_in_snapshot(ev_txid, %L) and ev_id + 0 > %s and ev_id + 0 <= %s',
            v_table, i_sub.sub_id, pg_snapshot_xmax(v_last.tick_snapshot),
            pg_snapshot_xmax(v_next.tick_snapshot), v_next.tick_snapshot, i_from, i_to);
    end loop;

    if cardinality(v_parts) = 1 and i_to > v_low then
        return v_parts[1]; -- in order already, through the index
    end if;
    return format('select * from (%s) as events order by ev_id, ev_retry nulls first limit %s',
        coalesce(array_to_string(v_parts, ' union all '), 'select * from ' || v_queue.queue_data_pfx || ' where false'),
        coalesce(i_limit::text, 'all'));
end
$$;

-- _has_owned tells whether a table may hold events for one subscription alone. Their
-- index consists of its first block until the first of them comes.
create or replace function pgque._has_owned(i_table text) returns boolean
language plpgsql as $$
begin
    return coalesce(pg_relation_size(to_regclass(i_table || '_ev_owner_ev_txid_idx'))
                    > current_setting('block_size')::bigint, true);
end
$$;

-- _window_events runs _window_sql. The event tables have no statistics and need
-- none: the paths are known. A query of a millisecond is not worth compiling, nor
-- worth a second process.
create or replace function pgque._window_events(i_sub pgque.subscription, i_from bigint, i_to bigint, i_limit bigint)
returns setof pgque.event_template
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off set max_parallel_workers_per_gather = 0
as $$
begin
    return query execute pgque._window_sql(i_sub, i_from, i_to, i_limit);
end
$$;

-- _batch_from and _batch_to bound the ids of an open batch within its window. A page
-- ends at its last event, any other batch with its window.
create or replace function pgque._batch_from(i_sub pgque.subscription) returns bigint
language sql immutable as $$
    select coalesce(i_sub.sub_done_id, -9223372036854775808)
$$;

create or replace function pgque._batch_to(i_sub pgque.subscription) returns bigint
language sql immutable as $$
    select coalesce(i_sub.sub_page_end, 9223372036854775807)
$$;

-- batch_event_sql(batch) shows the query behind get_batch_events.
--
-- Raises PQ003 when the batch is not open.
create or replace function pgque.batch_event_sql(x_batch_id bigint) returns text
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._open_batch(x_batch_id);
begin
    return pgque._window_sql(v_sub, pgque._batch_from(v_sub), 9223372036854775807, null);
end
$$;

-- batch_event_tables(batch) lists the tables that a batch is read from: all of its
-- queue.
--
-- Raises PQ003 when the batch is not open.
create or replace function pgque.batch_event_tables(x_batch_id bigint) returns setof text
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._open_batch(x_batch_id);
begin
    return query
        select queue_data_pfx || '_' || i from pgque.queue, generate_series(0, queue_ntables - 1) as i
        where queue_id = v_sub.sub_queue;
end
$$;

create or replace function pgque._open_batch(i_batch_id bigint) returns pgque.subscription
language plpgsql as $$
declare
    v_sub pgque.subscription := pgque._find_batch(i_batch_id);
begin
    if v_sub.sub_no is null then
        raise exception 'batch not found: %', i_batch_id using errcode = 'PQ003';
    end if;
    return v_sub;
end
$$;
