-- register_consumer(queue, consumer) subscribes a consumer from now on: it gets what
-- is committed after the last tick. Returns 1, or 0 when it is subscribed already;
-- of many that register at once exactly one gets 1.
--
-- Raises PQ001 when there is no such queue, PQ008 for an empty name and for one of more
-- than 1000 bytes.
create or replace function pgque.register_consumer(x_queue_name text, x_consumer_id text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(x_queue_name);
    v_consumer integer := pgque._lock_consumer(x_consumer_id);
begin
    if (pgque._find_subscription(v_queue.queue_id, v_consumer)).sub_no is not null then
        return 0;
    end if;
    insert into pgque.subscription (sub_no, sub_queue, sub_consumer, sub_last_tick)
    values (pgque._new_subscription_no(), v_queue.queue_id, v_consumer, (pgque._last_tick(v_queue.queue_id)).tick_id);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.register_consumer(text, text)');

create or replace function pgque.subscribe(queue text, consumer text) returns integer
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.register_consumer(queue, consumer)
$$;
call pgque._allow('pgque_reader', 'pgque.subscribe(text, text)');

-- register_consumer_at(queue, consumer, tick) subscribes a consumer behind a given
-- tick; a null tick means the last one. Returns 1; 0 when the consumer was subscribed
-- and has now been moved there, its open batch dropped.
--
-- Raises PQ001, PQ008, PQ009 when the queue has no such tick (any more), PQ012 when
-- the consumer is cooperative.
create or replace function pgque.register_consumer_at(
    x_queue_name text, x_consumer_name text, x_tick_pos bigint)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(x_queue_name);
    v_consumer integer := pgque._lock_consumer(x_consumer_name);
    v_tick bigint := coalesce(x_tick_pos, (pgque._last_tick(v_queue.queue_id)).tick_id);
    v_sub pgque.subscription;
begin
    if not exists (select from pgque.tick where tick_queue = v_queue.queue_id and tick_id = v_tick) then
        raise exception 'tick_id % not found on queue %', v_tick, x_queue_name using errcode = 'PQ009';
    end if;
    v_sub := pgque._lock_subscription(pgque._find_subscription(v_queue.queue_id, v_consumer));
    if v_sub.sub_no is null then
        insert into pgque.subscription (sub_no, sub_queue, sub_consumer, sub_last_tick)
        values (pgque._new_subscription_no(), v_queue.queue_id, v_consumer, v_tick);
        return 1;
    end if;
    perform pgque._check_normal(v_sub);
    v_sub.sub_last_tick := v_tick;
    perform pgque._store_cursor(pgque._closed_window(v_sub));
    return 0;
end
$$;
call pgque._allow('pgque_reader', 'pgque.register_consumer_at(text, text, bigint)');

-- unregister_consumer(queue, consumer) ends a subscription and drops its retries.
-- Returns 1, or 0 when there was none. When it was the consumer's last one, its name
-- and its dead letters go too.
--
-- Raises PQ001 when there is no such queue, PQ012 while a cooperative consumer has
-- members.
create or replace function pgque.unregister_consumer(x_queue_name text, x_consumer_name text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(x_queue_name);
    v_consumer integer;
    v_sub pgque.subscription;
begin
    select co_id into v_consumer from pgque.consumer where co_name = x_consumer_name for no key update;
    v_sub := pgque._lock_subscription(pgque._find_subscription(v_queue.queue_id, v_consumer));
    if v_sub.sub_no is null then
        return 0;
    end if;
    perform pgque._check_normal(v_sub);
    delete from pgque.retry_queue where ev_owner = v_sub.sub_id;
    delete from pgque.subscription where sub_no = v_sub.sub_no;
    perform pgque._drop_unused_consumers(array[v_consumer]);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.unregister_consumer(text, text)');

create or replace function pgque.unsubscribe(queue text, consumer text) returns integer
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.unregister_consumer(queue, consumer)
$$;
call pgque._allow('pgque_reader', 'pgque.unsubscribe(text, text)');

-- _queue_for_consumers finds a queue and keeps rotation and dropping off it: a
-- consumer that starts at the last tick needs what was committed since.
create or replace function pgque._queue_for_consumers(i_queue text) returns pgque.queue
language plpgsql as $$
declare
    v_queue pgque.queue;
begin
    select * into v_queue from pgque.queue where queue_name = i_queue for share;
    if not found then
        raise exception 'queue not found: %', i_queue using errcode = 'PQ001';
    end if;
    return v_queue;
end
$$;

-- _lock_consumer finds or makes a consumer's name and locks it until commit, so that
-- one session at a time decides whether it is subscribed. The lock is the one of an
-- ordinary update: foreign keys to the name do not wait for it. It is an update and
-- not a mere lock, because that makes a repeatable read transaction fail instead of
-- deciding on an old snapshot.
create or replace function pgque._lock_consumer(i_consumer text) returns integer
language plpgsql as $$
declare
    v_id integer;
begin
    perform pgque._check_consumer_name(i_consumer);
    update pgque.consumer set co_name = co_name where co_name = i_consumer returning co_id into v_id;
    if not found then -- an insert that finds the name would draw a number in vain
        insert into pgque.consumer as c (co_name) values (i_consumer)
        on conflict (co_name) do update set co_name = c.co_name
        returning co_id into v_id;
    end if;
    return v_id;
end
$$;

create or replace function pgque._check_consumer_name(i_consumer text) returns void
language plpgsql as $$
begin
    if i_consumer is null or i_consumer = '' then
        raise exception 'consumer name must not be empty' using errcode = 'PQ008';
    elsif octet_length(i_consumer) > 1000 then
        raise exception 'consumer name too long: % bytes, 1000 are allowed', octet_length(i_consumer) using errcode = 'PQ008';
    end if;
end
$$;
