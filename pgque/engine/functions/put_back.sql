-- _put_back puts messages of an open batch back for their consumer, or among its dead
-- letters. Message n is due again after i_retry_secs[n] seconds; it is dead when
-- i_dead[n] says so or its retries are used up. Ids that the batch does not hold are
-- passed over. Returns how many it found.
--
-- A message that was put back already stays as it is, also when maintenance has
-- re-inserted it since: a batch that is handed out twice, since its worker died
-- before the ack, does not multiply its retries.
--
-- The event is read from the queue. Of what the caller received, only the id counts.
create or replace function pgque._put_back(
    i_sub pgque.subscription, i_ids bigint[], i_retry_secs double precision[], i_reasons text[], i_dead boolean[])
returns integer
language plpgsql as $$
declare
    v_queue pgque.queue;
    v_consumer integer := pgque._group_consumer(i_sub);
    v_found integer;
begin
    select * into v_queue from pgque.queue where queue_id = i_sub.sub_queue;
    with asked as (
        select distinct on (id) id, secs, reason, dead
        from unnest(i_ids, i_retry_secs, i_reasons, i_dead) as a(id, secs, reason, dead)
        order by id
    ), found as materialized (
        select distinct on (e.ev_id) e.*, a.secs, a.reason,
               coalesce(a.dead, false) or coalesce(e.ev_retry, 0) >= coalesce(v_queue.queue_max_retries, 5) as is_dead
        from pgque._batch_events(i_sub, i_ids) e join asked a on a.id = e.ev_id
        order by e.ev_id, e.ev_retry desc nulls last
    ), dead as (
        insert into pgque.dead_letter (dl_queue_id, dl_consumer_id, dl_reason, ev_id, ev_time, ev_txid, ev_owner,
                                       ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
        select i_sub.sub_queue, v_consumer, coalesce(f.reason, 'max retries exceeded'), f.ev_id, f.ev_time, f.ev_txid,
               i_sub.sub_id, f.ev_retry, f.ev_type, f.ev_data, f.ev_extra1, f.ev_extra2, f.ev_extra3, f.ev_extra4
        from found f where f.is_dead
        on conflict (dl_queue_id, dl_consumer_id, ev_id) do nothing
    ), retried as (
        insert into pgque.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner,
                                       ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
        select clock_timestamp() + make_interval(secs => coalesce(f.secs, 60)), i_sub.sub_queue, f.ev_id, f.ev_time, null,
               i_sub.sub_id, coalesce(f.ev_retry, 0) + 1, f.ev_type, f.ev_data, f.ev_extra1, f.ev_extra2, f.ev_extra3, f.ev_extra4
        from found f where not f.is_dead
          and not pgque._is_retried(v_queue, i_sub.sub_id, f.ev_id, coalesce(f.ev_retry, 0) + 1)
        on conflict (ev_owner, ev_id) do nothing
    )
    select count(*) into v_found from found;
    return v_found;
end
$$;

-- _batch_events returns the events of an open batch that have these ids.
create or replace function pgque._batch_events(i_sub pgque.subscription, i_ids bigint[]) returns setof pgque.event_template
language plpgsql as $$
begin
    return query
        select e.* from pgque._window_events(i_sub,
            greatest(pgque._batch_from(i_sub), greatest((select min(id) from unnest(i_ids) as id), -9223372036854775807) - 1),
            least(pgque._batch_to(i_sub), (select max(id) from unnest(i_ids) as id)), null) e
        where e.ev_id = any (i_ids);
end
$$;

-- _is_retried tells whether maintenance has re-inserted this retry of an event.
create or replace function pgque._is_retried(i_queue pgque.queue, i_owner integer, i_id bigint, i_retry integer) returns boolean
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off set max_parallel_workers_per_gather = 0
as $$
declare
    v_is_retried boolean;
begin
    execute format('select exists (select from %s where ev_owner = $1 and ev_id = $2 and ev_retry >= $3)', i_queue.queue_data_pfx)
        into v_is_retried using i_owner, i_id, i_retry;
    return v_is_retried;
end
$$;

-- _group_consumer is the consumer that dead letters belong to: of a cooperative
-- member the whole group, which outlives its workers.
create or replace function pgque._group_consumer(i_sub pgque.subscription) returns integer
language plpgsql as $$
begin
    if i_sub.sub_role <> 'coop_member' then
        return i_sub.sub_consumer;
    end if;
    return sub_consumer from unnest(pgque._subscriptions(i_sub.sub_queue)) as s
        where sub_id = i_sub.sub_id and sub_role = 'coop_main';
end
$$;

-- _check_retry_secs raises PQ009 for delays that are no delay.
create or replace function pgque._check_retry_secs(i_secs double precision) returns void
language plpgsql as $$
begin
    if i_secs < 0 or i_secs > 3e9 then
        raise exception 'retry delay must be between 0 and 3000000000 seconds, got %', i_secs using errcode = 'PQ009';
    end if;
end
$$;
