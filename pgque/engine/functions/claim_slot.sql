-- claim_slot(queue, consumer, slot, worker, ttl) leases a slot to a worker, or renews the
-- lease that it has. Returns the epoch of the lease, which rises with every change of
-- hands; null when somebody else has the slot, or is about to: try another one.
--
-- Raises PQ001, PQ009 for an empty worker and for a ttl that is not positive and at most
-- one day, PQ012 when the consumer has no such slot.
create or replace function pgque.claim_slot(
    i_queue text, i_consumer text, i_slot int, i_worker text, i_ttl interval default '30 seconds')
returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_slot pgque.partition_slot;
    v_is_new boolean;
begin
    perform pgque._check_lease(i_worker, i_ttl);
    v_slot := pgque._try_lock_slot(pgque._slot(v_queue.queue_id, i_consumer, i_slot));
    v_is_new := coalesce(v_slot.lease_until <= clock_timestamp(), true);
    if v_slot.slot is null or (not v_is_new and v_slot.lease_owner is distinct from i_worker) then
        return null;
    end if;
    v_slot.epoch := v_slot.epoch + v_is_new::integer;
    perform pgque._store_slot(pgque._leased(v_slot, i_worker, i_ttl));
    return v_slot.epoch;
end
$$;
call pgque._allow('pgque_reader', 'pgque.claim_slot(text, text, integer, text, interval)');

-- release_slot(queue, consumer, slot, worker) ends a worker's lease. Returns false when
-- it has none.
--
-- Raises PQ001, PQ012 while the worker has received a page that it has not acked: who
-- came next would receive it too. Such a lease can only run out.
create or replace function pgque.release_slot(i_queue text, i_consumer text, i_slot int, i_worker text) returns boolean
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_slot pgque.partition_slot := pgque._lock_leased(v_queue.queue_id, i_consumer, i_slot, i_worker);
begin
    if v_slot.slot is null then
        return false;
    end if;
    if (pgque._find_by_name(v_queue.queue_id, i_consumer || '#' || i_slot)).sub_batch is not null then
        raise exception 'slot % of % has an open batch', i_slot, i_consumer
            using errcode = 'PQ012', hint = 'Ack it first.';
    end if;
    perform pgque._end_lease(v_slot);
    return true;
end
$$;
call pgque._allow('pgque_reader', 'pgque.release_slot(text, text, integer, text)');

-- _lock_leased locks a slot until commit and returns it; a null row unless the worker
-- holds its lease.
create or replace function pgque._lock_leased(i_queue_id integer, i_consumer text, i_slot int, i_worker text)
returns pgque.partition_slot
language plpgsql as $$
declare
    v_slot pgque.partition_slot := pgque._lock_slot(pgque._find_slot(i_queue_id, i_consumer, i_slot));
begin
    if not pgque._is_leased_to(v_slot, i_worker) then
        return null;
    end if;
    return v_slot;
end
$$;

create or replace function pgque._end_lease(i_slot pgque.partition_slot) returns void
language plpgsql as $$
begin
    i_slot.lease_owner := null;
    i_slot.lease_until := null;
    perform pgque._store_slot(i_slot);
end
$$;

-- _check_lease raises PQ009 for a worker without a name and a lease of no sensible length.
create or replace function pgque._check_lease(i_worker text, i_ttl interval) returns void
language plpgsql as $$
begin
    if coalesce(i_worker, '') = '' then
        raise exception 'worker must not be empty' using errcode = 'PQ009';
    elsif i_ttl is null or not isfinite(i_ttl) or i_ttl <= interval '0' or i_ttl > interval '1 day' then
        raise exception 'ttl must be above 0 and at most 1 day, got %', i_ttl using errcode = 'PQ009';
    end if;
end
$$;
