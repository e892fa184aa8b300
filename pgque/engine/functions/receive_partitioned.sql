-- receive_partitioned(queue, consumer, slot, n, worker, max) is receive for the worker that
-- holds the slot's lease: the messages of the slot's keys, those of one key in order.
--
-- Raises as receive does; PQ012 when the consumer is not partitioned so, PQ017 when the
-- worker does not hold the lease.
create or replace function pgque.receive_partitioned(
    i_queue text, i_consumer text, i_slot int, i_n int, i_worker text, i_max int default 100)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query select * from pgque._receive_page(pgque._receiving_slot(i_queue, i_consumer, i_slot, i_n, i_worker, i_max),
                                                   null, i_max, 0);
end
$$;
call pgque._allow('pgque_reader', 'pgque.receive_partitioned(text, text, integer, integer, text, integer)');

-- fetch_partitioned(queue, consumer, slot, n, worker, max) is receive_partitioned for slots
-- that are behind: it joins waiting windows as fetch does, up to about four pages of the
-- slot's own.
create or replace function pgque.fetch_partitioned(
    i_queue text, i_consumer text, i_slot int, i_n int, i_worker text, i_max int default 100)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._receiving_slot(i_queue, i_consumer, i_slot, i_n, i_worker, i_max);
begin
    if v_sub.sub_next_tick is null then
        v_sub.sub_next_tick := pgque._next_tick_within(v_sub.sub_queue, v_sub.sub_last_tick, greatest(4 * i_max::bigint * i_n, 1000));
    end if;
    return query select * from pgque._receive_page(v_sub, null, i_max, 0);
end
$$;
call pgque._allow('pgque_reader', 'pgque.fetch_partitioned(text, text, integer, integer, text, integer)');

-- _receiving_slot locks the cursor of a slot that is to receive a page. What an earlier
-- lease received comes again under a fresh id.
create or replace function pgque._receiving_slot(
    i_queue text, i_consumer text, i_slot int, i_n int, i_worker text, i_max int)
returns pgque.subscription
language plpgsql as $$
declare
    v_epoch bigint := pgque._fence(i_queue, i_consumer, i_slot, i_n, i_worker);
    v_sub pgque.subscription := pgque._lock_subscription(pgque._subscription(i_queue, i_consumer || '#' || i_slot));
begin
    perform pgque._check_max_return(i_max);
    if v_sub.sub_epoch is distinct from v_epoch then
        v_sub.sub_epoch := v_epoch;
        v_sub := pgque._closed_page(v_sub);
        perform pgque._store_cursor(v_sub);
        v_sub := pgque._lock_subscription(v_sub);
    end if;
    return v_sub;
end
$$;

-- ack_partitioned(queue, consumer, slot, n, worker) finishes the page that the worker has
-- received under its present lease. Returns 1, or 0 when there is none.
--
-- Raises PQ012 and PQ017 as receive_partitioned does.
create or replace function pgque.ack_partitioned(i_queue text, i_consumer text, i_slot int, i_n int, i_worker text)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_epoch bigint := pgque._fence(i_queue, i_consumer, i_slot, i_n, i_worker);
    v_sub pgque.subscription := pgque._lock_subscription(pgque._subscription(i_queue, i_consumer || '#' || i_slot));
begin
    if v_sub.sub_batch is null then
        return 0;
    end if;
    perform pgque._check_epoch(v_sub, v_epoch, i_worker);
    perform pgque._finish_page(v_sub);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.ack_partitioned(text, text, integer, integer, text)');

-- nack_partitioned(queue, consumer, slot, n, worker, message, retry_after, reason) is nack for
-- a message of that page. Later messages of its key do not wait for it.
--
-- Raises as nack does, PQ012 and PQ017 as receive_partitioned does.
create or replace function pgque.nack_partitioned(
    i_queue text, i_consumer text, i_slot int, i_n int, i_worker text,
    i_msg pgque.message, i_retry_after interval default '60 seconds', i_reason text default null)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_epoch bigint := pgque._fence(i_queue, i_consumer, i_slot, i_n, i_worker);
    v_sub pgque.subscription := pgque._lock_subscription(pgque._subscription(i_queue, i_consumer || '#' || i_slot));
begin
    if v_sub.sub_batch is null then
        raise exception 'batch not found: slot % of % has none open', i_slot, i_consumer using errcode = 'PQ003';
    end if;
    perform pgque._check_epoch(v_sub, v_epoch, i_worker);
    return pgque._nack(v_sub, i_msg, i_retry_after, i_reason);
end
$$;
call pgque._allow('pgque_reader', 'pgque.nack_partitioned(text, text, integer, integer, text, pgque.message, interval, text)');

-- settle_partitioned(queue, consumer, slot, n, worker, batch, last, released, ids, seconds,
-- reasons, dead) finishes the page that the worker has received under its present lease,
-- in one go: the page ends at the message last, unless that is null (see shorten), the
-- released messages are put back as they are (see release), and the others are settled as
-- settle does. Returns 1; 0 when the lease is lost or the batch is not open (any more), and
-- then nothing changes.
--
-- Raises PQ012 as receive_partitioned does, PQ004 and PQ009 as settle does; then nothing
-- changes either.
create or replace function pgque.settle_partitioned(
    i_queue text, i_consumer text, i_slot int, i_n int, i_worker text, i_batch_id bigint, i_last_msg_id bigint,
    i_released bigint[], i_msg_ids bigint[], i_retry_secs double precision[], i_reasons text[], i_dead boolean[])
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_epoch bigint := pgque._epoch(i_queue, i_consumer, i_slot, i_n, i_worker);
    v_sub pgque.subscription := pgque._lock_batch(i_batch_id);
begin
    if v_epoch is null or v_sub.sub_epoch is distinct from v_epoch
       or v_sub.sub_no is distinct from (pgque._subscription(i_queue, i_consumer || '#' || i_slot)).sub_no then
        return 0;
    end if;
    perform pgque._check_outcomes(i_msg_ids, i_retry_secs, i_reasons, i_dead);
    if i_last_msg_id is not null then
        v_sub := pgque._shorten(v_sub, i_last_msg_id);
    end if;
    if cardinality(i_released) > 0 then
        perform pgque._release(v_sub, i_released);
    end if;
    perform pgque._settle_page(v_sub, i_msg_ids, i_retry_secs, i_reasons, i_dead);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.settle_partitioned(text, text, integer, integer, text, bigint, bigint, bigint[], bigint[], double precision[], text[], boolean[])');

-- _fence locks the lease of a slot until commit and returns its epoch.
--
-- Raises PQ017 unless the worker holds it.
create or replace function pgque._fence(i_queue text, i_consumer text, i_slot int, i_n int, i_worker text) returns bigint
language plpgsql as $$
declare
    v_epoch bigint := pgque._epoch(i_queue, i_consumer, i_slot, i_n, i_worker);
begin
    if v_epoch is null then
        raise exception 'slot % of % is not leased to %; fenced', i_slot, i_consumer, i_worker using errcode = 'PQ017';
    end if;
    return v_epoch;
end
$$;

-- _epoch does so too, and returns null unless the worker holds the lease.
create or replace function pgque._epoch(i_queue text, i_consumer text, i_slot int, i_n int, i_worker text) returns bigint
language plpgsql as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_slot pgque.partition_slot;
begin
    perform pgque._check_slots(v_queue.queue_id, i_consumer, i_n);
    v_slot := pgque._hold_slot(pgque._slot(v_queue.queue_id, i_consumer, i_slot));
    return case when pgque._is_leased_to(v_slot, i_worker) then v_slot.epoch end;
end
$$;

-- _check_epoch: a worker that lost its lease and got it back must not finish what another
-- one received in between.
create or replace function pgque._check_epoch(i_sub pgque.subscription, i_epoch bigint, i_worker text) returns void
language plpgsql as $$
begin
    if i_sub.sub_epoch is distinct from i_epoch then
        raise exception 'slot % was received under another lease than that of %; fenced', i_sub.sub_slot, i_worker
            using errcode = 'PQ017', hint = 'Receive again.';
    end if;
end
$$;
