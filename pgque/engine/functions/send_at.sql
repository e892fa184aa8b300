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
    v_queue pgque.queue := pgque._queue(i_queue);
    v_id bigint;
begin
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

-- maint_deliver_delayed() sends all that is due. Returns how many. A failure on one
-- queue is a warning and does not keep the others waiting.
create or replace function pgque.maint_deliver_delayed() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue;
    v_now timestamptz := clock_timestamp(); -- in a variable, for the index
    v_sent integer := 0;
begin
    for v_queue in
        select * from pgque.queue q
        where exists (select from pgque.delayed where de_queue = q.queue_id and de_deliver_at <= v_now)
        order by queue_id
    loop
        begin
            v_sent := v_sent + pgque._deliver_delayed(v_queue);
        exception
            when others then
                raise warning 'delayed events of queue % stay where they are: %', v_queue.queue_name, sqlerrm;
        end;
    end loop;
    return v_sent;
end
$$;

-- _deliver_delayed moves what is due, ten thousand at a time. Like _move_retries it
-- passes over what another session is moving. A closed queue takes them as well: they
-- were accepted when it was open.
create or replace function pgque._deliver_delayed(i_queue pgque.queue) returns integer
language plpgsql
set enable_seqscan = off
as $$
declare
    v_due_by timestamptz := clock_timestamp();
    v_table text;
    v_moved integer;
    v_total integer := 0;
begin
    if not exists (select from pgque.delayed where de_queue = i_queue.queue_id and de_deliver_at <= v_due_by) then
        return 0;
    end if;
    perform pg_current_xact_id(); -- before the table is looked up, as for every insert
    v_table := pgque.current_event_table(i_queue.queue_name);
    loop
        execute 'with due as (delete from pgque.delayed where ctid = any (array('
                '   select ctid from pgque.delayed where de_queue = $1 and de_deliver_at <= $2'
                '   order by de_deliver_at limit 10000 for update skip locked)) returning *)'
                ' insert into ' || v_table || ' (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
                ' select de_type, de_data, de_extra1, de_extra2, de_extra3, de_extra4 from due order by de_deliver_at, de_id'
            using i_queue.queue_id, v_due_by;
        get diagnostics v_moved = row_count;
        exit when v_moved = 0;
        v_total := v_total + v_moved;
    end loop;
    return v_total;
end
$$;
