-- send_idem(queue, type, payload, key, ttl, extra1 to extra4) sends an event unless one
-- with this key was sent to the queue within the last ttl. Returns its id, or with deduped
-- the id of the one that was sent. Of several senders of one key at once the first to
-- commit sends.
--
-- Raises as insert_event does; PQ009 for a key that is null or longer than 2000 bytes, and
-- for a ttl that is not positive and at most ten years; PQ014 outside of read committed,
-- where a sender could not see whom it had waited for.
create or replace function pgque.send_idem(
    i_queue text, i_type text, i_payload text, i_idem_key text, i_ttl interval,
    i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text)
returns table (event_id bigint, deduped boolean)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
begin
    perform pgque._check_read_committed();
    if i_idem_key is null then
        raise exception 'idem_key must not be null' using errcode = 'PQ009';
    elsif octet_length(i_idem_key) > 2000 then
        raise exception 'idem_key too long: % bytes, 2000 are allowed', octet_length(i_idem_key) using errcode = 'PQ009';
    elsif i_ttl is null or not isfinite(i_ttl) or i_ttl <= interval '0' or i_ttl > interval '10 years' then
        raise exception 'ttl must be above 0 and at most 10 years, got %', i_ttl using errcode = 'PQ009';
    end if;
    -- The lock, not a unique index, makes senders of one key wait for each other, since
    -- the key may be in either of two tables.
    perform pg_advisory_xact_lock(pgque._lock_class('idem'), hashtext(v_queue.queue_id || ':' || i_idem_key));
    event_id := pgque._idem_event(v_queue.queue_id, i_idem_key);
    deduped := event_id is not null;
    if not deduped then
        event_id := pgque._append(i_queue, i_type, i_payload, i_extra1, i_extra2, i_extra3, i_extra4);
        perform pgque._remember_key(v_queue.queue_id, i_idem_key, event_id, clock_timestamp() + i_ttl);
    end if;
    return next;
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_idem(text, text, text, text, interval, text, text, text, text)');

-- send_idem(queue, type, payload, key, ttl, partition_key): the key of partitioned
-- consumers is in extra1.
create or replace function pgque.send_idem(
    i_queue text, i_type text, i_payload text, i_idem_key text, i_ttl interval default '1 hour',
    i_partition_key text default null)
returns table (event_id bigint, deduped boolean)
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select * from pgque.send_idem(i_queue, i_type, i_payload, i_idem_key, i_ttl, i_partition_key, null, null, null)
$$;
call pgque._allow('pgque_writer', 'pgque.send_idem(text, text, text, text, interval, text)');

create or replace function pgque.send_idem(
    i_queue text, i_type text, i_payload jsonb, i_idem_key text, i_ttl interval default '1 hour',
    i_partition_key text default null)
returns table (event_id bigint, deduped boolean)
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select * from pgque.send_idem(i_queue, i_type, i_payload::text, i_idem_key, i_ttl, i_partition_key, null, null, null)
$$;
call pgque._allow('pgque_writer', 'pgque.send_idem(text, text, jsonb, text, interval, text)');

-- _idem_event is the event that a key stands for now, or null. The time is read after
-- the wait for the lock.
create or replace function pgque._idem_event(i_queue_id integer, i_key text) returns bigint
language plpgsql
set enable_seqscan = off set jit = off
as $$
begin
    return event_id from pgque.idem
        where queue_id = i_queue_id and idem_key = i_key and expires_at > clock_timestamp() limit 1;
end
$$;

create or replace function pgque._remember_key(i_queue_id integer, i_key text, i_event_id bigint, i_expires_at timestamptz)
returns void
language plpgsql as $$
begin
    if (select idem_current from pgque.config) = 0 then
        insert into pgque.idem_0 values (i_queue_id, i_key, i_event_id, i_expires_at)
        on conflict (queue_id, idem_key) do update set event_id = excluded.event_id, expires_at = excluded.expires_at;
    else
        insert into pgque.idem_1 values (i_queue_id, i_key, i_event_id, i_expires_at)
        on conflict (queue_id, idem_key) do update set event_id = excluded.event_id, expires_at = excluded.expires_at;
    end if;
end
$$;

-- maint_idem([queue]) empties the older table of keys when all of them have expired, and
-- then, when keys of the newer one expire, lets the two change places. It never waits.
-- Returns how many tables it emptied. Keys of all queues share the tables.
create or replace function pgque.maint_idem() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_current integer;
    v_emptied integer := 0;
begin
    perform pgque._check_read_committed();
    if not exists (select from pgque.idem where expires_at <= v_now) then
        return 0;
    end if;
    v_current := (select idem_current from pgque.config);
    if pgque._is_expired('pgque.idem_' || 1 - v_current, v_now) and pgque._lock_table('pgque.idem_' || 1 - v_current)
       and pgque._is_expired('pgque.idem_' || 1 - v_current, v_now) then
        execute 'truncate pgque.idem_' || 1 - v_current;
        v_emptied := 1;
    end if;
    if not pgque._holds_keys('pgque.idem_' || 1 - v_current, '-infinity') then
        update pgque.config set idem_current = 1 - v_current where idem_current = v_current;
    end if;
    return v_emptied;
end
$$;

create or replace function pgque.maint_idem(i_queue text) returns integer
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.maint_idem()
$$;

-- _is_expired tells whether a table holds keys, and all of them have expired.
create or replace function pgque._is_expired(i_table text, i_now timestamptz) returns boolean
language plpgsql as $$
begin
    return pgque._holds_keys(i_table, '-infinity') and not pgque._holds_keys(i_table, i_now);
end
$$;

-- _holds_keys tells whether a table has a key that expires after a time.
create or replace function pgque._holds_keys(i_table text, i_after timestamptz) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    v_holds boolean;
begin
    execute format('select exists (select from %s where expires_at > $1)', i_table) into v_holds using i_after;
    return v_holds;
end
$$;
