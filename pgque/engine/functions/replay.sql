-- replay(queue, consumer, from_id, to_id, types, since, until) sends retained events once
-- more, to one consumer alone: those with ids from from_id to to_id, of one of the
-- types, sent from since on and before until; null bounds nothing. They are new
-- messages, with new ids and without retries. Returns how many.
--
-- Events are retained for one to two rotation periods after everybody has finished
-- them. Raises PQ001, PQ002, and PQ009 when everything is null.
create or replace function pgque.replay(
    i_queue text, i_consumer text,
    i_from_id bigint default null, i_to_id bigint default null, i_types text[] default null,
    i_since timestamptz default null, i_until timestamptz default null)
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
set enable_seqscan = off set jit = off
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_sub pgque.subscription := pgque._subscription(i_queue, i_consumer);
    v_table text := pgque._table_for_insert(i_queue);
    v_count bigint;
begin
    if num_nonnulls(i_from_id, i_to_id, i_types, i_since, i_until) = 0 then
        raise exception 'nothing says which events to replay' using errcode = 'PQ009';
    end if;
    execute format(
        'insert into %s (ev_time, ev_owner, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
        ' select ev_time, $1, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from %s'
        ' where ev_owner is null and ev_id >= $2 and ev_id <= $3'
        '   and ($4 is null or ev_type = any ($4)) and ($5 is null or ev_time >= $5) and ($6 is null or ev_time < $6)'
        ' order by ev_id', v_table, v_queue.queue_data_pfx)
        using v_sub.sub_id, coalesce(i_from_id, -9223372036854775808), coalesce(i_to_id, 9223372036854775807),
              i_types, i_since, i_until;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

-- seek(queue, consumer, time) moves a consumer, back or forth, to the last tick before
-- that time, so that it receives everything sent since; at the earliest to the first
-- tick that is kept. Returns the tick.
--
-- Raises PQ001, PQ002, PQ009 for a null time, PQ012 when it is cooperative.
create or replace function pgque.seek(i_queue text, i_consumer text, i_time timestamptz) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._subscription(i_queue, i_consumer);
    v_tick bigint;
begin
    if i_time is null then
        raise exception 'time must not be null' using errcode = 'PQ009';
    end if;
    select coalesce(max(tick_id) filter (where tick_time < i_time), min(tick_id)) into v_tick
    from pgque.tick where tick_queue = v_sub.sub_queue;
    perform pgque.register_consumer_at(i_queue, i_consumer, v_tick);
    return v_tick;
end
$$;
