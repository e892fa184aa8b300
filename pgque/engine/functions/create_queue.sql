-- create_queue(name) creates a queue with default settings and its first tick.
-- Returns 1, or 0 when the queue exists, also when another session creates it at
-- the same moment.
--
-- Raises PQ008 for an empty name and for one of more than 57 bytes: the channel
-- pgque_<name> has to fit into an identifier.
create or replace function pgque.create_queue(i_queue_name text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_id integer;
    v_prefix text;
begin
    perform pgque._check_queue_name(i_queue_name);
    if exists (select from pgque.queue where queue_name = i_queue_name) then
        return 0;
    end if;
    v_id := nextval('pgque.queue_queue_id_seq');
    v_prefix := 'pgque.event_' || v_id;
    insert into pgque.queue (queue_id, queue_name, queue_data_pfx, queue_event_seq, queue_tick_seq, queue_table_ticks)
    values (v_id, i_queue_name, v_prefix, v_prefix || '_id_seq', v_prefix || '_tick_seq', array[1, 1, 1])
    on conflict (queue_name) do nothing;
    if not found then
        return 0;
    end if;
    perform pgque._create_event_tables(v_id);
    insert into pgque.tick (tick_queue, tick_id, tick_snapshot, tick_event_seq, tick_event_high)
    values (v_id, 1, pgque._tick_snapshot(), 0, 0);
    return 1;
end
$$;

create or replace function pgque._check_queue_name(i_queue_name text) returns void
language plpgsql as $$
begin
    if i_queue_name is null or i_queue_name = '' then
        raise exception 'queue name must not be empty' using errcode = 'PQ008';
    elsif octet_length(i_queue_name) > 57 then
        raise exception 'queue name too long: % has % bytes, 57 are allowed', i_queue_name, octet_length(i_queue_name)
            using errcode = 'PQ008';
    end if;
end
$$;

-- _create_event_tables(id) makes the parent, which stays empty, its children, and the
-- functions that read them.
--
-- Autovacuum is off: the tables never hold anything to vacuum.
--
-- Tick 1 is the queue's first and is not drawn: with wal_level minimal, a sequence
-- that is used by the transaction that creates it goes back in a crash.
create or replace function pgque._create_event_tables(i_queue_id integer) returns void
language plpgsql as $$
declare
    v_queue pgque.queue;
    v_child text;
begin
    select * into v_queue from pgque.queue where queue_id = i_queue_id;
    execute format('create sequence %s', v_queue.queue_event_seq);
    execute format('create sequence %s start 2', v_queue.queue_tick_seq);
    execute format('create table %s () inherits (pgque.event_template)', v_queue.queue_data_pfx);
    perform pgque._complete_event_table(v_queue, v_queue.queue_data_pfx);
    for i in 0 .. v_queue.queue_ntables - 1 loop
        v_child := v_queue.queue_data_pfx || '_' || i;
        execute format(
            'create table %s () inherits (%s) with (fillfactor = 100, autovacuum_enabled = off, toast.autovacuum_enabled = off)',
            v_child, v_queue.queue_data_pfx);
        perform pgque._complete_event_table(v_queue, v_child);
        perform pgque._open_to_clients(v_queue, v_child);
    end loop;
    perform pgque._create_readers(i_queue_id);
end
$$;

-- _complete_event_table adds what tables do not inherit. Two indexes find the events
-- of a window (_window_sql); those on owners are empty until there are retries. The
-- parent has them too, so that no plan ever contains a scan without an index.
create or replace function pgque._complete_event_table(i_queue pgque.queue, i_table text) returns void
language plpgsql as $$
begin
    execute format('alter table %s alter column ev_id set default nextval(%L)', i_table, i_queue.queue_event_seq);
    perform pgque._index_event_table(i_table);
    if to_regrole('pgque_reader') is not null then
        execute format('grant select on %s to pgque_reader', i_table);
    end if;
end
$$;

create or replace function pgque._index_event_table(i_table text) returns void
language plpgsql as $$
begin
    execute format('create index on %s (ev_id)', i_table);
    execute format('create index on %s (ev_txid)', i_table);
    execute format('create index on %s (ev_owner, ev_txid) where ev_owner is not null', i_table);
    execute format('create index on %s (ev_owner, ev_id) where ev_owner is not null', i_table);
end
$$;

-- create_queue(name, options) creates a queue with settings of its own, the parameters
-- of set_queue_config: {"ticker_max_lag": "100 ms", "max_retries": 3}. Null options are
-- none. Returns 1; 0 when the queue exists, whose settings then stay as they are.
--
-- Raises PQ008 as above, PQ007 for options that set_queue_config refuses.
create or replace function pgque.create_queue(i_queue_name text, i_options jsonb) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(i_options) not in ('object', 'null') then
        raise exception 'queue options must be an object' using errcode = 'PQ007';
    end if;
    if pgque.create_queue(i_queue_name) = 0 then
        return 0;
    end if;
    if jsonb_typeof(i_options) = 'object' then
        perform pgque.set_queue_config(i_queue_name, key, value) from jsonb_each_text(i_options);
    end if;
    return 1;
end
$$;
