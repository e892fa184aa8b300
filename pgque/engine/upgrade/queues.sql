-- What the tables of older queues lack. The parent, which is empty, had no indexes once.
do $$
begin
    perform pgque._index_event_table(queue_data_pfx) from pgque.queue
    where not exists (select from pg_index where indrelid = to_regclass(queue_data_pfx));
end
$$;

-- Their readers are those of this version.
select pgque._create_readers(queue_id) from pgque.queue;
