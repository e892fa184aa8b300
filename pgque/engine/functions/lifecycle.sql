-- set_tick_period_ms(ms) sets the pause between two rounds of ticker_loop. Returns it.
--
-- Raises PQ009 unless it divides 1000: the loop fills whole seconds.
create or replace function pgque.set_tick_period_ms(p_period_ms int) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    if p_period_ms is null or p_period_ms not between 1 and 1000 or 1000 % p_period_ms <> 0 then
        raise exception 'tick_period_ms must divide 1000 (ticks_per_second must be whole), got %', p_period_ms
            using errcode = 'PQ009';
    end if;
    update pgque.config set tick_period_ms = p_period_ms;
    return p_period_ms;
end
$$;

-- ticker_loop() calls ticker() for about a second, every tick_period_ms, each time in a
-- transaction of its own; a scheduler that can start a job once a second calls it. Of
-- two that run at once one returns immediately.
--
-- It must be called outside of a transaction block.
create or replace procedure pgque.ticker_loop()
language plpgsql as $$
declare
    v_period interval;
    v_start timestamptz := clock_timestamp();
    v_next timestamptz := clock_timestamp();
begin
    select tick_period_ms * interval '1 millisecond' into v_period from pgque.config;
    loop
        if not pg_try_advisory_xact_lock(hashtext('pgque.loop'), 0) then
            return;
        end if;
        perform pgque.ticker();
        commit;
        v_next := v_next + v_period;
        exit when v_next >= v_start + interval '1 second';
        perform pg_sleep(greatest(extract(epoch from v_next - clock_timestamp()), 0));
    end loop;
end
$$;

-- start() lets pg_cron tick and maintain all queues: ticker_loop once a second, maint
-- every thirty seconds. A second call changes nothing.
--
-- Raises PQ016 when pg_cron is missing.
create or replace function pgque.start() returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    if not exists (select from pg_extension where extname = 'pg_cron') then
        raise exception 'pg_cron is not installed; PgQue itself works without pg_cron'
            using errcode = 'PQ016', hint = 'Let a running consumer, "pgque ticker" or any scheduler call ticker() and maint().';
    end if;
    perform pgque.stop();
    execute $sql$
        update pgque.config set
            scheduler = 'pg_cron',
            ticker_job_id = cron.schedule('pgque_ticker_' || current_database(), '1 second', 'call pgque.ticker_loop()'),
            maint_job_id = cron.schedule('pgque_maint_' || current_database(), '30 seconds', 'select pgque.maint()')
    $sql$;
end
$$;

-- stop() undoes start(). Without a start it changes nothing. An error of pg_cron is
-- this function's error: jobs that go on must not be forgotten.
create or replace function pgque.stop() returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_config pgque.config;
begin
    select * into v_config from pgque.config for update;
    if v_config.scheduler = 'pg_cron' and exists (select from pg_extension where extname = 'pg_cron') then
        execute 'select cron.unschedule(jobid) from cron.job where jobid in ($1, $2)'
            using v_config.ticker_job_id, v_config.maint_job_id;
    end if;
    update pgque.config set scheduler = null, ticker_job_id = null, maint_job_id = null
    where scheduler is not null;
end
$$;

-- start_timetable(seconds) is for pg_timetable, which this engine does not drive.
-- Raises PQ016.
create or replace function pgque.start_timetable(i_interval int default 10) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    raise exception 'pg_timetable is not supported'
        using errcode = 'PQ016',
              hint = 'Add chains of your own that call pgque.ticker_loop() and pgque.maint(), or run "pgque ticker".';
end
$$;

create or replace function pgque.stop_timetable() returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
end
$$;

-- uninstall() stops the jobs and drops the engine with everything in it. The roles stay:
-- they belong to the cluster, and other databases may use them. Only the owner of the
-- schema can call it.
create or replace function pgque.uninstall() returns void
language plpgsql as $$
begin
    perform pgque.stop();
    set local client_min_messages = warning;
    drop schema pgque cascade;
end
$$;
