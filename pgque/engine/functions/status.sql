-- status() tells how the engine is doing, one component a row. The ticker is "stopped", or
-- maintenance "overdue", where that keeps events from a consumer or lets a table grow; not
-- on queues that have nothing to do, since programs may tick and maintain on demand.
create or replace function pgque.status() returns table (component text, status text, detail text)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_config pgque.config;
    v_unticked bigint;
    v_overdue bigint;
    v_restored bigint;
    v_has_pg_cron boolean := exists (select from pg_extension where extname = 'pg_cron');
begin
    select * into v_config from pgque.config;
    select count(*) filter (where pgque._is_restored(q.queue_id)),
           count(*) filter (where pgque._misses_ticks(q)), count(*) filter (where pgque._misses_maintenance(q))
    into v_restored, v_unticked, v_overdue
    from pgque.queue q;

    return query values
        ('postgresql', 'info', current_setting('server_version')),
        ('pgque', 'info', v_config.engine_version),
        ('scheduler', case when v_config.scheduler is null then 'none' else 'ok' end,
            coalesce(v_config.scheduler, 'ticker() and maint() have to be called by a client')),
        ('ticker', case when v_restored > 0 then 'error' when v_unticked = 0 then 'ok' else 'stopped' end,
            case when v_restored > 0 then format('%s queues were restored from elsewhere: run pgque.rebase()', v_restored)
                 else format('%s queues have events that wait for a tick', v_unticked) end),
        ('maintenance', case when v_overdue = 0 then 'ok' else 'overdue' end,
            format('%s queues have events that wait for maintenance, or are overdue for rotation', v_overdue)),
        ('pg_cron', case when v_has_pg_cron then 'available' else 'absent' end, null),
        ('pg_timetable', case when to_regnamespace('timetable') is null then 'absent' else 'available' end, null),
        ('queues', 'info', (select count(*)::text from pgque.queue)),
        ('consumers', 'info', (select coalesce(sum(cardinality(pgque._subscriptions(queue_id))), 0)::text from pgque.queue));
end
$$;

-- _misses_ticks tells that an event has waited a minute longer for its tick, and its
-- consumer for the event, than ticker_max_lag allows.
--
-- The event that has waited longest is the first behind the snapshot of the last tick. An
-- id that was drawn in vain makes none wait.
create or replace function pgque._misses_ticks(i_queue pgque.queue) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_last pgque.tick := pgque._last_tick(i_queue.queue_id);
    v_expected timestamptz := clock_timestamp() - i_queue.queue_ticker_max_lag - interval '1 minute';
    v_sent timestamptz;
begin
    if i_queue.queue_ticker_paused or i_queue.queue_external_ticker or v_last.tick_time >= v_expected
       or not pgque._has_consumers(i_queue) then
        return false;
    end if;
    execute format('select least((select ev_time from %1$s where ev_txid = any ($1) order by ev_txid limit 1),'
                   ' (select ev_time from %1$s where ev_txid >= $2 order by ev_txid limit 1))', i_queue.queue_data_pfx)
        into v_sent using array(select pg_snapshot_xip(v_last.tick_snapshot)), pg_snapshot_xmax(v_last.tick_snapshot);
    return coalesce(v_sent < v_expected, false);
exception
    when undefined_table then -- the queue has been dropped meanwhile
        return false;
end
$$;

-- _misses_maintenance tells that an event which was put back or sent for later is a
-- minute late for a consumer, or that events go to one table for more than two periods.
create or replace function pgque._misses_maintenance(i_queue pgque.queue) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_expected timestamptz := clock_timestamp() - interval '1 minute';
    v_sent timestamptz;
begin
    if i_queue.queue_ticker_paused or i_queue.queue_external_ticker then
        return false;
    elsif pgque._has_consumers(i_queue)
       and (exists (select from pgque.retry_queue where ev_queue = i_queue.queue_id and ev_retry_after < v_expected)
            or exists (select from pgque.delayed where de_queue = i_queue.queue_id and de_deliver_at < v_expected)) then
        return true;
    end if;
    execute format('select ev_time from %s_%s order by ev_txid desc limit 1', i_queue.queue_data_pfx, i_queue.queue_cur_table)
        into v_sent;
    return coalesce(v_sent > i_queue.queue_switch_time + 2 * i_queue.queue_rotation_period, false);
exception
    when undefined_table then
        return false;
end
$$;

create or replace function pgque._has_consumers(i_queue pgque.queue) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
begin
    perform from pgque.subscription where sub_queue = i_queue.queue_id
    order by sub_queue desc, sub_consumer desc, sub_gen desc limit 1;
    return found;
end
$$;
