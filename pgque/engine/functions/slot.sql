-- Finding, locking and changing the rows of pgque.partition_slot. Leases are renewed
-- for as long as workers live, so the rows are searched as those of pgque.subscription
-- are (cursor.sql): from their highest generation downwards.

-- _find_slot returns a slot, unlocked; a null row when there is none.
create or replace function pgque._find_slot(i_queue_id integer, i_consumer text, i_slot int) returns pgque.partition_slot
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_slot pgque.partition_slot;
begin
    select * into v_slot from pgque.partition_slot
    where queue_id = i_queue_id and co_name = i_consumer and slot = i_slot
    order by queue_id desc, co_name desc, slot desc, gen desc limit 1;
    return v_slot;
end
$$;

-- _slot is _find_slot for a slot that has to be there.
--
-- Raises PQ012 when it is not.
create or replace function pgque._slot(i_queue_id integer, i_consumer text, i_slot int) returns pgque.partition_slot
language plpgsql as $$
declare
    v_slot pgque.partition_slot := pgque._find_slot(i_queue_id, i_consumer, i_slot);
begin
    if v_slot.slot is null then
        raise exception 'not a partitioned consumer: % has no slot %', i_consumer, i_slot using errcode = 'PQ012';
    end if;
    return v_slot;
end
$$;

-- _slots returns all slots of a consumer, unlocked, in the order of their numbers.
create or replace function pgque._slots(i_queue_id integer, i_consumer text) returns pgque.partition_slot[]
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
begin
    return array(
        select living.slot
        from pgque.partition_consumer c
        cross join generate_series(0, c.n - 1) as number
        cross join lateral (
            select p from pgque.partition_slot p
            where p.queue_id = i_queue_id and p.co_name = i_consumer and p.slot = number
            order by p.queue_id desc, p.co_name desc, p.slot desc, p.gen desc limit 1) as living(slot)
        where c.queue_id = i_queue_id and c.co_name = i_consumer);
end
$$;

-- _lock_slot locks a slot that was found until commit, and returns it as it is then; a
-- null row when it is gone.
create or replace function pgque._lock_slot(i_slot pgque.partition_slot) returns pgque.partition_slot
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_slot pgque.partition_slot;
begin
    select * into v_slot from pgque.partition_slot
    where queue_id = i_slot.queue_id and co_name = i_slot.co_name and slot = i_slot.slot and gen >= i_slot.gen
    order by queue_id desc, co_name desc, slot desc, gen desc limit 1
    for no key update;
    return v_slot;
end
$$;

-- _try_lock_slot does not wait: the row is null too when somebody else has locked it.
-- The generation keeps it from looking for another row among the dead ones then.
create or replace function pgque._try_lock_slot(i_slot pgque.partition_slot) returns pgque.partition_slot
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_slot pgque.partition_slot;
begin
    select * into v_slot from pgque.partition_slot
    where queue_id = i_slot.queue_id and co_name = i_slot.co_name and slot = i_slot.slot and gen >= i_slot.gen
    order by queue_id desc, co_name desc, slot desc, gen desc limit 1
    for no key update skip locked;
    return v_slot;
end
$$;

-- _hold_slot only keeps others from changing it.
create or replace function pgque._hold_slot(i_slot pgque.partition_slot) returns pgque.partition_slot
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_slot pgque.partition_slot;
begin
    select * into v_slot from pgque.partition_slot
    where queue_id = i_slot.queue_id and co_name = i_slot.co_name and slot = i_slot.slot and gen >= i_slot.gen
    order by queue_id desc, co_name desc, slot desc, gen desc limit 1
    for share;
    return v_slot;
end
$$;

-- _store_slot writes a slot that the caller has locked.
create or replace function pgque._store_slot(i_slot pgque.partition_slot) returns void
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
    update pgque.partition_slot set
        lease_owner = i_slot.lease_owner,
        lease_until = i_slot.lease_until,
        lease_ttl = i_slot.lease_ttl,
        epoch = i_slot.epoch,
        wanted_by = i_slot.wanted_by,
        wanted_until = i_slot.wanted_until,
        moves = i_slot.moves + 1,
        gen = pgque._next_generation(i_slot.gen, i_slot.moves)
    where queue_id = i_slot.queue_id and co_name = i_slot.co_name and slot = i_slot.slot and gen = i_slot.gen;
end
$$;

-- _leased is the slot with a lease of the worker's that begins now.
create or replace function pgque._leased(i_slot pgque.partition_slot, i_worker text, i_ttl interval) returns pgque.partition_slot
language plpgsql as $$
begin
    i_slot.lease_owner := i_worker;
    i_slot.lease_until := clock_timestamp() + i_ttl;
    i_slot.lease_ttl := i_ttl;
    return i_slot;
end
$$;

create or replace function pgque._is_leased_to(i_slot pgque.partition_slot, i_worker text) returns boolean
language plpgsql as $$
begin
    if i_slot.lease_owner is null or i_slot.lease_owner is distinct from i_worker or i_slot.lease_until <= clock_timestamp() then
        return false;
    end if;
    return true;
end
$$;
