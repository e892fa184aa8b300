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
    v_slots pgque.partition_slot[];
    v_orphans int[];
begin
    perform pgque._check_lease(i_worker, i_ttl);
    perform pgque._check_slots(v_queue, i_consumer, i_n);
    v_slots := pgque._slots(v_queue, i_consumer);
    perform pgque._renew_slots(v_slots, i_worker, i_ttl);
    perform pgque._cut_leases(v_slots);
    -- Shares are for one worker at a time to work out; nobody waits for that.
    perform from pgque.partition_consumer where queue_id = v_queue and co_name = i_consumer for no key update skip locked;
    if found then
        v_orphans := pgque._take_slots(pgque._slots(v_queue, i_consumer), i_n, i_worker, i_ttl);
        perform pgque._ask_for_slots(pgque._slots(v_queue, i_consumer), i_n, i_worker, i_ttl);
    end if;
    return query
        select p.slot, extract(epoch from p.lease_until - clock_timestamp())::double precision,
               coalesce(p.slot = any (v_orphans), false), coalesce(p.wanted_until > clock_timestamp(), false)
        from unnest(pgque._slots(v_queue, i_consumer)) p
        where p.lease_owner = i_worker and p.lease_until > clock_timestamp()
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
    v_slot pgque.partition_slot := pgque._lock_leased(v_queue.queue_id, i_consumer, i_slot, i_worker);
    v_sub pgque.subscription;
begin
    if v_slot.slot is null then
        return false;
    end if;
    v_sub := pgque._lock_subscription(pgque._subscription(i_queue, i_consumer || '#' || i_slot));
    if v_sub.sub_batch is not null then
        perform pgque.begin_message(v_sub.sub_batch, null);
        v_sub := pgque._lock_subscription(v_sub);
        perform pgque._store_cursor(pgque._closed_page(v_sub));
    end if;
    perform pgque._end_lease(v_slot);
    perform pgque._announce(i_queue, '');
    return true;
end
$$;
call pgque._allow('pgque_reader', 'pgque.resign_slot(text, text, integer, text)');

-- _renew_slots passes over a slot that is being settled at the moment.
create or replace function pgque._renew_slots(i_slots pgque.partition_slot[], i_worker text, i_ttl interval) returns void
language plpgsql as $$
declare
    v_slot pgque.partition_slot;
begin
    foreach v_slot in array i_slots loop
        continue when v_slot.lease_owner is distinct from i_worker or v_slot.lease_until >= clock_timestamp() + i_ttl * 0.75;
        v_slot := pgque._try_lock_slot(v_slot);
        if pgque._is_leased_to(v_slot, i_worker) then
            perform pgque._store_slot(pgque._leased(v_slot, i_worker, i_ttl));
        end if;
    end loop;
end
$$;

-- _cut_leases cuts leases that end later than one that begins now.
create or replace function pgque._cut_leases(i_slots pgque.partition_slot[]) returns void
language plpgsql as $$
declare
    v_slot pgque.partition_slot;
begin
    foreach v_slot in array i_slots loop
        continue when v_slot.lease_until > clock_timestamp() + v_slot.lease_ttl is not true;
        v_slot := pgque._try_lock_slot(v_slot);
        if v_slot.lease_until > clock_timestamp() + v_slot.lease_ttl then
            perform pgque._store_slot(pgque._leased(v_slot, v_slot.lease_owner, v_slot.lease_ttl));
        end if;
    end loop;
end
$$;

-- _take_slots takes free slots up to the share of a worker, those first that it has asked
-- for. Returns those whose lease had run out.
create or replace function pgque._take_slots(i_slots pgque.partition_slot[], i_n int, i_worker text, i_ttl interval)
returns int[]
language plpgsql as $$
declare
    v_workers bigint := pgque._slot_workers(i_slots, i_worker);
    v_lacking bigint := (i_n + v_workers - 1) / v_workers - pgque._slots_held(i_slots, i_worker);
    v_slot pgque.partition_slot;
    v_orphans int[];
begin
    for v_slot in
        select * from unnest(i_slots) as p where pgque._is_free_for(p, i_worker) order by p.wanted_by is null, p.slot
    loop
        exit when v_lacking <= 0;
        v_slot := pgque._try_lock_slot(v_slot);
        continue when v_slot.slot is null or not pgque._is_free_for(v_slot, i_worker);
        if v_slot.lease_owner is not null then
            v_orphans := v_orphans || v_slot.slot;
        end if;
        v_slot.epoch := v_slot.epoch + 1;
        v_slot.wanted_by := null;
        v_slot.wanted_until := null;
        perform pgque._store_slot(pgque._leased(v_slot, i_worker, i_ttl));
        v_lacking := v_lacking - 1;
    end loop;
    return v_orphans;
end
$$;

-- _is_free_for tells that nobody holds the slot, and that it is kept for nobody else.
create or replace function pgque._is_free_for(i_slot pgque.partition_slot, i_worker text) returns boolean
language plpgsql as $$
begin
    return (i_slot.lease_owner is null or i_slot.lease_until <= clock_timestamp())
       and (i_slot.wanted_by is null or i_slot.wanted_by = i_worker or i_slot.wanted_until <= clock_timestamp());
end
$$;

-- _ask_for_slots asks those who hold more than the least share for what the worker lacks
-- of it, in a wish that lasts for some seconds. So nobody has to give up what he would have
-- to ask for again.
create or replace function pgque._ask_for_slots(i_slots pgque.partition_slot[], i_n int, i_worker text, i_ttl interval)
returns void
language plpgsql as $$
declare
    v_share bigint := i_n / pgque._slot_workers(i_slots, i_worker);
    v_now timestamptz := clock_timestamp();
    v_lacking bigint;
    v_slot pgque.partition_slot;
begin
    select v_share - count(*) into v_lacking from unnest(i_slots) as p
    where p.lease_owner = i_worker and p.lease_until > v_now
       or p.wanted_by = i_worker and p.wanted_until > v_now + interval '2 seconds';
    for v_slot in
        select p.*
        from (select h.slot, coalesce(h.wanted_until > v_now and h.wanted_by <> i_worker, false) as is_promised,
                     row_number() over (partition by h.lease_owner
                                        order by coalesce(h.wanted_until > v_now, false) desc, h.slot desc) as place,
                     count(*) over (partition by h.lease_owner) as held
              from unnest(i_slots) as h
              where h.lease_until > v_now and h.lease_owner <> i_worker) as spare
        join unnest(i_slots) as p on p.slot = spare.slot
        where spare.place <= spare.held - v_share and not spare.is_promised
        order by spare.held - spare.place desc
        limit greatest(v_lacking, 0)
    loop
        v_slot := pgque._lock_slot(v_slot);
        v_slot.wanted_by := i_worker;
        v_slot.wanted_until := v_now + least(i_ttl, interval '10 seconds');
        perform pgque._store_slot(v_slot);
    end loop;
end
$$;

-- _slot_workers counts the workers that hold a slot or ask for one, and this one.
create or replace function pgque._slot_workers(i_slots pgque.partition_slot[], i_worker text) returns bigint
language plpgsql as $$
begin
    return count(distinct worker) from (
        select lease_owner as worker from unnest(i_slots) as p where lease_until > clock_timestamp()
        union all
        select wanted_by from unnest(i_slots) as p where wanted_until > clock_timestamp()
        union all
        select i_worker) as workers;
end
$$;

create or replace function pgque._slots_held(i_slots pgque.partition_slot[], i_worker text) returns bigint
language plpgsql as $$
begin
    return count(*) from unnest(i_slots) as p where lease_owner = i_worker and lease_until > clock_timestamp();
end
$$;
