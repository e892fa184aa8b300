package pgque_test

import (
	"testing"
)

// restoreElsewhere makes the database look like one that was restored into a cluster
// with lower transaction ids: everything stored is moved into the future.
func (e *engineTest) restoreElsewhere() {
	e.t.Helper()
	const shift = 1_000_000
	for _, table := range []string{"event_1_0", "event_1_1", "event_1_2"} {
		e.exec(`update pgque.`+table+` set ev_txid = (ev_txid::text::bigint + $1)::text::xid8`, shift)
	}
	e.exec(`update pgque.tick set
		tick_snapshot = (pg_snapshot_xmin(tick_snapshot)::text::bigint + $1 || ':' || pg_snapshot_xmax(tick_snapshot)::text::bigint + $1 || ':' ||
			coalesce((select string_agg((x::text::bigint + $1)::text, ',' order by x) from pg_snapshot_xip(tick_snapshot) x), ''))::pg_snapshot,
		tick_next_xid = (tick_next_xid::text::bigint + $1)::text::xid8`, int64(shift))
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
