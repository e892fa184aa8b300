-- send_batch(queue, [type,] payloads) appends many events in one statement and
-- returns their ids in the order of the payloads. An empty array sends nothing and
-- looks no queue up; a null payload is stored as null.
--
-- Raises PQ009 for a null array, otherwise as insert_event does.
create or replace function pgque.send_batch(queue_name text, type_name text, payloads text[]) returns bigint[]
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque.insert_event_bulk(queue_name, type_name, payloads);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_batch(text, text, text[])');

create or replace function pgque.send_batch(queue_name text, type_name text, payloads jsonb[]) returns bigint[]
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque.insert_event_bulk(queue_name, type_name, payloads::text[]);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_batch(text, text, jsonb[])');

create or replace function pgque.send_batch(queue_name text, payloads text[]) returns bigint[]
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque.insert_event_bulk(queue_name, 'default', payloads);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_batch(text, text[])');

create or replace function pgque.send_batch(queue_name text, payloads jsonb[]) returns bigint[]
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque.insert_event_bulk(queue_name, 'default', payloads::text[]);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_batch(text, jsonb[])');

-- send_events(queue, types, payloads [, extra1 .. extra4]) is send_batch for events
-- that differ in type: element n of each array belongs to event n. An extra array
-- may be null.
--
-- Raises PQ009 for null types or payloads and for arrays of different lengths.
create or replace function pgque.send_events(
    queue_name text, type_names text[], payloads text[],
    extras1 text[] default null, extras2 text[] default null, extras3 text[] default null, extras4 text[] default null)
returns bigint[]
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_table text;
    v_ids bigint[];
begin
    if type_names is null or payloads is null then
        raise exception 'type_names and payloads must not be null' using errcode = 'PQ009';
    elsif cardinality(payloads) <> any (array[
            cardinality(type_names),
            coalesce(cardinality(extras1), cardinality(payloads)), coalesce(cardinality(extras2), cardinality(payloads)),
            coalesce(cardinality(extras3), cardinality(payloads)), coalesce(cardinality(extras4), cardinality(payloads))]) then
        raise exception 'arrays of different lengths' using errcode = 'PQ009';
    elsif cardinality(payloads) = 0 then
        return '{}';
    end if;
    v_table := pgque._table_for_insert(queue_name);
    execute 'with ids as (insert into ' || v_table || ' (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
            ' select type, data, extra1, extra2, extra3, extra4'
            ' from unnest($1, $2, $3, $4, $5, $6) with ordinality as e(type, data, extra1, extra2, extra3, extra4, position)'
            ' order by position returning ev_id)'
            ' select array_agg(ev_id order by ev_id) from ids'
        into v_ids using type_names, payloads, extras1, extras2, extras3, extras4;
    return v_ids;
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_events(text, text[], text[], text[], text[], text[], text[])');

-- insert_event_bulk appends one event for each element. Ids are drawn in the order
-- of the sorted input, so sorting them aligns them with it.
create or replace function pgque.insert_event_bulk(queue_name text, ev_type text, ev_data_list text[]) returns bigint[]
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_table text;
    v_ids bigint[];
begin
    if ev_data_list is null then
        raise exception 'payloads must not be null' using errcode = 'PQ009';
    elsif cardinality(ev_data_list) = 0 then
        return '{}';
    end if;
    v_table := pgque._table_for_insert(queue_name);
    execute 'with ids as (insert into ' || v_table || ' (ev_type, ev_data)'
            ' select $1, data from unnest($2) with ordinality as e(data, position) order by position returning ev_id)'
            ' select array_agg(ev_id order by ev_id) from ids'
        into v_ids using ev_type, ev_data_list;
    return v_ids;
end
$$;
