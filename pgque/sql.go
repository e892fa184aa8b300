package pgque

// Every statement that this package sends. Each function is schema-qualified and
// each argument typed, so that overloads never depend on what a driver infers.
const (
	sqlSend      = `select pgque.send($1::text, $2::text, $3::text)`
	sqlSendExtra = `select pgque.insert_event($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text)`

	sqlSendBatch = `select pgque.send_batch($1::text, $2::text, $3::text[])`

	// unnest yields the events in input order and the aggregate sees them so; one
	// call per event, for runs of mixed types.
	sqlSendMixed = `
		select coalesce(array_agg(pgque.insert_event($1::text, e.type, e.payload,
		                                             e.extra1, e.extra2, e.extra3, e.extra4)), '{}')
		from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
		     as e(type, payload, extra1, extra2, extra3, extra4)`

	sqlInsertTarget = `
		select queue_id, table_number, table_name, sequence_name from pgque.insert_target($1::text)
		where has_table_privilege('pgque.queue', 'select') and has_sequence_privilege(sequence_name, 'usage')
		  and has_column_privilege(table_name, 'ev_data', 'insert') and has_column_privilege(table_name, 'ev_id', 'select')`

	// Templates for one event table: its name, the id of its queue, its number, and the
	// sequence of event ids. The default of ev_id assigns the transaction's id first.
	// Several unnests in a select list go in step, in the order of their arrays.
	isCurrent = `
		from pgque.queue
		where queue_name = $1::text and queue_id = %[2]d and queue_cur_table = %[3]d and not queue_disable_insert`
	// The transaction has an id if its first statement found the table to be current.
	hasInserted = `
		where $1::text is not null and pg_current_xact_id_if_assigned() is not null`
	sqlInsertOne = `
		insert into %[1]s (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
		select $2::text, $3::text, $4::text, $5::text, $6::text, $7::text` + isCurrent + ` returning ev_id`
	insertSame = `
		insert into %[1]s (ev_type, ev_data)
		select $2::text, unnest($3::text[])`
	insertMixed = `
		insert into %[1]s (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
		select unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]), unnest($6::text[]), unnest($7::text[])`
	sqlInsertSame      = insertSame + isCurrent + ` returning ev_id`
	sqlInsertSameMore  = insertSame + hasInserted + ` returning ev_id`
	sqlInsertMixed     = insertMixed + isCurrent + ` returning ev_id`
	sqlInsertMixedMore = insertMixed + hasInserted + ` returning ev_id`
	sqlBulkBegin       = `select case when pg_current_xact_id() is not null then nextval('%[4]s') end` + isCurrent
	sqlCopySame        = `copy %[1]s (ev_type, ev_data) from stdin (format binary)`
	sqlCopyMixed       = `copy %[1]s (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) from stdin (format binary)`
	sqlBulkIDs         = `
		select last, case when last - $1::bigint <> $2::bigint then (
		    select array_agg(ev_id order by ev_id) from %[1]s where ev_txid = pg_current_xact_id() and ev_id > $1::bigint) end
		from currval('%[4]s') as last`
	sqlBegin    = `begin`
	sqlCommit   = `commit`
	sqlRollback = `rollback`

	messageColumns = `msg_id, coalesce(type, ''), coalesce(payload, ''), retry_count, created_at,
		extra1, extra2, extra3, extra4, batch_id`

	sqlReceive = `select ` + messageColumns + ` from pgque.receive($1::text, $2::text, $3::int)`
	sqlAck     = `select pgque.ack($1::bigint)`
	sqlNack    = `
		select pgque.nack($1::bigint,
		    row($2::bigint, $1::bigint, $3::text, $4::text, $5::int, $6::timestamptz,
		        $7::text, $8::text, $9::text, $10::text)::pgque.message,
		    make_interval(secs => $11::double precision), $12::text)`

	sqlNextBatch   = `select pgque.next_batch($1::text, $2::text)`
	sqlFinishBatch = `select pgque.finish_batch($1::bigint)`

	sqlBatchPage = `
		select ev_id, coalesce(ev_type, ''), coalesce(ev_data, ''), ev_retry, ev_time,
		       ev_extra1, ev_extra2, ev_extra3, ev_extra4, $1::bigint
		from pgque.get_batch_events($1::bigint)
		where ev_id > $2::bigint
		order by ev_id
		limit $3::bigint`

	sqlTryTurn    = `select pg_try_advisory_lock(hashtextextended($1::text, 0))`
	sqlGiveTurnUp = `select pg_advisory_unlock(hashtextextended($1::text, 0)), pg_notify($2::text, '')`

	sqlNotify = `select pg_notify($1::text, $2::text)`

	// sqlKeepAlive makes the server end its session within a minute when the other end of
	// the connection is gone without a word. By default that takes it two hours.
	sqlKeepAlive = `select set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
		set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '60s', false)`

	sqlFetch = `select ` + messageColumns + ` from pgque.fetch($1::text, $2::text, $3::int)`
	// Templates with the number of the queue in them.
	sqlNextPage   = `select ` + messageColumns + ` from pgque.next_page_%d($1::text, $2::int, $3::bigint, $4::boolean)`
	sqlPull       = `select ` + messageColumns + `, coalesce(tick_id, 0) from pgque.pull_%d($1::text, $2::int, $3::bigint) cross join` + lazily
	sqlPageWindow = `
		select next_batch_id, page_end, low_mark, high_mark, last_snapshot, next_snapshot from pgque.page_window_%d($1::bigint)`
	// As the engine reads fresh events (_fresh_sql). The snapshots are unpacked once, not for
	// each row, and searched for the few transactions that their ends do not decide about.
	sqlEventsBehind = `
		select ev_id, coalesce(ev_type, ''), coalesce(ev_data, ''), ev_retry, ev_time, ev_extra1, ev_extra2, ev_extra3, ev_extra4
		from pgque.event_%d where ev_id > $1::bigint and ev_id <= $2::bigint and ev_owner is null
		  and (ev_txid < (select pg_snapshot_xmin($4::text::pg_snapshot))
		       or pg_visible_in_snapshot(ev_txid, (select $4::text::pg_snapshot)))
		  and (ev_txid >= (select pg_snapshot_xmax($3::text::pg_snapshot))
		       or not pg_visible_in_snapshot(ev_txid, (select $3::text::pg_snapshot)))
		order by ev_id`
	sqlTurnPage = `select pgque.turn_page($1::bigint, $2::bigint, $3::bigint, $4::int)`
	// sqlReading goes before sqlEventsBehind: the event tables have no statistics, and the
	// path to the events is known.
	sqlReading = `
		select set_config('synchronous_commit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),
		       set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
		       set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`
	sqlMaxRetries = `select coalesce(queue_max_retries, 5) from pgque.queue where queue_name = $1::text`
	sqlQueueID    = `select queue_id from pgque.queue where queue_name = $1::text`

	// sqlLazy makes the transaction's commit return before its log is on disk: a crash
	// of the server may undo it. For cursors and ticks only, where that means that
	// messages are delivered again.
	sqlLazy = `select set_config('synchronous_commit', 'off', true)`

	sqlSettle = `select pgque.settle($1::bigint, $2::bigint[], $3::double precision[], $4::text[], $5::boolean[])`

	// A case evaluates its branches in turn, and each function sees what the one
	// before it has done.
	sqlSettlePart = `
		select case case when $6::bigint is null then 1 else pgque.shorten($1::bigint, $6::bigint) end when 1 then
		       case case when $7::bigint[] = '{}' then 1 else pgque.release($1::bigint, $7::bigint[]) end when 1 then
		            pgque.settle($1::bigint, $2::bigint[], $3::double precision[], $4::text[], $5::boolean[])
		       else 0 end else 0 end`

	sqlBeginMessage = `select pgque.begin_message($1::bigint, $2::bigint)`

	sqlReceiveCoop = `select ` + messageColumns + `
		from pgque.receive_coop($1::text, $2::text, $3::text, $4::int, make_interval(secs => $5::double precision))`
	sqlNextBatchCoop = `select pgque.next_batch($1::text, $2::text, $3::text, make_interval(secs => $4::double precision))`
	sqlJoin          = `select pgque.register_subconsumer($1::text, $2::text, $3::text, true)`
	sqlTouch         = `select pgque.touch_subconsumer($1::text, $2::text, $3::text)`
	sqlLeave         = `select pgque.unregister_subconsumer($1::text, $2::text, $3::text, 0)`
	sqlResign        = `select pgque.resign_subconsumer($1::text, $2::text, $3::text)`

	sqlHasLeases              = `select to_regprocedure('pgque.tend_slots(text,text,integer,text,interval)') is not null`
	sqlSubscribePartitioned   = `select 1::bigint from pgque.subscribe_partitioned($1::text, $2::text, $3::int)`
	sqlUnsubscribePartitioned = `select 1::bigint from pgque.unsubscribe_partitioned($1::text, $2::text)`
	sqlTendSlots              = `
		select slot, seconds, orphaned, wanted
		from pgque.tend_slots($1::text, $2::text, $3::int, $4::text, make_interval(secs => $5::double precision))`
	sqlClaimSlot = `
		select coalesce(pgque.claim_slot($1::text, $2::text, $3::int, $4::text, make_interval(secs => $5::double precision)), 0)`
	sqlResignSlot = `select pgque.resign_slot($1::text, $2::text, $3::int, $4::text)`
	sqlFetchSlot  = `select ` + messageColumns + `
		from pgque.fetch_partitioned($1::text, $2::text, $3::int, $4::int, $5::text, $6::int)`
	sqlSettleSlot = `
		select pgque.settle_partitioned($1::text, $2::text, $3::int, $4::int, $5::text, $6::bigint, $7::bigint, $8::bigint[],
		                                $9::bigint[], $10::double precision[], $11::text[], $12::boolean[])`

	sqlSavepoint        = `savepoint pgque_page`
	sqlRelease          = `release savepoint pgque_page`
	sqlRenew            = `release savepoint pgque_page; savepoint pgque_page`
	sqlUndo             = `rollback to savepoint pgque_page; release savepoint pgque_page`
	sqlCheckConstraints = `set constraints all immediate`
	sqlDeferConstraints = `set constraints all deferred`

	// A tick that a crash of the server undoes was seen by nobody whose cursor survived:
	// cursors that point at it are behind it in the log. So its commit is lazy.
	sqlTickQueue  = `select coalesce(pgque.tick_queue($1::text), 0) from` + lazily
	sqlTickQueues = `
		select t.queue, coalesce(t.tick_id, 0) from` + lazily + ` cross join pgque.tick_queues($1::text[]) as t`
	lazily         = ` set_config('synchronous_commit', 'off', true) as lazy`
	sqlMaintQueues = `select pgque.maint_queues($1::text[])`
	sqlTicker      = `select pgque.ticker($1::text)`
	sqlTickAll     = `select pgque.ticker()`
	sqlMaintQueue  = `select pgque.maint_queue($1::text)`
	sqlMaint       = `select pgque.maint()`
	sqlMaintRetry  = `select pgque.maint_retry_events()`
	sqlRotateStep2 = `select pgque.maint_rotate_tables_step2()`
	sqlTryLock     = `select pg_try_advisory_xact_lock(hashtextextended($1::text, 0))`

	// to_regprocedure is NULL, without an error, for what does not exist.
	sqlCapabilities = `
		select to_regnamespace('pgque') is not null,
		       to_regprocedure('pgque.settle(bigint,bigint[],double precision[],text[],boolean[])') is not null,
		       to_regprocedure('pgque.fetch(text,text,integer)') is not null,
		       to_regprocedure('pgque.tick_queue(text)') is not null,
		       to_regprocedure('pgque.maint_queue(text)') is not null,
		       to_regprocedure('pgque.tick_queues(text[])') is not null
		           and to_regprocedure('pgque.maint_queues(text[])') is not null,
		       to_regprocedure('pgque.shorten(bigint,bigint)') is not null
		           and to_regprocedure('pgque.release(bigint,bigint[])') is not null,
		       to_regprocedure('pgque.begin_message(bigint,bigint)') is not null,
		       to_regprocedure('pgque.resign_subconsumer(text,text,text)') is not null,
		       to_regprocedure('pgque.insert_target(text)') is not null,
		       to_regprocedure('pgque.next_page(text,text,integer,bigint,boolean)') is not null,
		       to_regprocedure('pgque.turn_page(bigint,bigint,bigint,integer)') is not null,
		       to_regprocedure('pgque.pull(text,text,integer,bigint)') is not null`

	sqlCreateQueue    = `select pgque.create_queue($1::text)`
	sqlDropQueue      = `select pgque.drop_queue($1::text, $2::bool)`
	sqlSetQueueConfig = `select pgque.set_queue_config($1::text, $2::text, $3::text)`
	sqlSubscribe      = `select pgque.subscribe($1::text, $2::text)`
	sqlUnsubscribe    = `select pgque.unsubscribe($1::text, $2::text)`
	sqlVersion        = `select pgque.version()`
	sqlHealth         = `select component, status, coalesce(detail, '') from pgque.status()`
	sqlRebase         = `select pgque.rebase()`
	sqlUninstall      = `select pgque.uninstall()`

	sqlQueueInfo = `
		select queue_name, queue_ntables, queue_cur_table,
		       extract(epoch from queue_rotation_period)::float8, queue_switch_time,
		       queue_external_ticker, queue_ticker_paused, queue_ticker_max_count,
		       extract(epoch from queue_ticker_max_lag)::float8,
		       extract(epoch from queue_ticker_idle_period)::float8,
		       coalesce(extract(epoch from ticker_lag), 0)::float8,
		       coalesce(ev_per_sec, 0)::float8, coalesce(ev_new, 0)::bigint, coalesce(last_tick_id, 0)::bigint
		from pgque.get_queue_info()
		where $1::text is null or queue_name = $1::text
		order by queue_name`

	sqlConsumerInfo = `
		select queue_name, consumer_name,
		       coalesce(extract(epoch from lag), 0)::float8, coalesce(extract(epoch from last_seen), 0)::float8,
		       coalesce(last_tick, 0)::bigint, coalesce(current_batch, 0)::bigint, coalesce(next_tick, 0)::bigint,
		       coalesce(pending_events, 0)::bigint
		from pgque.get_consumer_info()
		where $1::text is null or queue_name = $1::text
		order by queue_name, consumer_name`

	deadLetterTables = ` from pgque.dead_letter d
		join pgque.queue q on q.queue_id = d.dl_queue_id
		join pgque.consumer c on c.co_id = d.dl_consumer_id `

	deadLetterColumns = `
		select d.dl_id, q.queue_name, c.co_name, d.dl_time, coalesce(d.dl_reason, ''),
		       d.ev_id, coalesce(d.ev_type, ''), coalesce(d.ev_data, ''), d.ev_retry, d.ev_time,
		       d.ev_extra1, d.ev_extra2, d.ev_extra3, d.ev_extra4` + deadLetterTables

	deadLetterFilter = `
		where ($1::text is null or q.queue_name = $1)
		  and ($2::text is null or c.co_name = $2)
		  and ($3::text is null or d.ev_type = $3)
		  and ($4::text is null or d.dl_reason = $4)
		  and ($5::timestamptz is null or d.dl_time >= $5)
		  and ($6::timestamptz is null or d.dl_time < $6)`

	sqlDeadLetters = deadLetterColumns + deadLetterFilter + `
		  and ($7::bigint is null or d.dl_id < $7)
		order by d.dl_id desc
		limit $8::bigint`

	sqlDeadLetter = deadLetterColumns + `where d.dl_id = $1::bigint`

	sqlDeadLetterGroups = `
		select q.queue_name, c.co_name, coalesce(d.ev_type, ''), coalesce(d.dl_reason, ''),
		       count(*), min(d.dl_time), max(d.dl_time)` + deadLetterTables + deadLetterFilter + `
		group by 1, 2, 3, 4
		order by 5 desc, 7 desc`

	sqlSendAt      = `select pgque.send_at($1::text, $2::text, $3::text, $4::timestamptz)`
	sqlSendAtExtra = `
		select pgque.send_at($1::text, $2::text, $3::text, $4::timestamptz, $5::text, $6::text, $7::text, $8::text)`
	sqlCancelScheduled = `select pgque.cancel_scheduled($1::bigint)`
	sqlSendOnce        = `
		select event_id, deduped
		from pgque.send_idem($1::text, $2::text, $3::text, $4::text, make_interval(secs => $5::double precision), $6::text)`
	sqlSendOnceExtra = `
		select event_id, deduped
		from pgque.send_idem($1::text, $2::text, $3::text, $4::text, make_interval(secs => $5::double precision),
		                     $6::text, $7::text, $8::text, $9::text)`

	sqlReplayEvents = `
		select pgque.replay($1::text, $2::text, $3::bigint, $4::bigint, $5::text[], $6::timestamptz, $7::timestamptz)`
	sqlSeek         = `select pgque.seek($1::text, $2::text, $3::timestamptz)`
	sqlReplayEdited = `select pgque.dlq_replay_edited($1::bigint, $2::text, $3::text)`

	sqlReplay = `select pgque.dlq_replay($1::bigint)`
	sqlPurge  = `select pgque.dlq_purge($1::text, make_interval(secs => $2::double precision))`
)
