-- pause_queue(queue) stops its ticks: events are taken, but nobody receives them.
-- Raises PQ001 when there is no such queue.
create or replace function pgque.pause_queue(i_queue_name text) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque.set_queue_config(i_queue_name, 'ticker_paused', 'true');
end
$$;

-- resume_queue(queue) undoes pause_queue.
create or replace function pgque.resume_queue(i_queue_name text) returns void
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
begin
    perform pgque.set_queue_config(i_queue_name, 'ticker_paused', 'false');
end
$$;
