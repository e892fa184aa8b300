-- settle(batch, ids, seconds, reasons, dead) finishes a page in one go: message n of
-- the arrays is put back after its seconds (null: 60), or is dead when dead[n] is set
-- or its retries are used up; all others are done. Returns 1; 0 when the batch is not
-- open (any more), and then nothing changes.
--
-- Raises PQ004 when the page does not hold one of the messages, PQ009 for arrays of
-- different lengths and for delays that are none; then nothing changes either.
create or replace function pgque.settle(
    i_batch_id bigint, i_msg_ids bigint[], i_retry_secs double precision[], i_reasons text[], i_dead boolean[])
returns integer
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
    perform pgque._check_outcomes(i_msg_ids, i_retry_secs, i_reasons, i_dead);
    perform pgque._settle_page(v_sub, i_msg_ids, i_retry_secs, i_reasons, i_dead);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.settle(bigint, bigint[], double precision[], text[], boolean[])');

-- _check_outcomes raises PQ009 unless there is one outcome for each message.
create or replace function pgque._check_outcomes(
    i_msg_ids bigint[], i_retry_secs double precision[], i_reasons text[], i_dead boolean[])
returns void
language plpgsql as $$
begin
    if coalesce(cardinality(i_msg_ids), 0)
       <> any (array[coalesce(cardinality(i_retry_secs), 0), coalesce(cardinality(i_reasons), 0),
                     coalesce(cardinality(i_dead), 0)]) then
        raise exception 'arrays of different lengths' using errcode = 'PQ009';
    end if;
end
$$;

-- _settle_page settles the page of a locked cursor, whose outcomes were checked.
create or replace function pgque._settle_page(
    i_sub pgque.subscription, i_msg_ids bigint[], i_retry_secs double precision[], i_reasons text[], i_dead boolean[])
returns void
language plpgsql as $$
begin
    if cardinality(i_msg_ids) > 0 then
        perform pgque._check_retry_secs(secs) from unnest(i_retry_secs) as secs;
        if pgque._put_back(i_sub, i_msg_ids, i_retry_secs, i_reasons, i_dead)
           < (select count(distinct coalesce(id, -1)) from unnest(i_msg_ids) as id) then
            raise exception 'msg_id % not found in batch %', pgque._stranger(i_sub, i_msg_ids), i_sub.sub_batch
                using errcode = 'PQ004';
        end if;
    end if;
    perform pgque._finish_page(i_sub);
end
$$;

-- _stranger is the first of the ids that the batch does not hold.
create or replace function pgque._stranger(i_sub pgque.subscription, i_ids bigint[]) returns bigint
language plpgsql as $$
begin
    return id from unnest(i_ids) as id
        where id is null or id not in (select ev_id from pgque._batch_events(i_sub, i_ids)) limit 1;
end
$$;
