package pgque_test

import (
	"fmt"
	"testing"
)

// restoreElsewhere makes the database look like one that was restored into a cluster
// with lower transaction ids: everything stored is moved into the future.
func (e *engineTest) restoreElsewhere() { e.t.Helper(); e.restoreAhead(1_000_000) }

func (e *engineTest) restoreAhead(shift int64) {
	e.t.Helper()
	for _, table := range []string{"event_1_0", "event_1_1", "event_1_2"} {
		e.exec(`update pgque.`+table+` set ev_txid = (ev_txid::text::bigint + $1)::text::xid8`, shift)
	}
	e.exec(`update pgque.tick set
		tick_snapshot = (pg_snapshot_xmin(tick_snapshot)::text::bigint + $1 || ':' || pg_snapshot_xmax(tick_snapshot)::text::bigint + $1 || ':' ||
			coalesce((select string_agg((x::text::bigint + $1)::text, ',' order by x) from pg_snapshot_xip(tick_snapshot) x), ''))::pg_snapshot,
		tick_next_xid = (tick_next_xid::text::bigint + $1)::text::xid8`, shift)
}

func TestEngineRebase_LosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe('q', 'behind'), pgque.subscribe('q', 'pages'), pgque.subscribe('q', 'done')`)
	running := e.newSession()
	running.exec(`begin; select pgque.send('q', 'running')`)
	for _, payload := range numbers(4) {
		e.exec(`select pgque.send('q', $1::text)`, payload)
		e.exec(`select pgque.send('q', $1::text)`, payload+"'")
		e.tick("q")
	}
	running.exec(`commit`)
	e.exec(`select pgque.send('q', 'not ticked')`)
	first := e.receive("q", "c", 10)
	e.exec(`select pgque.nack(batch_id, m, '0') from pgque.receive('q', 'c') m where payload = '1'`)
	e.ack(first[0].Batch)
	e.exec(`select pgque.maint_retry_events()`)
	page := e.receive("q", "pages", 1)
	e.ack(page[0].Batch)
	open := e.receive("q", "pages", 1)
	e.expect(e.drain("q", "done", 10), "1", "1'", "2", "2'", "3", "3'", "4", "4'")

	e.restoreElsewhere()
	e.exec(`select pgque.send('q', 'sent after the restore')`)
	e.fails("PQ015", `select pgque.ticker('q')`)
	if got := query1[string](t, e.conn, `select status from pgque.status() where component = 'ticker'`); got != "error" {
		t.Errorf("status of the ticker: %s", got)
	}
	if e.int(`select pgque.rebase()`) != 1 || e.int(`select pgque.rebase()`) != 0 {
		t.Error("rebase")
	}
	e.tick("q")

	rest := []string{"running", "not ticked", "sent after the restore"}
	e.expect(e.drain("q", "done", 10), rest...)
	e.expect(payloads(e.receive("q", "pages", 1)), "1'")
	e.ack(open[0].Batch)
	e.expect(e.drain("q", "pages", 10), append([]string{"2", "2'", "3", "3'", "4", "4'"}, rest...)...)
	e.expect(e.drain("q", "behind", 10), append([]string{"1", "1'", "2", "2'", "3", "3'", "4", "4'"}, rest...)...)
	e.expect(e.drain("q", "c", 10), append([]string{"2", "2'", "3", "3'", "4", "4'"}, "running", "1", "not ticked", "sent after the restore")...)
	if !e.rotate("q") {
		t.Error("no rotation after the repair")
	}
	e.exec(`select pgque.send('q', 'later')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "later")
}

// Nobody looks at the database before its new server's transaction ids have passed those of
// the old one's ticks, which takes minutes when they were near.
func TestEngineRebase_IsNeededAlsoWhenTheTicksWereOvertaken(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send('q', 'before')`)
	e.tick("q")
	const ahead = 200
	e.restoreAhead(ahead)
	e.exec(`select pgque.send('q', 'after')`)
	for range 2 * ahead {
		e.exec(`select pg_current_xact_id()`)
	}
	e.fails("PQ015", `select pgque.ticker('q')`)
	e.fails("PQ015", `select pgque.tick_queue('q')`)
	e.expectStatus("error", "ok")
	if e.int(`select pgque.rebase()`) != 1 || e.int(`select pgque.rebase()`) != 0 {
		t.Error("rebase")
	}
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "before", "after")
}

// Maintenance goes on before the repair. What it brings back has the id that the last tick
// has seen.
func TestEngineRebase_KeepsRetriesThatCameBackBeforeIt(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send('q', 'again')`)
	e.tick("q")
	page := e.receive("q", "c", 10)
	e.exec(`select pgque.event_retry($1, $2, 0)`, page[0].Batch, page[0].ID)
	e.ack(page[0].Batch)
	e.tick("q")
	e.restoreElsewhere()
	if moved := e.int(`select pgque.maint_retry_events()`); moved != 1 {
		t.Fatalf("%d moved", moved)
	}
	e.exec(`select pgque.rebase()`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "again")
}

// Logical replication copies tables, and leaves sequences behind.
func TestEngineRebase_WithoutTheSequencesLosesNothing(t *testing.T) {
	t.Parallel()
	for _, sent := range []int{1, 9} { // below the ids that were drawn elsewhere, and beyond them
		t.Run(fmt.Sprint(sent), func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			e.exec(`select pgque.send_batch('q', array['a', 'b', 'c', 'd', 'e'])`)
			e.tick("q")
			e.expect(e.drain("q", "c", 10), "a", "b", "c", "d", "e")
			e.restoreElsewhere()
			e.exec(`select setval('pgque.event_1_id_seq', 1, false)`)
			for _, payload := range numbers(sent) {
				e.exec(`select pgque.send('q', $1::text)`, payload)
			}
			e.fails("PQ015", `select pgque.tick_queue('q')`)
			e.exec(`select pgque.rebase()`)
			e.exec(`select pgque.send('q', 'after')`)
			e.tick("q")
			e.expect(e.drain("q", "c", 20), append(numbers(sent), "after")...)
		})
	}
}

// Where callers choose the ids of events, or the times of ticks, ids do not tell what a tick
// has seen.
func TestEngineRebase_OfChosenIDsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for name, tick := range map[string]string{
		"chosen ids":         `select pgque.force_next_tick('q'), pgque.ticker('q') + 0 * $1`,
		"an external ticker": `select pgque.ticker('q', $1::bigint, now(), $1::bigint * 1000)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			e.exec(`select pgque.subscribe('q', 'done'), pgque.set_queue_config('q', 'external_ticker', $1)`, fmt.Sprint(name == "an external ticker"))
			const raw = `select pgque.insert_event_raw('q', $1, null, null, null, 't', $2, null, null, null, null)`
			e.exec(`select pgque.send('q', 'before')`)
			e.exec(raw, 1000, "chosen before")
			e.exec(tick, 10)
			e.expect(e.drain("q", "done", 10), "before", "chosen before")
			e.exec(`select pgque.send('q', 'not ticked')`)
			e.restoreElsewhere()
			e.exec(`begin; savepoint a`)
			e.exec(raw, 1, "chosen after")
			e.exec(`commit`)
			e.exec(`select pgque.send('q', 'after')`)
			e.fails("PQ015", tick, 20)
			if e.int(`select pgque.rebase()`) != 1 {
				t.Error("rebase")
			}
			e.exec(tick, 30)
			e.expect(e.drain("q", "done", 10), "chosen after", "not ticked", "after")
			e.expect(e.drain("q", "c", 10), "before", "chosen before", "chosen after", "not ticked", "after")
		})
	}
}

// A second repair would take what the first one wrote for what came with the restore.
func TestEngineRebase_TwoAtOnceRepairOnce(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other, third := e.newSession(), e.newSession()
	e.exec(`select pgque.insert_event_raw('q', 1000, null, null, null, 't', 'chosen', null, null, null, null)`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "chosen")
	e.restoreElsewhere()
	e.exec(`begin; select pgque.rebase()`)
	ended := other.start(`create temp table got as select pgque.rebase() as n`)
	third.awaitLock(other)
	e.exec(`commit`)
	other.finish(ended)
	if n := other.int(`select n from got`); n != 0 {
		t.Errorf("%d queues were repaired again", n)
	}
	e.exec(`select pgque.send('q', 'after')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "after")
}

func TestEngineRebase_NothingIsEmptiedBeforeIt(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.restoreElsewhere()
	e.exec(`select pgque.send('q', 'after')`)
	for range 3 {
		if e.rotate("q") {
			t.Error("a table came next whose events no tick tells of")
		}
	}
	e.exec(`select pgque.rebase()`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "after")
}

// What tells that a tick came from elsewhere tells so of none that was recorded here, be it
// the queue's first, in a transaction or a part of one that had its id long before, or from
// outside.
func TestEngineRebase_IsForNoTickOfThisServer(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	isOurs := func(what string) {
		t.Helper()
		if n := e.int(`select count(*) from pgque.queue where pgque._is_restored(queue_id)`); n != 0 {
			t.Errorf("%s: %d queues", what, n)
		}
	}
	e.exec(`begin; savepoint a; create temp table has_an_id ()`)
	other.exec(`create temp table younger ()`)
	e.exec(`select pgque.create_queue('new')`)
	isOurs("created in a savepoint")
	e.tick("q")
	isOurs("ticked in a savepoint")
	e.exec(`commit`)
	isOurs("committed")
	e.exec(`vacuum (freeze, full) pgque.tick`)
	isOurs("frozen and rewritten")
	e.exec(`select pgque.set_queue_config('q', 'external_ticker', 'true'), pgque.ticker('q', 100, now(), 1000)`)
	isOurs("ticked from outside")
	e.exec(`update pgque.tick set tick_time = tick_time - interval '1 hour'`)
	isOurs("changed by hand")
}

func TestEngineRebase_OneRestoredQueueDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other')`)
	e.tick("q")
	e.exec(`update pgque.tick set tick_snapshot = '9000000:9000000:' where tick_queue = 1`)
	e.exec(`select pgque.force_next_tick('other'), pgque.force_next_tick('q')`)
	if e.int(`select pgque.ticker()`) != 1 {
		t.Error("the other queue did not tick")
	}
}

func TestEngineReplay_ReachesOneConsumerOnly(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe('q', 'other')`)
	e.exec(`select pgque.send('q', 'a', '1'), pgque.send('q', 'b', '2'), pgque.send('q', 'a', '3')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), numbers(3)...)
	e.expect(e.drain("q", "other", 10), numbers(3)...)
	e.fails("PQ009", `select pgque.replay('q', 'c')`)
	e.fails("PQ002", `select pgque.replay('q', 'nobody', 1)`)
	for sql, want := range map[string][]string{
		`select pgque.replay('q', 'c', 2)`:                                          {"2", "3"},
		`select pgque.replay('q', 'c', 1, 1)`:                                       {"1"},
		`select pgque.replay('q', 'c', i_types => array['a'])`:                      {"1", "3"},
		`select pgque.replay('q', 'c', i_since => now() - interval '1 hour')`:       {"1", "2", "3"},
		`select pgque.replay('q', 'c', i_until => now() - interval '1 hour')`:       {},
		`select pgque.replay('q', 'c', i_since => '-infinity', i_to_id => 2::int8)`: {"1", "2"},
	} {
		if n := e.int(sql); n != int64(len(want)) {
			t.Errorf("%s: %d", sql, n)
		}
		e.tick("q")
		e.expect(e.drain("q", "c", 10), want...)
	}
	e.expect(e.drain("q", "other", 10))
}

func TestEngineSeek_MovesByTime(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, payload := range numbers(3) {
		e.exec(`select pgque.send('q', $1::text)`, payload)
		e.tick("q")
	}
	e.expect(e.drain("q", "c", 10), numbers(3)...)
	e.exec(`select pgque.seek('q', 'c', tick_time + interval '1 microsecond') from pgque.tick where tick_id = 2`)
	e.expect(e.drain("q", "c", 10), "2", "3")
	e.exec(`select pgque.seek('q', 'c', '-infinity')`)
	e.expect(e.drain("q", "c", 10), numbers(3)...)
	e.fails("PQ009", `select pgque.seek('q', 'c', null)`)
}

func TestEngineSendAt_IsDeliveredWhenItsTimeHasCome(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_at('q', 't', 'now', now())`)
	late := e.int(`select pgque.send_at('q', 't', 'late', now() + interval '1 hour')`)
	cancelled := e.int(`select pgque.send_at('q', 't', '{}'::jsonb, now() + interval '1 hour')`)
	if !query1[bool](t, e.conn, `select pgque.cancel_scheduled($1)`, cancelled) || query1[bool](t, e.conn, `select pgque.cancel_scheduled($1)`, cancelled) {
		t.Error("cancel_scheduled")
	}
	if e.int(`select pgque.maint_deliver_delayed()`) != 0 {
		t.Error("delivered too early")
	}
	e.exec(`update pgque.delayed set de_deliver_at = now() where de_id = $1`, late)
	if e.int(`select pgque.maint_queue('q')`) != 1 || query1[bool](t, e.conn, `select pgque.cancel_scheduled($1)`, late) {
		t.Error("not delivered")
	}
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "now", "late")
	e.fails("PQ001", `select pgque.send_at('none', 't', '1', now() + interval '1 hour')`)
	e.fails("PQ009", `select pgque.send_at('q', 't', '1', 'infinity')`)
}

func TestEngineSendAt_ABrokenQueueDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other'), pgque.subscribe('other', 'c'), pgque.create_queue('dropped')`)
	for _, queue := range []string{"q", "other", "dropped"} {
		e.exec(`select pgque.send_at($1, 't', '1', now() + interval '1 hour')`, queue)
	}
	e.exec(`update pgque.delayed set de_deliver_at = now()`)
	e.exec(`select pgque.drop_queue('dropped'); drop table pgque.event_1 cascade`)
	if e.int(`select pgque.maint_deliver_delayed()`) != 1 {
		t.Error("the healthy queue's event was not delivered")
	}
	e.tick("other")
	e.expect(e.drain("other", "c", 10), "1")
}
