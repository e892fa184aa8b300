package pgque_test

import (
	"testing"
)

// A sequence falls behind its table when the table alone was copied, or in a crash.

func TestEngineSequence_OfEventsThatFellBehindLosesNothing(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"tick_queue":    `select pgque.tick_queue('q')`,
		"tick_queues":   `select pgque.tick_queues('{q}')`,
		"ticker":        `select pgque.ticker()`,
		"ticker(queue)": `select pgque.ticker('q')`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			e.exec(`select pgque.subscribe('q', 'behind'), pgque.set_queue_config('q', 'ticker_max_lag', '0')`)
			e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 10) g))`)
			e.tick("q")
			e.expect(e.drain("q", "c", 4), numbers(10)...)
			e.exec(`select setval('pgque.event_1_id_seq', 3)`)
			e.exec(`select pgque.send('q', 'a'), pgque.send('q', 'b')`)
			e.exec(sql)
			e.expect(e.drain("q", "c", 1), "a", "b")
			e.exec(`select pgque.send('q', 'c'), pgque.send('q', 'd')`)
			e.tick("q")
			e.expect(e.drain("q", "c", 1), "c", "d")
			if got := e.drain("q", "behind", 3); len(got) != 14 {
				t.Errorf("who was behind got %v", got)
			}
			if twice := e.int(`select count(*) from pgque.event_1 where ev_id > 10`); twice != 2 {
				t.Errorf("%d events have ids of their own", twice)
			}
		})
	}
}

// So many events were sent since that the sequence has caught up.
func TestEngineSequence_ThatCaughtUpBeforeTheTickLosesNothing(t *testing.T) {
	t.Parallel()
	for _, tick := range []string{`select pgque.tick_queue('q')`, `select pgque.tick_queues('{q}')`} {
		for _, sent := range []int{7, 9} { // 7: to where it was
			e := newEngineTest(t)
			e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 10) g))`)
			e.exec(tick)
			e.expect(e.drain("q", "c", 4), numbers(10)...)
			e.exec(`update pgque.tick set tick_time = '2000-01-01'`) // the server was started since
			e.exec(`select setval('pgque.event_1_id_seq', 3)`)
			for _, n := range numbers(sent) {
				e.exec(`select pgque.send('q', $1::text)`, n)
			}
			e.exec(tick)
			e.expect(e.drain("q", "c", 4), numbers(sent)...)
		}
	}
}

func TestEngineSequence_OfTicksThatFellBehindDoesNotStopTheQueue(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for range 5 {
		e.tick("q")
	}
	e.exec(`delete from pgque.tick where tick_id < 6; select setval('pgque.event_1_tick_seq', 2)`)
	e.exec(`update pgque.subscription set sub_last_tick = 6`)
	for _, n := range numbers(3) {
		e.exec(`select pgque.send('q', $1::text)`, n)
		e.tick("q")
	}
	e.expect(e.drain("q", "c", 1), "1", "2", "3")
}

// A sequence that is where it belongs, after a start of the server, is left alone.
func TestEngineSequence_ThatIsWellStaysAsItIs(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	sender := e.newSession()
	sender.exec(`begin; select pgque.send('q', 'early')`)
	e.exec(`select pgque.send('q', '1')`)
	e.exec(`select pgque.tick_queue('q')`)
	e.exec(`update pgque.tick set tick_time = '2000-01-01'`)
	sender.exec(`commit`)
	e.exec(`select pgque.send('q', '2')`)
	e.exec(`select pgque.tick_queue('q')`)
	e.expect(e.drain("q", "c", 4), "1", "early", "2")
	if e.int(`select count(*) from pgque.queue where queue_foreign_ids`) != 0 || e.int(`select last_value from pgque.event_1_id_seq`) != 3 {
		t.Error("the queue was repaired")
	}
}
