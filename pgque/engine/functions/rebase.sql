-- rebase() mends queues whose ticks were recorded by another server, as after a restore
-- into a cluster whose transaction ids are lower: without it the ticker refuses to tick
-- them. Returns how many queues it mended; 0 when all are well.
--
-- No event is lost, also none that was sent here before. None comes twice, except for a
-- retry, or an event with an id of a caller's choice, of a time when the other server's
-- transaction ids were still below those that the restore had here. Consumers stay where
-- they were, in the middle of a page too. Of the ticks those stay that a consumer is at. It
-- holds up producers and consumers of these queues until commit.
--
-- Raises PQ014.
create or replace function pgque.rebase() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue;
    v_mended integer := 0;
begin
    perform pgque._check_read_committed();
    for v_queue in
        select * from pgque.queue q where pgque._is_restored(q.queue_id) order by queue_id for update
    loop
        perform pgque._rebase_queue(v_queue);
        v_mended := v_mended + 1;
    end loop;
    return v_mended;
end
$$;

-- _is_restored tells whether the last tick of a queue was recorded by another server.
create or replace function pgque._is_restored(i_queue_id integer) returns boolean
language plpgsql as $$
begin
    return coalesce(pgque._is_from_elsewhere(pgque._last_tick(i_queue_id)), false);
end
$$;

-- _is_from_elsewhere tells whether a tick was recorded by a server whose transaction ids were
-- ahead of this one's. Its row tells: of a tick that was recorded here it was written by a
-- transaction that was not older than the tick's snapshot. It tells so for ever, also when
-- this server's ids have passed those of the tick; until the repair, events that are sent
-- here look as if that tick had seen them.
create or replace function pgque._is_from_elsewhere(i_tick pgque.tick) returns boolean
language plpgsql as $$
begin
    return coalesce((
        select pgque._is_from_elsewhere(xmin, tick_snapshot, tick_next_xid)
        from pgque.tick where tick_queue = i_tick.tick_queue and tick_id = i_tick.tick_id), false);
end
$$;

create or replace function pgque._is_from_elsewhere(i_xmin xid, i_snapshot pg_snapshot, i_next_xid xid8) returns boolean
language sql stable as $$
    select pg_snapshot_xmax(i_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
        or pgque._row_xid(i_xmin) < coalesce(i_next_xid, pg_snapshot_xmin(i_snapshot))
$$;

-- _row_xid is the transaction that wrote a row here, a restore for instance, with the half of
-- its id that rows do not have: of those that it may be the one next to now.
create or replace function pgque._row_xid(i_xmin xid) returns xid8
language sql stable as $$
    select greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 2147483648
                    + ((i_xmin::text::bigint - pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 2147483648) & 4294967295),
                    0)::text::xid8
$$;

-- _rebase_queue gives events and ticks transaction ids from the very beginning of this
-- server's, which ended long ago. What has to survive is which of the needed ticks sees
-- which event. So an event is told by the first needed tick that sees it, and number n
-- of those gets the transaction id 3 + n; the snapshot of the n-th tick sees ids up to
-- that. Events that no tick sees follow all of them.
--
-- An event that was sent here, before this repair, may have a transaction that an old
-- snapshot takes for seen. It is the one that has written the row, unless it did so in a
-- part of its own; what came with the restore was written by the restore, and its own
-- transaction is a later one in most cases. Where that does not tell, the event id does:
-- that of an event that was sent here is above all that the tick has seen. Ids that callers
-- chose and those of retries tell nothing; such events come rather twice than not at all.
create or replace function pgque._rebase_queue(i_queue pgque.queue) returns void
language plpgsql as $$
declare
    v_ticks bigint[];
begin
    v_ticks := array(
        select sub_last_tick from pgque.subscription where sub_queue = i_queue.queue_id and sub_last_tick is not null
        union select sub_next_tick from pgque.subscription where sub_queue = i_queue.queue_id and sub_next_tick is not null
        union select (pgque._last_tick(i_queue.queue_id)).tick_id
        order by 1);
    delete from pgque.tick where tick_queue = i_queue.queue_id and tick_id <> all (v_ticks);
    for i in 0 .. i_queue.queue_ntables - 1 loop
        perform pgque._rebase_table(i_queue, i_queue.queue_data_pfx || '_' || i);
    end loop;
    update pgque.tick set
        tick_snapshot = format('%1$s:%1$s:', 4 + array_position(v_ticks, tick_id))::pg_snapshot,
        tick_next_xid = null
    where tick_queue = i_queue.queue_id;
    update pgque.queue set
        queue_switch_step1 = pg_current_xact_id()::text::bigint,
        queue_switch_step2 = pg_current_xact_id()::text::bigint,
        queue_table_ticks = array_fill(v_ticks[1], array[i_queue.queue_ntables])
    where queue_id = i_queue.queue_id;
end
$$;

-- _rebase_table writes a table anew instead of updating it: it shall hold no dead rows.
create or replace function pgque._rebase_table(i_queue pgque.queue, i_table text) returns void
language plpgsql as $$
begin
    execute format('lock table %s in access exclusive mode', i_table);
    execute format(
        'create temp table pgque_rebase on commit drop as'
        ' select (3 + coalesce('
        '     (select min(n) from (select tick_snapshot, tick_event_high, row_number() over (order by tick_id) as n'
        '                          from pgque.tick where tick_queue = %s) as t'
        '      where pg_visible_in_snapshot(e.ev_txid, tick_snapshot)'
        '        and (e.ev_txid > pgque._row_xid(e.xmin)'
        '             or e.ev_txid < pgque._row_xid(e.xmin) and e.ev_owner is null and e.ev_id <= tick_event_high and not %L)),'
        '     (select count(*) + 1 from pgque.tick where tick_queue = %1$s)))::text::xid8 as new_txid, e.*'
        ' from %3$s e', i_queue.queue_id, i_queue.queue_foreign_ids, i_table);
    execute format('truncate %s', i_table);
    execute format(
        'insert into %s (ev_id, ev_time, ev_txid, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
        ' select ev_id, ev_time, new_txid, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'
        ' from pg_temp.pgque_rebase order by ev_id', i_table);
    drop table pg_temp.pgque_rebase;
end
$$;
