-- get_batch_cursor(batch, cursor, limit [, where]) opens a cursor over the events of an
-- open batch and returns the first limit of them; the caller fetches the rest. For
-- admins only: where is SQL.
--
-- A cursor of this name that the transaction has open is closed first. Raises PQ003
-- when the batch is not open, PQ009 without a name or a positive limit.
create or replace function pgque.get_batch_cursor(
    i_batch_id bigint, i_cursor_name text, i_quick_limit int4, i_extra_where text,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry int4, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    if coalesce(i_cursor_name, '') = '' or coalesce(i_quick_limit, 0) < 1 then
        raise exception 'cursor name and a positive limit are needed' using errcode = 'PQ009';
    end if;
    if exists (select from pg_cursors where name = i_cursor_name) then
        execute format('close %I', i_cursor_name);
    end if;
    execute format(
        'declare %I no scroll cursor for select ev_id, ev_time, ev_txid::text::bigint, ev_retry, ev_type, ev_data,'
        ' ev_extra1, ev_extra2, ev_extra3, ev_extra4 from (%s) as events where %s order by ev_id',
        i_cursor_name, pgque.batch_event_sql(i_batch_id), coalesce(nullif(i_extra_where, ''), 'true'));
    return query execute format('fetch %s from %I', i_quick_limit, i_cursor_name);
end
$$;

create or replace function pgque.get_batch_cursor(
    i_batch_id bigint, i_cursor_name text, i_quick_limit int4,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry int4, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query select * from pgque.get_batch_cursor(i_batch_id, i_cursor_name, i_quick_limit, null);
end
$$;
