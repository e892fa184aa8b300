package pgque_test

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// An event whose transaction was open when the last tick was made, and that no
// later event follows, has to be ticked by the next tick_queue.
func TestEngineTickQueue_TicksForASenderThatCommittedAfterTheLastTick(t *testing.T) {
	c := pgquetest.New(t)
	ctx := t.Context()
	if err := c.CreateQueue(ctx, "q"); err != nil {
		t.Fatal(err)
	}
	if err := c.Subscribe(ctx, "q", "c"); err != nil {
		t.Fatal(err)
	}
	tick := func() (n *int64) {
		if err := c.Pool().QueryRow(ctx, "select pgque.tick_queue('q')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	tx, err := c.Pool().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WithTx(tx).Send(ctx, "q", pgque.Event{Type: "slow"}); err != nil {
		t.Fatal(err)
	}
	tick() // it draws no event: the sender's is not committed
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if tick() == nil {
		t.Error("no tick for the event that was committed after the last tick")
	}
}

// tickQueues returns the queues that tick_queues names, each with "tick" or with "error".
func (s *session) tickQueues(queues ...string) (found []string) {
	s.t.Helper()
	return s.lines(`select queue || case when tick_id is null then ' error' else ' tick' end
		from pgque.tick_queues(` + textArray(queues) + `)`)
}

func textArray(texts []string) string {
	return "'{" + strings.Join(texts, ",") + "}'::text[]"
}

// rest waits until tick_queues passes the queue over: other transactions of the server end.
func (s *session) rest(queue string) {
	s.t.Helper()
	until(s.t, "the queue comes to rest", func() bool {
		s.expect(s.tickQueues(queue))
		return s.toTick(queue) == 0
	})
}

// toTick is how many of the queues tick_queues would look at one by one.
func (s *session) toTick(queues ...string) int64 {
	s.t.Helper()
	return s.int(`select count(*) from pgque._queues_to_tick(` + textArray(queues) + `)`)
}

func TestEngineTickQueues_TicksWhatIsNamedAndHasAnythingNew(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, queue := range []string{"silent", "unnamed", "paused", "external"} {
		e.exec(`select pgque.create_queue($1)`, queue)
	}
	for _, queue := range []string{"q", "unnamed", "paused", "external"} {
		e.exec(`select pgque.send($1, '1')`, queue)
	}
	e.exec(`select pgque.set_queue_config('paused', 'ticker_paused', 'true'), pgque.set_queue_config('external', 'external_ticker', 'true')`)
	e.expect(e.tickQueues("q", "q", "silent", "paused", "external", "missing"), "q tick")
	e.expect(e.drain("q", "c", 1), "1")
	e.expect(e.tickQueues("q", "silent"))
	e.expect(e.lines(`select queue from pgque.tick_queues(null)`))
	e.expect(e.tickQueues("unnamed"), "unnamed tick")
}

func TestEngineTickQueues_WritesNothingWhenNothingIsNew(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other')`)
	e.exec(`select pgque.send('other', '1')`)
	e.tickQueues("q", "other")
	e.exec(`begin`)
	e.expect(e.tickQueues("q", "other"))
	e.isNull(`select pg_current_xact_id_if_assigned()`)
	if e.int(`select pgque.maint_queues('{q,other}')`) != 0 {
		t.Error("something was moved")
	}
	e.isNull(`select pg_current_xact_id_if_assigned()`)
	e.exec(`commit`)
}

// What bounds the windows of a queue is taken before its tick, and the first tick gives the
// transaction an id.
func TestEngineTickQueues_EveryTickIsBounded(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other')`)
	e.exec(`select pgque.send('q', '1'), pgque.send('other', '1')`)
	e.expect(e.tickQueues("q", "other"), "q tick", "other tick")
	if n := e.int(`select count(*) from pgque.tick where tick_event_seq = 1 and tick_next_xid is not null`); n != 2 {
		t.Errorf("%d of the 2 ticks are bounded", n)
	}
}

func TestEngineTickQueues_AndMaintQueuesGoOnAfterAFailureOnOneQueue(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('healthy'), pgque.subscribe('healthy', 'c')`)
	for _, queue := range []string{"healthy", "q"} {
		e.exec(`select pgque.send($1, '1')`, queue)
		e.exec(`select pgque.send_at($1, 't', '2', clock_timestamp() + interval '1 hour')`, queue)
	}
	e.exec(`update pgque.delayed set de_deliver_at = clock_timestamp()`)
	e.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
	e.exec(`drop table pgque.event_1 cascade; drop sequence pgque.event_1_tick_seq`)
	if moved := e.int(`select pgque.maint_queues('{q,healthy}')`); moved != 1 {
		t.Errorf("%d events were moved", moved)
	}
	e.expect(e.lines(`select queue_name from pgque.queue where queue_switch_time > '2000-01-01'`), "healthy")
	e.expect(e.tickQueues("q", "healthy"), "q error", "healthy tick")
	e.expect(e.drain("healthy", "c", 10), "1", "2")
	e.exec(`drop sequence pgque.event_1_id_seq cascade`)
	e.exec(`select pgque.send('healthy', '3')`)
	e.expect(e.tickQueues("q", "healthy"), "q error", "healthy tick")
}

func TestEngineTickQueues_PassesOverAQueueThatIsBeingTicked(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	e.exec(`select pgque.create_queue('other')`)
	e.exec(`select pgque.send('q', '1'), pgque.send('other', '1')`)
	other.exec(`begin; select pgque.tick_queue('q')`)
	e.expect(e.tickQueues("q", "other"), "other tick")
	other.exec(`rollback`)
	e.expect(e.tickQueues("q", "other"), "q tick")
}

// A sender that is late keeps the queue from rest. What the session remembers of a queue at
// rest is of that tick only.
func TestEngineTickQueues_TickForALateSender(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, n := range numbers(3) {
		sender := e.newSession()
		sender.exec(`begin`)
		sender.exec(`select pgque.send('q', $1::text)`, n)
		e.exec(`select pgque.send('q', 'x')`)
		e.expect(e.tickQueues("q"), "q tick")
		e.expect(e.tickQueues("q"))
		if e.toTick("q") != 1 {
			t.Error("a queue with a sender at work is at rest")
		}
		sender.exec(`commit`)
		e.expect(e.tickQueues("q"), "q tick")
		e.expect(e.drain("q", "c", 10), "x", n)
		e.rest("q")
	}
}

// The tick is made while a transaction is open that sends nothing.
func TestEngineTickQueues_QueueComesToRestWhenOlderTransactionsHaveEnded(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	other.exec(`begin; select pg_current_xact_id()`)
	e.exec(`select pgque.create_queue('unused'), pgque.send('q', '1')`)
	e.expect(e.tickQueues("q", "unused"), "q tick")
	e.expect(e.tickQueues("q", "unused"))
	if e.toTick("q") != 1 || e.toTick("unused") != 0 {
		t.Error("q is at rest, or the queue that never had an event is not")
	}
	other.exec(`commit`)
	e.rest("q")
	e.exec(`select pgque.send('q', '2'), pgque.send('unused', '1')`)
	e.expect(e.tickQueues("q", "unused"), "q tick", "unused tick")
}

// Ids that callers choose are not drawn from the sequence.
// A session that listens, and does not end its transaction for days, keeps all
// notifications. Once no more of them fit, no commit with one succeeds.
func TestEngineTick_GoesOnWhenNotificationsPileUp(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`listen pgque_q`)
	notified := func(usage string) bool {
		t.Helper()
		// The engine's path begins with its own schema.
		e.exec(`create or replace function pgque.pg_notification_queue_usage() returns double precision language sql as 'select ` + usage + `'`)
		e.tick("q")
		e.exec(`select pg_notify('pgque_q', 'the last one')`)
		for first := true; ; first = false {
			notification, err := e.conn.WaitForNotification(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if notification.Payload == "the last one" {
				return !first
			}
		}
	}
	if !notified("0.1::double precision") {
		t.Error("a tick was not announced")
	}
	if notified("0.95::double precision") {
		t.Error("a tick was announced where the next one would not fit")
	}
}

// The sequence alone tells that there is something new, when nobody was running at the
// last tick.
func TestEngineTickQueue_TicksForEventsWithChosenIDs(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send('q', 'drawn')`)
	for _, owner := range []string{"null", "sub_id"} {
		e.exec(`select pgque.tick_queue('q')`)
		e.isNull(`select pgque.tick_queue('q')`)
		e.exec(`select pgque.insert_event_raw('q', 1000, null, ` + owner + `, null, 't', 'chosen', null, null, null, null) from pgque.subscription`)
		if e.int(`select coalesce(pgque.tick_queue('q'), 0)`) == 0 {
			t.Errorf("no tick for an event of owner %s", owner)
		}
	}
	e.expect(e.drain("q", "c", 10), "drawn", "chosen", "chosen")
}

func TestEngineTickQueues_ChosenIDsAreLookedFor(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	other.exec(`begin; select pg_current_xact_id()`)
	e.exec(`select pgque.send('q', '1')`)
	e.expect(e.tickQueues("q"), "q tick")
	other.exec(`commit`)
	e.rest("q")
	e.exec(`select pgque.insert_event_raw('q', 77, now(), null, null, 't', 'raw', null, null, null, null)`)
	e.expect(e.tickQueues("q"), "q tick")
	e.expect(e.drain("q", "c", 10), "1", "raw")
}

func TestEngineMaintQueues_MovesWhatIsDueForTheNamedQueues(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other')`)
	for _, queue := range []string{"q", "other"} {
		e.exec(`select pgque.send_at($1, 't', data, clock_timestamp() + interval '1 hour') from unnest(array['due', 'later']) data`, queue)
	}
	e.exec(`update pgque.delayed set de_deliver_at = clock_timestamp() where de_data = 'due'`)
	e.exec(`select pgque.send('q', 'again')`)
	e.tick("q")
	page := e.receive("q", "c", 1)
	e.exec(`select pgque.event_retry($1, $2, 0)`, page[0].Batch, page[0].ID)
	e.ack(page[0].Batch)
	e.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
	if moved := e.int(`select pgque.maint_queues('{q,missing}')`); moved != 2 {
		t.Errorf("%d events were moved", moved)
	}
	if moved := e.int(`select pgque.maint_queues(null)`) + e.int(`select pgque.maint_queues('{q}')`); moved != 0 {
		t.Errorf("%d events were moved again", moved)
	}
	e.expect(e.lines(`select queue_name from pgque.queue where queue_switch_time > '2000-01-01'`), "q")
	e.expect(e.tickQueues("q", "other"), "q tick")
	e.expect(e.drain("q", "c", 10), "again", "due")
}
