-- Partitioned consumers: the keys of a queue are spread over n slots, each with a cursor
-- of its own (the subscription of consumer#slot) that sees its keys only. One worker at a
-- time works on a slot, by a lease. Every slot reads the whole log, and the slowest slot
-- holds rotation up.

-- subscribe_partitioned(queue, consumer, n) subscribes all slots of a consumer at the same
-- tick, so that no event falls between two slots. A second call changes nothing.
--
-- Raises PQ001, PQ008 for an empty name, PQ009 for n outside 1 to 256, PQ012 when the
-- consumer has another number of slots.
create or replace function pgque.subscribe_partitioned(i_queue text, i_consumer text, i_n int) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(i_queue);
    v_tick bigint := (pgque._last_tick(v_queue.queue_id)).tick_id;
begin
    if i_n is null or i_n not between 1 and 256 then
        raise exception 'number of slots must be between 1 and 256, got %', i_n using errcode = 'PQ009';
    end if;
    perform pgque._check_consumer_name(i_consumer);
    insert into pgque.partition_consumer (queue_id, co_name, n) values (v_queue.queue_id, i_consumer, i_n)
    on conflict (queue_id, co_name) do nothing;
    if not found then
        perform pgque._check_slots(v_queue.queue_id, i_consumer, i_n);
        return;
    end if;
    for v_slot in 0 .. i_n - 1 loop
        perform pgque._insert_slot(v_queue.queue_id, i_consumer, v_slot, i_n, v_tick);
    end loop;
end
$$;
call pgque._allow('pgque_reader', 'pgque.subscribe_partitioned(text, text, integer)');

-- subscribe_slot(queue, consumer, slot, n) is subscribe_partitioned the first time; later
-- it brings a slot back that was unsubscribed, from now on.
--
-- Raises as subscribe_partitioned does, and PQ009 for a slot outside 0 to n - 1.
create or replace function pgque.subscribe_slot(i_queue text, i_consumer text, i_slot int, i_n int) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue;
begin
    perform pgque.subscribe_partitioned(i_queue, i_consumer, i_n);
    v_queue := pgque._queue(i_queue);
    if i_slot is null or i_slot not between 0 and i_n - 1 then
        raise exception 'slot must be between 0 and %, got %', i_n - 1, i_slot using errcode = 'PQ009';
    end if;
    perform pgque._insert_slot(v_queue.queue_id, i_consumer, i_slot, i_n, (pgque._last_tick(v_queue.queue_id)).tick_id);
end
$$;
call pgque._allow('pgque_reader', 'pgque.subscribe_slot(text, text, integer, integer)');

-- unsubscribe_slot(queue, consumer, slot) gives a slot up: its events are nobody's. With
-- the last slot the consumer goes. Nothing happens when there is no such slot.
--
-- Raises PQ001, PQ012 while somebody holds the slot's lease.
create or replace function pgque.unsubscribe_slot(i_queue text, i_consumer text, i_slot int) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(i_queue);
    v_slot pgque.partition_slot := pgque._lock_slot(pgque._find_slot(v_queue.queue_id, i_consumer, i_slot));
begin
    if v_slot.slot is null then
        return;
    elsif v_slot.lease_until > clock_timestamp() then
        raise exception 'slot % of % is leased by %', i_slot, i_consumer, v_slot.lease_owner
            using errcode = 'PQ012', hint = 'Release it, or wait until the lease ends.';
    end if;
    perform pgque._delete_slot(v_slot);
    delete from pgque.partition_consumer c
    where c.queue_id = v_queue.queue_id and c.co_name = i_consumer
      and not exists (select from pgque.partition_slot s where s.queue_id = c.queue_id and s.co_name = c.co_name);
end
$$;
call pgque._allow('pgque_reader', 'pgque.unsubscribe_slot(text, text, integer)');

-- unsubscribe_partitioned(queue, consumer) gives all slots up, or none: PQ012 while
-- somebody holds the lease of one.
create or replace function pgque.unsubscribe_partitioned(i_queue text, i_consumer text) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(i_queue);
begin
    perform pgque.unsubscribe_slot(i_queue, i_consumer, slot)
    from (select slot from pgque.partition_slot
          where queue_id = v_queue.queue_id and co_name = i_consumer order by slot) as slots;
end
$$;
call pgque._allow('pgque_reader', 'pgque.unsubscribe_partitioned(text, text)');

-- _check_slots raises PQ012 unless the consumer is partitioned into n slots.
create or replace function pgque._check_slots(i_queue_id integer, i_consumer text, i_n int) returns void
language plpgsql as $$
declare
    v_n int;
begin
    select n into v_n from pgque.partition_consumer where queue_id = i_queue_id and co_name = i_consumer;
    if not found then
        raise exception 'not a partitioned consumer: %', i_consumer using errcode = 'PQ012';
    elsif v_n is distinct from i_n then
        raise exception 'consumer % has % slots, not %', i_consumer, v_n, i_n using errcode = 'PQ012';
    end if;
end
$$;

-- _insert_slot makes a slot, and leaves one alone that somebody else has just made.
create or replace function pgque._insert_slot(i_queue_id integer, i_consumer text, i_slot int, i_n int, i_tick bigint)
returns void
language plpgsql as $$
declare
    v_consumer integer := pgque._lock_consumer(i_consumer || '#' || i_slot);
begin
    if (pgque._find_slot(i_queue_id, i_consumer, i_slot)).slot is not null then
        return;
    elsif (pgque._find_subscription(i_queue_id, v_consumer)).sub_no is not null then
        raise exception 'consumer %#% is subscribed by itself', i_consumer, i_slot using errcode = 'PQ012';
    end if;
    insert into pgque.subscription (sub_no, sub_queue, sub_consumer, sub_last_tick, sub_slot, sub_slots)
    values (pgque._new_subscription_no(), i_queue_id, v_consumer, i_tick, i_slot, i_n);
    insert into pgque.partition_slot (queue_id, co_name, slot) values (i_queue_id, i_consumer, i_slot);
end
$$;

create or replace function pgque._delete_slot(i_slot pgque.partition_slot) returns void
language plpgsql as $$
declare
    v_sub pgque.subscription := pgque._lock_subscription(
        pgque._find_by_name(i_slot.queue_id, i_slot.co_name || '#' || i_slot.slot));
begin
    delete from pgque.partition_slot
    where queue_id = i_slot.queue_id and co_name = i_slot.co_name and slot = i_slot.slot;
    delete from pgque.retry_queue where ev_owner = v_sub.sub_id;
    delete from pgque.subscription where sub_no = v_sub.sub_no;
    perform pgque._drop_unused_consumers(array[v_sub.sub_consumer]);
end
$$;
