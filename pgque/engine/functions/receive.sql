-- receive(queue, consumer, max_return) returns the next page of messages, in the
-- order of their ids, under one batch id: at most max_return of them, null meaning
-- no limit. Nothing when no event waits. Windows without events are passed over.
--
-- Until the page is acked the same page comes again under the same id; a larger
-- max_return may add messages to it, a smaller one takes none away. Two sessions that
-- receive for one consumer at once get the same page.
--
-- Raises PQ001 when there is no such queue, PQ002 when the consumer is not
-- subscribed, PQ009 when max_return is below 1, PQ012 when it is cooperative.
create or replace function pgque.receive(i_queue text, i_consumer text, i_max_return int default 100)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query select * from pgque._receive(i_queue, i_consumer, i_max_return, 0);
end
$$;
call pgque._allow('pgque_reader', 'pgque.receive(text, text, integer)');

-- fetch(queue, consumer, max_return) is receive for consumers that are behind: it
-- joins waiting windows into one of about four pages, and at least 1000 events. The
-- messages are the same; those of joined windows come in the order of their ids.
create or replace function pgque.fetch(i_queue text, i_consumer text, i_max_return int default 100)
returns setof pgque.message
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    return query select * from pgque._receive(i_queue, i_consumer, i_max_return,
                                              greatest(4 * i_max_return::bigint, 1000));
end
$$;
call pgque._allow('pgque_reader', 'pgque.fetch(text, text, integer)');

-- _receive joins windows up to i_join events; 0 keeps them as they were ticked.
create or replace function pgque._receive(i_queue text, i_consumer text, i_max_return int, i_join bigint)
returns setof pgque.message
language plpgsql as $$
declare
    v_sub pgque.subscription := pgque._subscription(i_queue, i_consumer);
begin
    perform pgque._check_max_return(i_max_return);
    perform pgque._check_normal(v_sub);
    if v_sub.sub_next_tick is null and pgque._next_tick(v_sub.sub_queue, v_sub.sub_last_tick, 1) is null then
        return; -- nothing waits, and nothing has to be locked to see that
    end if;
    v_sub := pgque._lock_subscription(v_sub);
    if v_sub.sub_no is null then
        raise exception 'not subscriber to queue: %/%', i_queue, i_consumer using errcode = 'PQ002';
    end if;
    perform pgque._check_normal(v_sub);
    return query select * from pgque._receive_page(v_sub, null, i_max_return, i_join);
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

-- _receive_page returns the page of a locked cursor, and moves the cursor over
-- windows without events on the way. A cooperative member has no position of its own:
-- its new windows begin where i_main stands, the cursor of its group, also locked.
--
-- Steps over empty windows double, so that a thousand of them cost ten looks; once a
-- step finds events it is halved until it is one window again.
create or replace function pgque._receive_page(
    i_sub pgque.subscription, i_main pgque.subscription, i_max_return int, i_join bigint)
returns setof pgque.message
language plpgsql as $$
declare
    v_sub pgque.subscription := i_sub;
    v_position bigint := coalesce(i_main.sub_last_tick, i_sub.sub_next_tick, i_sub.sub_last_tick);
    v_limit int := greatest(i_max_return, i_sub.sub_page_rows);
    v_step int := 1;
    v_growing boolean := true;
    v_event pgque.event_template;
begin
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
            v_sub.sub_page_last := true;
            v_sub.sub_page_rows := 0;
            for v_event in
                select * from pgque._window_events(v_sub, pgque._batch_from(v_sub), 9223372036854775807, v_limit + 1::bigint)
            loop
                if v_sub.sub_page_rows >= v_limit then
                    v_sub.sub_page_last := false;
                    exit;
                end if;
                if v_sub.sub_batch is null then
                    v_sub.sub_batch := pgque._new_batch_id(v_sub);
                    v_sub.sub_active := clock_timestamp();
                end if;
                v_sub.sub_page_rows := v_sub.sub_page_rows + 1;
                v_sub.sub_page_end := v_event.ev_id;
                return next row(v_event.ev_id, v_sub.sub_batch, v_event.ev_type, v_event.ev_data,
                                v_event.ev_retry, v_event.ev_time, v_event.ev_extra1, v_event.ev_extra2,
                                v_event.ev_extra3, v_event.ev_extra4)::pgque.message;
            end loop;
            exit when v_sub.sub_page_rows > 0;
        end if;
        v_sub := pgque._finished_window(v_sub);
        v_step := case when v_growing then v_step * 2 else greatest(v_step / 2, 1) end;
    end loop;
    if v_sub.sub_next_tick is null and v_sub.sub_role = 'coop_member' then
        v_sub.sub_last_tick := null;
    end if;
    if v_sub is distinct from i_sub then
        perform pgque._store_cursor(v_sub);
    end if;
    if i_main.sub_last_tick <> v_position then
        i_main.sub_last_tick := v_position;
        perform pgque._store_cursor(i_main);
    end if;
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
