-- finish_batch(batch) closes the whole window behind a batch and moves the consumer
-- to its end, whatever was received of it. Returns 1; 0 with a warning when the batch
-- is not open (any more), and then nothing changes.
create or replace function pgque.finish_batch(x_batch_id bigint) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_batch(x_batch_id);
begin
    if v_sub.sub_no is null then
        raise warning 'finish_batch: batch % not found', x_batch_id;
        return 0;
    end if;
    perform pgque._check_unpartitioned(v_sub, 'ack_partitioned');
    perform pgque._store_cursor(pgque._finished_window(v_sub));
    return 1;
end
$$;
call pgque._allow('pgque_reader', 'pgque.finish_batch(bigint)');
