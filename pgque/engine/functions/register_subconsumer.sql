-- Cooperative consumers: the subscription of the consumer itself (coop_main) holds the
-- group's position and never a batch; each member (coop_member, a consumer called
-- main.member) takes windows from there. All members share the group's sub_id, so that
-- any of them receives a retry.
--
-- Locks are taken in the order queue, main, member, victim.

-- register_subconsumer(queue, consumer, subconsumer, convert_normal) adds a member to a
-- group, and makes the group if there is none. Returns 1, or 0 when the member exists.
-- A consumer that was a group before becomes one again; another normal consumer does
-- only with convert_normal.
--
-- Raises PQ001, PQ008 for names that are empty or contain a dot, PQ012 when the consumer
-- is normal and may not be converted, or is in the middle of a batch.
create or replace function pgque.register_subconsumer(
    i_queue text, i_consumer text, i_subconsumer text, i_convert_normal boolean default false)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(i_queue);
    v_main pgque.subscription;
    v_member integer;
begin
    perform pgque._check_coop_names(i_consumer, i_subconsumer);
    v_main := pgque._lock_group(v_queue, i_consumer, coalesce(i_convert_normal, false));
    v_member := pgque._lock_consumer(i_consumer || '.' || i_subconsumer);
    if (pgque._find_subscription(v_queue.queue_id, v_member)).sub_no is not null then
        return 0;
    end if;
    insert into pgque.subscription (sub_no, sub_id, sub_queue, sub_consumer, sub_role)
    values (pgque._new_subscription_no(), v_main.sub_id, v_queue.queue_id, v_member, 'coop_member');
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.register_subconsumer(text, text, text, boolean)');

create or replace function pgque.subscribe_subconsumer(
    i_queue text, i_consumer text, i_subconsumer text, i_convert_normal boolean default false)
returns integer
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.register_subconsumer(i_queue, i_consumer, i_subconsumer, i_convert_normal)
$$;
call pgque._allow('pgque_reader', 'pgque.subscribe_subconsumer(text, text, text, boolean)');

-- unregister_subconsumer(queue, consumer, subconsumer, batch_handling) removes a member.
-- Returns 1, or 0 when there was none. What it has not finished goes, with
-- batch_handling 1, to the group as retries in 60 seconds (or to the dead letters when
-- retries are used up). When the last member goes the consumer is a normal one, at the
-- group's position.
--
-- Raises PQ001, PQ009 for a batch_handling other than 0 and 1, PQ012 when it is 0 and
-- the member has not finished its batch.
create or replace function pgque.unregister_subconsumer(
    i_queue text, i_consumer text, i_subconsumer text, i_batch_handling int default 0)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(i_queue);
    v_main pgque.subscription;
    v_member pgque.subscription;
begin
    if i_batch_handling is null or i_batch_handling not in (0, 1) then
        raise exception 'unsupported batch_handling value: %', i_batch_handling using errcode = 'PQ009';
    end if;
    v_main := pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer));
    v_member := pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer || '.' || i_subconsumer));
    if v_member.sub_role is distinct from 'coop_member' then
        return 0;
    end if;
    if v_member.sub_next_tick is not null then
        if i_batch_handling = 0 then
            raise exception 'cooperative subconsumer % has an open batch', i_subconsumer
                using errcode = 'PQ012', hint = 'Finish it, or unregister with batch_handling 1.';
        end if;
        perform pgque._put_back_rest(v_member, 60, 'subconsumer unregistered');
    end if;
    delete from pgque.subscription where sub_no = v_member.sub_no;
    perform pgque._drop_unused_consumers(array[v_member.sub_consumer]);
    if not exists (select from pgque.subscription where sub_queue = v_queue.queue_id
                   and sub_id = v_main.sub_id and sub_role = 'coop_member') then
        v_main.sub_role := 'normal';
        v_main.sub_was_coop := true;
        perform pgque._store_cursor(v_main);
    end if;
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.unregister_subconsumer(text, text, text, integer)');

-- resign_subconsumer(queue, consumer, subconsumer) removes a member that stops. A batch
-- that it has not finished is for the next member that looks for the batches of silent
-- ones, at once and from where it stands; no retry is counted. Until then the member
-- stays in the group, and has its batch back if it returns first. Returns 1, or 0 when
-- there was none.
create or replace function pgque.resign_subconsumer(i_queue text, i_consumer text, i_subconsumer text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue_for_consumers(i_queue);
    v_member pgque.subscription;
begin
    perform pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer));
    v_member := pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer || '.' || i_subconsumer));
    if v_member.sub_next_tick is null or v_member.sub_role is distinct from 'coop_member' then
        return pgque.unregister_subconsumer(i_queue, i_consumer, i_subconsumer, 0);
    end if;
    v_member.sub_active := pgque._resigned();
    perform pgque._store_cursor(v_member);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.resign_subconsumer(text, text, text)');

-- _resigned is the sub_active of a member that has left but for its batch.
create or replace function pgque._resigned() returns timestamptz
language sql immutable
as $$ select timestamptz 'epoch' $$;

create or replace function pgque.unsubscribe_subconsumer(
    i_queue text, i_consumer text, i_subconsumer text, i_batch_handling int default 0)
returns integer
language sql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select pgque.unregister_subconsumer(i_queue, i_consumer, i_subconsumer, i_batch_handling)
$$;
call pgque._allow('pgque_reader', 'pgque.unsubscribe_subconsumer(text, text, text, integer)');

-- touch_subconsumer(queue, consumer, subconsumer) says that a member is alive, so that
-- nobody takes its batch over. Returns 1, or 0 when there is no such member.
create or replace function pgque.touch_subconsumer(i_queue text, i_consumer text, i_subconsumer text) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue);
    v_member pgque.subscription;
begin
    v_member := pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer || '.' || i_subconsumer));
    if v_member.sub_role is distinct from 'coop_member' then
        return 0;
    end if;
    v_member.sub_active := clock_timestamp();
    perform pgque._store_cursor(v_member);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.touch_subconsumer(text, text, text)');

create or replace function pgque._check_coop_names(i_consumer text, i_subconsumer text) returns void
language plpgsql as $$
begin
    perform pgque._check_consumer_name(i_consumer);
    perform pgque._check_consumer_name(i_subconsumer);
    if position('.' in i_consumer) > 0 or position('.' in i_subconsumer) > 0 then
        raise exception 'names of cooperative consumers must not contain a dot: %, %', i_consumer, i_subconsumer
            using errcode = 'PQ008';
    end if;
end
$$;

create or replace function pgque._find_by_name(i_queue_id integer, i_consumer text) returns pgque.subscription
language plpgsql as $$
begin
    return pgque._find_subscription(i_queue_id, (select co_id from pgque.consumer where co_name = i_consumer));
end
$$;

-- _lock_group finds or makes the main subscription of a group and locks it.
create or replace function pgque._lock_group(i_queue pgque.queue, i_consumer text, i_convert boolean) returns pgque.subscription
language plpgsql as $$
declare
    v_consumer integer := pgque._lock_consumer(i_consumer);
    v_main pgque.subscription := pgque._lock_subscription(pgque._find_subscription(i_queue.queue_id, v_consumer));
begin
    if v_main.sub_no is null then
        insert into pgque.subscription (sub_no, sub_queue, sub_consumer, sub_last_tick, sub_role)
        values (pgque._new_subscription_no(), i_queue.queue_id, v_consumer, (pgque._last_tick(i_queue.queue_id)).tick_id, 'coop_main')
        returning * into v_main;
        return v_main;
    end if;
    case v_main.sub_role
        when 'coop_main' then
            return v_main;
        when 'coop_member' then
            raise exception 'cooperative subconsumer % cannot have members', i_consumer using errcode = 'PQ012';
        else
            if not (i_convert or v_main.sub_was_coop) then
                raise exception 'consumer % on queue % is already a normal consumer; explicit conversion is required',
                    i_consumer, i_queue.queue_name using errcode = 'PQ012';
            elsif v_main.sub_next_tick is not null then
                raise exception 'cannot convert active normal consumer % on queue %', i_consumer, i_queue.queue_name
                    using errcode = 'PQ012', hint = 'Finish its batch first.';
            end if;
            v_main.sub_role := 'coop_main';
            perform pgque._store_cursor(v_main);
            return pgque._lock_subscription(v_main);
    end case;
end
$$;

-- _put_back_rest puts back all of a window that is not done.
create or replace function pgque._put_back_rest(i_sub pgque.subscription, i_secs double precision, i_reason text) returns void
language plpgsql as $$
declare
    v_ids bigint[];
    v_count int;
begin
    i_sub.sub_page_end := null;
    v_ids := array(select ev_id from pgque._window_events(i_sub, pgque._batch_from(i_sub), 9223372036854775807, null));
    v_count := cardinality(v_ids);
    perform pgque._put_back(i_sub, v_ids, array_fill(i_secs, array[v_count]), array_fill(i_reason, array[v_count]),
                            array_fill(false, array[v_count]));
end
$$;
