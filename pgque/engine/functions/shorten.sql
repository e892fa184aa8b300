-- shorten(batch, last) ends an open page at the message last: the messages behind it
-- come with the next page, as if they had never been handed out. Whoever acks or
-- settles the batch then, in the same transaction if nothing may come in between,
-- finishes what is left of the page. Returns 1; 0 when the batch is not open (any more).
--
-- Raises PQ004 when the page does not hold the message.
create or replace function pgque.shorten(i_batch_id bigint, i_last_msg_id bigint) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_batch(i_batch_id);
begin
    if v_sub.sub_no is null then
        return 0;
    end if;
    perform pgque._check_unpartitioned(v_sub, 'ack_partitioned');
    perform pgque._shorten(v_sub, i_last_msg_id);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.shorten(bigint, bigint)');

-- _shorten does so with a locked cursor, and returns it as it is then.
create or replace function pgque._shorten(i_sub pgque.subscription, i_last_msg_id bigint) returns pgque.subscription
language plpgsql as $$
declare
    v_rows integer;
    v_last bigint;
begin
    select count(*), max(ev_id) into v_rows, v_last
    from pgque._window_events(i_sub, pgque._batch_from(i_sub), least(i_last_msg_id, pgque._batch_to(i_sub)), null);
    if v_last is distinct from i_last_msg_id then
        raise exception 'msg_id % not found in batch %', i_last_msg_id, i_sub.sub_batch using errcode = 'PQ004';
    end if;
    if i_sub.sub_page_end is distinct from i_last_msg_id then
        i_sub.sub_page_end := i_last_msg_id;
        i_sub.sub_page_rows := v_rows;
        i_sub.sub_page_last := false;
        perform pgque._store_cursor(i_sub);
        i_sub := pgque._lock_subscription(i_sub);
    end if;
    return i_sub;
end
$$;

-- release(batch, ids) puts messages of an open batch back as they are: they come again
-- after the next maintenance and tick, and no retry is counted. The batch stays open.
-- Returns 1; 0 when the batch is not open (any more).
--
-- Raises PQ004 when the page does not hold one of the messages; then nothing changes.
create or replace function pgque.release(i_batch_id bigint, i_msg_ids bigint[]) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_batch(i_batch_id);
begin
    if v_sub.sub_no is null then
        return 0;
    end if;
    perform pgque._check_unpartitioned(v_sub, 'ack_partitioned');
    perform pgque._release(v_sub, i_msg_ids);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.release(bigint, bigint[])');

-- _release does so with a locked cursor.
create or replace function pgque._release(i_sub pgque.subscription, i_msg_ids bigint[]) returns void
language plpgsql as $$
begin
    if pgque._stranger(i_sub, i_msg_ids) is not null then
        raise exception 'msg_id % not found in batch %', pgque._stranger(i_sub, i_msg_ids), i_sub.sub_batch using errcode = 'PQ004';
    end if;
    insert into pgque.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner,
                                   ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    select distinct on (e.ev_id) clock_timestamp(), i_sub.sub_queue, e.ev_id, e.ev_time, null::xid8, i_sub.sub_id,
           e.ev_retry, e.ev_type, e.ev_data, e.ev_extra1, e.ev_extra2, e.ev_extra3, e.ev_extra4
    from pgque._batch_events(i_sub, i_msg_ids) e
    order by e.ev_id, e.ev_retry desc nulls last
    on conflict (ev_owner, ev_id) do nothing;
end
$$;
