-- Finding, locking and moving the row of pgque.subscription.
--
-- Whoever moves a cursor locks its row first, alone, and reads ticks and events in
-- later statements: a join in the locking statement would keep, after a wait, the
-- other tables' rows as they were before it.
--
-- Lookups go through an index from its highest generation downwards, whatever the
-- planner thinks of a small table: the table's dead rows may outnumber its living
-- ones a thousandfold while an old snapshot is held.

-- _find_subscription returns the cursor, unlocked; a null row when there is none.
create or replace function pgque._find_subscription(i_queue_id integer, i_consumer_id integer) returns pgque.subscription
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_sub pgque.subscription;
begin
    select * into v_sub from pgque.subscription
    where sub_queue = i_queue_id and sub_consumer = i_consumer_id
    order by sub_queue desc, sub_consumer desc, sub_gen desc limit 1;
    return v_sub;
end
$$;

-- _subscription is _find_subscription by names.
--
-- Raises PQ001 when there is no such queue, PQ002 when the consumer is not subscribed.
create or replace function pgque._subscription(i_queue text, i_consumer text) returns pgque.subscription
language plpgsql as $$
begin
    return pgque._subscription_of((pgque._queue(i_queue)).queue_id, i_consumer);
end
$$;

create or replace function pgque._subscription_of(i_queue_id integer, i_consumer text) returns pgque.subscription
language plpgsql as $$
declare
    v_sub pgque.subscription := pgque._find_subscription(
        i_queue_id, (select co_id from pgque.consumer where co_name = i_consumer));
begin
    if v_sub.sub_no is null then
        raise exception 'not subscriber to queue: %/%',
            (select queue_name from pgque.queue where queue_id = i_queue_id), i_consumer using errcode = 'PQ002';
    end if;
    return v_sub;
end
$$;

-- _lock_subscription locks the cursor until commit and returns it as it is then; a
-- null row when it is gone.
create or replace function pgque._lock_subscription(i_sub pgque.subscription) returns pgque.subscription
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_sub pgque.subscription;
begin
    select * into v_sub from pgque.subscription
    where sub_no = i_sub.sub_no
    order by sub_no desc, sub_gen desc limit 1
    for no key update;
    return v_sub;
end
$$;

-- _try_lock_subscription does not wait: the row is null too when somebody else has locked
-- it. The generation keeps it from looking for another row among the dead ones then.
create or replace function pgque._try_lock_subscription(i_sub pgque.subscription) returns pgque.subscription
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_sub pgque.subscription;
begin
    select * into v_sub from pgque.subscription
    where sub_no = i_sub.sub_no and sub_gen >= i_sub.sub_gen
    order by sub_no desc, sub_gen desc limit 1
    for no key update skip locked;
    return v_sub;
end
$$;

-- _lock_subscription_at_once raises 55P03 when it would have to wait.
create or replace function pgque._lock_subscription_at_once(i_sub pgque.subscription) returns pgque.subscription
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_sub pgque.subscription;
begin
    select * into v_sub from pgque.subscription
    where sub_no = i_sub.sub_no
    order by sub_no desc, sub_gen desc limit 1
    for no key update nowait;
    return v_sub;
end
$$;

-- _subscriptions returns all cursors of a queue, unlocked, as they are at one moment: a
-- window that goes from a group to its member is with one of them. From each consumer it
-- steps to the latest generation of the next.
create or replace function pgque._subscriptions(i_queue_id integer) returns pgque.subscription[]
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
begin
    return array(
        with recursive living(sub) as (
            (select s from pgque.subscription s where s.sub_queue = i_queue_id
             order by s.sub_queue desc, s.sub_consumer desc, s.sub_gen desc limit 1)
            union all
            select (select s from pgque.subscription s where s.sub_queue = i_queue_id and s.sub_consumer < (living.sub).sub_consumer
                    order by s.sub_queue desc, s.sub_consumer desc, s.sub_gen desc limit 1)
            from living where (living.sub).sub_no is not null)
        select sub from living where (sub).sub_no is not null);
end
$$;

-- _slowest_tick is where the slowest cursor of a queue stands, the members of groups
-- included; null when nobody reads.
create or replace function pgque._slowest_tick(i_queue_id integer) returns bigint
language plpgsql as $$
begin
    return min(sub_last_tick) from unnest(pgque._subscriptions(i_queue_id)) as s;
end
$$;

-- _lock_batch locks the cursor whose open batch has this id; a null row when the
-- batch is closed, taken over, or was never opened.
create or replace function pgque._lock_batch(i_batch_id bigint) returns pgque.subscription
language plpgsql as $$
declare
    v_sub pgque.subscription;
begin
    v_sub.sub_no := i_batch_id % 4194304;
    v_sub := pgque._lock_subscription(v_sub);
    if v_sub.sub_batch is distinct from i_batch_id then
        v_sub := null;
    end if;
    return v_sub;
end
$$;

-- _find_batch is _lock_batch for those who only look.
create or replace function pgque._find_batch(i_batch_id bigint) returns pgque.subscription
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
    v_sub pgque.subscription;
begin
    select * into v_sub from pgque.subscription
    where sub_no = (i_batch_id % 4194304)::integer
    order by sub_no desc, sub_gen desc limit 1;
    if v_sub.sub_batch is distinct from i_batch_id then
        v_sub := null;
    end if;
    return v_sub;
end
$$;

-- _new_subscription_no returns a number that no cursor has. They begin again after four
-- million, which members of groups that come and go may need in the end.
create or replace function pgque._new_subscription_no() returns integer
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    v_no integer;
begin
    loop
        v_no := nextval('pgque.subscription_no_seq');
        exit when not exists (select from pgque.subscription where sub_no = v_no);
    end loop;
    return v_no;
end
$$;

-- _new_batch_id never returns the same number twice. Half of it is chance: cursors are
-- moved by commits that do not wait for the disk, so a crash of the server may take a
-- part of the sequence back, and a worker that still holds a page from before must not
-- be able to finish another one.
create or replace function pgque._new_batch_id(i_sub_no integer) returns bigint
language sql as $$
    select (floor(random() * 2097152)::bigint * 1048576 + nextval('pgque.batch_id_seq') % 1048576) * 4194304 + i_sub_no
$$;

-- _next_generation is that of a row which changes once more. It rises with every 32nd
-- change.
create or replace function pgque._next_generation(i_generation bigint, i_moves bigint) returns bigint
language sql immutable as $$
    select i_generation + case when i_moves % 32 = 31 then 1 else 0 end
$$;

-- _store_cursor writes a cursor that the caller has locked.
create or replace function pgque._store_cursor(i_sub pgque.subscription) returns void
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
    update pgque.subscription set
        sub_last_tick = i_sub.sub_last_tick,
        sub_active = i_sub.sub_active,
        sub_batch = i_sub.sub_batch,
        sub_next_tick = i_sub.sub_next_tick,
        sub_role = i_sub.sub_role,
        sub_was_coop = i_sub.sub_was_coop,
        sub_epoch = i_sub.sub_epoch,
        sub_done_id = i_sub.sub_done_id,
        sub_page_end = i_sub.sub_page_end,
        sub_page_rows = i_sub.sub_page_rows,
        sub_page_last = i_sub.sub_page_last,
        sub_begun_batch = i_sub.sub_begun_batch,
        sub_begun_tick = i_sub.sub_begun_tick,
        sub_begun_id = i_sub.sub_begun_id,
        sub_begun_times = i_sub.sub_begun_times,
        sub_moves = i_sub.sub_moves + 1,
        sub_gen = pgque._next_generation(i_sub.sub_gen, i_sub.sub_moves)
    where sub_no = i_sub.sub_no and sub_gen = i_sub.sub_gen;
end
$$;

-- _closed_page is the cursor without an open batch, inside its window.
create or replace function pgque._closed_page(i_sub pgque.subscription) returns pgque.subscription
language plpgsql as $$
begin
    i_sub.sub_batch := null;
    i_sub.sub_page_end := null;
    i_sub.sub_page_rows := null;
    i_sub.sub_page_last := false;
    return i_sub;
end
$$;

-- _closed_window is the cursor without a window, where it stands.
create or replace function pgque._closed_window(i_sub pgque.subscription) returns pgque.subscription
language plpgsql as $$
begin
    i_sub := pgque._closed_page(i_sub);
    i_sub.sub_next_tick := null;
    i_sub.sub_done_id := null;
    return i_sub;
end
$$;

-- _finished_window is the cursor behind its window. A cooperative member goes back to
-- having no position.
create or replace function pgque._finished_window(i_sub pgque.subscription) returns pgque.subscription
language plpgsql as $$
begin
    i_sub.sub_last_tick := case when i_sub.sub_role <> 'coop_member' then i_sub.sub_next_tick end;
    return pgque._closed_window(i_sub);
end
$$;

-- _check_unpartitioned raises PQ012 for the cursor of a slot: only the holder of its
-- lease may use it, through the function that is named.
create or replace function pgque._check_unpartitioned(i_sub pgque.subscription, i_function text) returns void
language plpgsql as $$
begin
    if i_sub.sub_slot is not null then
        raise exception 'slot of a partitioned consumer: use %', i_function using errcode = 'PQ012';
    end if;
end
$$;

-- _check_normal raises PQ012 unless the cursor belongs to a consumer of its own.
create or replace function pgque._check_normal(i_sub pgque.subscription) returns void
language plpgsql as $$
begin
    if i_sub.sub_role = 'coop_main' then
        raise exception 'cooperative main consumer: its members receive for it' using errcode = 'PQ012';
    elsif i_sub.sub_role = 'coop_member' then
        raise exception 'cooperative subconsumer: use the cooperative functions' using errcode = 'PQ012';
    end if;
    perform pgque._check_unpartitioned(i_sub, 'receive_partitioned');
end
$$;
