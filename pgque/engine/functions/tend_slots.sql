-- tend_slots(queue, consumer, n, worker, ttl) looks after the leases of one worker among
-- several that share the slots of a consumer evenly. It renews what the worker holds, once
-- a quarter of the time is over, takes free slots up to its share, and when it has less
-- than its share and none is free, asks those who have more for theirs. Returns the slots
-- that the worker holds now: for how many seconds, whether the holder before it was never
-- heard of again (a crash, most likely), and whether another worker asks for it. Such a
-- slot should be given up (resign_slot) as soon as the page at hand is finished; it is then
-- kept for the one who asked.
--
-- A worker calls it every few seconds, well within the ttl; slots that it does not name any
-- more are lost. A share counts all workers that hold a slot or ask for one. Where the
-- server's clock was set back, leases that would last too long are cut to their ttl.
--
-- Raises PQ001, PQ009 for an empty worker and a ttl that is not positive and at most one
-- day, PQ012 when the consumer is not partitioned so.
create or replace function pgque.tend_slots(i_queue text, i_consumer text, i_n int, i_worker text, i_ttl interval)
returns table (slot int, seconds double precision, orphaned boolean, wanted boolean)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue integer := (pgque._queue(i_queue)).queue_id;
    v_orphans int[];
begin
    perform pgque._check_lease(i_worker, i_ttl);
    perform pgque._check_slots(v_queue, i_consumer, i_n);
    perform pgque._renew_slots(v_queue, i_consumer, i_worker, i_ttl);
    -- Shares are for one worker at a time to work out; nobody waits for that.
    perform from pgque.partition_consumer where queue_id = v_queue and co_name = i_consumer for no key update skip locked;
    if found then
        perform pgque._cut_leases(v_queue, i_consumer);
        v_orphans := pgque._take_slots(v_queue, i_consumer, i_n, i_worker, i_ttl);
        perform pgque._ask_for_slots(v_queue, i_consumer, i_n, i_worker, i_ttl);
    end if;
    return query
        select p.slot, extract(epoch from p.lease_until - clock_timestamp())::double precision,
               coalesce(p.slot = any (v_orphans), false), coalesce(p.wanted_until > clock_timestamp(), false)
        from pgque.partition_slot p
        where p.queue_id = v_queue and p.co_name = i_consumer and p.lease_owner = i_worker and p.lease_until > clock_timestamp()
        order by p.slot;
end
$$;
call pgque._allow('pgque_reader', 'pgque.tend_slots(text, text, integer, text, interval)');

-- resign_slot(queue, consumer, slot, worker) ends a worker's lease, and a page that is open
-- with it: that comes again to the next holder, under a fresh id and as if it had never been
-- handed out. Other workers are notified. Returns false when the worker has no such lease.
--
-- Raises PQ001.
create or replace function pgque.resign_slot(i_queue text, i_consumer text, i_slot int, i_worker text) returns boolean
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_sub pgque.subscription;
begin
    if not pgque._lock_lease(v_queue.queue_id, i_consumer, i_slot, i_worker) then
        return false;
    end if;
    v_sub := pgque._lock_subscription(pgque._subscription(i_queue, i_consumer || '#' || i_slot));
    if v_sub.sub_batch is not null then
        perform pgque.begin_message(v_sub.sub_batch, null);
        v_sub := pgque._lock_subscription(v_sub);
        perform pgque._store_cursor(pgque._closed_page(v_sub));
    end if;
    perform pgque._end_lease(v_queue.queue_id, i_consumer, i_slot);
    perform pg_notify('pgque_' || i_queue, '');
    return true;
end
$$;
call pgque._allow('pgque_reader', 'pgque.resign_slot(text, text, integer, text)');

-- _renew_slots passes over a slot that is being settled at the moment.
create or replace function pgque._renew_slots(i_queue_id integer, i_consumer text, i_worker text, i_ttl interval) returns void
language plpgsql as $$
begin
    update pgque.partition_slot p set lease_until = clock_timestamp() + i_ttl, lease_ttl = i_ttl
    where p.queue_id = i_queue_id and p.co_name = i_consumer and p.slot in (
        select mine.slot from pgque.partition_slot mine
        where mine.queue_id = i_queue_id and mine.co_name = i_consumer and mine.lease_owner = i_worker
          and mine.lease_until > clock_timestamp() and mine.lease_until < clock_timestamp() + i_ttl * 0.75
        for no key update skip locked);
end
$$;

-- _cut_leases cuts leases that end later than one that begins now.
create or replace function pgque._cut_leases(i_queue_id integer, i_consumer text) returns void
language plpgsql as $$
begin
    update pgque.partition_slot p set lease_until = clock_timestamp() + p.lease_ttl
    where p.queue_id = i_queue_id and p.co_name = i_consumer and p.slot in (
        select late.slot from pgque.partition_slot late
        where late.queue_id = i_queue_id and late.co_name = i_consumer and late.lease_until > clock_timestamp() + late.lease_ttl
        for no key update skip locked);
end
$$;

-- _take_slots takes free slots up to the share of a worker, those first that it has asked
-- for. Returns those whose lease had run out.
create or replace function pgque._take_slots(i_queue_id integer, i_consumer text, i_n int, i_worker text, i_ttl interval)
returns int[]
language plpgsql as $$
declare
    v_workers bigint := pgque._slot_workers(i_queue_id, i_consumer, i_worker);
    v_slots int[];
    v_orphans int[];
begin
    select array_agg(free.slot), array_agg(free.slot) filter (where free.lease_owner is not null) into v_slots, v_orphans
    from (select * from pgque.partition_slot p
          where p.queue_id = i_queue_id and p.co_name = i_consumer
            and (p.lease_owner is null or p.lease_until <= clock_timestamp())
            and (p.wanted_by is null or p.wanted_by = i_worker or p.wanted_until <= clock_timestamp())
          order by p.wanted_by is null, p.slot
          limit greatest((i_n + v_workers - 1) / v_workers - pgque._slots_held(i_queue_id, i_consumer, i_worker), 0)
          for no key update skip locked) as free;
    update pgque.partition_slot p set
        lease_owner = i_worker, lease_until = clock_timestamp() + i_ttl, lease_ttl = i_ttl, epoch = p.epoch + 1,
        wanted_by = null, wanted_until = null
    where p.queue_id = i_queue_id and p.co_name = i_consumer and p.slot = any (v_slots);
    return v_orphans;
end
$$;

-- _ask_for_slots asks those who hold more than the least share for what the worker lacks
-- of it, in a wish that lasts for some seconds. So nobody has to give up what he would have
-- to ask for again.
create or replace function pgque._ask_for_slots(i_queue_id integer, i_consumer text, i_n int, i_worker text, i_ttl interval)
returns void
language plpgsql as $$
declare
    v_share bigint := i_n / pgque._slot_workers(i_queue_id, i_consumer, i_worker);
    v_now timestamptz := clock_timestamp();
    v_lacking bigint;
begin
    select v_share - count(*) into v_lacking from pgque.partition_slot p
    where p.queue_id = i_queue_id and p.co_name = i_consumer
      and (p.lease_owner = i_worker and p.lease_until > v_now or p.wanted_by = i_worker and p.wanted_until > v_now + interval '2 seconds');
    if v_lacking <= 0 then
        return;
    end if;
    update pgque.partition_slot p set wanted_by = i_worker, wanted_until = v_now + least(i_ttl, interval '10 seconds')
    where p.queue_id = i_queue_id and p.co_name = i_consumer and p.slot in (
        select spare.slot
        from (select h.slot, coalesce(h.wanted_until > v_now and h.wanted_by <> i_worker, false) as is_promised,
                     row_number() over (partition by h.lease_owner
                                        order by coalesce(h.wanted_until > v_now, false) desc, h.slot desc) as place,
                     count(*) over (partition by h.lease_owner) as held
              from pgque.partition_slot h
              where h.queue_id = i_queue_id and h.co_name = i_consumer
                and h.lease_until > v_now and h.lease_owner <> i_worker) as spare
        where spare.place <= spare.held - v_share and not spare.is_promised
        order by spare.held - spare.place desc
        limit v_lacking);
end
$$;

-- _slot_workers counts the workers that hold a slot or ask for one, and this one.
create or replace function pgque._slot_workers(i_queue_id integer, i_consumer text, i_worker text) returns bigint
language plpgsql as $$
begin
    return count(distinct worker) from (
        select lease_owner as worker from pgque.partition_slot
        where queue_id = i_queue_id and co_name = i_consumer and lease_until > clock_timestamp()
        union all
        select wanted_by from pgque.partition_slot
        where queue_id = i_queue_id and co_name = i_consumer and wanted_until > clock_timestamp()
        union all
        select i_worker) as workers;
end
$$;

create or replace function pgque._slots_held(i_queue_id integer, i_consumer text, i_worker text) returns bigint
language plpgsql as $$
begin
    return count(*) from pgque.partition_slot
        where queue_id = i_queue_id and co_name = i_consumer and lease_owner = i_worker and lease_until > clock_timestamp();
end
$$;
