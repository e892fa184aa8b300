package pgque_test

import (
	"testing"
)

func TestEngineSendIdem_SendsAKeyOnceWithinItsTime(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other')`)
	first := e.int(`select event_id from pgque.send_idem('q', 't', '1', 'key')`)
	for sql, want := range map[string]bool{
		`select deduped and event_id = $1 from pgque.send_idem('q', 't', '2', 'key')`:         true,
		`select deduped and event_id = $1 from pgque.send_idem('q', 't', '2'::jsonb, 'key')`:  true,
		`select deduped or event_id = $1 from pgque.send_idem('q', 't', '3', 'another key')`:  false,
		`select deduped from pgque.send_idem('other', 't', '3', 'key') where $1::bigint <> 0`: false,
	} {
		if query1[bool](t, e.conn, sql, first) != want {
			t.Error(sql)
		}
	}
	e.exec(`update pgque.idem set expires_at = clock_timestamp() where idem_key = 'key'`)
	if query1[bool](t, e.conn, `select deduped from pgque.send_idem('q', 't', '4', 'key')`) {
		t.Error("an expired key counts")
	}
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "1", "3", "4")
}

func TestEngineSendIdem_TwoAtOnce(t *testing.T) {
	t.Parallel()
	for end, deduped := range map[string]bool{`commit`: true, `rollback`: false} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			other, third := e.newSession(), e.newSession()
			e.exec(`begin; select pgque.send_idem('q', 't', '1', 'key')`)
			ended := other.start(`create temp table got as select * from pgque.send_idem('q', 't', '2', 'key')`)
			third.awaitLock(other)
			e.exec(end)
			other.finish(ended)
			if got := query1[bool](t, other.conn, `select deduped from got`); got != deduped {
				t.Errorf("after %s of the first sender: deduped %v", end, got)
			}
		})
	}
}

func TestEngineSendIdem_WrongUsesAreRefused(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, args := range []string{`null`, `repeat('k', 2001)`, `'k', '0'`, `'k', '-1 s'`, `'k', '11 years'`, `'k', null`} {
		e.fails("PQ009", `select pgque.send_idem('q', 't', '1', `+args+`)`)
	}
	e.fails("PQ001", `select pgque.send_idem('none', 't', '1', 'k')`)
	e.exec(`begin isolation level repeatable read`)
	e.fails("PQ014", `select pgque.send_idem('q', 't', '1', 'k')`)
	e.exec(`rollback`)
}

func TestEngineSendIdem_KeysAreReclaimedByTruncation(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	current := func() int64 { return e.int(`select idem_current from pgque.config`) }
	held := func() int64 { return e.int(`select count(*) from pgque.idem`) }

	e.exec(`select pgque.send_idem('q', 't', '1', 'short'), pgque.send_idem('q', 't', '1', 'long')`)
	e.exec(`select pgque.maint()`)
	if current() != 0 {
		t.Error("the tables changed places though no key has expired")
	}
	e.exec(`update pgque.idem set expires_at = clock_timestamp() where idem_key = 'short'`)
	e.exec(`select pgque.maint_queue('q')`)
	e.exec(`select pgque.send_idem('q', 't', '1', 'newer')`)
	e.exec(`select pgque.maint_idem()`)
	if current() != 1 || held() != 3 {
		t.Errorf("table %d is the current one, %d keys are held", current(), held())
	}
	if !query1[bool](t, e.conn, `select deduped from pgque.send_idem('q', 't', '2', 'long')`) {
		t.Error("a key of the older table was forgotten")
	}
	e.exec(`update pgque.idem set expires_at = clock_timestamp() where idem_key in ('long', 'newer')`)
	if e.int(`select pgque.maint_idem('q')`) != 1 || held() != 1 || current() != 0 {
		t.Errorf("%d keys are held, table %d is the current one", held(), current())
	}
}
