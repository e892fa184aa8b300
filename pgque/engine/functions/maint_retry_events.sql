-- maint_retry_events() re-inserts all events whose retry is due, each for its own
-- consumer only, with its id, time and retry count. Returns how many. Several may run
-- at once: what one is moving the others pass over. A failure on one queue is a
-- warning and does not keep the others waiting.
--
-- The events are received after the next tick of their queue.
create or replace function pgque.maint_retry_events() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._move_many('pgque.retry_queue', null);
end
$$;

-- maint_deliver_delayed() sends all that send_at scheduled and that is due, in the same
-- way. Returns how many. A closed queue takes them as well: they were accepted when it
-- was open.
create or replace function pgque.maint_deliver_delayed() returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._move_many('pgque.delayed', null);
end
$$;

-- _waiting describes a table of events that wait for their time: its columns of the
-- queue, the time and the order, and those that become columns of the event.
create or replace function pgque._waiting(
    i_table text, out queue text, out due text, out id text, out stored text, out event text)
language sql immutable as $$
    select t.queue, t.due, t.id, t.stored, t.event
    from (values
        ('pgque.retry_queue', 'ev_queue', 'ev_retry_after', 'ev_id',
            'ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4',
            'ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'),
        ('pgque.delayed', 'de_queue', 'de_deliver_at', 'de_deliver_at, de_id',
            'de_type, de_data, de_extra1, de_extra2, de_extra3, de_extra4',
            'ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4')
    ) as t (from_table, queue, due, id, stored, event)
    where from_table = i_table
$$;

-- _move_many moves what is due for the named queues, without names for all.
create or replace function pgque._move_many(i_table text, i_names text[]) returns integer
language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
    w record := pgque._waiting(i_table);
    v_queue pgque.queue;
    v_moved integer := 0;
begin
    for v_queue in execute format(
        'select * from pgque.queue where ($2 is null or queue_name = any ($2))'
        ' and exists (select from %s where %I = queue_id and %I <= $1) order by queue_id',
        i_table, w.queue, w.due) using clock_timestamp(), i_names
    loop
        begin
            v_moved := v_moved + pgque._move_due(v_queue, i_table);
        exception
            when others then
                raise warning 'events of queue % stay in %: %', v_queue.queue_name, i_table, sqlerrm;
        end;
    end loop;
    return v_moved;
end
$$;

-- _move_due moves what is due for one queue, ten thousand at a time. Drawing one number
-- of the event sequence shows the ticker that there is something new: retries keep the
-- ids that they have.
create or replace function pgque._move_due(i_queue pgque.queue, i_table text) returns integer
language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
    w record := pgque._waiting(i_table);
    v_due_by timestamptz := clock_timestamp();
    v_is_due boolean;
    v_moved integer;
    v_total integer := 0;
begin
    execute format('select exists (select from %s where %I = $1 and %I <= $2)', i_table, w.queue, w.due)
        into v_is_due using i_queue.queue_id, v_due_by;
    if not v_is_due then
        return 0;
    end if;
    perform pg_current_xact_id(); -- before the table is looked up, as for every insert
    loop
        execute format(
            'with due as (delete from %1$s where ctid = any (array('
            '   select ctid from %1$s where %2$I = $1 and %3$I <= $2'
            '   order by %3$I limit 10000 for update skip locked)) returning *)'
            ' insert into %4$s (%5$s) select %6$s from due order by %7$s',
            i_table, w.queue, w.due, pgque.current_event_table(i_queue.queue_name), w.event, w.stored, w.id)
            using i_queue.queue_id, v_due_by;
        get diagnostics v_moved = row_count;
        exit when v_moved = 0;
        v_total := v_total + v_moved;
    end loop;
    if v_total > 0 then
        perform nextval(i_queue.queue_event_seq);
    end if;
    return v_total;
end
$$;
