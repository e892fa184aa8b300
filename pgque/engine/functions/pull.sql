-- pull(queue, consumer, max_return, batch) is tick_queue and next_page, without wait, in one:
-- what a consumer does that follows the events as they come. It returns the messages of the
-- page, and with each of them the tick that was made, null if none was. A tick that no
-- message came with is a row that holds nothing else.
--
-- Raises what next_page raises, PQ014 in another isolation level than read committed, PQ015
-- when the ticks were recorded by another server, and 55P03 rather than wait for anybody.
-- Nothing has changed then.
create or replace function pgque.pull(i_queue text, i_consumer text, i_max_return int, i_batch_id bigint)
returns setof pgque.pulled
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query execute format('select * from pgque.pull_%s($1, $2, $3)', (pgque._queue(i_queue)).queue_id)
        using i_consumer, i_max_return, i_batch_id;
end
$$;
call pgque._allow('pgque_reader', 'pgque.pull(text, text, integer, bigint)');

-- pull_<id>(consumer, max_return, batch) does so for one queue. Hundreds of times a second it
-- meets the same: the open page was the last one of its window, which ended at the last tick,
-- and what was sent since is the next. For that it does all of both in four statements; each
-- that is not made, each function that is not called, counts at this pace. Whatever is
-- otherwise is left to tick_queue and next_page.
--
-- The order is theirs. The lock of ticks is taken in one statement and the last tick read in
-- a later one; the mark is read before this transaction has an id, the snapshot taken before
-- the id, and the high mark read after both. Whether the window holds events with chosen ids
-- is told by the same snapshot, whether it holds events for one subscription alone by a look
-- after it. The cursor changes last, if it still is what it was; until then it has not been
-- locked, and who holds it is not waited for.
create or replace function pgque._pull_reader() returns text
language sql immutable as $$
    select $reader$
create or replace function pgque.pull_{id}(i_consumer text, i_max_return int, i_batch_id bigint)
returns setof pgque.pulled
language plpgsql security definer set search_path = pgque, pg_catalog, pg_temp {settings} set lock_timeout = '10ms' as $body$
declare
    v_mark constant bigint := case when i_batch_id is not null and i_max_return > 0
        and pg_current_xact_id_if_assigned() is null and current_setting('transaction_isolation') = 'read committed'
        and pg_try_advisory_xact_lock(pgque._lock_class('tick'), {id}) then pg_sequence_last_value('{event_seq}'::regclass) end;
    v_from constant bigint := -9223372036854775808;
    v_to constant bigint := 9223372036854775807;
    v_block constant bigint := {block};
    v_no integer;
    v_gen bigint;
    v_tick bigint;
    v_low bigint;
    v_high bigint;
    v_last pg_snapshot;
    v_next pg_snapshot;
    v_last_xid xid8;
    v_running xid8[];
    v_batch bigint;
    v_told text;
    v_rows integer := 0;
begin
    if v_mark is not null then
        select s.sub_no, s.sub_gen, l.tick_event_seq, l.tick_snapshot, l.tick_next_xid, pgque._new_batch_id(s.sub_no)
        into v_no, v_gen, v_low, v_last, v_last_xid, v_batch
        from (select xmin as row_xmin, tick_id, tick_time, tick_snapshot, tick_event_seq, tick_next_xid from pgque.tick
              where tick_queue = {id} order by tick_queue desc, tick_id desc limit 1) as l
        cross join (select sub_no, sub_gen, sub_queue, sub_batch, sub_next_tick, sub_page_last, sub_role, sub_slot
                    from pgque.subscription
                    where sub_no = (i_batch_id % 4194304)::integer order by sub_no desc, sub_gen desc limit 1) as s
        where l.tick_event_seq < v_mark and pgque._distance(pg_snapshot_xmax(l.tick_snapshot), l.tick_next_xid) < 100
          and l.tick_time >= pg_postmaster_start_time()
          and not pgque._is_from_elsewhere(l.row_xmin, l.tick_snapshot, l.tick_next_xid)
          and s.sub_batch = i_batch_id and s.sub_page_last and s.sub_queue = {id} and s.sub_next_tick = l.tick_id
          and s.sub_role = 'normal' and s.sub_slot is null
          and pg_sequence_last_value('{tick_seq}'::regclass) >= l.tick_id;
    end if;
    if v_no is not null then
        insert into pgque.tick (tick_queue, tick_id, tick_snapshot, tick_event_seq, tick_event_high, tick_next_xid)
        select queue_id, nextval('{tick_seq}'::regclass), pg_current_snapshot(), v_mark,
               pg_sequence_last_value('{event_seq}'::regclass), pg_current_xact_id()
        from pgque.queue
        where queue_id = {id} and not queue_ticker_paused and not queue_external_ticker and not queue_foreign_ids
        returning tick_id, tick_snapshot, tick_event_high, pgque._announce({name}, tick_id::text)
        into v_tick, v_next, v_high, v_told;
    end if;
    if v_tick is not null and not ({has_owned}) then
        if pg_snapshot_xmin(v_last) < v_last_xid then
            v_running := array(
                select x from pg_snapshot_xip(v_last) as x where pg_visible_in_snapshot(x, v_next)
                union all
                select x from pgque._xids(pg_snapshot_xmax(v_last), v_last_xid) as x where pg_visible_in_snapshot(x, v_next));
        end if;
        if cardinality(v_running) > 0 then
            return query
                select ev_id, v_batch, ev_type, ev_data, ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4, v_tick
                from (select * from {fresh} union all select * from {late}) as events order by ev_id limit i_max_return;
        else
            return query
                select ev_id, v_batch, ev_type, ev_data, ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4, v_tick
                from {fresh} order by ev_id limit i_max_return;
        end if;
        get diagnostics v_rows = row_count;
    end if;
    if v_rows > 0 then
        if v_rows = i_max_return then -- more may wait
            v_high := (select ev_id from (select ev_id from {fresh} union all select ev_id from {late}) as events
                       order by ev_id offset i_max_return - 1 limit 1);
        end if;
        update pgque.subscription set
            sub_last_tick = sub_next_tick, sub_next_tick = v_tick, sub_done_id = null,
            sub_batch = v_batch, sub_active = clock_timestamp(),
            sub_page_end = v_high, sub_page_rows = v_rows, sub_page_last = v_rows < i_max_return,
            sub_moves = sub_moves + 1, sub_gen = pgque._next_generation(sub_gen, sub_moves)
        where sub_no = v_no and sub_gen = v_gen and sub_batch = i_batch_id and sub_role = 'normal';
        if not found then
            raise exception 'another session works at batch %', i_batch_id using errcode = '55P03';
        end if;
        return;
    end if;
    if v_tick is null then
        v_tick := pgque.tick_queue(queue_name) from pgque.queue where queue_id = {id};
    end if;
    return query select *, v_tick from pgque.next_page_{id}(i_consumer, i_max_return, i_batch_id, false);
    if not found and v_tick is not null then
        return query select (null::pgque.message).*, v_tick;
    end if;
end
$body$
    $reader$
$$;

-- _distance is how many transactions lie between two ids; _xids are they, without the last.
create or replace function pgque._distance(i_from xid8, i_to xid8) returns bigint
language sql immutable as $$
    select i_to::text::bigint - i_from::text::bigint
$$;

create or replace function pgque._xids(i_from xid8, i_to xid8) returns setof xid8
language sql immutable as $$
    select x::text::xid8 from generate_series(i_from::text::bigint, i_to::text::bigint - 1) as x
$$;
