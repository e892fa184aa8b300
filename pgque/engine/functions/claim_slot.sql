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
    perform pgque._check_slot_exists(v_queue.queue_id, i_consumer, i_slot);
    select * into v_slot from pgque.partition_slot
    where queue_id = v_queue.queue_id and co_name = i_consumer and slot = i_slot for no key update skip locked;
    v_is_new := coalesce(v_slot.lease_until <= clock_timestamp(), true);
    if v_slot.slot is null or (not v_is_new and v_slot.lease_owner is distinct from i_worker) then
        return null;
    end if;
    update pgque.partition_slot set
        lease_owner = i_worker, lease_until = clock_timestamp() + i_ttl, lease_ttl = i_ttl,
        epoch = epoch + v_is_new::integer
    where queue_id = v_queue.queue_id and co_name = i_consumer and slot = i_slot;
    return v_slot.epoch + v_is_new::integer;
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
begin
    if not pgque._lock_lease(v_queue.queue_id, i_consumer, i_slot, i_worker) then
        return false;
    end if;
    if (pgque._find_by_name(v_queue.queue_id, i_consumer || '#' || i_slot)).sub_batch is not null then
        raise exception 'slot % of % has an open batch', i_slot, i_consumer
            using errcode = 'PQ012', hint = 'Ack it first.';
    end if;
    perform pgque._end_lease(v_queue.queue_id, i_consumer, i_slot);
    return true;
end
$$;
call pgque._allow('pgque_reader', 'pgque.release_slot(text, text, integer, text)');

-- _lock_lease locks a slot until commit and tells whether the worker holds its lease.
create or replace function pgque._lock_lease(i_queue_id integer, i_consumer text, i_slot int, i_worker text) returns boolean
language plpgsql as $$
declare
    v_slot pgque.partition_slot;
begin
    select * into v_slot from pgque.partition_slot
    where queue_id = i_queue_id and co_name = i_consumer and slot = i_slot for no key update;
    return pgque._is_leased_to(v_slot, i_worker);
end
$$;

create or replace function pgque._end_lease(i_queue_id integer, i_consumer text, i_slot int) returns void
language plpgsql as $$
begin
    update pgque.partition_slot set lease_owner = null, lease_until = null
    where queue_id = i_queue_id and co_name = i_consumer and slot = i_slot;
end
$$;

create or replace function pgque._check_slot_exists(i_queue_id integer, i_consumer text, i_slot int) returns void
language plpgsql as $$
begin
    if not exists (select from pgque.partition_slot
                   where queue_id = i_queue_id and co_name = i_consumer and slot = i_slot) then
        raise exception 'not a partitioned consumer: % has no slot %', i_consumer, i_slot using errcode = 'PQ012';
    end if;
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
