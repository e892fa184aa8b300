-- A client whose role has the rights may insert events into the event tables itself,
-- which costs less than a function call and lets it use COPY. It needs
--     select on pgque.queue; insert on ev_type, ev_data and ev_extra1 to ev_extra4 and
--     select on ev_id and ev_txid of the event tables; usage of the id sequence.
-- The owner has them; pgque_writer does not, and sends through functions.
--
-- The default of ev_id gives the transaction its id before it draws an event id
-- (_window_sql relies on that order), whoever inserts, and however. A client that
-- inserts into a table which is no longer the current one delays a rotation at worst: no
-- table is emptied before its events were seen.

-- insert_target(queue) tells where a client may insert events now: the queue's id, the
-- number and name of its current event table, and the sequence of its event ids. No row
-- when there is no such queue, when inserting into it is disallowed, and when the table
-- is not ready for it: use send() then.
--
-- The answer is good while queue_name, queue_id, queue_cur_table and queue_disable_insert
-- are as they were, which the insert itself has to check.
create or replace function pgque.insert_target(
    i_queue text, out queue_id integer, out table_number integer, out table_name text, out sequence_name text)
returns setof record
language sql stable security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select q.queue_id, q.queue_cur_table, t.name, q.queue_event_seq
    from pgque.queue q, lateral (select q.queue_data_pfx || '_' || q.queue_cur_table as name) t
    where q.queue_name = i_queue and not q.queue_disable_insert and pgque._is_open_to_clients(t.name)
$$;
call pgque._allow('pgque_writer', 'pgque.insert_target(text)');

-- _is_open_to_clients tells whether a table has the default that makes direct inserts safe.
create or replace function pgque._is_open_to_clients(i_table text) returns boolean
language sql stable as $$
    select exists (
        select from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.adrelid = to_regclass(i_table) and a.attname = 'ev_id'
          and pg_get_expr(d.adbin, d.adrelid) like '%pg_current_xact_id()%')
$$;

-- _open_to_clients gives a table that default.
create or replace function pgque._open_to_clients(i_queue pgque.queue, i_table text) returns void
language plpgsql as $$
begin
    execute format('alter table %s alter column ev_id set default'
                   ' case when pg_current_xact_id() is not null then nextval(%L) end', i_table, i_queue.queue_event_seq);
end
$$;

-- Event tables that are older than direct inserts become ready too. A table that is in
-- use for longer than a moment is left as it is: its queue takes events through the
-- functions alone until the engine is installed again.
do $$
declare
    v_queue pgque.queue;
    v_table text;
    v_lock_timeout text := current_setting('lock_timeout');
begin
    perform set_config('lock_timeout', '200ms', true);
    for v_queue in select * from pgque.queue order by queue_id loop
        for i in 0 .. v_queue.queue_ntables - 1 loop
            v_table := v_queue.queue_data_pfx || '_' || i;
            continue when pgque._is_open_to_clients(v_table);
            begin
                perform pgque._open_to_clients(v_queue, v_table);
            exception
                when lock_not_available then
                    raise notice 'table % is in use', v_table;
            end;
        end loop;
    end loop;
    perform set_config('lock_timeout', v_lock_timeout, true);
end
$$;
