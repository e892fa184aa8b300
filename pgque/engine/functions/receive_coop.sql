-- receive_coop(queue, consumer, subconsumer, max_return, dead_interval) is receive for a
-- member of a group: the page that it has not acked, the next page of its window, or
-- the group's next window, which is then this member's alone. Members are registered
-- on their first call.
--
-- With a dead_interval, a window of a member that was not heard of for that long is
-- taken over first, from where the last ack left it and under a fresh batch id; the old
-- one is worth nothing from then on.
--
-- Raises as receive and register_subconsumer do; PQ009 for a dead_interval that is
-- negative or beyond a thousand years.
create or replace function pgque.receive_coop(
    i_queue text, i_consumer text, i_subconsumer text, i_max_return int default 100, i_dead_interval interval default null)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_main pgque.subscription;
    v_member pgque.subscription;
begin
    perform pgque._check_max_return(i_max_return);
    v_main := pgque._lock_main(i_queue, i_consumer, i_subconsumer, i_dead_interval);
    v_member := pgque._lock_member(v_main, i_consumer, i_subconsumer, i_dead_interval);
    return query select * from pgque._receive_page(v_member, v_main, i_max_return, 0);
end
$$;
call pgque._allow('pgque_reader', 'pgque.receive_coop(text, text, text, integer, interval)');

-- next_batch(queue, consumer, subconsumer, dead_interval) is next_batch for a member.
create or replace function pgque.next_batch(
    i_queue text, i_consumer text, i_subconsumer text, i_dead_interval interval default null)
returns bigint
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select batch_id from pgque.next_batch_custom(i_queue, i_consumer, i_subconsumer, null, null, null, i_dead_interval)
$$;
call pgque._allow('pgque_reader', 'pgque.next_batch(text, text, text, interval)');

-- next_batch_custom(queue, consumer, subconsumer, wishes .., dead_interval) is
-- next_batch_custom for a member.
create or replace function pgque.next_batch_custom(
    i_queue text, i_consumer text, i_subconsumer text, i_min_lag interval, i_min_count int4, i_min_interval interval,
    i_dead_interval interval default null,
    out batch_id bigint, out prev_tick_id bigint, out next_tick_id bigint)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_main pgque.subscription := pgque._lock_main(i_queue, i_consumer, i_subconsumer, i_dead_interval);
    v_member pgque.subscription := pgque._lock_member(v_main, i_consumer, i_subconsumer, i_dead_interval);
begin
    if v_member.sub_batch is null then
        if v_member.sub_next_tick is null then
            v_member.sub_last_tick := v_main.sub_last_tick;
            v_member := pgque._open_window(v_member, i_min_lag, i_min_count, i_min_interval);
            v_main.sub_last_tick := coalesce(v_member.sub_next_tick, v_main.sub_last_tick);
            perform pgque._store_cursor(v_main);
        else
            v_member := pgque._open_window(v_member, null, null, null);
        end if;
    end if;
    batch_id := v_member.sub_batch;
    if batch_id is not null then
        prev_tick_id := v_member.sub_last_tick;
        next_tick_id := v_member.sub_next_tick;
    end if;
end
$$;
call pgque._allow('pgque_reader', 'pgque.next_batch_custom(text, text, text, interval, int4, interval, interval)');

-- _lock_main locks the group's cursor, registering the member if needed: whoever
-- allocates windows of a group does it alone.
create or replace function pgque._lock_main(i_queue text, i_consumer text, i_subconsumer text, i_dead_interval interval)
returns pgque.subscription
language plpgsql as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_main pgque.subscription;
begin
    if i_dead_interval < interval '0' then
        raise exception 'dead_interval must not be negative, got %', i_dead_interval using errcode = 'PQ009';
    end if;
    perform pgque._check_span('dead_interval', i_dead_interval);
    if (pgque._find_by_name(v_queue.queue_id, i_consumer || '.' || i_subconsumer)).sub_role is distinct from 'coop_member' then
        perform pgque.register_subconsumer(i_queue, i_consumer, i_subconsumer, false);
    end if;
    v_main := pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer));
    if v_main.sub_role is distinct from 'coop_main' then
        raise exception 'not subscriber to queue: %/%.%', i_queue, i_consumer, i_subconsumer using errcode = 'PQ002';
    end if;
    return v_main;
end
$$;

-- _lock_member locks the member's cursor and gives it a dead member's window when it has
-- none of its own.
create or replace function pgque._lock_member(
    i_main pgque.subscription, i_consumer text, i_subconsumer text, i_dead_interval interval)
returns pgque.subscription
language plpgsql as $$
declare
    v_member pgque.subscription;
    v_victim pgque.subscription;
begin
    v_member := pgque._lock_subscription(pgque._find_by_name(i_main.sub_queue, i_consumer || '.' || i_subconsumer));
    if v_member.sub_no is null then
        raise exception 'not subscriber to queue: %.%', i_consumer, i_subconsumer using errcode = 'PQ002';
    end if;
    if v_member.sub_active = pgque._resigned() then
        v_member.sub_active := clock_timestamp();
        perform pgque._store_cursor(v_member);
        return pgque._lock_subscription(v_member);
    end if;
    if v_member.sub_next_tick is not null or i_dead_interval is null then
        return v_member;
    end if;
    v_victim := pgque._lock_silent(pgque._workers(i_main, v_member), i_dead_interval);
    if v_victim.sub_no is null then
        return v_member;
    end if;
    v_member.sub_last_tick := v_victim.sub_last_tick;
    v_member.sub_next_tick := v_victim.sub_next_tick;
    v_member.sub_done_id := v_victim.sub_done_id;
    if v_victim.sub_active = pgque._resigned() then
        delete from pgque.subscription where sub_no = v_victim.sub_no;
        perform pgque._drop_unused_consumers(array[v_victim.sub_consumer]);
    else
        perform pgque._store_cursor(pgque._finished_window(v_victim));
    end if;
    perform pgque._store_cursor(v_member);
    return pgque._lock_subscription(v_member);
end
$$;

-- _workers are the other members of the group that have a window, those first that were
-- not heard of for longest.
create or replace function pgque._workers(i_main pgque.subscription, i_member pgque.subscription) returns pgque.subscription[]
language plpgsql as $$
begin
    return array(
        select s from unnest(pgque._subscriptions(i_main.sub_queue)) as s
        where s.sub_id = i_main.sub_id and s.sub_role = 'coop_member' and s.sub_no <> i_member.sub_no and s.sub_next_tick is not null
        order by s.sub_active);
end
$$;

-- _lock_silent locks the first of the members that was not heard of for that long, and
-- returns a null row when there is none, or when those who are have moved or are locked.
--
-- Members that were last heard of in the future, of a clock that was set back since, are
-- silent from now on: they would have to be waited for as long as that.
create or replace function pgque._lock_silent(i_members pgque.subscription[], i_dead_interval interval)
returns pgque.subscription
language plpgsql as $$
declare
    v_member pgque.subscription;
begin
    foreach v_member in array i_members loop
        continue when not pgque._is_silent(v_member, i_dead_interval) and v_member.sub_active <= clock_timestamp();
        v_member := pgque._try_lock_subscription(v_member);
        if pgque._is_silent(v_member, i_dead_interval) then
            return v_member;
        elsif v_member.sub_active > clock_timestamp() then
            v_member.sub_active := clock_timestamp();
            perform pgque._store_cursor(v_member);
        end if;
    end loop;
    return null;
end
$$;

create or replace function pgque._is_silent(i_member pgque.subscription, i_dead_interval interval) returns boolean
language plpgsql as $$
begin
    return i_member.sub_next_tick is not null and i_member.sub_active < clock_timestamp() - i_dead_interval;
end
$$;
