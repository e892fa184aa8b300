-- set_queue_config(queue, parameter, value) changes one setting; a null value
-- resets it to its default. Returns 1.
--
--     ticker_max_count    events that make a tick due; at least 1; 500
--     ticker_max_lag      age of waiting events that makes a tick due; 0 or more; 3 seconds
--     ticker_idle_period  longest gap between ticks of an idle queue; above 0; 1 minute
--     ticker_paused       no ticks while true; false
--     external_ticker     ticks come from outside; false
--     rotation_period     time between two table rotations; above 0; 2 hours
--     max_retries         how often an event is put back before it is dead; 0 or more; 5
--
-- No interval may be longer than a thousand years.
--
-- Raises PQ001 when there is no such queue, PQ007 for an unknown parameter and for
-- a value that makes no sense.
create or replace function pgque.set_queue_config(x_queue_name text, x_param_name text, x_param_value text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(x_queue_name);
    v_param text := regexp_replace(x_param_name, '^queue_', '');
begin
    perform pgque._check_queue_config(v_param, x_param_value);
    update pgque.queue set
        queue_ticker_max_count = case v_param when 'ticker_max_count' then coalesce(x_param_value, '500')::integer else queue_ticker_max_count end,
        queue_ticker_max_lag = case v_param when 'ticker_max_lag' then coalesce(x_param_value, '3 seconds')::interval else queue_ticker_max_lag end,
        queue_ticker_idle_period = case v_param when 'ticker_idle_period' then coalesce(x_param_value, '1 minute')::interval else queue_ticker_idle_period end,
        queue_ticker_paused = case v_param when 'ticker_paused' then coalesce(x_param_value, 'false')::boolean else queue_ticker_paused end,
        queue_external_ticker = case v_param when 'external_ticker' then coalesce(x_param_value, 'false')::boolean else queue_external_ticker end,
        queue_rotation_period = case v_param when 'rotation_period' then coalesce(x_param_value, '2 hours')::interval else queue_rotation_period end,
        queue_max_retries = case v_param when 'max_retries' then x_param_value::integer else queue_max_retries end
    where queue_id = v_queue.queue_id;
    return 1;
end
$$;

create or replace function pgque._check_queue_config(i_param text, i_value text) returns void
language plpgsql as $$
begin
    case i_param
        when 'ticker_max_count' then
            if i_value::integer < 1 then
                raise exception 'ticker_max_count must be >= 1, got %', i_value using errcode = 'PQ007';
            end if;
        when 'max_retries' then
            if i_value::integer < 0 then
                raise exception 'max_retries must be >= 0, got %', i_value using errcode = 'PQ007';
            end if;
        when 'ticker_max_lag' then
            if i_value::interval < interval '0' then
                raise exception 'ticker_max_lag must be >= 0, got %', i_value using errcode = 'PQ007';
            end if;
        when 'ticker_idle_period', 'rotation_period' then
            if i_value::interval <= interval '0' then
                raise exception '% must be > 0, got %', i_param, i_value using errcode = 'PQ007';
            end if;
        when 'ticker_paused', 'external_ticker' then
            perform i_value::boolean;
        else
            raise exception 'unknown queue parameter: %', i_param using errcode = 'PQ007';
    end case;
    if i_param in ('ticker_max_lag', 'ticker_idle_period', 'rotation_period') then
        perform pgque._check_span(i_param, i_value::interval);
    end if;
exception
    when data_exception or sqlstate 'PQ009' then
        raise exception 'invalid value for %: %', i_param, i_value using errcode = 'PQ007';
end
$$;
