-- get_batch_events(batch) returns the events of an open batch, in the order of their
-- ids. What acks of pages have moved past is not among them.
--
-- Raises PQ003 when the batch is not open.
create or replace function pgque.get_batch_events(
    x_batch_id bigint,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry int4, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._open_batch(x_batch_id);
begin
    return query
        select e.ev_id, e.ev_time, e.ev_txid::text::bigint, e.ev_retry, e.ev_type,
               e.ev_data, e.ev_extra1, e.ev_extra2, e.ev_extra3, e.ev_extra4
        from pgque._window_events(v_sub, pgque._batch_from(v_sub), 9223372036854775807, null) e;
end
$$;
call pgque._allow('pgque_reader', 'pgque.get_batch_events(bigint)');
