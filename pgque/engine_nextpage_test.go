package pgque_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
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
	e.exec(`select pgque.subscribe('q', 'd'), pgque.subscribe('q', 'e')`)
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
		if got := e.readThrough("e", 4); !slices.Equal(got, want) {
			t.Fatalf("%s: %v by reading on, by receive %v", what, got, want)
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
	e.exec(`select pgque.replay('q', consumer, 1, 20) from unnest(array['c', 'd', 'e']) as consumer`)
	compare("replayed")
	e.exec(`select pgque.replay('q', consumer, 1, 9) from unnest(array['c', 'd', 'e']) as consumer`)
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

// readPage is a page that was read behind an open one.
type readPage struct {
	messages []sqlMessage
	batch    int64
	end      int64
}

// window is what page_window tells.
type window struct {
	batch, end, low, high int64
	lastSeen, nextSeen    string
}

func (s *session) window(batch int64) (w window, found bool) {
	s.t.Helper()
	err := s.conn.QueryRow(s.t.Context(), `select * from pgque.page_window_1($1)`, batch).
		Scan(&w.batch, &w.end, &w.low, &w.high, &w.lastSeen, &w.nextSeen)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		s.t.Fatal(err)
	}
	return w, err == nil
}

// readOn reads at most limit messages behind w.end, as a consumer does.
func (s *session) readOn(w window, limit int64) readPage {
	s.t.Helper()
	to := min(w.end+limit, w.high)
	rows, err := s.conn.Query(s.t.Context(), fmt.Sprintf(pgque.SQLEventsBehind, 1), max(w.end, w.low), to, w.lastSeen, w.nextSeen)
	if err != nil {
		s.t.Fatal(err)
	}
	messages, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m sqlMessage, err error) {
		values := row.RawValues()
		text := string(values[2])
		m.ID, m.Batch, m.Payload = int64(binary.BigEndian.Uint64(values[0])), w.batch, &text
		return m, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return readPage{messages: messages, batch: w.batch, end: to}
}

// turnTo opens a page that was read, and returns the batch id of the one behind it.
func (s *session) turnTo(batch int64, p readPage) int64 {
	s.t.Helper()
	return s.int(`select pgque.turn_page($1, $2, $3, $4)`, batch, p.batch, p.end, len(p.messages))
}

// readThrough is drain of a consumer of q that reads on wherever it can, by longer pages.
func (s *session) readThrough(consumer string, limit int64) (all []string) {
	s.t.Helper()
	var batch *int64
	for {
		page := s.messages(`pgque.next_page('q', $1, $2, $3, true)`, consumer, limit, batch)
		if len(page) == 0 {
			return all
		}
		all, batch = append(all, payloads(page)...), &page[0].Batch
		w, found := s.window(*batch)
		for found {
			next := s.readOn(w, 250*limit)
			if len(next.messages) == 0 {
				break
			}
			w.batch, w.end = s.turnTo(*batch, next), next.end
			all, batch = append(all, payloads(next.messages)...), &next.batch
		}
	}
}

func TestEngineTurnPage_OpensWhatWasRead(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 30) g))`)
	e.tick("q")
	first := e.nextPage(10, 0)
	w, _ := e.window(first[0].Batch)
	second := e.readOn(w, 10)
	e.expect(payloads(second.messages), numbers(20)[10:]...)
	e.expect(payloads(e.nextPage(100, 0)), numbers(10)...) // reading has changed nothing

	behind := e.turnTo(first[0].Batch, second)
	e.expect(payloads(e.nextPage(100, 0)), numbers(20)[10:]...)
	if again := e.nextPage(100, 0); again[0].Batch != second.batch {
		t.Errorf("the page is open as %d, not as %d", again[0].Batch, second.batch)
	}
	if again := e.turnTo(first[0].Batch, second); again == behind {
		t.Error("two pages would have one batch id")
	}
	e.expect(payloads(e.nextPage(100, 0)), numbers(20)[10:]...) // it is not done twice
	e.fails("PQ003", `select pgque.turn_page($1, $2, $3, 10)`, first[0].Batch, behind, second.end+10)

	w, _ = e.window(second.batch)
	third := e.readOn(w, 100)
	e.expect(payloads(third.messages), numbers(30)[20:]...)
	e.turnTo(second.batch, third)
	if w, found := e.window(third.batch); !found || len(e.readOn(w, 100).messages) > 0 {
		t.Error("there is something behind the last page")
	}
	e.expect(payloads(e.nextPage(10, third.batch)))
	if e.int(`select count(*) from pgque.subscription where sub_next_tick is not null`) != 0 {
		t.Error("the window is not finished")
	}
}

// Of two workers with one page the first one settles it, and the other is told.
func TestEngineTurnPage_OneOfTwoWorkersGoesOn(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 30) g))`)
	e.tick("q")
	page := e.nextPage(10, 0)
	other := e.newSession()
	mine, _ := e.window(page[0].Batch)
	its, _ := other.window(page[0].Batch)
	other.exec(`begin`)
	other.turnTo(page[0].Batch, other.readOn(its, 20))
	waiting := e.newSession()
	read := waiting.readOn(mine, 10)
	ended := waiting.start(`select pgque.turn_page($1, $2, $3, 10)`, page[0].Batch, read.batch, read.end)
	other.awaitLock(waiting)
	other.exec(`commit`)
	e.hasCode(within(t, "the slower one is told", ended), "PQ003", "turn_page")
	e.expect(payloads(e.nextPage(10, 0)), numbers(30)[10:]...)
}

func TestEngineTurnPage_RefusesWhatIsNoPageBehind(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other'), pgque.subscribe('other', 'c'), pgque.subscribe('q', 'd')`)
	e.exec(`select pgque.send('other', '1'), pgque.send_batch('q', array['1', '2', '3'])`)
	e.tick("other")
	e.tick("q")
	const turn = `select pgque.turn_page($1, $2, $3, $4)`
	page := e.nextPage(1, 0)
	w, _ := e.window(page[0].Batch)
	for what, args := range map[string][]any{
		"an end before that of the page": {page[0].Batch, w.batch, w.end, 1},
		"no end":                         {page[0].Batch, w.batch, nil, 1},
		"no events":                      {page[0].Batch, w.batch, w.end + 1, 0},
		"the same batch id":              {page[0].Batch, page[0].Batch, w.end + 1, 1},
		"a batch id of another cursor":   {page[0].Batch, w.batch + 1, w.end + 1, 1},
		"no batch id":                    {page[0].Batch, nil, w.end + 1, 1},
	} {
		if e.fails("PQ009", turn, args...); t.Failed() {
			t.Fatal(what)
		}
	}
	e.expect(payloads(e.nextPage(1, 0)), "1")
	rest := e.nextPage(100, page[0].Batch)
	e.fails("PQ009", turn, rest[0].Batch, w.batch, w.high+1, 1) // it was the last page
	e.fails("PQ003", `select * from pgque.page_window_1($1)`, page[0].Batch)
	e.fails("PQ003", `select * from pgque.page_window_1($1)`, e.receive("other", "c", 10)[0].Batch)
	e.fails("PQ003", `select * from pgque.page_window_1(pgque.next_batch('q', 'd'))`)
	e.fails("PQ003", `select pgque.turn_page(pgque.next_batch('q', 'd'), $1, $2, 1)`, w.batch, w.end+1)
}
