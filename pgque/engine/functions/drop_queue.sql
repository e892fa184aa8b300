-- drop_queue(name, force) removes a queue and all that belongs to it: events, ticks,
-- retries, dead letters and, with force, subscriptions. Returns 1.
--
-- Raises PQ001 when there is no such queue, PQ010 when it still has consumers and
-- force is not set, 40001 when force finds the queue in use: try again. Transactions that
-- have sent to the queue are waited for, and hold up those who come to send meanwhile.
create or replace function pgque.drop_queue(x_queue_name text, x_force boolean) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._lock_queue_to_drop(x_queue_name, x_force);
    v_consumers integer[];
begin
    v_consumers := array(select distinct sub_consumer from pgque.subscription where sub_queue = v_queue.queue_id);
    if cardinality(v_consumers) > 0 and x_force is not true then
        raise exception 'cannot drop queue %: % consumers are subscribed', x_queue_name, cardinality(v_consumers)
            using errcode = 'PQ010', hint = 'Unsubscribe them, or drop with force.';
    end if;
    delete from pgque.retry_queue where ev_queue = v_queue.queue_id;
    delete from pgque.partition_consumer where queue_id = v_queue.queue_id;
    delete from pgque.delayed where de_queue = v_queue.queue_id;
    delete from pgque.dead_letter where dl_queue_id = v_queue.queue_id;
    delete from pgque.subscription where sub_queue = v_queue.queue_id;
    delete from pgque.tick where tick_queue = v_queue.queue_id;
    delete from pgque.queue where queue_id = v_queue.queue_id;
    perform pgque._drop_unused_consumers(v_consumers);
    perform pgque._drop_readers(v_queue.queue_id);
    execute format('drop table %s cascade', v_queue.queue_data_pfx);
    execute format('drop sequence %s', v_queue.queue_event_seq);
    execute format('drop sequence %s', v_queue.queue_tick_seq);
    return 1;
end
$$;

create or replace function pgque.drop_queue(x_queue_name text) returns integer
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.drop_queue(x_queue_name, false)
$$;

-- _lock_queue_to_drop waits for those who are at work on the queue; with force only for
-- those who send (_table_for_insert), since consumers may be many and would keep coming.
create or replace function pgque._lock_queue_to_drop(i_queue text, i_force boolean) returns pgque.queue
language plpgsql as $$
declare
    v_queue pgque.queue;
begin
    perform pg_advisory_xact_lock(pgque._lock_class('send'), hashtext(i_queue));
    if i_force then
        select * into v_queue from pgque.queue where queue_name = i_queue for update nowait;
    else
        select * into v_queue from pgque.queue where queue_name = i_queue for update;
    end if;
    if v_queue.queue_id is null then
        raise exception 'queue not found: %', i_queue using errcode = 'PQ001';
    end if;
    return v_queue;
exception
    when lock_not_available then
        raise exception 'queue % is in use', i_queue
            using errcode = '40001', hint = 'Try again.';
end
$$;

-- _drop_unused_consumers deletes names that no subscription uses. A name that
-- another session is about to subscribe is locked, and left alone.
create or replace function pgque._drop_unused_consumers(i_consumers integer[]) returns void
language plpgsql as $$
declare
    v_free integer[];
begin
    v_free := array(select co_id from pgque.consumer where co_id = any (i_consumers) for update skip locked);
    delete from pgque.consumer
    where co_id = any (v_free)
      and not exists (select from pgque.subscription where sub_consumer = co_id);
end
$$;
