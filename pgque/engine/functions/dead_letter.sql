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
