-- ack(batch) finishes the page that was received under this batch id and moves the
-- consumer past it; the last page finishes the window. A batch of next_batch that was
-- not received by pages is finished as a whole. Returns 1; 0 with a warning when the
-- batch is not open (any more), and then nothing changes.
create or replace function pgque.ack(i_batch_id bigint) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_batch(i_batch_id);
begin
    if v_sub.sub_no is null then
        raise warning 'finish_batch: batch % not found', i_batch_id;
        return 0;
    end if;
    perform pgque._check_unpartitioned(v_sub, 'ack_partitioned');
    perform pgque._finish_page(v_sub);
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.ack(bigint)');

-- _finish_page moves a locked cursor past its open batch.
create or replace function pgque._finish_page(i_sub pgque.subscription) returns void
language plpgsql as $$
begin
    perform pgque._store_cursor(pgque._passed_page(i_sub));
end
$$;

-- _passed_page is the cursor behind its open batch.
create or replace function pgque._passed_page(i_sub pgque.subscription) returns pgque.subscription
language plpgsql as $$
begin
    if i_sub.sub_page_end is null or i_sub.sub_page_last then
        return pgque._finished_window(i_sub);
    end if;
    i_sub.sub_done_id := i_sub.sub_page_end;
    return pgque._closed_page(i_sub);
end
$$;
