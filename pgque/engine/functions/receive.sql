-- receive(queue, consumer, max_return) returns the next page of messages, in the
-- order of their ids, under one batch id: at most max_return of them, null meaning
-- no limit. Nothing when no event waits. Windows without events are passed over.
--
-- Until the page is acked the same page comes again under the same id; a larger
-- max_return may add messages to it, a smaller one takes none away. Two sessions that
-- receive for one consumer at once get the same page, and either may finish it. So they
-- have to ask for the same number: an ack of a session that asked for fewer messages
-- finishes those that were added for the other one, too. Use fetch where that cannot be
-- seen to; a page of it stays as it is.
--
-- Raises PQ001 when there is no such queue, PQ002 when the consumer is not
-- subscribed, PQ009 when max_return is below 1, PQ012 when it is cooperative.
create or replace function pgque.receive(i_queue text, i_consumer text, i_max_return int default 100)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._receiving(i_queue, i_consumer, i_max_return);
begin
    if i_max_return > v_sub.sub_page_rows then
        v_sub.sub_page_end := null; -- the page is read anew, and may be longer
    end if;
    return query select * from pgque._receive_page(v_sub, null, i_max_return, 0);
end
$$;
call pgque._allow('pgque_reader', 'pgque.receive(text, text, integer)');

-- fetch(queue, consumer, max_return) is receive for consumers that are behind: it
-- joins waiting windows into one of about four pages, and at least 1000 events. The
-- messages are the same; those of joined windows come in the order of their ids. An open
-- page comes again as it is, whatever max_return.
create or replace function pgque.fetch(i_queue text, i_consumer text, i_max_return int default 100)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query select * from pgque._receive_page(pgque._receiving(i_queue, i_consumer, i_max_return), null, i_max_return,
                                                   greatest(4 * i_max_return::bigint, 1000));
end
$$;
call pgque._allow('pgque_reader', 'pgque.fetch(text, text, integer)');

-- _receiving locks the cursor that is to receive a page; a null row when nothing waits.
create or replace function pgque._receiving(i_queue text, i_consumer text, i_max_return int) returns pgque.subscription
language plpgsql as $$
declare
    v_sub pgque.subscription := pgque._subscription(i_queue, i_consumer);
begin
    perform pgque._check_max_return(i_max_return);
    perform pgque._check_normal(v_sub);
    if v_sub.sub_next_tick is null and pgque._next_tick(v_sub.sub_queue, v_sub.sub_last_tick, 1) is null then
        return null; -- nothing has to be locked to see that
    end if;
    v_sub := pgque._lock_subscription(v_sub);
    if v_sub.sub_no is null then
        raise exception 'not subscriber to queue: %/%', i_queue, i_consumer using errcode = 'PQ002';
    end if;
    perform pgque._check_normal(v_sub);
    return v_sub;
end
$$;

create or replace function pgque._check_max_return(i_max_return int) returns void
language plpgsql as $$
begin
    if i_max_return < 1 then
        raise exception 'max_return must be >= 1, got %', i_max_return using errcode = 'PQ009';
    end if;
end
$$;

-- _receive_page returns the page of a locked cursor, an open one as it is, and moves the
-- cursor over windows without events on the way; nothing for a null cursor. It joins
-- windows up to i_join events; 0 keeps them as they were ticked. A cooperative member has
-- no position of its own: its new windows begin where i_main stands, the cursor of its
-- group, also locked.
--
-- Steps over empty windows double, so that a thousand of them cost ten looks; once a
-- step finds events it is halved until it is one window again.
create or replace function pgque._receive_page(
    i_sub pgque.subscription, i_main pgque.subscription, i_max_return int, i_join bigint)
returns setof pgque.message
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off set max_parallel_workers_per_gather = 0
as $$
declare
    v_sub pgque.subscription := i_sub;
    v_position bigint := coalesce(i_main.sub_last_tick, i_sub.sub_next_tick, i_sub.sub_last_tick);
    v_step int := 1;
    v_growing boolean := true;
    v_page pgque.subscription;
    v_rows bigint := 0;
begin
    if i_sub.sub_no is null then
        return;
    elsif i_sub.sub_page_end is not null then
        return query select * from pgque._open_page(i_sub);
        if found then
            return;
        end if;
        v_sub := pgque._passed_page(i_sub); -- every message was taken off it
    end if;
    loop
        if v_sub.sub_next_tick is null then
            v_sub.sub_last_tick := v_position;
            v_sub.sub_next_tick := pgque._window_end(v_sub.sub_queue, v_position, v_step, i_join);
            exit when v_sub.sub_next_tick is null;
            if v_step > 1 and pgque._has_events(v_sub) then
                v_growing := false;
                v_step := v_step / 2;
                v_sub.sub_next_tick := null;
                continue;
            end if;
            v_position := v_sub.sub_next_tick;
        end if;
        if v_step = 1 then
            v_page := v_sub;
            if v_page.sub_batch is null then
                v_page.sub_batch := pgque._new_batch_id(v_sub.sub_no);
                v_page.sub_active := clock_timestamp();
            end if;
            return query select * from pgque._page_of(v_page, i_max_return);
            get diagnostics v_rows = row_count;
            exit when v_rows > 0;
        end if;
        v_sub := pgque._finished_window(v_sub);
        v_step := case when v_growing then v_step * 2 else greatest(v_step / 2, 1) end;
    end loop;
    if v_sub.sub_next_tick is null and v_sub.sub_role = 'coop_member' then
        v_sub.sub_last_tick := null;
    end if;
    if v_rows = 0 and v_sub is distinct from i_sub then
        perform pgque._store_cursor(v_sub);
    end if;
    if i_main.sub_last_tick <> v_position then
        i_main.sub_last_tick := v_position;
        perform pgque._store_cursor(i_main);
    end if;
end
$$;

-- _page_of returns the next page of the locked cursor i_sub, at most i_limit rows, and
-- stores the cursor with the page open. One statement does both, so that no row passes
-- through a loop. It stores nothing when there is no row, or when the same page is open
-- already. The events are in order as they come out of page.
create or replace function pgque._page_of(i_sub pgque.subscription, i_limit bigint) returns setof pgque.message
language plpgsql as $$
declare
    v_batch bigint := i_sub.sub_batch;
begin
    return query
        with page as materialized (
            select * from pgque._window_events(i_sub, pgque._batch_from(i_sub), 9223372036854775807, i_limit + 1)),
        extent as (select (select count(*) from page) as found, max(ev_id) as page_end, count(*)::int as page_rows
                   from (select ev_id from page limit i_limit) as first),
        stored as (
            update pgque.subscription set
                sub_last_tick = i_sub.sub_last_tick, sub_active = i_sub.sub_active, sub_batch = i_sub.sub_batch,
                sub_next_tick = i_sub.sub_next_tick, sub_role = i_sub.sub_role, sub_was_coop = i_sub.sub_was_coop,
                sub_epoch = i_sub.sub_epoch, sub_done_id = i_sub.sub_done_id, sub_page_end = extent.page_end,
                sub_page_rows = extent.page_rows, sub_page_last = extent.found = extent.page_rows,
                sub_moves = i_sub.sub_moves + 1,
                sub_gen = pgque._next_generation(i_sub.sub_gen, i_sub.sub_moves)
            from extent
            where extent.found > 0 and sub_no = i_sub.sub_no and sub_gen = i_sub.sub_gen
              and (sub_batch, sub_page_end, sub_page_last)
                  is distinct from (i_sub.sub_batch, extent.page_end, extent.found = extent.page_rows))
        select ev_id, v_batch, ev_type, ev_data, ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4
        from page limit i_limit;
end
$$;

create or replace function pgque._window_end(i_queue_id integer, i_tick bigint, i_step int, i_join bigint) returns bigint
language plpgsql as $$
begin
    if i_join > 0 then
        return pgque._next_tick_within(i_queue_id, i_tick, i_join);
    end if;
    return pgque._next_tick(i_queue_id, i_tick, i_step);
end
$$;

create or replace function pgque._has_events(i_sub pgque.subscription) returns boolean
language plpgsql as $$
begin
    return exists (select from pgque._window_events(i_sub, pgque._batch_from(i_sub), 9223372036854775807, 1));
end
$$;
