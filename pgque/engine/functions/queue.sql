-- _queue(name) finds a queue.
--
-- Raises PQ001 when there is none.
create or replace function pgque._queue(i_queue text) returns pgque.queue
language plpgsql as $$
declare
    v_queue pgque.queue;
begin
    select * into v_queue from pgque.queue where queue_name = i_queue;
    if not found then
        raise exception 'queue not found: %', i_queue using errcode = 'PQ001';
    end if;
    return v_queue;
end
$$;

-- _check_span raises PQ009 for an interval that is infinite or longer than a thousand years:
-- where it is added to a time it would fail, or that time would never come.
create or replace function pgque._check_span(i_name text, i_span interval) returns void
language plpgsql as $$
begin
    if not isfinite(i_span) or i_span not between interval '-1000 years' and interval '1000 years' then
        raise exception '% must be finite and at most 1000 years, got %', i_name, i_span using errcode = 'PQ009';
    end if;
end
$$;

-- current_event_table(name) names the table that takes events now. An insert that
-- uses the answer must have got its transaction id before asking.
create or replace function pgque.current_event_table(x_queue_name text) returns text
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(x_queue_name);
begin
    return v_queue.queue_data_pfx || '_' || v_queue.queue_cur_table;
end
$$;
