-- Small functions that administrators' scripts for this SQL API know.

-- maint_operations() lists what maint() does, for programs that run the steps apart.
-- func_arg is null where the function takes none.
create or replace function pgque.maint_operations(out func_name text, out func_arg text) returns setof record
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select 'pgque.maint_rotate_tables_step1', queue_name from pgque.queue
    union all select 'pgque.maint_rotate_tables_step2', null
    union all select 'pgque.maint_retry_events', null
$$;

-- maint_tables_to_vacuum() lists the small tables that change. Autovacuum looks after
-- them; nothing has to be vacuumed by hand.
create or replace function pgque.maint_tables_to_vacuum() returns setof text
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    values ('pgque.subscription'), ('pgque.consumer'), ('pgque.queue'), ('pgque.tick'), ('pgque.retry_queue'), ('pgque.delayed')
$$;

-- find_tick_helper(...) finds the tick at which a batch with these wishes would end.
create or replace function pgque.find_tick_helper(
    i_queue_id int4, i_prev_tick_id int8, i_prev_tick_time timestamptz, i_prev_tick_seq int8,
    i_min_count int8, i_min_interval interval,
    out next_tick_id int8, out next_tick_time timestamptz, out next_tick_seq int8)
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select tick_id, tick_time, tick_event_seq from pgque.tick
    where tick_queue = i_queue_id
      and tick_id = pgque._wished_tick(i_queue_id, i_prev_tick_id, null, i_min_count::int4, i_min_interval)
$$;

-- seq_getval(sequence) returns the last number that was drawn from a sequence of the
-- engine, counting those of running and failed transactions; 0 when there was none.
--
-- Raises PQ009 for any other sequence: the function has the rights of the engine's owner.
create or replace function pgque.seq_getval(i_seq_name text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque._check_sequence(i_seq_name);
    return pgque._last_drawn(i_seq_name);
end
$$;

-- seq_setval(sequence, value) moves a sequence of the engine forward to value; never back.
-- Returns the last number drawn.
--
-- Raises PQ009 for any other sequence, and for a value that leaves no room behind it.
create or replace function pgque.seq_setval(i_seq_name text, i_new_value int8) returns int8
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque._check_sequence(i_seq_name);
    if i_new_value > 4611686018427387904 then
        raise exception 'value must be at most 4611686018427387904, got %', i_new_value using errcode = 'PQ009';
    elsif pgque._last_drawn(i_seq_name) < i_new_value then
        perform setval(i_seq_name::regclass, i_new_value);
    end if;
    return pgque._last_drawn(i_seq_name);
end
$$;

create or replace function pgque._check_sequence(i_seq_name text) returns void
language plpgsql as $$
begin
    if not exists (select from pg_class where relkind = 'S' and relnamespace = 'pgque'::regnamespace
                   and i_seq_name in (relname, 'pgque.' || relname)) then
        raise exception 'not a sequence of the engine: %', i_seq_name using errcode = 'PQ009';
    end if;
end
$$;

-- quote_fqname(name) quotes a name that may carry a schema.
create or replace function pgque.quote_fqname(i_name text) returns text
language plpgsql immutable
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    if position('.' in i_name) = 0 then
        return quote_ident('public') || '.' || quote_ident(i_name);
    end if;
    return quote_ident(split_part(i_name, '.', 1)) || '.' || quote_ident(substr(i_name, position('.' in i_name) + 1));
end
$$;

-- tune_storage(queue) sets the storage parameters of a queue's tables again. Returns 1.
-- Raises PQ001.
create or replace function pgque.tune_storage(i_queue_name text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
begin
    for i in 0 .. v_queue.queue_ntables - 1 loop
        execute format('alter table %s_%s set (fillfactor = 100, autovacuum_enabled = off, toast.autovacuum_enabled = off)',
                       v_queue.queue_data_pfx, i);
    end loop;
    return 1;
end
$$;

-- grant_perms(queue) gives readers their grant on a queue's tables again. Returns 1.
-- Raises PQ001.
create or replace function pgque.grant_perms(x_queue_name text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(x_queue_name);
begin
    if to_regrole('pgque_reader') is not null then
        execute format('grant select on %s to pgque_reader', v_queue.queue_data_pfx);
        for i in 0 .. v_queue.queue_ntables - 1 loop
            execute format('grant select on %s_%s to pgque_reader', v_queue.queue_data_pfx, i);
        end loop;
        perform pgque._create_readers(v_queue.queue_id);
    end if;
    return 1;
end
$$;

-- upgrade_schema() has nothing to do: installing again upgrades. Returns 0.
create or replace function pgque.upgrade_schema() returns integer
language sql as $$
    select 0
$$;
