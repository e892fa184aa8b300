-- Windows. A window (last, next] holds the events that the snapshot of tick next sees
-- and that of tick last does not, as far as the subscription may see them. What it
-- holds never changes.

-- _next_tick returns the i_step-th tick after i_tick, or the last one if there are
-- fewer; null when there is none.
create or replace function pgque._next_tick(i_queue_id integer, i_tick bigint, i_step integer) returns bigint
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
begin
    return max(tick_id) from (
        select tick_id from pgque.tick
        where tick_queue = i_queue_id and tick_id > i_tick
        order by tick_queue, tick_id limit i_step) as ahead;
end
$$;

-- _next_tick_within returns the last tick after i_tick that is at most i_events
-- events ahead, but at least the next one; null when there is none. Where ticks stand close
-- together it looks at no more of them than the events are worth. The caller has seen to it
-- that indexes are used.
create or replace function pgque._next_tick_within(i_queue_id integer, i_tick bigint, i_events bigint) returns bigint
language plpgsql as $$
begin
    return coalesce(max(tick_id) filter (where tick_event_seq <= i_events + (
        select tick_event_seq from pgque.tick where tick_queue = i_queue_id and tick_id = i_tick)), min(tick_id)) from (
        select tick_id, tick_event_seq from pgque.tick
        where tick_queue = i_queue_id and tick_id > i_tick
        order by tick_queue, tick_id limit 256 + i_events / 16) as ahead;
end
$$;

-- _window reads what bounds the window of a cursor.
--
-- Raises PQ003 when one of its ticks is gone.
create or replace function pgque._window(i_sub pgque.subscription) returns pgque.window
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    v_window pgque.window;
begin
    select case when q.queue_foreign_ids then 9223372036854775807 else l.tick_event_seq end,
           n.tick_event_high, l.tick_snapshot, n.tick_snapshot,
           array(select x from pg_snapshot_xip(l.tick_snapshot) as x where pg_visible_in_snapshot(x, n.tick_snapshot)),
           pg_snapshot_xmax(l.tick_snapshot),
           least(case when not q.queue_foreign_ids then l.tick_next_xid end, pg_snapshot_xmax(n.tick_snapshot)),
           i_sub.sub_id, i_sub.sub_slots, i_sub.sub_slot
    into v_window
    from pgque.queue q
    join pgque.tick l on l.tick_queue = q.queue_id and l.tick_id = i_sub.sub_last_tick
    join pgque.tick n on n.tick_queue = q.queue_id and n.tick_id = i_sub.sub_next_tick
    where q.queue_id = i_sub.sub_queue;
    if not found then
        raise exception 'cannot find data for batch: ticks % and % of queue %', i_sub.sub_last_tick, i_sub.sub_next_tick,
            (select queue_name from pgque.queue where queue_id = i_sub.sub_queue) using errcode = 'PQ003';
    end if;
    return v_window;
end
$$;

-- _is_late tells that the window may hold events whose ids are not above its low mark,
-- among those behind i_from. Above 0, that of the first tick of a queue, are all of them.
create or replace function pgque._is_late(i_window pgque.window, i_from bigint) returns boolean
language plpgsql immutable as $$
begin
    return i_from < i_window.low_mark and i_window.low_mark > 0
       and (cardinality(i_window.running) > 0 or i_window.next_xid > i_window.first_xid);
end
$$;

-- _fresh_sql and _late_sql are what follows the from of a query for the fresh events of a
-- window, and for those of transactions that were running at its last tick; _window_sql is a
-- query for all events of the window whose ids lie in (from, to], in the
-- order of their ids, at most so many (null: all). Both are text with names in it:
-- {table}, {from}, {to}, {limit}, and a name for each field of pgque.window, for
-- expressions that yield them.
--
-- Ids decide the order because they follow causes: who draws an id after another
-- transaction's commit draws a higher one. Transaction ids do not; a transaction may
-- get its id early and send late.
--
-- The window may lie anywhere in a log of millions and be huge itself, yet the query
-- reads little more than it returns. An event of the window was inserted
--   by a transaction that began after the low mark of the last tick was read, and is
--     fresh. Its id is above that mark, and not above the high mark of the next tick:
--     an index on ids yields these in order;
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
-- table up long before it inserted.
create or replace function pgque._fresh_sql() returns text
language sql immutable as $$
    select '{table} where ev_id > greatest({from}, {low_mark}) and ev_id <= least({to}, {high_mark})'
        ' and ev_owner is null'
        ' and pg_visible_in_snapshot(ev_txid, {next_snapshot}) and not pg_visible_in_snapshot(ev_txid, {last_snapshot})'
$$;

create or replace function pgque._late_sql() returns text
language sql immutable as $$
    select '{table} where {from} < {low_mark} and ev_txid = any ({running}) and ev_owner is null'
        ' and ev_id + 0 > {from} and ev_id + 0 <= least({to}, {low_mark})'
$$;

create or replace function pgque._window_sql() returns text
language sql immutable as $$
    with slot as (
        select ' and ({slots} is null or ((coalesce(hashtextextended(ev_extra1, 0), 0) % {slots}) + {slots}) % {slots} = {slot})' as cond
    )
    select 'select * from ('
        '(select * from ' || pgque._fresh_sql() || slot.cond || ' order by ev_id limit {limit})'
        ' union all'
        ' select * from ' || pgque._late_sql() || slot.cond ||
        ' union all'
        ' select * from {table} where {from} < {low_mark} and ev_txid >= {first_xid} and ev_txid < {next_xid} and ev_owner is null'
        ' and pg_visible_in_snapshot(ev_txid, {next_snapshot})'
        ' and ev_id + 0 > {from} and ev_id + 0 <= least({to}, {low_mark})' || slot.cond ||
        ' union all'
        ' select * from {table} where ev_owner = {owner} and ev_txid = any ({running})'
        ' and ev_id + 0 > {from} and ev_id + 0 <= {to}'
        ' union all'
        ' select * from {table} where ev_owner = {owner} and ev_txid >= {first_xid} and ev_txid < pg_snapshot_xmax({next_snapshot})'
        ' and pg_visible_in_snapshot(ev_txid, {next_snapshot})'
        ' and ev_id + 0 > {from} and ev_id + 0 <= {to}'
        ') as events order by ev_id, ev_retry nulls first limit {limit}'
    from slot
$$;

-- _filled_in puts expressions in the place of names, which come in pairs.
create or replace function pgque._filled_in(i_sql text, variadic i_pairs text[]) returns text
language plpgsql immutable as $$
begin
    for i in 1 .. cardinality(i_pairs) by 2 loop
        i_sql := replace(i_sql, '{' || i_pairs[i] || '}', i_pairs[i + 1]);
    end loop;
    return i_sql;
end
$$;

-- _window_events returns the events that _window_sql speaks of.
create or replace function pgque._window_events(i_sub pgque.subscription, i_from bigint, i_to bigint, i_limit bigint)
returns setof pgque.event_template
language plpgsql as $$
begin
    return query execute format('select * from pgque._window_%s($1, $2, $3, $4)', i_sub.sub_queue)
        using pgque._window(i_sub), i_from, i_to, i_limit;
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
    v_window pgque.window := pgque._window(v_sub);
begin
    return pgque._filled_in(pgque._window_sql(),
        'table', 'pgque.event_' || v_sub.sub_queue, 'limit', 'all',
        'from', pgque._batch_from(v_sub)::text, 'to', '9223372036854775807',
        'low_mark', v_window.low_mark::text, 'high_mark', coalesce(v_window.high_mark::text, 'null'),
        'last_snapshot', quote_literal(v_window.last_snapshot), 'next_snapshot', quote_literal(v_window.next_snapshot),
        'running', quote_literal(v_window.running), 'first_xid', quote_literal(v_window.first_xid),
        'next_xid', quote_literal(v_window.next_xid), 'owner', v_window.owner::text,
        'slots', coalesce(v_window.slots::text, 'null'), 'slot', coalesce(v_window.slot::text, 'null'));
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
