package pgque_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
)

// pulled is what came of a pull.
type pulled struct {
	messages []sqlMessage
	tick     *int64
}

func (p pulled) batch() *int64 {
	if len(p.messages) == 0 {
		return nil
	}
	return &p.messages[0].Batch
}

// pull pulls a page of q.
func (s *session) pull(consumer string, limit int, batch *int64) (p pulled) {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), `
		select coalesce(msg_id, 0), coalesce(batch_id, 0), type, payload, retry_count, tick_id
		from pgque.pull('q', $1, $2, $3)`, consumer, limit, batch)
	if err != nil {
		s.t.Fatal(err)
	}
	p.messages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m sqlMessage, err error) {
		return m, row.Scan(&m.ID, &m.Batch, &m.Type, &m.Payload, &m.Retry, &p.tick)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(p.messages) == 1 && p.messages[0].ID == 0 {
		p.messages = nil
	}
	return p
}

// pullAll pulls until there is nothing left, and returns the payloads.
func (s *session) pullAll(consumer string, limit int, batch *int64) (all []string) {
	s.t.Helper()
	for {
		p := s.pull(consumer, limit, batch)
		if len(p.messages) > limit {
			s.t.Fatalf("a page of %d", len(p.messages))
		}
		if batch = p.batch(); batch == nil {
			return all
		}
		all = append(all, payloads(p.messages)...)
	}
}

// following is a consumer with an open page, the last one of a window that ended at the last
// tick. Others follow beside it.
func following(e *engineTest, consumers ...string) (batches map[string]*int64) {
	e.t.Helper()
	for _, consumer := range consumers {
		e.exec(`select pgque.subscribe('q', $1)`, consumer)
	}
	e.exec(`select pgque.send('q', 'first')`)
	batches = make(map[string]*int64)
	for _, consumer := range append(consumers, "c") {
		p := e.pull(consumer, 10, nil)
		e.expect(payloads(p.messages), "first")
		batches[consumer] = p.batch()
	}
	return batches
}

// isAlone calls f, and tells that pull has done it all by itself.
func (s *session) isAlone(f func()) bool {
	s.t.Helper()
	const calls = `select coalesce(sum(calls), 0)::bigint from pg_stat_xact_user_functions
		where funcname ~ '^(tick_queue$|next_page_)'`
	s.exec(`set track_functions = 'all'; begin`)
	before := s.int(calls)
	f()
	after := s.int(calls)
	s.exec(`commit`)
	return after == before
}

func TestEnginePull_BringsWhatATickAndReceiveBring(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e, "d", "small")
	e.exec(`select pgque.subscribe('q', 'plain')`)
	e.drain("q", "plain", 10)
	compare := func(what string, alone bool) {
		t.Helper()
		e.exec(`select pgque.maint_retry_events()`)
		var p pulled
		if e.isAlone(func() { p = e.pull("d", 100, batches["d"]) }) != alone {
			t.Errorf("%s: alone is %v", what, !alone)
		}
		if p.tick == nil || len(p.messages) == 0 {
			t.Fatalf("%s: nothing", what)
		}
		want := e.drain("q", "plain", 4)
		if got := payloads(p.messages); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, by receive %v", what, got, want)
		}
		if again := payloads(e.messages(`pgque.next_page('q', 'd', 3, null, true)`)); !slices.Equal(again, want) {
			t.Fatalf("%s: it came again as %v", what, again)
		}
		if got := e.pullAll("small", 4, batches["small"]); !slices.Equal(got, want) {
			t.Fatalf("%s: by small pages %v, by receive %v", what, got, want)
		}
		batches["d"], batches["small"] = p.batch(), nil
	}
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 9) g))`)
	compare("new ones", true)
	late, later, lowest := e.newSession(), e.newSession(), e.newSession()
	lowest.exec(`begin; select pgque.send('q', 'lowest')`)
	late.exec(`begin; select pg_current_xact_id()`)
	later.exec(`begin; select pgque.send_batch('q', array(select 'later' || g from generate_series(1, 9) g))`)
	e.exec(`select pgque.send('q', '10')`)
	compare("beside open transactions", true)
	late.exec(`select pgque.send_batch('q', array(select 'late' || g from generate_series(1, 9) g)); commit`)
	e.exec(`select pgque.send('q', '11')`)
	compare("with a transaction that was open at the last tick", true)
	lowest.exec(`commit`)
	e.exec(`select pgque.send('q', '12')`)
	youngest := e.newSession()
	youngest.exec(`begin; select pgque.send('q', 'youngest')`)
	compare("with the oldest one", true)
	youngest.exec(`commit`)
	e.exec(`select pgque.send('q', '13')`)
	compare("with the youngest one", true)
	later.exec(`commit`)
	compare("with events alone that have ids below the last tick's", false)
	e.exec(`select nextval('pgque.event_1_id_seq') from generate_series(1, 1000)`)
	e.exec(`select pgque.send('q', '14')`)
	compare("behind a gap", true)
	e.exec(`select pgque.replay('q', consumer, 1, 20) from unnest(array['d', 'small', 'plain']) as consumer`)
	e.exec(`select pgque.send('q', '15')`)
	compare("replayed, and a new one", false)
	e.exec(`select pgque.insert_event_raw('q', 4, null, null, null, 't', 'of its own id', null, null, null, null)`)
	compare("with an id of its own", false)
	e.exec(`select pgque.send('q', 'after')`)
	compare("after that", false)
}

func TestEnginePull_EveryEventOnceInPagesOfAnySize(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2, 7, 9, 10, 11} {
		e := newEngineTest(t)
		batches := following(e)
		sender := e.newSession()
		sender.exec(`begin; select pgque.send_batch('q', array['1', '2', '3'])`)
		e.exec(`select pgque.send('q', '4')`)
		p := e.pull("c", 10, batches["c"]) // its window begins while the sender runs
		e.expect(payloads(p.messages), "4")
		sender.exec(`select pgque.send_batch('q', array['5', '6']); commit`)
		e.exec(`select pgque.send_batch('q', array['7', '8', '9', '10'])`)
		e.expect(e.pullAll("c", limit, p.batch()), "1", "2", "3", "5", "6", "7", "8", "9", "10")
	}
}

func TestEnginePull_InTheMiddleOfAWindowReadsItToItsEnd(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batch := following(e)["c"]
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 9) g))`)
	var got []string
	for i := 10; i < 40; i++ {
		if i <= 20 {
			e.exec(`select pgque.send('q', $1::text)`, strconv.Itoa(i))
		}
		p := e.pull("c", 2, batch)
		got, batch = append(got, payloads(p.messages)...), p.batch()
	}
	e.expect(got, numbers(20)...)
}

func TestEnginePull_AfterTicksOfOthersMissesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batch := following(e)["c"]
	var want []string
	for i := range 10 {
		for range i % 3 {
			want = append(want, strconv.Itoa(len(want)))
			e.exec(`select pgque.send('q', $1::text)`, want[len(want)-1])
			e.tick("q")
		}
		want = append(want, strconv.Itoa(len(want)))
		e.exec(`select pgque.send('q', $1::text)`, want[len(want)-1])
		p := e.pull("c", 100, batch)
		e.expect(payloads(p.messages), want[len(want)-1-i%3:]...)
		batch = p.batch()
	}
}

func TestEnginePull_WithSequencesThatFellBehindLosesNothing(t *testing.T) {
	t.Parallel()
	const behind, started = `select setval('pgque.event_1_id_seq', 3)`, `; update pgque.tick set tick_time = '2000-01-01'`
	for _, c := range []struct {
		sql  string
		sent int
	}{{behind, 1}, {behind + started, 1}, {behind + started, 8}, {behind + started, 20}, {`select setval('pgque.event_1_tick_seq', 1)`, 3}} {
		e := newEngineTest(t)
		p := e.pull("c", 100, following(e)["c"])
		e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 10) g))`)
		p = e.pull("c", 100, p.batch())
		e.exec(c.sql)
		for _, n := range numbers(c.sent) {
			e.exec(`select pgque.send('q', $1::text)`, n)
		}
		p = e.pull("c", 100, p.batch())
		if e.expect(payloads(p.messages), numbers(c.sent)...); t.Failed() {
			t.Fatalf("%d sent after %s", c.sent, c.sql)
		}
	}
}

func TestEnginePull_OfTicksOfAnotherServerIsRefused(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batch := following(e)["c"]
	const ahead = 200
	e.restoreAhead(ahead)
	for range 2 * ahead { // and they were overtaken
		e.exec(`select pg_current_xact_id()`)
	}
	e.exec(`select pgque.send('q', 'after')`)
	e.fails("PQ015", `select * from pgque.pull('q', 'c', 10, $1)`, batch)
}

func TestEnginePull_MovesTheGeneration(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	for _, payload := range numbers(100) {
		e.exec(`select pgque.send('q', $1::text)`, payload)
		p := e.pull("c", 10, batches["c"])
		e.expect(payloads(p.messages), payload)
		batches["c"] = p.batch()
	}
	if gen := e.int(`select sub_gen from pgque.subscription`); gen < 3 {
		t.Errorf("generation %d after a hundred moves", gen)
	}
}

func TestEnginePull_TellsOfATickWithoutMessages(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	sender := e.newSession()
	sender.exec(`begin; select pgque.send('q', 'later')`)
	p := e.pull("c", 10, batches["c"])
	if p.tick == nil || len(p.messages) > 0 {
		t.Fatalf("pulled %+v", p)
	}
	sender.exec(`commit`)
	p = e.pull("c", 10, nil)
	e.expect(payloads(p.messages), "later")
	if p = e.pull("c", 10, p.batch()); p.tick != nil || len(p.messages) > 0 {
		t.Fatalf("pulled %+v from an idle queue", p)
	}
	if e.int(`select count(*) from pgque.subscription where sub_batch is not null`) != 0 {
		t.Error("the last page is still open")
	}
}

func TestEnginePull_Announces(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	other := e.newSession()
	other.exec(`listen pgque_q`)
	e.exec(`select pgque.send('q', '1')`)
	p := e.pull("c", 10, batches["c"])
	other.isTold(t, *p.tick)
}

func (s *session) isTold(t *testing.T, tick int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	told, err := s.conn.WaitForNotification(ctx)
	if err != nil || told.Payload != strconv.FormatInt(tick, 10) {
		t.Errorf("told %v of tick %d: %v", told, tick, err)
	}
}

// The name is part of the function, which it must not end.
func TestEnginePull_AnnouncesOnTheChannelOfAnyName(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, name := range []string{`it's`, `"it"`, `$body$`, `$reader$$$`, `{id} {table}`, `back\slash\'`, `\x24 ü 顺序`} {
		e.exec(`select pgque.create_queue($1), pgque.subscribe($1, 'c'), pgque.send($1, '1')`, name)
		e.exec(`select from pgque.pull($1, 'c', 10, null)`, name)
		batch := e.int(`select sub_batch from pgque.subscription join pgque.queue on queue_id = sub_queue where queue_name = $1`, name)
		other := e.newSession()
		other.exec(`listen ` + pgx.Identifier{"pgque_" + name}.Sanitize())
		e.exec(`select pgque.send($1, '2')`, name)
		if e.isAlone(func() { e.exec(`select from pgque.pull($1, 'c', 10, $2)`, name, batch) }) {
			other.isTold(t, e.int(`select max(tick_id) from pgque.tick join pgque.queue on queue_id = tick_queue where queue_name = $1`, name))
		} else {
			t.Errorf("%s: pull was not alone", name)
		}
	}
}

func TestEnginePull_Refuses(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	e.exec(`select pgque.subscribe_subconsumer('q', 'group', 'm'), pgque.subscribe_partitioned('q', 'slots', 2)`)
	for consumer, code := range map[string]string{"group": "PQ012", "slots#0": "PQ012", "nobody": "PQ002"} {
		e.fails(code, `select * from pgque.pull('q', $1, 10, null)`, consumer)
	}
	e.fails("PQ001", `select * from pgque.pull('none', 'c', 10, null)`)
	e.fails("PQ009", `select * from pgque.pull('q', 'c', 0, $1)`, batches["c"])
	e.fails("PQ003", `select * from pgque.pull('q', 'c', 10, $1)`, *batches["c"]+4194304)
	e.exec(`select pgque.send('q', '1')`)
	e.exec(`begin isolation level repeatable read`)
	e.fails("PQ014", `select * from pgque.pull('q', 'c', 10, $1)`, batches["c"])
	e.exec(`rollback`)
	e.exec(`select pgque.create_queue('other'), pgque.subscribe('other', 'c'), pgque.send('other', '1')`)
	e.tick("other") // the same number as the last one of q
	e.exec(`select pgque.send('other', '2')`)
	e.fails("PQ003", `select * from pgque.pull('other', 'c', 10, $1)`, batches["c"])
	for _, change := range []string{`sub_role = 'coop_main'`, `sub_role = 'coop_member'`, `sub_slot = 0, sub_slots = 2`} {
		e.exec(`begin; update pgque.subscription set ` + change + ` where sub_batch is not null`)
		e.exec(`commit`)
		e.fails("PQ012", `select * from pgque.pull('q', 'c', 10, $1)`, batches["c"])
		e.exec(`update pgque.subscription set sub_role = 'normal', sub_slot = null, sub_slots = null where sub_batch is not null`)
	}
	e.expect(payloads(e.pull("c", 10, batches["c"]).messages), "1")
}

func TestEnginePull_LeavesQueuesThatOthersTickAlone(t *testing.T) {
	t.Parallel()
	for _, others := range []string{`select pgque.pause_queue('q')`, `select pgque.set_queue_config('q', 'external_ticker', 'true')`} {
		e := newEngineTest(t)
		batch := following(e)["c"]
		e.exec(`select pgque.send('q', '1')`)
		e.exec(others)
		if p := e.pull("c", 10, batch); p.tick != nil || len(p.messages) > 0 {
			t.Errorf("%s: pulled %+v", others, p)
		}
	}
}

// In a transaction that has sent before, the snapshot would show what nobody can see yet.
func TestEnginePull_InTheSendersTransactionLosesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e, "d")
	other := e.newSession()
	e.exec(`begin; select pgque.send('q', 'mine')`)
	other.exec(`select pgque.send('q', 'theirs')`)
	e.expect(payloads(e.pull("c", 10, batches["c"]).messages), "theirs")
	e.exec(`select pgque.send('q', 'mine, too')`)
	e.exec(`commit`)
	e.expect(e.pullAll("d", 10, batches["d"]), "mine", "theirs", "mine, too")
}

// blockedPull is a pull that has read the last tick and has not made the next one; what others
// commit meanwhile is in that.
func blockedPull(e *engineTest, batch *int64) (ended <-chan error, release func(), got func() []sqlMessage) {
	e.t.Helper()
	e.exec(`alter function pgque.pull_1(text, integer, bigint) set lock_timeout = 0`)
	e.exec(`select pgque.send('q', 'new')`)
	holder, puller := e.newSession(), e.newSession()
	holder.exec(`begin; lock table pgque.tick in share mode`)
	puller.exec(`create temp table got of pgque.pulled`)
	ended = puller.start(`insert into got select * from pgque.pull('q', 'c', 10, $1)`, batch)
	holder.awaitLock(puller)
	return ended, func() { holder.exec(`commit`) }, func() []sqlMessage { return puller.messages(`got`) }
}

func TestEnginePull_SeesWhatWasPutBackMeanwhile(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send('q', 'again')`)
	page := e.pull("c", 10, nil).messages
	e.exec(`select pgque.event_retry($1, $2, 0)`, page[0].Batch, page[0].ID)
	ended, release, got := blockedPull(e, &page[0].Batch)
	if e.int(`select pgque.maint_retry_events()`) != 1 {
		t.Fatal("nothing came back")
	}
	release()
	e.finish(ended)
	e.expect(payloads(got()), "again", "new")
}

func TestEnginePull_SeesAChosenIDMeanwhile(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	ended, release, got := blockedPull(e, batches["c"])
	e.exec(`select pgque.insert_event_raw('q', 1, null, null, null, 't', 'chosen', null, null, null, null)`)
	release()
	e.finish(ended)
	e.expect(payloads(got()), "chosen", "new")
}

func TestEnginePull_OneOfTwoWorkersGoesOn(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	ended, release, _ := blockedPull(e, batches["c"])
	e.ack(*batches["c"])
	release()
	e.hasCode(within(t, "the slower one is told", ended), "55P03", "pull")
	e.expect(e.pullAll("c", 10, nil), "new")
}

func TestEnginePull_OfAConsumerThatBecameAGroupMeanwhile(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	ended, release, _ := blockedPull(e, batches["c"])
	e.exec(`update pgque.subscription set sub_role = 'coop_main'`)
	release()
	e.hasCode(within(t, "it is told", ended), "55P03", "pull")
}

// Who makes a tick must not wait: nobody else could make one then.
func TestEnginePull_WaitsForNobody(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	batches := following(e)
	other := e.newSession()
	e.exec(`select pgque.send('q', 'new')`)
	ticks := e.int(`select count(*) from pgque.tick`)
	other.exec(`begin; select from pgque.subscription for update`)
	e.fails("55P03", `select * from pgque.pull('q', 'c', 10, $1)`, batches["c"])
	other.exec(`commit`)
	if e.int(`select count(*) from pgque.tick`) != ticks {
		t.Error("there is a tick")
	}
	other.exec(`begin; select pgque.tick_queue('q')`)
	if p := e.pull("c", 10, batches["c"]); p.tick != nil || len(p.messages) > 0 {
		t.Errorf("pulled %+v beside a tick", p)
	}
	other.exec(`commit`)
	e.expect(e.pullAll("c", 10, nil), "new")
}
