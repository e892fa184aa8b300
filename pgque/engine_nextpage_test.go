package pgque_test

import (
	"fmt"
	"slices"
	"testing"
)

func (s *session) nextPage(limit int, batch int64) []sqlMessage {
	s.t.Helper()
	return s.messages(`pgque.next_page('q', 'c', $1, nullif($2::bigint, 0), true)`, limit, batch)
}

func TestEngineNextPage_EveryEventOnceThoughIDsHaveGaps(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	var want []string
	for i := range 200 {
		e.exec(`select pgque.send('q', $1::text)`, fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
		if i%7 == 0 {
			e.exec(`select nextval('pgque.event_1_id_seq') from generate_series(1, $1)`, 1+i%50)
		}
		if i%60 == 59 {
			e.tick("q")
		}
	}
	e.tick("q")
	var got []string
	batch := int64(0)
	for page := e.nextPage(10, 0); len(page) > 0; page = e.nextPage(10, batch) {
		for _, limit := range []int{3, 10, 100} { // as long as it was: another worker may have it
			again := e.nextPage(limit, 0)
			if len(again) != len(page) || again[0].ID != page[0].ID || again[0].Batch != page[0].Batch {
				t.Fatalf("an open page of %d came again as %d", len(page), len(again))
			}
		}
		if len(page) > 10 {
			t.Fatalf("a page of %d", len(page))
		}
		got, batch = append(got, payloads(page)...), page[0].Batch
	}
	e.expect(got, want...)
}

func TestEngineNextPage_AStaleBatchChangesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array['1', '2', '3'])`)
	e.tick("q")
	first := e.nextPage(1, 0)
	second := e.nextPage(1, first[0].Batch)
	e.fails("PQ003", `select * from pgque.next_page('q', 'c', 1, $1, true)`, first[0].Batch)
	e.expect(payloads(e.nextPage(1, 0)), "2")
	e.ack(second[0].Batch)
	e.fails("PQ003", `select * from pgque.next_page('q', 'c', 1, $1, true)`, second[0].Batch)
	e.expect(payloads(e.nextPage(1, 0)), "3")
}

func TestEngineNextPage_WaitsForACursorOnlyIfTold(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array['1', '2'])`)
	e.tick("q")
	page := e.nextPage(1, 0)
	other := e.newSession()
	other.exec(`begin`)
	other.ack(page[0].Batch)
	e.fails("55P03", `select * from pgque.next_page('q', 'c', 1, null, false)`)
	waiting := e.newSession()
	ended := waiting.start(`select * from pgque.next_page('q', 'c', 1, null, true)`)
	other.awaitLock(waiting)
	other.exec(`commit`)
	waiting.finish(ended)
	e.expect(payloads(e.nextPage(1, 0)), "2")
}

// turn is drain by next_page.
func (s *session) turn(queue, consumer string, limit int) (all []string) {
	s.t.Helper()
	var batch *int64
	for {
		page := s.messages(`pgque.next_page($1, $2, $3, $4, true)`, queue, consumer, limit, batch)
		if len(page) == 0 {
			return all
		}
		if len(page) > limit {
			s.t.Fatalf("a page of %d", len(page))
		}
		all, batch = append(all, payloads(page)...), &page[0].Batch
	}
}

func TestEngineNextPage_BringsWhatReceiveBrings(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe('q', 'd')`)
	compare := func(what string) {
		t.Helper()
		e.exec(`select pgque.maint_retry_events()`)
		e.tick("q")
		want := e.drain("q", "c", 4)
		if len(want) == 0 {
			t.Fatalf("%s: nothing", what)
		}
		if got := e.turn("q", "d", 4); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, by receive %v", what, got, want)
		}
	}
	late, later := e.newSession(), e.newSession()
	late.exec(`begin; select pg_current_xact_id()`)
	later.exec(`begin; select pgque.send_batch('q', array(select 'later' || g from generate_series(1, 9) g))`)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 30) g))`)
	compare("beside open transactions")
	late.exec(`select pgque.send_batch('q', array(select 'late' || g from generate_series(1, 9) g)); commit`)
	e.exec(`select pgque.send_batch('q', array['31', '32'])`)
	compare("with a transaction that was open at the last tick")
	later.exec(`commit`)
	compare("with events alone that have ids below the last tick's")
	e.exec(`select pgque.replay('q', consumer, 1, 20) from unnest(array['c', 'd']) as consumer`)
	compare("replayed")
	e.exec(`select pgque.replay('q', consumer, 1, 3) from unnest(array['c', 'd']) as consumer`)
	e.exec(`select pgque.send_batch('q', array(select 'new' || g from generate_series(1, 9) g))`)
	compare("replayed among new ones")
	e.rotate("q")
	e.exec(`select nextval('pgque.event_1_id_seq') from generate_series(1, 1000)`)
	e.exec(`select pgque.send_batch('q', array['33', '34'])`)
	compare("in another table, behind a gap")
	e.exec(`select pgque.insert_event_raw('q', 4, null, null, null, 't', 'of its own id', null, null, null, null)`)
	compare("with an id of its own")
	e.exec(`select pgque.send('q', 'after')`)
	compare("after that")
}

func TestEngineNextPage_OfAQueueWithAnExternalTicker(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.set_queue_config('q', 'external_ticker', 'true')`)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 9) g))`)
	e.exec(`select pgque.ticker('q', 100, now(), 1000)`)
	e.expect(e.turn("q", "c", 4), numbers(9)...)
}

func TestEngineNextPage_IsForConsumersOfTheirOwn(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe_subconsumer('q', 'group', 'm'), pgque.subscribe_partitioned('q', 'slots', 2)`)
	for consumer, code := range map[string]string{"group": "PQ012", "slots#0": "PQ012", "nobody": "PQ002"} {
		e.fails(code, `select * from pgque.next_page('q', $1, 10, null, true)`, consumer)
	}
	e.fails("PQ001", `select * from pgque.next_page('none', 'c', 10, null, true)`)
	e.fails("PQ009", `select * from pgque.next_page('q', 'c', 0, null, true)`)
}

func TestEngineNextPage_GoesWithItsQueue(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.drop_queue('q', true)`)
	if left := e.int(`select count(*) from pg_proc where pronamespace = 'pgque'::regnamespace and proname ~ '_[0-9]+$'`); left != 0 {
		t.Errorf("%d functions of the queue are left", left)
	}
}

func TestEngineExtendPage_MovesThePageOn(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 30) g))`)
	e.tick("q")
	extend := func(page []sqlMessage, done any) []sqlMessage {
		t.Helper()
		more := e.messages(`pgque.extend_page_1($1, 10, $2)`, page[0].Batch, done)
		e.fails("PQ003", `select * from pgque.extend_page_1($1, 10, null)`, page[0].Batch)
		e.fails("PQ003", `select * from pgque.next_page('q', 'c', 10, $1, true)`, page[0].Batch)
		return more
	}
	first := e.nextPage(10, 0)
	second := extend(first, nil)
	e.expect(payloads(second), numbers(20)[10:]...)
	e.expect(payloads(e.nextPage(100, 0)), numbers(20)...)
	e.fails("PQ004", `select * from pgque.extend_page_1($1, 10, $2)`, second[0].Batch, second[9].ID+1)
	e.fails("PQ009", `select * from pgque.extend_page_1($1, 0, null)`, second[0].Batch)
	third := extend(second, first[9].ID)
	e.expect(payloads(third), numbers(30)[20:]...)
	end := extend(third, third[4].ID)
	if len(end) != 1 || end[0].ID != 0 {
		t.Fatalf("behind the end came %v", end)
	}
	e.expect(payloads(e.nextPage(100, 0)), numbers(30)[25:]...)
	e.expect(payloads(e.nextPage(10, end[0].Batch)))
	if e.int(`select count(*) from pgque.subscription where sub_next_tick is not null`) != 0 {
		t.Error("the window is not finished")
	}
}

func TestEngineExtendPage_IsForOpenPagesOfItsQueue(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other'), pgque.subscribe('other', 'c')`)
	e.exec(`select pgque.send('other', '1'), pgque.send('q', '1')`)
	e.tick("other")
	e.tick("q")
	page := e.receive("other", "c", 10)
	e.fails("PQ003", `select * from pgque.extend_page_1($1, 10, null)`, page[0].Batch)
	e.fails("PQ003", `select * from pgque.extend_page_1(pgque.next_batch('q', 'c'), 10, null)`)
}
