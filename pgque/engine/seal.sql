-- PostgreSQL lets PUBLIC execute every new function and use every new type. Take
-- that away, and give each role its way in.
do $$
declare
    v_role text;
    v_table text;
begin
    revoke all on schema pgque from public;
    revoke all on all functions in schema pgque from public;
    revoke all on all procedures in schema pgque from public;
    revoke all on type pgque.message, pgque.pulled, pgque.window from public;

    foreach v_role in array array['pgque_reader', 'pgque_writer', 'pgque_admin'] loop
        continue when to_regrole(v_role) is null;
        execute format('grant usage on schema pgque to %I', v_role);
        execute format('grant usage on type pgque.message, pgque.pulled to %I', v_role);
    end loop;

    -- Payloads are for readers. Event tables get this grant when they are created.
    foreach v_table in array array['config', 'queue', 'tick', 'consumer', 'subscription',
                                   'event_template', 'retry_queue', 'dead_letter', 'delayed', 'partition_slot_status'] loop
        continue when to_regrole('pgque_reader') is null;
        execute format('grant select on pgque.%I to pgque_reader', v_table);
    end loop;
end
$$;

do $$
declare
    v_function regprocedure;
begin
    if to_regrole('pgque_admin') is null then
        return;
    end if;
    for v_function in
        select p.oid from pg_proc p
        where p.pronamespace = 'pgque'::regnamespace
          and p.proname not like '\_%'
          and p.proname not in ('uninstall', 'insert_event_bulk')
    loop
        execute format('grant execute on routine %s to pgque_admin', v_function);
    end loop;
end
$$;

-- Queues that are older than the roles.
do $$
begin
    if to_regrole('pgque_reader') is not null then
        perform pgque.grant_perms(queue_name) from pgque.queue
        where not has_table_privilege('pgque_reader', queue_data_pfx, 'select');
    end if;
end
$$;
