-- Everything that can be replaced in place, in an order in which each file finds
-- what it needs. Running it again changes nothing.

-- A function in SQL may name one that comes later in the same file.
set local check_function_bodies = off;
set local client_min_messages = warning;

\ir roles.sql
\ir functions/allow.sql
\ir functions/version.sql

-- queues
\ir functions/queue.sql
\ir functions/create_queue.sql
\ir functions/drop_queue.sql
\ir functions/set_queue_config.sql
\ir functions/pause_queue.sql

-- producers
\ir functions/insert_event.sql
\ir functions/send.sql
\ir functions/send_batch.sql
\ir functions/insert_target.sql
\ir functions/send_at.sql
\ir functions/send_idem.sql
\ir functions/triggers.sql

-- the clock of a queue
\ir functions/ticker.sql
\ir functions/force_tick.sql

-- consumers: subscription, cursor, window, page
\ir functions/subscribe.sql
\ir functions/replay.sql
\ir functions/cursor.sql
\ir functions/window.sql
\ir functions/next_batch.sql
\ir functions/get_batch_events.sql
\ir functions/get_batch_cursor.sql
\ir functions/finish_batch.sql
\ir functions/receive.sql
\ir functions/ack.sql
\ir functions/next_page.sql
\ir functions/pull.sql
\ir functions/readers.sql

-- messages that failed
\ir functions/put_back.sql
\ir functions/event_retry.sql
\ir functions/nack.sql
\ir functions/settle.sql
\ir functions/shorten.sql
\ir functions/begin_message.sql
\ir functions/dead_letter.sql
\ir functions/replay_edited.sql

-- several workers that share one cursor
\ir functions/register_subconsumer.sql
\ir functions/receive_coop.sql

-- messages of one key in order, by one worker at a time
\ir functions/slot.sql
\ir functions/subscribe_slot.sql
\ir functions/claim_slot.sql
\ir functions/tend_slots.sql
\ir functions/receive_partitioned.sql

-- upkeep
\ir functions/maint_retry_events.sql
\ir functions/maint_rotate_tables.sql
\ir functions/maint.sql
\ir functions/rebase.sql
\ir functions/lifecycle.sql
\ir functions/compat.sql

-- what an operator looks at
\ir functions/get_queue_info.sql
\ir functions/get_consumer_info.sql
\ir functions/get_batch_info.sql
\ir functions/get_slot_info.sql
\ir functions/status.sql

-- last, since every function above was born executable by PUBLIC
\ir seal.sql
