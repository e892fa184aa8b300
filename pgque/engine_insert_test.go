package pgque_test

import (
	"testing"
)

// blockedInsert inserts an event whose id is drawn while the rest of its row has to
// wait until release ends.
func (e *engineTest) blockedInsert() (producer *session, release func()) {
	e.t.Helper()
	locker, producer := e.newSession(), e.newSession()
	locker.exec(`select pg_advisory_lock(1)`)
	// An id that is drawn right after a checkpoint is logged, which takes a transaction
	// id by itself; the next ones are not.
	producer.exec(`select nextval('pgque.event_1_id_seq'), nextval('pgque.event_1_id_seq')`)
	ended := producer.start(`insert into pgque.event_1_0 (ev_time, ev_data)
		values ((select now() from (select pg_advisory_lock(1)) l), 'late')`)
	e.awaitLock(producer)
	return producer, func() {
		locker.exec(`select pg_advisory_unlock(1)`)
		producer.finish(ended)
	}
}

func TestEngineInsert_HasItsTransactionIDBeforeItsEventID(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	producer, release := e.blockedInsert()
	if e.int(`select count(*) from pg_stat_activity where pid = $1 and backend_xid is not null`, producer.conn.PgConn().PID()) != 1 {
		t.Error("an event id was drawn before the transaction had an id")
	}
	release()
}

func TestEngineInsert_WhileATickIsMadeIsDelivered(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	_, release := e.blockedInsert()
	e.exec(`select pgque.send('q', 'early')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "early")
	release()
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "late")
}

// A client may use what it knows of a queue a moment too long.
func TestEngineInsert_IntoATableThatIsNotCurrentIsDelivered(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for range 4 {
		if !e.rotate("q") {
			t.Fatal("no rotation")
		}
		for _, table := range []string{"event_1_0", "event_1_1", "event_1_2"} {
			e.exec(`insert into pgque.` + table + ` (ev_data) values ('` + table + `')`)
		}
		if e.rotate("q") {
			t.Error("a table was emptied that holds unread events")
		}
		e.tick("q")
		e.expect(e.drain("q", "c", 10), "event_1_0", "event_1_1", "event_1_2")
		e.tick("q")
		e.drain("q", "c", 10)
	}
}
