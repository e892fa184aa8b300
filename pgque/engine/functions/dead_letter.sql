-- event_dead(batch, event, reason, time, txid, retry, type, data, extra1 .. extra4) puts
-- one event of an open batch among the consumer's dead letters. Only batch, event and
-- reason count, the event itself is read from the queue. Returns 1. The batch stays
-- open.
--
-- Raises PQ003 when the batch is not open, PQ004 when it does not hold the event.
create or replace function pgque.event_dead(
    i_batch_id bigint, i_event_id bigint, i_reason text, i_ev_time timestamptz, i_ev_txid xid8, i_ev_retry int4,
    i_ev_type text, i_ev_data text, i_ev_extra1 text default null, i_ev_extra2 text default null,
    i_ev_extra3 text default null, i_ev_extra4 text default null)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    if pgque._put_back(pgque._lock_open_batch(i_batch_id), array[i_event_id], array[0], array[i_reason], array[true]) = 0 then
        raise exception 'event not found: % in batch %', i_event_id, i_batch_id using errcode = 'PQ004';
    end if;
    return 1;
end
$$;

-- dlq_inspect(queue, limit) lists the queue's dead letters, newest first.
--
-- Raises PQ001 when there is no such queue, PQ009 for a negative limit.
create or replace function pgque.dlq_inspect(i_queue_name text, i_limit_count int default 100)
returns setof pgque.dead_letter
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
begin
    if i_limit_count < 0 then
        raise exception 'limit must be >= 0, got %', i_limit_count using errcode = 'PQ009';
    end if;
    return query
        select * from pgque.dead_letter where dl_queue_id = v_queue.queue_id
        order by dl_time desc, dl_id desc limit i_limit_count;
end
$$;
call pgque._allow('pgque_reader', 'pgque.dlq_inspect(text, integer)');

-- dlq_replay(dead letter) appends a dead letter to its queue once more, as a new event
-- without retries, for the consumer that it died on and for nobody else. Returns the
-- new event's id; the dead letter is gone. Of two that replay it at once one does.
--
-- Raises PQ005 when there is no such dead letter, PQ002 when its consumer is no longer
-- subscribed.
create or replace function pgque.dlq_replay(i_dead_letter_id bigint) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_letter pgque.dead_letter;
begin
    select * into v_letter from pgque.dead_letter where dl_id = i_dead_letter_id for update;
    if not found then
        raise exception 'dead letter entry not found: %', i_dead_letter_id using errcode = 'PQ005';
    end if;
    return pgque._replay(v_letter);
end
$$;
call pgque._allow('pgque_writer', 'pgque.dlq_replay(bigint)');

-- dlq_replay_all(queue) replays all dead letters of a queue that nobody else is
-- replaying. Those that cannot be replayed stay; failed counts them, and first_error
-- says why the first one did.
--
-- Raises PQ001 when there is no such queue.
create or replace function pgque.dlq_replay_all(
    i_queue_name text, out replayed bigint, out failed bigint, out first_error text)
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
    v_letter pgque.dead_letter;
begin
    replayed := 0;
    failed := 0;
    for v_letter in
        select * from pgque.dead_letter where dl_queue_id = v_queue.queue_id order by dl_id for update skip locked
    loop
        if pgque._owner(v_letter) is null then
            failed := failed + 1;
            first_error := coalesce(first_error, format('dead letter %s: its consumer is not subscribed', v_letter.dl_id));
        else
            perform pgque._replay(v_letter);
            replayed := replayed + 1;
        end if;
    end loop;
end
$$;
call pgque._allow('pgque_writer', 'pgque.dlq_replay_all(text)');

-- dlq_purge(queue, age) deletes dead letters that are older. Returns how many.
--
-- Raises PQ001 when there is no such queue, PQ009 for an age that is null or beyond a
-- thousand years.
create or replace function pgque.dlq_purge(i_queue_name text, i_older_than interval default '30 days') returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_queue pgque.queue := pgque._queue(i_queue_name);
    v_purged integer;
begin
    if i_older_than is null then
        raise exception 'age must not be null' using errcode = 'PQ009';
    end if;
    perform pgque._check_span('age', i_older_than);
    delete from pgque.dead_letter
    where dl_queue_id = v_queue.queue_id and dl_time <= clock_timestamp() - i_older_than;
    get diagnostics v_purged = row_count;
    return v_purged;
end
$$;

-- _owner is the subscription that a dead letter belongs to, or null.
create or replace function pgque._owner(i_letter pgque.dead_letter) returns integer
language plpgsql as $$
begin
    return (pgque._find_subscription(i_letter.dl_queue_id, i_letter.dl_consumer_id)).sub_id;
end
$$;

-- _replay re-inserts a locked dead letter and deletes it.
create or replace function pgque._replay(i_letter pgque.dead_letter) returns bigint
language plpgsql as $$
declare
    v_queue pgque.queue;
    v_owner integer := pgque._owner(i_letter);
begin
    select * into v_queue from pgque.queue where queue_id = i_letter.dl_queue_id;
    if v_owner is null then
        raise exception 'consumer not registered on queue %: dead letter % has no receiver', v_queue.queue_name, i_letter.dl_id
            using errcode = 'PQ002';
    end if;
    delete from pgque.dead_letter where dl_id = i_letter.dl_id;
    return pgque.insert_event_raw(v_queue.queue_name, null, null, v_owner, null, i_letter.ev_type, i_letter.ev_data,
                                  i_letter.ev_extra1, i_letter.ev_extra2, i_letter.ev_extra3, i_letter.ev_extra4);
end
$$;
