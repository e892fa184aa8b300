-- nack(batch, message, retry_after, reason) puts one message of an open batch back for
-- its consumer after a delay, or among the dead letters when its retries are used up.
-- Returns 1, also when it was put back before. The batch stays open: ack finishes it.
--
-- Raises PQ003 when the batch is not open, PQ004 when the page does not hold the
-- message, PQ009 for a delay that is negative or no number.
create or replace function pgque.nack(
    i_batch_id bigint, i_msg pgque.message, i_retry_after interval default '60 seconds', i_reason text default null)
returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return pgque._nack(pgque._lock_open_batch(i_batch_id), i_msg, i_retry_after, i_reason);
end
$$;
call pgque._allow('pgque_reader', 'pgque.nack(bigint, pgque.message, interval, text)');

-- _nack puts a message of a locked cursor's open batch back.
create or replace function pgque._nack(i_sub pgque.subscription, i_msg pgque.message, i_retry_after interval, i_reason text)
returns integer
language plpgsql as $$
declare
    v_secs double precision := extract(epoch from coalesce(i_retry_after, interval '60 seconds'));
begin
    perform pgque._check_retry_secs(v_secs);
    if i_msg.msg_id is null
       or pgque._put_back(i_sub, array[i_msg.msg_id], array[v_secs], array[i_reason], array[false]) = 0 then
        raise exception 'msg_id % not found in batch %', i_msg.msg_id, i_sub.sub_batch using errcode = 'PQ004';
    end if;
    return 1;
end
$$;
