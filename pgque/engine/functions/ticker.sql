-- A tick must run in a transaction that is not the sender's or the receiver's, at
-- isolation level read committed: it records what is committed at this moment.

-- ticker(queue) ticks if a tick is due: when ticker_max_count events wait, when any
-- wait and the last tick is ticker_max_lag old, and on an idle queue in growing
-- distances up to ticker_idle_period. Returns the tick's id; null when none was due,
-- or another session is ticking this queue right now.
--
-- Raises PQ001 when there is no such queue, PQ011 when it is paused or ticked from
-- outside, PQ014 in another isolation level, PQ015 when its ticks were recorded by another
-- server: rebase() mends that.
create or replace function pgque.ticker(i_queue_name text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque._check_read_committed();
    return pgque._tick(q, false, pgque._low_mark(q)) from pgque._ticking_queue(i_queue_name) q;
end
$$;

-- ticker() ticks all queues that are due, and returns how many it ticked. Paused,
-- external and just now dropped queues are passed over; an error on one queue is a
-- warning and does not keep the others from ticking.
create or replace function pgque.ticker() returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque._check_read_committed();
    return (select count(t.tick_id) from pgque._tick_many(null) t);
end
$$;

-- ticker(queue, tick_id, timestamp, event_seq) records a tick that was made
-- elsewhere. Returns the tick id.
--
-- Raises PQ001, PQ011 when the queue has no external ticker, PQ009 when tick_id or
-- event_seq are not above those of the last tick and for a null or infinite timestamp,
-- PQ014, PQ015.
create or replace function pgque.ticker(
    i_queue_name text, i_tick_id bigint, i_orig_timestamp timestamptz, i_event_seq bigint)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
    v_last pgque.tick;
begin
    perform pgque._check_read_committed();
    if not v_queue.queue_external_ticker then
        raise exception 'queue % has no external ticker', i_queue_name using errcode = 'PQ011';
    elsif i_tick_id is null or i_orig_timestamp is null or i_event_seq is null then
        raise exception 'tick_id, timestamp and event_seq must not be null' using errcode = 'PQ009';
    elsif not isfinite(i_orig_timestamp) then
        raise exception 'timestamp must be finite, got %', i_orig_timestamp using errcode = 'PQ009';
    end if;
    perform pg_advisory_xact_lock(pgque._lock_class('tick'), v_queue.queue_id);
    v_last := pgque._last_tick(v_queue.queue_id);
    perform pgque._check_server(v_queue, v_last);
    if i_tick_id <= v_last.tick_id then
        raise exception 'tick_id % is not above the last one, %', i_tick_id, v_last.tick_id using errcode = 'PQ009';
    elsif i_event_seq < v_last.tick_event_seq then
        raise exception 'event_seq % is below the last one, %', i_event_seq, v_last.tick_event_seq using errcode = 'PQ009';
    end if;
    -- Its event_seq counts another server's events: it bounds nothing here.
    insert into pgque.tick (tick_queue, tick_id, tick_time, tick_snapshot, tick_event_seq)
    values (v_queue.queue_id, i_tick_id, i_orig_timestamp, pgque._tick_snapshot(), i_event_seq);
    update pgque.queue set queue_foreign_ids = true where queue_id = v_queue.queue_id and not queue_foreign_ids;
    perform pgque._announce(v_queue.queue_name, i_tick_id::text);
    return i_tick_id;
end
$$;

-- tick_queue(queue) ticks if there is anything new, whatever the queue's settings
-- say about count and lag. Returns the tick's id; null when there is nothing new,
-- when another session is ticking, and when the queue is paused or ticked from
-- outside. It never waits, and on an idle queue it writes nothing.
--
-- Raises PQ001, PQ014, PQ015.
create or replace function pgque.tick_queue(i_queue text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
begin
    perform pgque._check_read_committed();
    if v_queue.queue_ticker_paused or v_queue.queue_external_ticker then
        return null;
    end if;
    return pgque._tick(v_queue, true, pgque._low_mark(v_queue));
end
$$;
call pgque._allow('pgque_reader', 'pgque.tick_queue(text)');

-- tick_queues(queues) is tick_queue() for many queues, in one look at all of them. It
-- returns the ticks that it made; and a queue with a null when an error kept it from
-- ticking, which is a warning here and an error of tick_queue(). Queues that do not exist
-- are passed over.
--
-- Raises PQ014.
create or replace function pgque.tick_queues(i_queues text[]) returns table (queue text, tick_id bigint)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque._check_read_committed();
    return query select * from pgque._tick_many(coalesce(i_queues, '{}'));
end
$$;
call pgque._allow('pgque_reader', 'pgque.tick_queues(text[])');

-- _check_read_committed: in the other levels the snapshot is as old as the
-- transaction. A tick would record the past, after others had ticked the present.
create or replace function pgque._check_read_committed() returns void
language plpgsql as $$
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception 'not possible in a % transaction', current_setting('transaction_isolation')
            using errcode = 'PQ014', hint = 'Ticks and maintenance need read committed.';
    end if;
end
$$;

create or replace function pgque._ticking_queue(i_queue text) returns pgque.queue
language plpgsql as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
begin
    if v_queue.queue_external_ticker then
        raise exception 'queue % has an external ticker', i_queue using errcode = 'PQ011';
    elsif v_queue.queue_ticker_paused then
        raise exception 'ticker of queue % is paused', i_queue using errcode = 'PQ011';
    end if;
    return v_queue;
end
$$;

-- _tick_many ticks those of the named queues that have anything new; without names all
-- queues that are due. It returns the ticks, and a null for each queue with an error.
create or replace function pgque._tick_many(i_names text[]) returns table (queue text, tick_id bigint)
language plpgsql as $$
declare
    v_queues pgque.queue[];
    v_marks bigint[];
    v_at_rest jsonb := '{}';
begin
    -- All marks are taken before the first tick gives this transaction an id.
    select array_agg(q order by queue_id), array_agg(pgque._low_mark(q) order by queue_id) into v_queues, v_marks
    from pgque._queues_to_tick(i_names) q;
    for i in 1 .. coalesce(cardinality(v_queues), 0) loop
        queue := v_queues[i].queue_name;
        begin
            tick_id := pgque._tick(v_queues[i], i_names is not null, v_marks[i]);
            if tick_id is null then
                v_at_rest := v_at_rest || coalesce(pgque._rest(v_queues[i]), '{}');
                continue;
            end if;
        exception
            when others then
                tick_id := null;
                raise warning 'no tick for queue %: %', queue, sqlerrm;
        end;
        return next;
    end loop;
    if v_at_rest <> '{}' then
        perform pgque._remember_rest(i_names, v_at_rest);
    end if;
end
$$;

-- A queue is at rest with a tick when nothing that was sent before can appear any more:
-- from then on its sequence tells of everything new. Some ticks prove it (_is_settled);
-- of the others the session remembers what a look at the events has shown, rather than
-- look again each time. A tick goes by its time there: ids come again in a new schema.
--
-- _rest is what to remember of a queue, if it is at rest: the transactions that may have
-- drawn an id before the tick, if anybody has, had ended before the events were looked at.
create or replace function pgque._rest(i_queue pgque.queue) returns jsonb
language plpgsql as $$
declare
    v_xmin xid8 := pg_snapshot_xmin(pg_current_snapshot());
    v_last pgque.tick := pgque._last_tick(i_queue.queue_id);
begin
    if pgque._last_drawn(i_queue.queue_event_seq) <> v_last.tick_event_seq
       or v_last.tick_event_seq > 0 and (v_last.tick_next_xid <= v_xmin) is not true
       or pgque._was_committed_since(i_queue, v_last) or pgque._has_repeated_ids(i_queue, v_last) then
        return null;
    end if;
    return jsonb_build_object(i_queue.queue_id, extract(epoch from v_last.tick_time));
end
$$;

-- _remember_rest adds to what the session remembers, and forgets what is not of the named
-- queues.
create or replace function pgque._remember_rest(i_names text[], i_at_rest jsonb) returns void
language plpgsql as $$
begin
    perform set_config('pgque.at_rest', (coalesce(jsonb_object_agg(key, value), '{}') || i_at_rest)::text, false)
    from jsonb_each(nullif(current_setting('pgque.at_rest', true), '')::jsonb)
    where exists (select from pgque.queue where queue_id = key::integer and queue_name = any (i_names));
end
$$;

-- _queues_to_tick finds in one pass the queues that _tick has to look at, one by one: of
-- those named, if there may be anything new; without names of all, if a tick may be due.
-- Of a thousand queues few have anything new at a time.
--
-- A queue needs no look when no event id was drawn since the last tick, nobody who drew
-- one earlier can have committed since (_is_settled), and no idle tick is due. A queue
-- whose sequences or ticks are not what they should be gets its look, and its warning.
create or replace function pgque._queues_to_tick(i_names text[]) returns setof pgque.queue
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_xmax xid8 := pg_snapshot_xmax(pg_current_snapshot());
    v_at_rest jsonb := case when i_names is not null then nullif(current_setting('pgque.at_rest', true), '') end;
begin
    return query
        select q.*
        from (select * from pgque.queue where i_names is null
              union all
              select * from pgque.queue where queue_name = any (i_names)) q
        left join lateral (
            select * from pgque.tick t where t.tick_queue = q.queue_id
            order by t.tick_queue desc, t.tick_id desc limit 1) last on true
        left join lateral (
            select * from pgque.tick t where t.tick_queue = q.queue_id and t.tick_id < last.tick_id
            order by t.tick_queue desc, t.tick_id desc limit 1) before on true
        cross join lateral (
            select coalesce(pg_sequence_last_value(to_regclass(q.queue_event_seq)), 0) - last.tick_event_seq as waiting,
                   v_now - last.tick_time as age) as now
        where not q.queue_ticker_paused and not q.queue_external_ticker
          and case
                  when last.tick_id is null or last.tick_id <= q.queue_forced_tick or waiting < 0
                      or pg_snapshot_xmax(last.tick_snapshot) > v_xmax then true
                  when i_names is not null then
                      waiting > 0
                      or v_at_rest -> q.queue_id::text is distinct from to_jsonb(extract(epoch from last.tick_time))
                         and (last.tick_time < pg_postmaster_start_time() or not pgque._is_settled(last, before))
                  when age >= q.queue_ticker_max_lag or waiting >= q.queue_ticker_max_count or q.queue_ticker_max_count <= 1 then
                      waiting > 0 or not pgque._is_settled(last, before)
                      or age >= q.queue_ticker_idle_period
                      or age >= 2 * (last.tick_time - before.tick_time)
                      or before.tick_time is null
                  else
                      waiting = 0 and age >= q.queue_ticker_max_lag / 2
                      and (age >= q.queue_ticker_idle_period
                           or age >= 2 * coalesce(last.tick_time - before.tick_time, interval '0'))
              end;
exception
    when others then -- a queue was dropped meanwhile
        return query select * from pgque.queue
            where not queue_ticker_paused and not queue_external_ticker and (i_names is null or queue_name = any (i_names));
end
$$;

-- _is_settled tells that all who had drawn an event id when the last tick was made had
-- ended by then. Either nobody was running; or no id was drawn since the tick before,
-- and all who were older than that one had ended.
create or replace function pgque._is_settled(i_last pgque.tick, i_before pgque.tick) returns boolean
language sql stable as $$
    select coalesce(i_last.tick_next_xid <= pg_snapshot_xmax(i_last.tick_snapshot)
                    and not exists (select from pg_snapshot_xip(i_last.tick_snapshot)), false)
        or coalesce(i_before.tick_event_seq = i_last.tick_event_seq
                    and i_before.tick_next_xid <= pg_snapshot_xmin(i_last.tick_snapshot), false)
$$;

-- _tick ticks if due, or, with i_eager, if there is anything new.
--
-- Ticks of one queue must be recorded in the order of their snapshots. So the lock
-- is taken in one statement and kept until commit; the last tick is read, and the
-- snapshot taken, in later ones.
create or replace function pgque._tick(i_queue pgque.queue, i_eager boolean, i_low_mark bigint) returns bigint
language plpgsql as $$
declare
    v_last pgque.tick;
    v_waiting bigint;
    v_is_due boolean;
begin
    if not pg_try_advisory_xact_lock(pgque._lock_class('tick'), i_queue.queue_id) then
        return null;
    end if;
    v_last := pgque._last_tick(i_queue.queue_id);
    v_waiting := pgque._last_drawn(i_queue.queue_event_seq) - v_last.tick_event_seq;
    if v_waiting < 0 or (v_last.tick_time < pg_postmaster_start_time() and pgque._has_repeated_ids(i_queue, v_last)) then
        perform pgque._check_server(i_queue, v_last);
        perform pgque._repair_event_seq(i_queue, v_last);
        v_waiting := 1;
    end if;
    if v_waiting = 0 and pgque._was_committed_since(i_queue, v_last) then
        v_waiting := 1;
    end if;
    v_is_due := v_last.tick_id is null or v_last.tick_id <= i_queue.queue_forced_tick
        or (i_eager and v_waiting > 0)
        or (not i_eager and pgque._tick_is_due(i_queue, v_last, v_waiting));
    if v_waiting > 0 or v_is_due then
        perform pgque._check_server(i_queue, v_last);
    end if;
    if v_is_due then
        -- A mark below the last tick's was overtaken by that tick.
        return pgque._insert_tick(i_queue, v_last.tick_id,
                                  case when i_low_mark >= coalesce(v_last.tick_event_seq, 0) then i_low_mark end);
    end if;
    return null;
end
$$;

-- _was_committed_since tells that an event is committed now whose id was drawn
-- before the tick was made, but whose transaction was still running then. The
-- sequence says nothing of it. Two looks into the index on ev_txid.
create or replace function pgque._was_committed_since(i_queue pgque.queue, i_tick pgque.tick) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    v_running xid8[] := array(select pg_snapshot_xip(i_tick.tick_snapshot));
    v_xmax xid8 := pg_snapshot_xmax(i_tick.tick_snapshot);
    v_found boolean;
begin
    if cardinality(v_running) = 0 and i_tick.tick_next_xid <= v_xmax then
        return false;
    end if;
    execute format('select exists (select from %1$s where ev_txid = any ($1)) or exists (select from %1$s where ev_txid >= $2)',
        i_queue.queue_data_pfx) into v_found using v_running, v_xmax;
    return v_found;
end
$$;

-- _low_mark is the last event id drawn, if this transaction has no id yet: then every
-- transaction whose id is above this one's will draw only higher event ids. Null
-- when it has one, and nothing of the kind can be said. A sequence that is missing is
-- not its business.
create or replace function pgque._low_mark(i_queue pgque.queue) returns bigint
language plpgsql as $$
begin
    return case when pg_current_xact_id_if_assigned() is null then
        coalesce(pg_sequence_last_value(to_regclass(i_queue.queue_event_seq)), 0) end;
end
$$;

-- _tick_is_due: with events waiting, count and age decide. Without, ticks come in
-- distances that double up to the idle period.
create or replace function pgque._tick_is_due(i_queue pgque.queue, i_last pgque.tick, i_waiting bigint) returns boolean
language plpgsql as $$
declare
    v_age interval := clock_timestamp() - i_last.tick_time;
    v_gap interval;
begin
    if i_waiting > 0 then
        return i_waiting >= i_queue.queue_ticker_max_count or v_age >= i_queue.queue_ticker_max_lag;
    end if;
    if v_age < i_queue.queue_ticker_max_lag / 2 then
        return false;
    end if;
    select i_last.tick_time - tick_time into v_gap
    from pgque.tick where tick_queue = i_queue.queue_id and tick_id < i_last.tick_id
    order by tick_id desc limit 1;
    return v_age >= i_queue.queue_ticker_idle_period or v_age >= 2 * coalesce(v_gap, interval '0');
end
$$;

-- _insert_tick records a tick and announces it on the channel pgque_<queue>.
--
-- What it records bounds where the events of a window can be (_window_sql): a
-- transaction above tick_next_xid draws only event ids above tick_event_seq, and an
-- event that the snapshot sees has an id of at most tick_event_high. Hence the order:
-- the low mark first, then the snapshot and this transaction's id, then the sequence
-- once more.
--
-- The id is above the last tick's, also when its sequence fell behind.
create or replace function pgque._insert_tick(i_queue pgque.queue, i_last_id bigint, i_low_mark bigint) returns bigint
language plpgsql as $$
declare
    v_snapshot pg_snapshot := pgque._tick_snapshot();
    v_next_xid xid8 := case when i_low_mark is not null then pg_current_xact_id() end;
    v_high bigint := pgque._last_drawn(i_queue.queue_event_seq);
    v_id bigint := nextval(i_queue.queue_tick_seq);
begin
    if v_id <= i_last_id then
        v_id := setval(i_queue.queue_tick_seq, i_last_id + 1);
    end if;
    insert into pgque.tick (tick_queue, tick_id, tick_snapshot, tick_event_seq, tick_event_high, tick_next_xid)
    values (i_queue.queue_id, v_id, v_snapshot, coalesce(i_low_mark, v_high), v_high, v_next_xid);
    perform pgque._announce(i_queue.queue_name, v_id::text);
    return v_id;
end
$$;

-- _announce notifies those who listen on the channel of a queue, unless notifications pile
-- up on this server, since somebody listens and is in a transaction that does not end. When
-- no more of them fit no commit with one succeeds, and nothing would be ticked any more.
-- Consumers look from time to time, too.
create or replace function pgque._announce(i_queue text, i_what text) returns void
language sql as $$
    select case when pg_notification_queue_usage() < 0.9 then pg_notify('pgque_' || i_queue, i_what) end
$$;

-- _tick_snapshot is the current snapshot with this transaction shown as running.
-- PostgreSQL leaves one's own transaction out of one's snapshots; recorded so, what
-- it has sent would count as seen before anybody could see it.
create or replace function pgque._tick_snapshot() returns pg_snapshot
language plpgsql as $$
declare
    v_snapshot pg_snapshot := pg_current_snapshot();
    v_own xid8 := pg_current_xact_id_if_assigned();
begin
    if v_own is null or not pg_visible_in_snapshot(v_own, v_snapshot) then
        return v_snapshot;
    end if;
    return format('%s:%s:%s',
        least(pg_snapshot_xmin(v_snapshot), v_own), pg_snapshot_xmax(v_snapshot),
        (select string_agg(x::text, ',' order by x)
         from (select pg_snapshot_xip(v_snapshot) union select v_own) as running(x)))::pg_snapshot;
end
$$;

-- _check_server: transaction ids only rise, unless the tables came from elsewhere with a
-- dump.
create or replace function pgque._check_server(i_queue pgque.queue, i_last pgque.tick) returns void
language plpgsql as $$
begin
    if pgque._is_from_elsewhere(i_last) then
        raise exception 'ticks of queue % were recorded by another server', i_queue.queue_name
            using errcode = 'PQ015', hint = 'The data was restored from elsewhere: run pgque.rebase().';
    end if;
end
$$;

-- A sequence falls behind when tables are copied without it (logical replication), or
-- when the server crashes under wal_level minimal soon after the queue was made. It
-- draws ids a second time then, below the mark of a tick; a window that begins at that
-- tick expects higher ones, and would miss them.
--
-- _has_repeated_ids looks for such events where the sequence has caught up unnoticed,
-- after a start of the server.
create or replace function pgque._has_repeated_ids(i_queue pgque.queue, i_tick pgque.tick) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    v_has boolean;
begin
    if i_queue.queue_foreign_ids or i_tick.tick_next_xid is null then
        return false;
    end if;
    execute format('select exists (select from %s where ev_txid > $1 and ev_id + 0 <= $2 and ev_owner is null)', i_queue.queue_data_pfx)
        into v_has using i_tick.tick_next_xid, i_tick.tick_event_seq;
    return v_has;
end
$$;

-- _repair_event_seq moves the sequence above all ids that were used, and one further, so
-- that there is something new for the ticker. The queue remembers that its ids say
-- nothing of transactions: windows are read by transaction then.
--
-- Numbers are drawn rather than set where few are missing: others draw as well.
create or replace function pgque._repair_event_seq(i_queue pgque.queue, i_last pgque.tick) returns void
language plpgsql as $$
declare
    v_highest bigint;
    v_missing bigint;
begin
    execute format('select max(ev_id) from %s', i_queue.queue_data_pfx) into v_highest;
    v_highest := greatest(v_highest, i_last.tick_event_seq, i_last.tick_event_high) + 1;
    v_missing := v_highest - pgque._last_drawn(i_queue.queue_event_seq);
    if v_missing > 10000 then
        perform setval(i_queue.queue_event_seq, v_highest);
    else
        perform nextval(i_queue.queue_event_seq) from generate_series(1, v_missing);
    end if;
    update pgque.queue set queue_foreign_ids = true where queue_id = i_queue.queue_id and not queue_foreign_ids;
    raise warning 'the sequence % had fallen behind and was moved to %', i_queue.queue_event_seq, v_highest;
end
$$;

create or replace function pgque._last_tick(i_queue_id integer) returns pgque.tick
language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
    v_tick pgque.tick;
begin
    select * into v_tick from pgque.tick where tick_queue = i_queue_id order by tick_id desc limit 1;
    return v_tick;
end
$$;

-- _last_drawn returns the last number that was drawn from a sequence, 0 when there was
-- none. It counts numbers of running and failed transactions too.
create or replace function pgque._last_drawn(i_sequence text) returns bigint
language plpgsql as $$
begin
    return coalesce(pg_sequence_last_value(i_sequence::regclass), 0);
end
$$;

-- _lock_class gives each kind of advisory lock of the engine its own key space.
create or replace function pgque._lock_class(i_kind text) returns integer
language sql immutable as $$
    select hashtext('pgque.' || i_kind)
$$;
