package enginetest

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var killMutants = flag.Bool("mutants", false, "break each rule of the engine and demand that its test fails")

// mutant is the engine with one rule broken: where keep stands in a file of
// pgque/engine, there is broke instead.
type mutant struct {
	rule  string // what holds
	file  string
	keep  string
	broke string
	test  string // of package pgque, which fails without the rule
}

// mutants are the rules that a plausible engine of this model lacks, each with the test
// that notices.
var mutants = []mutant{
	// no event is lost
	{"a transaction has its id before it looks its table up", "functions/insert_event.sql",
		`perform pg_current_xact_id(), `, `perform `, "TestEngineSend_HasItsTransactionIDBeforeItWaitsForItsTable"},
	{"a window is read from all tables", "functions/readers.sql",
		`'table', 'pgque.event_' || i_queue_id`, `'table', 'pgque.event_' || i_queue_id || '_1'`, "TestEngineSend_WithASnapshotOlderThanARotationIsDelivered"},
	{"a table is emptied only when nobody needs it", "functions/maint_rotate_tables.sql",
		`if pgque._is_needed(v_queue, v_table) or not pgque._lock_table(v_table) or pgque._is_needed(v_queue, v_table) then`,
		`if not pgque._lock_table(v_table) then`, "TestEngineRotation_KeepsATableThatHoldsUnreadEvents"},
	{"whether it is needed is asked again under the lock", "functions/maint_rotate_tables.sql",
		`not pgque._lock_table(v_table) or pgque._is_needed(v_queue, v_table) then`,
		`not pgque._lock_table(v_table) then`, "TestEngineRotation_SeesWhatWasCommittedWhileItGotItsLock"},
	{"members of a group hold rotation up", "functions/cursor.sql",
		`return min(sub_last_tick) from unnest(pgque._subscriptions(i_queue_id)) as s;`,
		`return min(sub_last_tick) from unnest(pgque._subscriptions(i_queue_id)) as s where sub_role <> 'coop_member';`, "TestEngineRotation_WaitsForMembersOfAGroup"},
	{"a long transaction elsewhere does not hold rotation up", "functions/maint_rotate_tables.sql",
		`using pg_snapshot_xmax(v_snapshot)`, `using pg_snapshot_xmin(v_snapshot)`, "TestEngineRotation_IsNotHeldUpByALongWriter"},
	{"a rotation is completed by a later transaction", "functions/maint_rotate_tables.sql",
		`and queue_switch_step1 is distinct from pg_current_xact_id_if_assigned()::text::bigint`, ``, "TestEngineRotation_IsNotCompletedByItsOwnTransaction"},
	{"maint completes rotations", "functions/maint.sql",
		`pgque._complete_rotation(i_queue_id)::integer + `, ``, "TestEngineMaint_AloneKeepsRotating"},
	{"a page ends a page, not the window", "functions/receive.sql",
		`sub_page_last = extent.found = extent.page_rows`, `sub_page_last = true`, "TestEnginePages_LoseNothingWhateverTheirSize"},

	{"a client has its transaction id before its event id", "functions/insert_target.sql",
		`case when pg_current_xact_id() is not null then nextval(%L) end`, `nextval(%L) + 0 * (pg_current_xact_id_if_assigned() is null)::integer`, "TestEngineInsert_HasItsTransactionIDBeforeItsEventID"},
	{"events of those who ran at the last tick are read", "functions/window.sql",
		`{table} where {from} < {low_mark} and ev_txid = any ({running})`,
		`{table} where false and ev_txid = any ({running})`, "TestEngineTick_WhileASenderRunsLosesNothing"},
	{"events of those who began before the last mark are read", "functions/window.sql",
		`select * from {table} where {from} < {low_mark} and ev_txid >= {first_xid}`,
		`select * from {table} where false and ev_txid >= {first_xid}`, "TestEngineTick_WhileTheYoungestSenderRunsLosesNothing"},
	{"chosen ids are remembered", "functions/insert_event.sql",
		`if ev_id is not null and ev_owner is null then`, `if false then`, "TestEngineInsertEventRaw_WithIDsOfItsOwnIsDelivered"},
	{"a sender needs a queue", "functions/insert_event.sql",
		`if not found or`, `if found and`, "TestEngineSend_NullsAndEmptyBatches"},

	// ticks
	{"one session at a time ticks a queue", "functions/ticker.sql",
		`if not pg_try_advisory_xact_lock(pgque._lock_class('tick'), i_queue.queue_id) then`, `if false then`, "TestEngineTicker_TwoAtOnceMakeOneTick"},
	{"a tick is taken at read committed", "functions/ticker.sql",
		`if current_setting('transaction_isolation') not in`, `if 'read committed' not in`, "TestEngineTicker_NeedsReadCommitted"},
	{"a tick does not see its own transaction", "functions/ticker.sql",
		`if v_own is null or not`, `if true or not`, "TestEngineTick_InTheSendersTransactionLosesNothing"},
	{"a tick comes for who committed late", "functions/ticker.sql",
		`if v_waiting = 0 and pgque._was_committed_since(i_queue, v_last) then`, `if false then`, "TestEngineTickQueue_TicksForASenderThatCommittedAfterTheLastTick"},
	{"a look at many queues sees who committed late", "functions/ticker.sql",
		`and (last.tick_time < pg_postmaster_start_time() or not pgque._is_settled(last, before))`, `and false`, "TestEngineTickQueues_TickForALateSender"},
	{"a queue rests when all older transactions have ended", "functions/ticker.sql",
		`(v_last.tick_next_xid <= v_xmin) is not true`, `false`, "TestEngineTickQueues_TickForALateSender"},
	{"an event with a chosen id shows that there is something new", "functions/insert_event.sql",
		`v_drawn bigint := nextval(v_queue.queue_event_seq);`, `v_drawn bigint := case when ev_id is null then nextval(v_queue.queue_event_seq) end;`, "TestEngineTickQueue_TicksForEventsWithChosenIDs"},
	{"after a start of the server queues are looked at", "functions/ticker.sql",
		`last.tick_time < pg_postmaster_start_time() or not pgque._is_settled`, `not pgque._is_settled`, "TestEngineSequence_ThatCaughtUpBeforeTheTickLosesNothing"},
	{"marks are taken before the first tick", "functions/ticker.sql",
		`pgque._tick(v_queues[i], i_names is not null, v_marks[i])`, `pgque._tick(v_queues[i], i_names is not null, pgque._low_mark(v_queues[i]))`, "TestEngineTickQueues_EveryTickIsBounded"},
	{"ticks of the future are noticed", "functions/ticker.sql",
		`        perform pgque._check_server(i_queue, v_last);
`, ``, "TestEngineRebase_LosesAndDoublesNothing"},
	{"ticks of another server are known when they were overtaken", "functions/rebase.sql",
		`pgque._row_xid(i_xmin) < coalesce(i_next_xid, pg_snapshot_xmin(i_snapshot))`, `false`, "TestEngineRebase_IsNeededAlsoWhenTheTicksWereOvertaken"},
	{"ticks of this server are its own", "functions/rebase.sql",
		`coalesce(i_next_xid, pg_snapshot_xmin(i_snapshot))`, `coalesce(i_next_xid, pg_snapshot_xmax(i_snapshot))`, "TestEngineRebase_IsForNoTickOfThisServer"},
	{"an old id does not make a retry an old event", "functions/rebase.sql",
		`e.ev_owner is null and e.ev_id`, `e.ev_id`, "TestEngineRebase_KeepsRetriesThatCameBackBeforeIt"},
	{"a repeated id does not make an event an old one", "functions/rebase.sql",
		`or e.ev_txid < pgque._row_xid(e.xmin) and`, `or`, "TestEngineRebase_WithoutTheSequencesLosesNothing"},
	{"a chosen id does not make an event an old one", "functions/rebase.sql",
		` and not %L`, ` and %L in (true, false)`, "TestEngineRebase_OfChosenIDsLosesAndDoublesNothing"},
	{"what came with the restore is known by its row", "functions/rebase.sql",
		`e.ev_txid > pgque._row_xid(e.xmin)`, `false`, "TestEngineRebase_OfChosenIDsLosesAndDoublesNothing"},
	{"a tick from outside waits for the repair", "functions/ticker.sql",
		`    perform pgque._check_server(v_queue, v_last);
`, ``, "TestEngineRebase_OfChosenIDsLosesAndDoublesNothing"},
	{"rotation waits for the repair", "functions/maint_rotate_tables.sql",
		`if pgque._is_restored(i_queue_id) then`, `if false then`, "TestEngineRebase_NothingIsEmptiedBeforeIt"},
	{"a queue that fails does not stop ticker()", "functions/ticker.sql",
		`when others then
                tick_id := null;`, `when division_by_zero then
                tick_id := null;`, "TestEngineTicker_AndMaintGoOnAfterAFailureOnOneQueue"},
	{"a queue of another cluster does not stop the others", "functions/ticker.sql",
		`when others then
                tick_id := null;`, `when division_by_zero then
                tick_id := null;`, "TestEngineRebase_OneRestoredQueueDoesNotStopTheOthers"},
	{"a sequence that fell behind is raised", "functions/ticker.sql",
		`if v_waiting < 0 or`, `if false and`, "TestEngineSequence_OfEventsThatFellBehindLosesNothing"},
	{"a sequence that caught up again is noticed", "functions/ticker.sql",
		`if v_waiting < 0 or (v_last.tick_time < pg_postmaster_start_time() and pgque._has_repeated_ids(i_queue, v_last)) then`,
		`if v_waiting < 0 then`, "TestEngineSequence_ThatCaughtUpBeforeTheTickLosesNothing"},
	{"tick ids rise, whatever their sequence says", "functions/ticker.sql",
		`if v_id <= i_last_id then`, `if false then`, "TestEngineSequence_OfTicksThatFellBehindDoesNotStopTheQueue"},
	{"ticks from outside rise", "functions/ticker.sql",
		`if i_tick_id <= v_last.tick_id then`, `if false then`, "TestEngineTicker_PausedAndExternalQueues"},

	{"a tick that cannot be announced is a tick", "functions/ticker.sql",
		`case when pg_notification_queue_usage() < 0.9 then`, `case when true then`, "TestEngineTick_GoesOnWhenNotificationsPileUp"},
	{"a number of events makes a tick due", "functions/ticker.sql",
		`return i_waiting >= i_queue.queue_ticker_max_count or`, `return`, "TestEngineTicker_FollowsItsSettings"},

	// cursors and pages
	{"a cursor is locked before it moves", "functions/cursor.sql",
		`order by sub_no desc, sub_gen desc limit 1
    for no key update;`, `order by sub_no desc, sub_gen desc limit 1;`, "TestEngineReceive_TwoAtOnceGetTheSamePage"},
	{"windows without events are passed over", "functions/receive.sql",
		`v_sub := pgque._finished_window(v_sub);`, `v_sub := pgque._finished_window(v_sub); exit;`, "TestEngineReceive_PassesOverEmptyWindows"},
	{"a page has a message at least", "functions/receive.sql",
		`if i_max_return < 1 then`, `if false then`, "TestEngineReceive_RefusesPagesOfNothing"},
	{"a page that is handed out again is not longer", "functions/readers.sql",
		`elsif v_sub.sub_page_end is not null then`, `elsif false then`, "TestEngineNextPage_EveryEventOnceThoughIDsHaveGaps"},
	{"a gap between ids is not the end", "functions/readers.sql",
		`if not found and v_to < v_high then`, `if false then`, "TestEngineNextPage_EveryEventOnceThoughIDsHaveGaps"},
	{"events with ids below the window's are read", "functions/readers.sql",
		` or pgque._is_late(v_window, v_from)`, ``, "TestEngineNextPage_BringsWhatReceiveBrings"},
	{"events for one subscription are read", "functions/readers.sql",
		`ev_owner = v_window.owner and ev_txid >= v_window.first_xid)`, `false)`, "TestEngineNextPage_BringsWhatReceiveBrings"},
	{"a page that comes again is not longer", "functions/receive.sql",
		`elsif i_sub.sub_page_end is not null then`, `elsif false then`, "TestEnginePage_OfTwoWorkersIsNotLongerThanTheFirstOnesShare"},
	{"a page behind an empty one has another id", "functions/receive.sql",
		`v_sub := pgque._passed_page(i_sub);`, ``, "TestEnginePage_ThatIsEmptyIsPassed"},
	{"an empty page is passed, to the one behind it", "functions/readers.sql",
		`        if found then
            return;
        end if;
        v_sub := pgque._passed_page(v_sub); -- every message was taken off it`, `        return;`, "TestEnginePage_ThatIsEmptyIsPassed"},
	{"a page that was turned is not turned again", "functions/next_page.sql",
		`elsif v_sub.sub_batch is distinct from i_batch_id or v_sub.sub_page_end is null then`,
		`elsif v_sub.sub_page_end is null then`, "TestEngineTurnPage_OpensWhatWasRead"},
	{"turning a page once more is no mistake", "functions/next_page.sql",
		`if v_sub.sub_batch = i_next_batch_id and v_sub.sub_page_end = i_page_end then`, `if false then`, "TestEngineTurnPage_OpensWhatWasRead"},
	{"a page is turned by one of two workers", "functions/next_page.sql",
		`v_sub.sub_no := i_batch_id % 4194304;
    v_sub := pgque._lock_subscription(v_sub);
    if v_sub.sub_batch = i_next_batch_id`,
		`v_sub := pgque._find_batch(i_batch_id);
    if v_sub.sub_batch = i_next_batch_id`, "TestEngineTurnPage_OneOfTwoWorkersGoesOn"},
	{"a page of an end before its beginning is none", "functions/next_page.sql",
		`coalesce(i_page_end, v_sub.sub_page_end) <= v_sub.sub_page_end`, `false`, "TestEngineTurnPage_RefusesWhatIsNoPageBehind"},
	{"nobody reads on by himself in a window of others than fresh events", "functions/readers.sql",
		`    v_window := pgque._window(v_sub);
    {is_mixed};
    if not v_mixed then`, `    v_window := pgque._window(v_sub);
    if true then`, "TestEngineNextPage_BringsWhatReceiveBrings"},
	{"a page that is not open is not finished", "functions/next_page.sql",
		`v_sub.sub_batch is distinct from i_batch_id or v_sub.sub_queue`, `v_sub.sub_queue`, "TestEngineNextPage_AStaleBatchChangesNothing"},
	{"pull reads what ran at the last tick", "functions/pull.sql",
		`if cardinality(v_running) > 0 then`, `if false then`, "TestEnginePull_BringsWhatATickAndReceiveBring"},
	{"pull reads what the last tick's snapshot did not name", "functions/pull.sql",
		`pgque._xids(pg_snapshot_xmax(v_last), v_last_xid)`, `pgque._xids(v_last_xid, v_last_xid)`, "TestEnginePull_BringsWhatATickAndReceiveBring"},
	{"pull looks for what was put back when its tick is made", "functions/pull.sql",
		`and not ({has_owned}) then`, `then`, "TestEnginePull_SeesWhatWasPutBackMeanwhile"},
	{"pull looks for chosen ids when its tick is made", "functions/pull.sql",
		` and not queue_foreign_ids`, ``, "TestEnginePull_SeesAChosenIDMeanwhile"},
	{"a page is pulled by one of two workers", "functions/pull.sql",
		`and sub_batch = i_batch_id and sub_role`, `and sub_role`, "TestEnginePull_OneOfTwoWorkersGoesOn"},
	{"no group is pulled for", "functions/pull.sql",
		`and sub_role = 'normal';`, `;`, "TestEnginePull_OfAConsumerThatBecameAGroupMeanwhile"},
	{"pull in a transaction that has sent takes care", "functions/pull.sql",
		`and pg_current_xact_id_if_assigned() is null and`, `and`, "TestEnginePull_InTheSendersTransactionLosesNothing"},
	{"a full page ends at its last event", "functions/pull.sql",
		`if v_rows = i_max_return then`, `if false then`, "TestEnginePull_EveryEventOnceInPagesOfAnySize"},
	{"a full page is not the last one", "functions/pull.sql",
		`sub_page_last = v_rows < i_max_return`, `sub_page_last = true`, "TestEnginePull_EveryEventOnceInPagesOfAnySize"},
	{"pull ends a window before the next one", "functions/pull.sql",
		`and s.sub_page_last and`, `and`, "TestEnginePull_InTheMiddleOfAWindowReadsItToItsEnd"},
	{"pull knows where the window ended", "functions/pull.sql",
		`and s.sub_next_tick = l.tick_id`, ``, "TestEnginePull_AfterTicksOfOthersMissesNothing"},
	{"pull suspects a sequence after a start of the server", "functions/pull.sql",
		`          and l.tick_time >= pg_postmaster_start_time()
`, ``, "TestEnginePull_WithSequencesThatFellBehindLosesNothing"},
	{"pull suspects a sequence of ticks", "functions/pull.sql",
		`and pg_sequence_last_value('{tick_seq}'::regclass) >= l.tick_id`, ``, "TestEnginePull_WithSequencesThatFellBehindLosesNothing"},
	{"pull suspects ticks of another server", "functions/pull.sql",
		`          and not pgque._is_from_elsewhere(l.row_xmin, l.tick_snapshot, l.tick_next_xid)
`, ``, "TestEnginePull_OfTicksOfAnotherServerIsRefused"},
	{"pull leaves a paused queue alone", "functions/pull.sql",
		`and not queue_ticker_paused `, ``, "TestEnginePull_LeavesQueuesThatOthersTickAlone"},
	{"pull leaves a queue alone that is ticked from outside", "functions/pull.sql",
		`and not queue_external_ticker `, ``, "TestEnginePull_LeavesQueuesThatOthersTickAlone"},
	{"pull is for one's own queue", "functions/pull.sql",
		`and s.sub_queue = {id} `, ``, "TestEnginePull_Refuses"},
	{"pull is for no slot", "functions/pull.sql",
		`and s.sub_slot is null`, ``, "TestEnginePull_Refuses"},
	{"pull is for no member", "functions/pull.sql",
		`and s.sub_role = 'normal' `, ``, "TestEnginePull_Refuses"},
	{"an idle queue is not ticked by pull", "functions/pull.sql",
		`l.tick_event_seq < v_mark and`, ``, "TestEnginePull_TellsOfATickWithoutMessages"},
	{"a tick is announced by pull", "functions/pull.sql",
		`, pgque._announce({name}, tick_id::text)
        into v_tick, v_next, v_high, v_told;`, `
        into v_tick, v_next, v_high;`, "TestEnginePull_Announces"},
	{"batch ids are not used again", "functions/receive.sql",
		`v_page.sub_batch := pgque._new_batch_id(v_sub.sub_no);`, `v_page.sub_batch := 4194304 + v_sub.sub_no;`, "TestEnginePage_ComesAgainUntilItIsAcked"},
	{"a cursor is searched from its latest generation downwards", "functions/cursor.sql",
		`order by sub_queue desc, sub_consumer desc, sub_gen desc limit 1`, `order by sub_queue, sub_consumer, sub_gen limit 1`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowConsumersDown"},
	{"numbers of cursors are not used twice", "functions/cursor.sql",
		`exit when not exists (select from pgque.subscription where sub_no = v_no);`, `exit;`, "TestEngineSubscribe_NoCursorHasTheNumberOfAnother"},
	{"who subscribes a known name locks it", "functions/subscribe.sql",
		`update pgque.consumer set co_name = co_name where co_name = i_consumer returning co_id into v_id;`,
		`select co_id into v_id from pgque.consumer where co_name = i_consumer;`, "TestEngineSubscribe_ManyAtOnceExactlyOneIsNew"},
	{"to subscribe again takes no number", "functions/subscribe.sql",
		`if not found then -- an insert`, `if true then -- an insert`, "TestEngineSubscribe_AgainDrawsNoNumber"},
	{"of many that subscribe at once one is new", "functions/subscribe.sql",
		`on conflict (co_name) do update set co_name = c.co_name`, ``, "TestEngineSubscribe_ManyAtOnceExactlyOneIsNew"},

	{"what is locked is read after the lock", "functions/receive.sql",
		`    v_sub := pgque._lock_subscription(v_sub);
    if`, `    perform pgque._lock_subscription(v_sub);
    if`, "TestEngineReceive_DuringAnUncommittedAckWaitsAndGoesOn"},
	{"a consumer that has become a group has no page", "functions/receive.sql",
		`    perform pgque._check_normal(v_sub);
    return v_sub;`, `    return v_sub;`, "TestEngineReceive_OfAConsumerThatBecomesAGroupIsRefused"},
	{"a consumer that has become a group has no batch", "functions/next_batch.sql",
		`    perform pgque._check_normal(v_sub);
`, ``, "TestEngineReceive_OfAConsumerThatBecomesAGroupIsRefused"},
	{"ids decide the order", "functions/window.sql",
		`as events order by ev_id, ev_retry nulls first limit {limit}`, `as events order by ev_txid limit {limit}`, "TestEngineWindow_ComesInTheOrderOfIDsWhateverTheTransactions"},
	{"finish_batch closes the window", "functions/finish_batch.sql",
		`pgque._finished_window(v_sub)`, `pgque._closed_page(v_sub)`, "TestEngineFinishBatch_ClosesTheWholeWindow"},
	{"a cursor of a name that is open is closed", "functions/get_batch_cursor.sql",
		`if exists (select from pg_cursors`, `if false and exists (select from pg_cursors`, "TestEngineNextBatchCustom_WaitsForItsWishes"},
	{"wishes are waited for", "functions/next_batch.sql",
		`      and tick_event_seq - v_start.tick_event_seq >= coalesce(i_min_count, 0)
`, ``, "TestEngineCoop_WishesForABatchAreWaitedFor"},
	{"a replay is for one consumer", "functions/replay.sql",
		`select ev_time, $1, ev_type`, `select ev_time, $1 * null::integer, ev_type`, "TestEngineReplay_ReachesOneConsumerOnly"},

	// messages that failed
	{"all retries that are due are moved", "functions/maint_retry_events.sql",
		`exit when v_moved = 0;
        v_total := v_total + v_moved;`, `v_total := v_total + v_moved; exit;`, "TestEngineMaintRetryEvents_MovesMoreThanItTakesAtATime"},
	{"a queue that fails does not keep the others' events", "functions/maint_retry_events.sql",
		`when others then`, `when division_by_zero then`, "TestEngineSendAt_ABrokenQueueDoesNotStopTheOthers"},
	{"tables of waiting events are written anew", "functions/maint.sql",
		`if v_dead < 5000 or`, `if true or`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowMaintenanceDown"},
	{"nack reads the message, not the batch", "functions/put_back.sql",
		`greatest(pgque._batch_from(i_sub), greatest((select min(id) from unnest(i_ids) as id), -9223372036854775807) - 1)`, `pgque._batch_from(i_sub)`, "TestEngineNack_DoesNotReadTheWholeBatch"},
	{"a retry that came back is not put back again", "functions/put_back.sql",
		`and not pgque._is_retried(v_queue, i_sub.sub_id, f.ev_id, coalesce(f.ev_retry, 0) + 1)`, ``, "TestEngineNack_RepeatedAfterACrashDoesNotMultiplyTheEvent"},
	{"a nack is for a message of the page", "functions/window.sql",
		`select coalesce(i_sub.sub_page_end, 9223372036854775807)`, `select 9223372036854775807`, "TestEnginePage_ComesAgainUntilItIsAcked"},
	{"a nack is for a message of the batch", "functions/nack.sql",
		`array[false]) = 0 then`, `array[false]) < 0 then`, "TestEngineNack_BelievesTheQueueNotTheCaller"},
	{"a page is settled as a whole or not", "functions/settle.sql",
		`< (select count(distinct coalesce(id, -1)) from unnest(i_msg_ids) as id) then`, `< 0 then`, "TestEngineSettle_AllOrNothing"},
	{"retries are used up", "functions/put_back.sql",
		`>= coalesce(v_queue.queue_max_retries, 5)`, `> coalesce(v_queue.queue_max_retries, 5)`, "TestEngineDeadLetter_RetriesUsedUp"},
	{"deaths of a worker are counted", "functions/begin_message.sql",
		`coalesce(max(sub_begun_times), 0) + 1`, `1`, "TestEngineBeginMessage_CountsUntilThePageIsFinished"},
	{"deaths are counted on after a takeover", "functions/begin_message.sql",
		`or sub_begun_tick = v_sub.sub_last_tick`, `or false`, "TestEngineBeginMessage_CountsOnAfterATakeover"},
	{"a message dies once", "functions/put_back.sql",
		`on conflict (dl_queue_id, dl_consumer_id, ev_id) do nothing`, ``, "TestEngineNack_RepeatedAtTheLastRetryMakesOneDeadLetter"},
	{"dead letters belong to the group", "functions/put_back.sql",
		`if i_sub.sub_role <> 'coop_member' then`, `if true then`, "TestEngineCoop_DeadLettersBelongToTheGroup"},
	{"a replay is for the consumer of the dead letter", "functions/dead_letter.sql",
		`null, null, v_owner, null, i_letter.ev_type`, `null, null, null, null, i_letter.ev_type`, "TestEngineDeadLetter_IsReplayedForItsConsumerOnly"},
	{"a dead letter is replayed by one", "functions/dead_letter.sql",
		`where dl_id = i_dead_letter_id for update;`, `where dl_id = i_dead_letter_id;`, "TestEngineDeadLetter_TwoReplaysAtOnceMakeOne"},

	{"who replays all waits for nobody", "functions/dead_letter.sql",
		`order by dl_id for update skip locked`, `order by dl_id for update`, "TestEngineDeadLetter_ReplayAllPassesOverThoseThatAreBeingReplayed"},
	{"a dead letter without a receiver does not stop the others", "functions/dead_letter.sql",
		`if pgque._owner(v_letter) is null then`, `if false then`, "TestEngineDeadLetter_OfAGoneConsumerStays"},

	// queues, names, settings
	{"of two that create a queue one does", "functions/create_queue.sql",
		`on conflict (queue_name) do nothing;
    if not found then
        return 0;
    end if;`, `;`, "TestEngineCreateQueue_TwoAtOnceMakeOne"},
	{"the channel of a queue fits into an identifier", "functions/create_queue.sql",
		`octet_length(i_queue_name) > 57 then`, `length(i_queue_name) > 57 then`, "TestEngineNames_MustNotBeEmptyOrTooLong"},
	{"names are not empty", "functions/create_queue.sql",
		`if i_queue_name is null or i_queue_name = '' then`, `if i_queue_name is null then`, "TestEngineNames_MustNotBeEmptyOrTooLong"},
	{"a forced drop does not wait", "functions/drop_queue.sql",
		`for update nowait;`, `for update skip locked;`, "TestEngineDropQueue_NeedsForceAndLeavesNothing"},
	{"a drop waits for senders", "functions/drop_queue.sql",
		`perform pg_advisory_xact_lock(pgque._lock_class('send'), hashtext(i_queue));`, `null;`, "TestEngineDropQueue_SendersAreWaitedForOrToldSo"},
	{"senders wait for a drop", "functions/insert_event.sql",
		`, pg_advisory_xact_lock_shared(pgque._lock_class('send'), hashtext(i_queue))`, ``, "TestEngineDropQueue_SendersAreWaitedForOrToldSo"},
	{"a sender with an old snapshot is told of a drop", "functions/insert_event.sql",
		`to_regclass(v_table) is null`, `false`, "TestEngineDropQueue_SendersAreWaitedForOrToldSo"},
	{"a name that is being subscribed stays", "functions/drop_queue.sql",
		`for update skip locked);`, `);`, "TestEngineDropQueue_LeavesConsumersThatOthersAreSubscribing"},
	{"a forced drop takes groups along", "functions/drop_queue.sql",
		`delete from pgque.subscription where sub_queue = v_queue.queue_id;`,
		`perform pgque.unregister_consumer(x_queue_name, co_name) from pgque.consumer where co_id = any (v_consumers);`, "TestEngineCoop_WrongUsesAreRefused"},
	{"send_at knows its queue", "functions/send_at.sql",
		`pgque._queue(i_queue)`, `(select q from pgque.queue q where queue_name = i_queue)`, "TestEngineSendAt_IsDeliveredWhenItsTimeHasCome"},

	{"settings make sense", "functions/set_queue_config.sql",
		`if i_value::integer < 1 then`, `if false then`, "TestEngineConfig_BadValuesAreRefusedByName"},
	{"no period lasts for ever", "functions/set_queue_config.sql",
		`perform pgque._check_span(i_param, i_value::interval);`, `null;`, "TestEngineConfig_BadValuesAreRefusedByName"},
	{"chosen ids leave room for others", "functions/insert_event.sql",
		`if i_id not between 1 and 4611686018427387904 then`, `if false then`, "TestEngineInsertEventRaw_WithIDsOfItsOwnIsDelivered"},
	{"sequences of others are not the engine's", "functions/compat.sql",
		`    perform pgque._check_sequence(i_seq_name);
`, ``, "TestEngineSecurity_SequencesOfOthersStayAsTheyAre"},
	{"ticks from outside count on", "functions/ticker.sql",
		`elsif i_event_seq < v_last.tick_event_seq then`, `elsif false then`, "TestEngineTicker_PausedAndExternalQueues"},
	{"uninstalling stops the jobs", "functions/lifecycle.sql",
		`    perform pgque.stop();
    set local`, `    set local`, "TestEngineUninstall_StopsItsJobsOrStays"},
	{"jobs are single statements", "functions/lifecycle.sql",
		`'call pgque.ticker_loop()'`, `'begin; call pgque.ticker_loop()'`, "TestEngineLifecycle_WithAScheduler"},
	{"maintenance runs nobody else's functions", "functions/maint.sql",
		`    return pgque._complete_rotation`, `    perform public.hook(queue_name) from pgque.queue where queue_extra_maint is not null;
    return pgque._complete_rotation`, "TestEngineMaint_RunsNobodyElsesFunctions"},

	// several workers
	{"a group may scale to zero and back", "functions/register_subconsumer.sql",
		`v_main.sub_was_coop := true;`, ``, "TestEngineCoop_ScalesToZeroAndBack"},
	{"windows of a group are handed out one by one", "functions/receive_coop.sql",
		`v_main := pgque._lock_subscription(pgque._find_by_name(v_queue.queue_id, i_consumer));`,
		`v_main := pgque._find_by_name(v_queue.queue_id, i_consumer);`, "TestEngineCoop_TwoAtOnceGetDifferentWindows"},
	{"a member is dead when it was silent for long", "functions/receive_coop.sql",
		` and i_member.sub_active < clock_timestamp() - i_dead_interval`, ``, "TestEngineCoop_DeadMembersWindowIsTakenOverUnderAFreshID"},
	{"a member is not alive in the future", "functions/receive_coop.sql",
		`elsif v_member.sub_active > clock_timestamp() then`, `elsif false then`, "TestServerClock_SetBackADeadMembersBatchIsTakenOverInTime"},
	{"a member that holds a batch cannot leave unasked", "functions/register_subconsumer.sql",
		`if i_batch_handling = 0 then`, `if false then`, "TestEngineCoop_ScalesToZeroAndBack"},
	{"a batch that was taken over is nobody else's", "functions/receive_coop.sql",
		`perform pgque._store_cursor(pgque._finished_window(v_victim));`, `null;`, "TestEngineCoop_DeadMembersWindowIsTakenOverUnderAFreshID"},
	{"a member that resigns is not waited for", "functions/register_subconsumer.sql",
		`v_member.sub_active := pgque._resigned();`, ``, "TestEngineCoop_BatchOfAMemberThatResignsIsTakenOverAtOnce"},
	{"what a member leaves behind is the group's", "functions/register_subconsumer.sql",
		`perform pgque._put_back_rest(v_member, 60, 'subconsumer unregistered');`, ``, "TestEngineCoop_UnfinishedWorkGoesToTheGroup"},
	{"claiming a slot never waits", "functions/slot.sql",
		`for no key update skip locked;`, `for no key update;`, "TestEnginePartition_AClaimNeverWaits"},
	{"members are searched from their latest generation downwards", "functions/cursor.sql",
		`from living where (living.sub).sub_no is not null)
        select sub from living where (sub).sub_no is not null);`, `from living where false)
        select s from pgque.subscription s where s.sub_queue = i_queue_id);`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowGroupsDown"},
	{"a member that is locked is not searched for further", "functions/receive_coop.sql",
		`pgque._try_lock_subscription(v_member)`, `pgque._lock_subscription(v_member)`, "TestEngineCoop_ASilentMemberThatIsAtWorkIsNotWaitedFor"},
	{"slots are searched from their latest generation downwards", "functions/slot.sql",
		`order by queue_id desc, co_name desc, slot desc, gen desc limit 1;`, `order by queue_id, co_name, slot, gen limit 1;`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowLeasesDown"},
	{"a slot that is locked is not searched for further", "functions/slot.sql",
		`gen >= i_slot.gen`, `true`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowLeasesDown"},
	{"a slot is made once", "functions/subscribe_slot.sql",
		`pgque._lock_consumer(i_consumer || '#' || i_slot)`, `(select co_id from pgque.consumer where co_name = 'c')`, "TestEnginePartition_TwoThatBringASlotBackMakeOne"},
	{"nobody is not the holder of a lease", "functions/slot.sql",
		`lease_owner is distinct from i_worker`, `lease_owner <> i_worker`, "TestEnginePartition_LeaseIsExclusiveAndFencesZombies"},
	{"a lease with an open batch is not given up", "functions/claim_slot.sql",
		`.sub_batch is not null then`, `.sub_batch is null and false then`, "TestEnginePartition_LeaseIsExclusiveAndFencesZombies"},
	{"slots are behind their lease", "functions/cursor.sql",
		`if i_sub.sub_slot is not null then`, `if false then`, "TestEnginePartition_WrongUsesAreRefused"},
	{"slots of negative hashes are slots", "functions/window.sql",
		`((coalesce(hashtextextended(ev_extra1, 0), 0) % {slots}) + {slots}) % {slots}`, `coalesce(hashtextextended(ev_extra1, 0), 0) % {slots}`, "TestEnginePartition_EachKeyIsInOneSlotAndInOrder"},

	// keys
	{"keys expire by the clock", "functions/send_idem.sql",
		`expires_at > clock_timestamp() limit 1`, `expires_at > now() limit 1`, "TestEngineSendIdem_CountsTheTimeOfTheClock"},
	{"senders of one key wait for each other", "functions/send_idem.sql",
		`perform pg_advisory_xact_lock(pgque._lock_class('idem')`, `perform pg_advisory_xact_lock_shared(pgque._lock_class('idem')`, "TestEngineSendIdem_TwoAtOnce"},
	{"keys are forgotten by truncation", "functions/send_idem.sql",
		`execute 'truncate pgque.idem_' || 1 - v_current;`, `null;`, "TestEngineSendIdem_KeysAreReclaimedByTruncation"},

	// who may do what
	{"PUBLIC may execute nothing", "seal.sql",
		`revoke all on all functions in schema pgque from public;`, ``, "TestEngineSecurity_PublicHasNothing"},
	{"payloads are for readers", "functions/create_queue.sql",
		`execute format('grant select on %s to pgque_reader', i_table);`, `execute format('grant select on %s to public', i_table);`, "TestEngineSecurity_PayloadsAreForReaders"},
	{"temporary tables come last", "functions/subscribe.sql",
		`set search_path = pgque, pg_catalog, pg_temp`, `set search_path = pgque, pg_catalog`, "TestEngineSecurity_DefinersPinTheirPath"},
	{"readers do not send", "functions/send.sql",
		`'pgque_writer'`, `'pgque_reader'`, "TestEngineSecurity_EachRoleMayDoItsPart"},
	{"readers and writers are siblings", "roles.sql",
		`execute format('grant %I to pgque_admin', v_role);`, `execute format('grant %I to pgque_admin', v_role); grant pgque_reader to pgque_writer;`, "TestEngineSecurity_EachRoleMayDoItsPart"},
	{"helpers are for nobody", "seal.sql",
		`and p.proname not like '\_%'`, ``, "TestEngineSecurity_HelpersAreForNobody"},

	// what an operator is told
	{"a queue at rest is no alarm", "functions/status.sql",
		`return coalesce(v_sent < v_expected, false);`, `return true;`, "TestEngineStatus_IsAnAlarmWhenSomebodyWaits"},
	{"who committed late waits too", "functions/status.sql",
		`using array(select pg_snapshot_xip(v_last.tick_snapshot))`, `using '{}'::xid8[]`, "TestEngineStatus_SeesWhatWasCommittedAfterTheLastTick"},

	{"who looks at consumers does not look at what they were", "functions/get_consumer_info.sql",
		`cross join lateral unnest(pgque._subscriptions(q.queue_id)) s`, `join pgque.subscription s on s.sub_queue = q.queue_id`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowMonitoringDown"},
	{"who looks at slots does not look at what they were", "functions/get_slot_info.sql",
		`cross join lateral unnest(pgque._slots(c.queue_id, c.co_name)) p`,
		`join pgque.partition_slot p on p.queue_id = c.queue_id and p.co_name = c.co_name`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowMonitoringDown"},
	{"consumers are counted without what they were", "functions/status.sql",
		`select coalesce(sum(cardinality(pgque._subscriptions(queue_id))), 0)::text from pgque.queue`, `select count(*)::text from pgque.subscription`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowMonitoringDown"},
	{"whether anybody reads is seen at the latest generation", "functions/status.sql",
		`order by sub_queue desc, sub_consumer desc, sub_gen desc limit 1`, `order by sub_queue, sub_consumer, sub_gen limit 1`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowMonitoringDown"},
	{"a message that is begun is a change of the cursor", "functions/begin_message.sql",
		`perform pgque._store_cursor(v_sub);`, `update pgque.subscription set sub_begun_batch = i_batch_id, sub_begun_tick = v_sub.sub_last_tick, sub_begun_id = i_msg_id,
        sub_begun_times = v_times where sub_no = v_sub.sub_no and sub_gen = v_sub.sub_gen;`, "TestEngineHorizon_AnOldSnapshotDoesNotSlowMonitoringDown"},

	// installation
	{"an upgrade brings columns", "upgrade/columns.sql",
		`('subscription', 'sub_slot', 'integer'),`, ``, "TestEngineUpgrade_IsWhatAFreshInstallationIs"},
	{"an upgrade brings indexes", "upgrade/queues.sql",
		`perform pgque._index_event_table(queue_data_pfx)`, `perform 1`, "TestEngineUpgrade_IsWhatAFreshInstallationIs"},
	{"an upgrade is the owner's", "upgrade/owner.sql",
		`execute format('set local role %I', v_owner);`, `null;`, "TestEngineUpgrade_LeavesEverythingToItsOwner"},
	{"an upgrade waits in turns", "upgrade/columns.sql",
		`perform set_config('lock_timeout', '200ms', true);`, ``, "TestEngineUpgrade_WaitsForAnOpenTransactionWithoutBarringOthers"},
}

// TestMutants_AreNoticed breaks every rule, each in an engine of its own. Without -mutants
// it only shows that the tests which the rules rely on are there, and that the rules stand
// where they are broken.
func TestMutants_AreNoticed(t *testing.T) {
	tests := testNames(t)
	var lab *laboratory
	if *killMutants {
		lab = newLaboratory(t)
		t.Run("whole_engine", lab.proveTests)
	}
	for _, m := range mutants {
		t.Run(strings.ReplaceAll(m.rule, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if !tests[m.test] {
				t.Errorf("there is no %s", m.test)
			}
			if text := readFile(t, filepath.Join("..", "engine", m.file)); !bytes.Contains(text, []byte(m.keep)) {
				t.Fatalf("%s does not say %q", m.file, m.keep)
			}
			if lab != nil {
				lab.kill(t, m)
			}
		})
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob("../*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllSubmatch(readFile(t, file), -1) {
			names[string(match[1])] = true
		}
	}
	return names
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// laboratory has the compiled tests of package pgque, which run with any engine.
type laboratory struct {
	binary string
}

func newLaboratory(t *testing.T) *laboratory {
	t.Helper()
	lab := &laboratory{binary: filepath.Join(t.TempDir(), "pgque.test")}
	if output, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", lab.binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return lab
}

// proveTests shows that all the tests pass with an engine that is whole: one that fails
// with every engine would notice nothing.
func (l *laboratory) proveTests(t *testing.T) {
	t.Parallel()
	var tests []string
	for _, m := range mutants {
		tests = append(tests, m.test)
	}
	if output, err := l.run(t, newEngine(t), strings.Join(tests, "|")); err != nil {
		t.Errorf("%v with the engine as it is:\n%s", err, output)
	}
}

// kill runs the test of a rule without the rule. It has to fail, and for a reason of its
// own.
func (l *laboratory) kill(t *testing.T, m mutant) {
	t.Helper()
	engine := newEngine(t)
	file := filepath.Join(engine, "engine", m.file)
	if err := os.WriteFile(file, bytes.ReplaceAll(readFile(t, file), []byte(m.keep), []byte(m.broke)), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := l.run(t, engine, m.test)
	if err == nil {
		t.Errorf("%s passes without the rule", m.test)
	} else if !bytes.Contains(output, []byte("--- FAIL: "+m.test)) {
		t.Errorf("%v, but not the test's failure:\n%s", err, output)
	}
}

// newEngine is a copy of the engine, in a directory for PGQUE_TEST_ENGINE.
func newEngine(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "engine"), os.DirFS(filepath.Join("..", "engine"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (l *laboratory) run(t *testing.T, engine, tests string) (output []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	test := exec.CommandContext(ctx, l.binary, "-test.failfast", "-test.run", "^("+tests+")$")
	test.Dir = ".."
	test.Env = append(os.Environ(), "PGQUE_TEST_ENGINE="+engine)
	test.WaitDelay = time.Second // its own child may outlive it
	return test.CombinedOutput()
}
