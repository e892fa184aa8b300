package pgque_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Each of these tests forces the one interleaving, or the one configuration, in
// which a plausible engine of this model loses, doubles or delays events.

func TestEngineSend_HasItsTransactionIDBeforeItWaitsForItsTable(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	locker, producer := e.newSession(), e.newSession()
	locker.exec(`begin; lock table pgque.event_1_0 in share mode`)
	sent := producer.start(`select pgque.send('q', '1')`)
	e.awaitLock(producer)
	if e.int(`select count(*) from pg_stat_activity where pid = $1 and backend_xid is not null`, producer.conn.PgConn().PID()) != 1 {
		t.Error("the sender looked its table up before it had a transaction id")
	}
	locker.exec(`commit`)
	producer.finish(sent)
}

func TestEngineSend_ThatWaitsThroughARotationIsDelivered(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	locker, producer := e.newSession(), e.newSession()
	locker.exec(`begin; lock table pgque.event_1_0 in share mode`)
	sent := producer.start(`select pgque.send('q', 'late')`)
	e.awaitLock(producer)
	if !e.rotate("q") {
		t.Fatal("no rotation")
	}
	locker.exec(`commit`)
	producer.finish(sent)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "late")
}

func TestEngineSend_WithASnapshotOlderThanARotationIsDelivered(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			producer := e.newSession()
			producer.exec(`begin isolation level ` + level + `; select 1 from pgque.queue`)
			if !e.rotate("q") {
				t.Fatal("no rotation")
			}
			e.tick("q")
			producer.exec(`select pgque.send('q', 'old snapshot')`)
			producer.exec(`commit`)
			e.tick("q")
			e.expect(e.drain("q", "c", 10), "old snapshot")
		})
	}
}

func TestEngineRotation_KeepsATableThatHoldsUnreadEvents(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	producer := e.newSession()
	producer.exec(`begin isolation level repeatable read; select 1 from pgque.queue`)
	e.rotate("q") // to table 1
	e.rotate("q") // to table 2
	e.tick("q")
	e.exec(`select pgque.receive('q', 'c')`)
	producer.exec(`select pgque.send('q', 'in table 0')`)
	producer.exec(`commit`)
	e.tick("q")
	if e.rotate("q") {
		t.Error("table 0 was emptied")
	}
	e.expect(e.drain("q", "c", 10), "in table 0")
	if !e.rotate("q") {
		t.Error("table 0 is kept though nobody needs it")
	}
}

func TestEngineReceive_DuringAnUncommittedAckWaitsAndGoesOn(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other, third := e.newSession(), e.newSession()
	for _, payload := range []string{"1", "2"} {
		e.exec(`select pgque.send('q', $1::text)`, payload)
		e.tick("q")
	}
	page := e.receive("q", "c", 10)
	e.exec(`begin`)
	e.ack(page[0].Batch)
	ended := other.start(`create temp table got as select payload from pgque.receive('q', 'c', 10)`)
	third.awaitLock(other)
	e.exec(`commit`)
	other.finish(ended)
	if got := query1[string](t, other.conn, `select string_agg(payload, ' ') from got`); got != "2" {
		t.Errorf("received %q, expected the second window", got)
	}
}

func TestEngineReceive_TwoAtOnceGetTheSamePage(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other, third := e.newSession(), e.newSession()
	e.exec(`select pgque.send_batch('q', array['1', '2', '3'])`)
	e.tick("q")
	e.exec(`begin`)
	mine := e.receive("q", "c", 2)
	ended := other.start(`create temp table got as select * from pgque.receive('q', 'c', 2)`)
	third.awaitLock(other)
	e.exec(`commit`)
	other.finish(ended)
	theirs := other.messages(`got`)
	if len(theirs) != 2 || theirs[0].Batch != mine[0].Batch {
		t.Errorf("pages %v and %v", mine, theirs)
	}
}

func TestEngineTicker_TwoAtOnceMakeOneTick(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	e.exec(`select pgque.send('q', '1')`)
	e.exec(`begin`)
	if e.int(`select pgque.tick_queue('q')`) != 2 {
		t.Fatal("no tick")
	}
	other.exec(`select pgque.send('q', '2')`)
	other.isNull(`select pgque.tick_queue('q')`)
	other.exec(`select pgque.force_next_tick('q')`)
	other.isNull(`select pgque.ticker('q')`)
	if n := other.int(`select pgque.ticker()`); n != 0 {
		t.Errorf("the second ticker ticked %d queues", n)
	}
	e.exec(`commit`)
	if other.int(`select pgque.tick_queue('q')`) != 3 {
		t.Error("no tick after the first ticker was done")
	}
	e.expect(e.drain("q", "c", 10), "1", "2")
}

func TestEngineTicker_NeedsReadCommitted(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, call := range []string{`pgque.ticker()`, `pgque.ticker('q')`, `pgque.tick_queue('q')`, `pgque.tick_queues('{q}')`,
		`pgque.maint()`, `pgque.maint_queue('q')`, `pgque.maint_queues('{q}')`} {
		for _, level := range []string{"repeatable read", "serializable"} {
			e.exec(`begin isolation level ` + level)
			e.fails("PQ014", `select `+call)
			e.exec(`rollback`)
		}
	}
}

// A transaction that has an id is missing from its own snapshots.
func TestEngineTick_InTheSendersTransactionLosesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	e.exec(`begin`)
	e.exec(`select pgque.send('q', 'mine')`)
	other.exec(`select pgque.send('q', 'theirs')`) // ends after mine began
	e.exec(`select pgque.force_next_tick('q')`)
	if e.int(`select pgque.ticker()`) != 1 {
		t.Fatal("no tick")
	}
	e.expect(payloads(e.receive("q", "c", 10)), "theirs")
	e.exec(`commit`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "theirs", "mine")
}

// The sender was running when the tick was taken, with other transactions above it.
func TestEngineTick_WhileASenderRunsLosesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	sender := e.newSession()
	sender.exec(`begin; select pgque.send('q', 'early')`)
	e.exec(`select pgque.send('q', 'in between')`)
	e.tick("q")
	sender.exec(`select pgque.send('q', 'late')`)
	sender.exec(`commit`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "in between", "early", "late")
}

// No transaction above the sender's has ended: its id is not below the snapshot's
// xmax, so the snapshot does not name it as running.
func TestEngineTick_WhileTheYoungestSenderRunsLosesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	sender := e.newSession()
	sender.exec(`begin; select pgque.send('q', 'early')`)
	e.exec(`begin`)
	if e.int(`select pgque.tick_queue('q')`) != 2 {
		t.Fatal("no tick")
	}
	e.exec(`commit`)
	sender.exec(`commit`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "early")
}

func TestEngineReceive_PassesOverEmptyWindows(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for range 300 {
		e.tick("q")
	}
	e.exec(`select pgque.send('q', 'first')`)
	e.tick("q")
	for range 37 {
		e.tick("q")
	}
	e.exec(`select pgque.send('q', 'second')`)
	e.tick("q")
	for _, want := range []string{"first", "second"} {
		page := e.receive("q", "c", 10)
		e.expect(payloads(page), want)
		if len(page) > 0 {
			e.ack(page[0].Batch)
		}
	}
}

func TestEngineMaintRetryEvents_MovesAllThatIsDue(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 500) g))`)
	e.tick("q")
	page := e.receive("q", "c", 500)
	e.exec(`select pgque.batch_retry($1, 0)`, page[0].Batch)
	e.ack(page[0].Batch)
	if moved := e.int(`select pgque.maint_retry_events()`); moved != 500 {
		t.Errorf("moved %d of 500", moved)
	}
	e.exec(`select pgque.tick_queue('q')`)
	again := e.receive("q", "c", 500)
	e.expect(payloads(again), numbers(500)...)
	if again[0].Retry == nil || *again[0].Retry != 1 {
		t.Errorf("retry count %v", again[0].Retry)
	}
}

func TestEngineMaint_AloneKeepsRotating(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.set_queue_config('q', 'rotation_period', '1 microsecond')`)
	seen := map[int64]bool{}
	for range 6 {
		e.exec(`select pgque.maint()`)
		seen[e.int(`select queue_cur_table from pgque.queue`)] = true
	}
	if len(seen) != 3 {
		t.Errorf("six calls of maint used tables %v", seen)
	}
}

func TestEngineNack_DoesNotReadTheWholeBatch(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 2000) g))`)
	e.tick("q")
	page := e.receive("q", "c", 2000)
	worker := e.newSession() // whose statistics hold nothing else
	worker.exec(`begin`)
	worker.exec(`select pgque.nack($1, row($2, null, null, null, null, null, null, null, null, null)::pgque.message)`, page[0].Batch, page[999].ID)
	read := worker.int(`select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables where relname like 'event\_%'`)
	worker.exec(`commit`)
	if read > 20 {
		t.Errorf("one nack read %d events", read)
	}
}

func TestEngineTicker_AndMaintGoOnAfterAFailureOnOneQueue(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('healthy'), pgque.subscribe('healthy', 'c')`)
	e.exec(`select pgque.create_queue('paused'), pgque.set_queue_config('paused', 'ticker_paused', 'true')`)
	e.exec(`select pgque.send('healthy', '1'), pgque.send('q', '1')`)
	e.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
	e.exec(`drop table pgque.event_1 cascade; drop sequence pgque.event_1_tick_seq`)
	for _, queue := range []string{"healthy", "q"} {
		e.exec(`select pgque.force_next_tick($1)`, queue)
	}
	if ticked := e.int(`select pgque.ticker()`); ticked != 1 {
		t.Errorf("%d queues ticked", ticked)
	}
	if done := e.int(`select pgque.maint()`); done != 2 {
		t.Errorf("maint did %d things", done)
	}
	e.expect(e.drain("healthy", "c", 10), "1")
}

func TestEngineCreateQueue_TwoAtOnceMakeOne(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other, third := e.newSession(), e.newSession()
	e.exec(`begin`)
	if e.int(`select pgque.create_queue('new')`) != 1 {
		t.Error("not created")
	}
	ended := other.start(`create temp table got as select pgque.create_queue('new') as n`)
	third.awaitLock(other)
	e.exec(`commit`)
	other.finish(ended)
	if got := other.int(`select n from got`); got != 0 {
		t.Errorf("the second caller got %d", got)
	}
}

func TestEngineNames_MustNotBeEmptyOrTooLong(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, name := range []string{`''`, `null`, `repeat('x', 58)`, `repeat('é', 29)`} {
		e.fails("PQ008", fmt.Sprintf(`select pgque.create_queue(%s)`, name))
	}
	for _, name := range []string{`repeat('x', 57)`, `repeat('é', 28)`, `'a''b"c.$$'`} {
		e.exec(fmt.Sprintf(`select pgque.create_queue(%[1]s), pgque.subscribe(%[1]s, %[1]s), pgque.send(%[1]s, '1')`, name))
		e.exec(fmt.Sprintf(`select pgque.tick_queue(%s)`, name))
		if got := e.int(fmt.Sprintf(`select count(*) from pgque.receive(%[1]s, %[1]s)`, name)); got != 1 {
			t.Errorf("%s: received %d", name, got)
		}
	}
	for _, name := range []string{`''`, `null`} {
		e.fails("PQ008", fmt.Sprintf(`select pgque.subscribe('q', %s)`, name))
	}
}

func TestEngineSubscribe_ManyAtOnceExactlyOneIsNew(t *testing.T) {
	t.Parallel()
	const consumer, group = `pgque.subscribe('q', 'new')`, `pgque.register_subconsumer('q', 'new', 'm')`
	const known = `select pgque.create_queue('other'), pgque.subscribe('other', 'new')`
	for name, test := range map[string]struct{ prepare, subscribe string }{
		"consumer of a new name":   {`select`, consumer},
		"consumer of a known name": {known, consumer},
		"group of a new name":      {`select`, group},
		"group of a known name":    {known, group},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			e.exec(test.prepare)
			gate := e.newSession()
			gate.exec(`begin; select ` + test.subscribe)
			var racers []*session
			var ended []<-chan error
			for range 5 {
				racer := e.newSession()
				racers = append(racers, racer)
				ended = append(ended, racer.start(`create temp table got as select `+test.subscribe+` as n`))
				e.awaitLock(racer)
			}
			gate.exec(`rollback`)
			var total int64
			for i, racer := range racers {
				racer.finish(ended[i])
				total += racer.int(`select n from got`)
			}
			if total != 1 {
				t.Errorf("%d of them were told that they are new", total)
			}
		})
	}
}

// A worker that dies between nack and ack has its page handed out, and nacked, again.
func TestEngineNack_RepeatedAfterACrashDoesNotMultiplyTheEvent(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array['1', '2'])`)
	e.tick("q")
	for range 3 {
		page := e.receive("q", "c", 10)
		e.expect(payloads(page), "1", "2")
		e.exec(`select pgque.nack(batch_id, m, '0') from pgque.receive('q', 'c', 10) m where payload = '2'`)
		e.exec(`select pgque.maint_retry_events()`)
		e.tick("q")
	}
	e.ack(e.receive("q", "c", 10)[0].Batch)
	e.expect(e.drain("q", "c", 10), "2")
}

func TestEngineRotation_IsNotHeldUpByALongWriter(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	writer := e.newSession()
	writer.exec(`begin; create temp table busy(); select pg_current_xact_id()`)
	for range 4 {
		e.exec(`select pgque.send('q', 'x')`)
		e.tick("q")
		e.drain("q", "c", 10)
		if !e.rotate("q") {
			t.Fatal("no rotation while an old transaction runs elsewhere")
		}
	}
	writer.exec(`commit`)
}

func TestEngineWindow_ComesInTheOrderOfIDsWhateverTheTransactions(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	early := e.newSession()
	early.exec(`begin; select pg_current_xact_id()`)
	e.exec(`select pgque.send('q', 'cause')`)
	early.exec(`select pgque.send('q', 'effect')`)
	early.exec(`commit`)
	e.tick("q")
	e.expect(e.drain("q", "c", 1), "cause", "effect")
}

func TestEngineInsertEventRaw_WithIDsOfItsOwnIsDelivered(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 9) g))`)
	e.tick("q")
	e.expect(e.drain("q", "c", 4), numbers(9)...)
	e.exec(`select pgque.insert_event_raw('q', 4, null, null, null, 't', 'again', null, null, null, null)`)
	e.tick("q")
	e.expect(e.drain("q", "c", 4), "again")
	e.exec(`select pgque.send('q', 'after')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 4), "after")
	for _, never := range []string{`0, null`, `-1, null`, `9223372036854775807, null`, `null, 'infinity'`} {
		e.fails("PQ009", `select pgque.insert_event_raw('q', `+never+`, null, null, 't', 'x', null, null, null, null)`)
		e.fails("PQ009", `select pgque.event_retry_raw('q', 'c', now(), `+never+`, null, 't', 'x', null, null, null, null)`)
	}
}

func TestEnginePages_LoseNothingWhateverTheirSize(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 103) g))`)
	e.tick("q")
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(104, 110) g))`)
	e.tick("q")
	e.exec(`select pgque.subscribe('q', 'late')`)
	e.expect(e.drain("q", "c", 7), numbers(110)...)
	if rest := e.drain("q", "late", 7); len(rest) != 0 {
		t.Errorf("a consumer that subscribed late got %v", rest)
	}
}

func TestEnginePage_ComesAgainUntilItIsAcked(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 10) g))`)
	e.tick("q")
	first := e.receive("q", "c", 4)
	smaller := e.receive("q", "c", 2)
	if !slices.EqualFunc(first, smaller, func(a, b sqlMessage) bool { return a.ID == b.ID && a.Batch == b.Batch }) {
		t.Errorf("the same page came as %v and %v", payloads(first), payloads(smaller))
	}
	larger := e.receive("q", "c", 6)
	e.expect(payloads(larger), numbers(6)...)
	if larger[0].Batch != first[0].Batch {
		t.Error("the page changed its id")
	}
	e.fails("PQ004", `select pgque.nack($1, row(7, null, null, null, null, null, null, null, null, null)::pgque.message)`, first[0].Batch)
	e.ack(larger[0].Batch)
	next := e.receive("q", "c", 100)
	e.expect(payloads(next), "7", "8", "9", "10")
	if next[0].Batch == first[0].Batch {
		t.Error("the next page has the same id")
	}
	e.fails("PQ003", `select pgque.nack($1, row(1, null, null, null, null, null, null, null, null, null)::pgque.message)`, first[0].Batch)
	if e.int(`select pgque.ack($1)`, first[0].Batch) != 0 {
		t.Error("a stale ack did something")
	}
	e.ack(next[0].Batch)
	if e.int(`select sub_last_tick from pgque.subscription`) != 2 {
		t.Error("the ack of the last page does not finish the window")
	}
}

// A worker has a page, another one of its name would take more, and dies. What the first
// one finishes is what it had.
func TestEnginePage_OfTwoWorkersIsNotLongerThanTheFirstOnesShare(t *testing.T) {
	t.Parallel()
	for name, receive := range map[string]string{
		"fetch":               `pgque.fetch('q', 'c', $1)`,
		"receive_coop":        `pgque.receive_coop('q', 'group', 'a', $1)`,
		"receive_partitioned": `pgque.receive_partitioned('q', 'parts', 0, 1, 'w', $1)`,
		"fetch_partitioned":   `pgque.fetch_partitioned('q', 'parts', 0, 1, 'w', $1)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			other := e.newSession()
			e.exec(`select pgque.register_subconsumer('q', 'group', 'a'), pgque.subscribe_partitioned('q', 'parts', 1),
				pgque.claim_slot('q', 'parts', 0, 'w')`)
			e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 9) g))`)
			e.tick("q")
			page := e.messages(receive, 3)
			for _, limit := range []int{9, 1} {
				if again := other.messages(receive, limit); !reflect.DeepEqual(again, page) {
					t.Errorf("a page of %v came as one of %v for who takes %d", payloads(page), payloads(again), limit)
				}
			}
			ack := `select pgque.ack($1)`
			if strings.HasSuffix(name, "partitioned") {
				ack = `select pgque.settle_partitioned('q', 'parts', 0, 1, 'w', $1, null, '{}', '{}', '{}', '{}', '{}')`
			}
			if e.int(ack, page[0].Batch) != 1 {
				t.Error("the page is not open")
			}
			e.expect(payloads(other.messages(receive, 9)), "4", "5", "6", "7", "8", "9")
		})
	}
}

// All messages of a page may have been taken off it, one by one. Who comes then gets what
// is next, under an id that the worker of the empty page does not have.
func TestEnginePage_ThatIsEmptyIsPassed(t *testing.T) {
	t.Parallel()
	for _, take := range []string{`pgque.fetch('q', 'c', 2)`, `pgque.next_page('q', 'c', 2, null, true)`} {
		e := newEngineTest(t)
		e.exec(`select pgque.send_batch('q', array['1', '2', '3'])`)
		e.tick("q")
		page := e.messages(take)
		e.exec(`update pgque.subscription set sub_done_id = sub_page_end`)
		next := e.messages(take)
		e.expect(payloads(next), "3")
		if e.int(`select pgque.ack($1)`, page[0].Batch) != 0 {
			t.Error("who had the empty page finished the next one")
		}
		e.exec(`update pgque.subscription set sub_done_id = sub_page_end`)
		e.expect(payloads(e.messages(take)))
		e.exec(`select pgque.send('q', '4')`)
		e.tick("q")
		e.expect(payloads(e.messages(take)), "4")
	}
}

func TestEngineFinishBatch_ClosesTheWholeWindow(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array['1', '2', '3'])`)
	e.tick("q")
	batch := e.int(`select pgque.next_batch('q', 'c')`)
	if n := e.int(`select count(*) from pgque.get_batch_events($1)`, batch); n != 3 {
		t.Errorf("%d events", n)
	}
	if again := e.int(`select pgque.next_batch('q', 'c')`); again != batch {
		t.Errorf("an open batch came again as %d", again)
	}
	if e.int(`select pgque.finish_batch($1)`, batch) != 1 || e.int(`select pgque.finish_batch($1)`, batch) != 0 {
		t.Error("finish_batch")
	}
	e.isNull(`select pgque.next_batch('q', 'c')`)
}
