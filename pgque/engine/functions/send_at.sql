-- send_at(queue, type, payload, when, extra1 to extra4) sends an event at a later time, as
-- soon as maintenance runs from then on. Returns the number to cancel it by; when the time
-- has come already the event is sent at once and its event id returned.
--
-- Raises PQ001 when there is no such queue, PQ009 for a null or infinite time. Dropping
-- a queue drops what is scheduled for it.
create or replace function pgque.send_at(
    i_queue text, i_type text, i_payload text, i_deliver_at timestamptz,
    i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue;
    v_id bigint;
begin
    perform pg_advisory_xact_lock_shared(pgque._lock_class('send'), hashtext(i_queue)); -- see _table_for_insert
    v_queue := pgque._queue(i_queue);
    if i_deliver_at is null or not isfinite(i_deliver_at) then
        raise exception 'delivery time must be finite, got %', i_deliver_at using errcode = 'PQ009';
    elsif i_deliver_at <= clock_timestamp() then
        return pgque._append(i_queue, i_type, i_payload, i_extra1, i_extra2, i_extra3, i_extra4);
    end if;
    insert into pgque.delayed (de_queue, de_deliver_at, de_type, de_data, de_extra1, de_extra2, de_extra3, de_extra4)
    values (v_queue.queue_id, i_deliver_at, i_type, i_payload, i_extra1, i_extra2, i_extra3, i_extra4)
    returning de_id into v_id;
    return v_id;
end
$$;
call pgque._allow('pgque_writer', 'pgque.send_at(text, text, text, timestamptz, text, text, text, text)');

create or replace function pgque.send_at(i_queue text, i_type text, i_payload text, i_deliver_at timestamptz) returns bigint
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.send_at(i_queue, i_type, i_payload, i_deliver_at, null, null, null, null)
$$;
call pgque._allow('pgque_writer', 'pgque.send_at(text, text, text, timestamptz)');

create or replace function pgque.send_at(i_queue text, i_type text, i_payload jsonb, i_deliver_at timestamptz) returns bigint
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.send_at(i_queue, i_type, i_payload::text, i_deliver_at, null, null, null, null)
$$;
call pgque._allow('pgque_writer', 'pgque.send_at(text, text, jsonb, timestamptz)');

-- cancel_scheduled(number) takes back what send_at scheduled. Returns false when it was
-- sent already, or never scheduled.
create or replace function pgque.cancel_scheduled(i_id bigint) returns boolean
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    delete from pgque.delayed where de_id = i_id;
    return found;
end
$$;
call pgque._allow('pgque_writer', 'pgque.cancel_scheduled(bigint)');
