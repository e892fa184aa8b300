-- Readers: the functions of each queue that read its event tables. Their queries are
-- planned once in a session, not for every page, and that is most of what a small page
-- would cost. They are written when the queue is created, and anew by every upgrade:
--
--   _window_<id>(window, from, to, limit) returns the events that _window_sql speaks of;
--   next_page_<id>(consumer, max_return, batch, wait) is next_page for this queue;
--   pull_<id>(consumer, max_return, batch) is pull for this queue;
--   page_window_<id>(batch) tells what a consumer has to know to read on behind an open page
--     by itself, while it is at work.
--
-- The event tables have no statistics and need none: the paths are known. A query of a
-- millisecond is not worth compiling, nor worth a second process.
create or replace function pgque._create_readers(i_queue_id integer) returns void
language plpgsql as $$
declare
    v_queue pgque.queue;
    v_reader text;
    v_settings text := ' set enable_seqscan = off set enable_bitmapscan = off set jit = off'
        ' set max_parallel_workers_per_gather = 0 set plan_cache_mode = force_generic_plan';
    v_names text[] := array['table', 'pgque.event_' || i_queue_id, 'from', 'v_from', 'to', 'v_to', 'limit', 'v_limit',
        'low_mark', 'v_low', 'high_mark', 'v_high', 'last_snapshot', 'v_last', 'next_snapshot', 'v_next',
        'running', 'v_running', 'first_xid', 'v_first', 'next_xid', 'v_next_xid', 'owner', 'v_owner',
        'slots', 'v_slots', 'slot', 'v_slot'];
begin
    select * into v_queue from pgque.queue where queue_id = i_queue_id;
    foreach v_reader in array array[pgque._window_reader(), pgque._page_reader(), pgque._pull_reader(), pgque._page_window_reader()] loop
        v_reader := pgque._filled_in(v_reader, 'is_mixed', pgque._mixed_sql(), 'has_owned', pgque._owned_sql(v_queue),
            'window', pgque._window_sql(), 'fresh', pgque._fresh_sql(), 'late', pgque._late_sql());
        execute pgque._filled_in(v_reader, variadic v_names || array['id', i_queue_id::text, 'settings', v_settings,
            'event_seq', v_queue.queue_event_seq, 'tick_seq', v_queue.queue_tick_seq, 'block', current_setting('block_size'),
            'name', pgque._literal(v_queue.queue_name)]); -- last: it may look like the others
    end loop;
    execute format('revoke all on function pgque.next_page_%s(text, integer, bigint, boolean) from public', i_queue_id);
    execute format('revoke all on function pgque.pull_%s(text, integer, bigint) from public', i_queue_id);
    execute format('revoke all on function pgque.page_window_%s(bigint) from public', i_queue_id);
    execute format('revoke all on function pgque._window_%s(pgque.window, bigint, bigint, bigint) from public', i_queue_id);
    call pgque._allow('pgque_reader', format('pgque.next_page_%s(text, integer, bigint, boolean)', i_queue_id));
    call pgque._allow('pgque_reader', format('pgque.pull_%s(text, integer, bigint)', i_queue_id));
    call pgque._allow('pgque_reader', format('pgque.page_window_%s(bigint)', i_queue_id));
end
$$;

-- _literal is a text for the body of a function, whatever tags in dollars are around that.
create or replace function pgque._literal(i_text text) returns text
language sql immutable as $$
    select 'E''' || replace(replace(replace(i_text, '\', '\\'), '''', ''''''), '$', '\x24') || ''''
$$;

create or replace function pgque._drop_readers(i_queue_id integer) returns void
language plpgsql as $$
begin
    execute format('drop function if exists pgque.next_page_%s(text, integer, bigint, boolean)', i_queue_id);
    execute format('drop function if exists pgque.pull_%s(text, integer, bigint)', i_queue_id);
    execute format('drop function if exists pgque.page_window_%s(bigint)', i_queue_id);
    execute format('drop function if exists pgque.extend_page_%s(bigint, integer, bigint)', i_queue_id); -- of version 1.2
    execute format('drop function if exists pgque._window_%s(pgque.window, bigint, bigint, bigint)', i_queue_id);
end
$$;

create or replace function pgque._window_reader() returns text
language sql immutable as $$
    select $reader$
create or replace function pgque._window_{id}(i_window pgque.window, v_from bigint, v_to bigint, v_limit bigint)
returns setof pgque.event_template
language plpgsql {settings} as $body$
declare
    v_low constant bigint := i_window.low_mark;
    v_high constant bigint := i_window.high_mark;
    v_last constant pg_snapshot := i_window.last_snapshot;
    v_next constant pg_snapshot := i_window.next_snapshot;
    v_running constant xid8[] := i_window.running;
    v_first constant xid8 := i_window.first_xid;
    v_next_xid constant xid8 := i_window.next_xid;
    v_owner constant integer := i_window.owner;
    v_slots constant integer := i_window.slots;
    v_slot constant integer := i_window.slot;
begin
    return query {window};
end
$body$
    $reader$
$$;

-- _mixed_sql tells whether the window may hold other events than fresh ones behind v_from,
-- in v_mixed. Those for one subscription alone are looked for when there are any.
create or replace function pgque._mixed_sql() returns text
language sql immutable as $$
    select 'v_mixed := v_window.high_mark is null or v_window.slots is not null or pgque._is_late(v_window, v_from);
        if not v_mixed and ({has_owned}) then
            v_mixed := exists (select from {table} where ev_owner = v_window.owner and ev_txid >= v_window.first_xid)
                or exists (select from {table} where ev_owner = v_window.owner and ev_txid = any (v_window.running));
        end if'
$$;

-- _owned_sql tells whether a queue has events for one subscription alone, whichever: their
-- index consists of its first block until the first of them comes.
create or replace function pgque._owned_sql(i_queue pgque.queue) returns text
language sql stable as $$
    select string_agg(format('pg_relation_size(%L::regclass) > v_block',
                             i_queue.queue_data_pfx || '_' || i || '_ev_owner_ev_txid_idx'), ' or ')
    from generate_series(0, i_queue.queue_ntables - 1) as i
$$;

-- The page of a window that is fresh events only is found without looking for its last
-- one: of the ids behind v_from there are at most max_return up to v_to, and gaps only
-- make the page smaller. A gap that is larger than a page is jumped.
create or replace function pgque._page_reader() returns text
language sql immutable as $$
    select $reader$
create or replace function pgque.next_page_{id}(i_consumer text, i_max_return int, i_batch_id bigint, i_wait boolean)
returns setof pgque.message
language plpgsql security definer set search_path = pgque, pg_catalog, pg_temp {settings} as $body$
declare
    v_stored pgque.subscription := pgque._before_page({id}, i_consumer, i_max_return, i_batch_id, i_wait);
    v_sub pgque.subscription := v_stored;
    v_window pgque.window;
    v_from bigint;
    v_to bigint;
    v_low bigint;
    v_high bigint;
    v_last pg_snapshot;
    v_next pg_snapshot;
    v_batch bigint;
    v_mixed boolean;
    v_block constant bigint := current_setting('block_size');
    v_rows integer := 0;
begin
    if v_stored.sub_no is null then
        return;
    elsif i_batch_id is not null then
        v_sub := pgque._passed_page(v_sub);
    elsif v_sub.sub_page_end is not null then
        return query select * from pgque._open_page(v_sub);
        if found then
            return;
        end if;
        v_sub := pgque._passed_page(v_sub); -- every message was taken off it
    end if;
    i_max_return := coalesce(i_max_return, 2147483647);
    loop
        v_sub := pgque._in_window(v_sub, i_max_return);
        exit when v_sub.sub_next_tick is null;
        v_window := pgque._window(v_sub);
        v_from := pgque._batch_from(v_sub);
        {is_mixed};
        if v_mixed then
            return query select * from pgque._page_of(v_sub, i_max_return);
            if found then
                return;
            end if;
        else
            v_low := v_window.low_mark;
            v_high := v_window.high_mark;
            v_last := v_window.last_snapshot::text::pg_snapshot; -- unpacked once, not for each row
            v_next := v_window.next_snapshot::text::pg_snapshot;
            v_batch := v_sub.sub_batch;
            v_from := greatest(v_from, v_low);
            v_to := v_from + i_max_return;
            return query
                select ev_id, v_batch, ev_type, ev_data, ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4
                from {fresh} order by ev_id;
            if not found and v_to < v_high then
                v_to := v_high;
                v_to := coalesce((select ev_id from {fresh} order by ev_id limit 1) + i_max_return - 1, v_from);
                return query
                    select ev_id, v_batch, ev_type, ev_data, ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4
                    from {fresh} order by ev_id;
            end if;
            get diagnostics v_rows = row_count;
            exit when v_rows > 0;
        end if;
        v_sub := pgque._finished_window(v_sub);
    end loop;
    if v_rows > 0 then
        v_sub.sub_page_rows := v_rows;
        v_sub.sub_page_end := least(v_to, v_high);
        v_sub.sub_page_last := v_to >= v_high;
    end if;
    if v_sub is distinct from v_stored then
        perform pgque._store_cursor(v_sub);
    end if;
end
$body$
    $reader$
$$;

-- page_window_<id>(batch) tells what bounds the window of an open page, if nothing but fresh
-- events lie behind the page: no row otherwise, and when the page is the last one. Whoever may
-- read the event tables can read on by {fresh} then, and open what was read by turn_page: the
-- page behind page_end gets the batch id next_batch_id. Nothing changes.
--
-- Raises PQ003 when the batch is not open (any more), or is not a page of this queue.
create or replace function pgque._page_window_reader() returns text
language sql immutable as $$
    select $reader$
create or replace function pgque.page_window_{id}(
    i_batch_id bigint, out next_batch_id bigint, out page_end bigint,
    out low_mark bigint, out high_mark bigint, out last_snapshot text, out next_snapshot text)
returns setof record
language plpgsql security definer set search_path = pgque, pg_catalog, pg_temp {settings} as $body$
declare
    v_sub pgque.subscription := pgque._find_batch(i_batch_id);
    v_window pgque.window;
    v_from constant bigint := v_sub.sub_page_end;
    v_mixed boolean;
    v_block constant bigint := current_setting('block_size');
begin
    if v_from is null or v_sub.sub_queue <> {id} then
        raise exception 'batch not found: %', i_batch_id using errcode = 'PQ003';
    end if;
    perform pgque._check_normal(v_sub);
    if v_sub.sub_page_last then
        return;
    end if;
    v_window := pgque._window(v_sub);
    {is_mixed};
    if not v_mixed then
        return query select pgque._new_batch_id(v_sub.sub_no), v_from, v_window.low_mark, v_window.high_mark,
                            v_window.last_snapshot::text, v_window.next_snapshot::text;
    end if;
end
$body$
    $reader$
$$;
