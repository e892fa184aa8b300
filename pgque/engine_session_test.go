package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// engineTest is a database with the engine, for tests that speak SQL to it.
type engineTest struct {
	*session // for what needs no session of its own
	dsn      string
}

// newEngineTest has a queue q on which the consumer c is subscribed.
func newEngineTest(t testing.TB) *engineTest {
	t.Helper()
	dsn := pgquetest.New(t).Pool().Config().ConnString()
	e := &engineTest{session: newSession(t, dsn), dsn: dsn}
	e.exec(`select pgque.create_queue('q'), pgque.subscribe('q', 'c')`)
	return e
}

// session is one connection; the test fails on errors it does not expect.
type session struct {
	t    testing.TB
	conn *pgx.Conn
}

func newSession(t testing.TB, dsn string) *session {
	t.Helper()
	return &session{t: t, conn: connectTo(t, dsn)}
}

func (e *engineTest) newSession() *session { e.t.Helper(); return newSession(e.t, e.dsn) }

func (s *session) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.conn.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatalf("%v\n%s", err, sql)
	}
}

// fails expects an error with the given SQLSTATE.
func (s *session) fails(code, sql string, args ...any) {
	s.t.Helper()
	_, err := s.conn.Exec(s.t.Context(), sql, args...)
	s.hasCode(err, code, sql)
}

func (s *session) hasCode(err error, code, sql string) {
	s.t.Helper()
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != code {
		s.t.Errorf("expected SQLSTATE %s, got %v\n%s", code, err, sql)
	}
}

// start runs a statement in the background; the channel yields its error.
func (s *session) start(sql string, args ...any) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, err := s.conn.Exec(s.t.Context(), sql, args...)
		ended <- err
	}()
	return ended
}

// finish waits for a statement that start began.
func (s *session) finish(ended <-chan error) {
	s.t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			s.t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		s.t.Fatal("the statement does not end")
	}
}

// awaitLock returns once the other session waits for a lock.
func (s *session) awaitLock(other *session) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	for waits := false; !waits; {
		err := s.conn.QueryRow(ctx, `select coalesce(wait_event_type = 'Lock', false) from pg_stat_activity where pid = $1`,
			other.conn.PgConn().PID()).Scan(&waits)
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *session) int(sql string, args ...any) int64 {
	s.t.Helper()
	return query1[int64](s.t, s.conn, sql, args...)
}

// isNull expects a single null.
func (s *session) isNull(sql string, args ...any) {
	s.t.Helper()
	if got := query1[*string](s.t, s.conn, sql, args...); got != nil {
		s.t.Errorf("expected null, got %q\n%s", *got, sql)
	}
}

// tick ticks the queue, whether there is anything new or not.
func (s *session) tick(queue string) {
	s.t.Helper()
	s.exec(`select pgque.force_next_tick($1)`, queue)
	if s.int(`select coalesce(pgque.ticker($1), 0)`, queue) == 0 {
		s.t.Fatal("no tick")
	}
}

// sqlMessage is a row of receive.
type sqlMessage struct {
	ID, Batch int64
	Type      *string
	Payload   *string
	Retry     *int
}

const sqlMessages = `select msg_id, batch_id, type, payload, retry_count from `

func (s *session) messages(from string, args ...any) []sqlMessage {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), sqlMessages+from, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	messages, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sqlMessage])
	if err != nil {
		s.t.Fatalf("%v\n%s", err, from)
	}
	return messages
}

func (s *session) receive(queue, consumer string, limit int) []sqlMessage {
	s.t.Helper()
	return s.messages(`pgque.receive($1, $2, $3)`, queue, consumer, limit)
}

func (s *session) ack(batch int64) {
	s.t.Helper()
	if s.int(`select pgque.ack($1)`, batch) != 1 {
		s.t.Fatalf("batch %d is not open", batch)
	}
}

// drain receives and acks pages until nothing is left, and returns the payloads.
func (s *session) drain(queue, consumer string, limit int) []string {
	s.t.Helper()
	var all []string
	for page := s.receive(queue, consumer, limit); len(page) > 0; page = s.receive(queue, consumer, limit) {
		all = append(all, payloads(page)...)
		s.ack(page[0].Batch)
	}
	return all
}

func payloads(messages []sqlMessage) []string {
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = "null"
		if m.Payload != nil {
			texts[i] = *m.Payload
		}
	}
	return texts
}

func (s *session) expect(got []string, want ...string) {
	s.t.Helper()
	if !slices.Equal(got, want) {
		s.t.Errorf("got %v, expected %v", got, want)
	}
}

// numbers is "1" to "n".
func numbers(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprint(i + 1)
	}
	return texts
}

// rotate makes rotation due and completes it, the way maintenance does.
func (s *session) rotate(queue string) (rotated bool) {
	s.t.Helper()
	s.exec(`update pgque.queue set queue_switch_time = '2000-01-01' where queue_name = $1`, queue)
	rotated = s.int(`select pgque.maint_rotate_tables_step1($1)`, queue) == 1
	s.exec(`select pgque.maint_rotate_tables_step2()`)
	return rotated
}
