-- send(queue, [type,] payload) appends one event and returns its id. The type is
-- 'default' unless given. A jsonb payload is stored in its canonical form, a text
-- payload as it is.
--
-- Raises as insert_event does.
create or replace function pgque.send(queue_name text, type_name text, payload text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(queue_name, type_name, payload, null, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send(text, text, text)');

create or replace function pgque.send(queue_name text, type_name text, payload jsonb) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(queue_name, type_name, payload::text, null, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send(text, text, jsonb)');

create or replace function pgque.send(queue_name text, payload text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(queue_name, 'default', payload, null, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send(text, text)');

create or replace function pgque.send(queue_name text, payload jsonb) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(queue_name, 'default', payload::text, null, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send(text, jsonb)');

-- send(queue, type, payload, partition_key) appends one event with a key. The key is
-- kept in ev_extra1; partitioned consumers receive the events of one key in order.
create or replace function pgque.send(i_queue text, i_type text, i_payload text, i_partition_key text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(i_queue, i_type, i_payload, i_partition_key, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send(text, text, text, text)');

create or replace function pgque.send(i_queue text, i_type text, i_payload jsonb, i_partition_key text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._append(i_queue, i_type, i_payload::text, i_partition_key, null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.send(text, text, jsonb, text)');
