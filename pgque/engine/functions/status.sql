-- status() tells how the engine is doing, one component a row.
create or replace function pgque.status() returns table (component text, status text, detail text)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_config pgque.config;
    v_queues bigint;
    v_ticked bigint;
    v_overdue bigint;
    v_ahead bigint;
    v_has_pg_cron boolean := exists (select from pg_extension where extname = 'pg_cron');
begin
    select * into v_config from pgque.config;
    select count(*), count(*) filter (where (pgque._last_tick(queue_id)).tick_time > clock_timestamp() - queue_ticker_idle_period - interval '1 minute'),
           count(*) filter (where queue_switch_time + 2 * queue_rotation_period < clock_timestamp())
    into v_queues, v_ticked, v_overdue
    from pgque.queue where not queue_ticker_paused and not queue_external_ticker;
    select count(*) into v_ahead from pgque.queue where pgque._is_ahead(queue_id);

    return query values
        ('postgresql', 'info', current_setting('server_version')),
        ('pgque', 'info', v_config.engine_version),
        ('scheduler', case when v_config.scheduler is null then 'none' else 'ok' end,
            coalesce(v_config.scheduler, 'ticker() and maint() have to be called by a client')),
        ('ticker', case when v_ahead > 0 then 'error' when v_ticked = v_queues then 'ok' else 'stopped' end,
            case when v_ahead > 0 then format('%s queues were restored from elsewhere: run pgque.rebase()', v_ahead)
                 else format('%s of %s queues were ticked recently', v_ticked, v_queues) end),
        ('maintenance', case when v_overdue = 0 then 'ok' else 'overdue' end,
            format('%s queues are overdue for rotation', v_overdue)),
        ('pg_cron', case when v_has_pg_cron then 'available' else 'absent' end, null),
        ('pg_timetable', case when to_regnamespace('timetable') is null then 'absent' else 'available' end, null),
        ('queues', 'info', (select count(*)::text from pgque.queue)),
        ('consumers', 'info', (select count(*)::text from pgque.subscription));
end
$$;
