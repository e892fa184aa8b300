package enginetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// patience bounds a statement. Nothing waits that long but a deadlock that nobody
// detects.
const patience = time.Minute

// actor is a session that does the same kind of thing again and again, and comes back
// when it was killed.
type actor struct {
	h    *history
	name string
	r    *rand.Rand
	conn *pgx.Conn
	ctx  context.Context // of the statements; it outlives the actor's loop
}

// errStop ends a step that decided to go no further, as a worker that crashes does.
var errStop = errors.New("the worker gives up")

// play repeats a step until ctx ends, over connections that come and go.
func (a *actor) play(ctx context.Context, do func(*actor) error) {
	defer func() { a.hangUp() }()
	for ctx.Err() == nil {
		err := a.once(do)
		if err == nil || errors.Is(err, errStop) {
			continue
		}
		if code := sqlState(err); code != "" && !slices.Contains(expectedCodes, code) || errors.Is(err, context.DeadlineExceeded) {
			a.h.t.Errorf("%s: %v", a.name, err)
			return
		}
		if isBroken(a.conn) {
			a.hangUp()
			pause(2 * time.Millisecond)
		}
	}
}

func (a *actor) once(do func(*actor) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	a.ctx = ctx
	if a.conn == nil {
		conn, err := pgx.Connect(ctx, a.h.dsn+" application_name="+a.name)
		if err != nil {
			return nil // the server is down, or not yet up
		}
		a.conn = conn
	}
	err := do(a)
	if !isBroken(a.conn) && a.conn.PgConn().TxStatus() != 'I' {
		_, undone := a.conn.Exec(ctx, `rollback`)
		err = errors.Join(err, undone)
	}
	return err
}

func (a *actor) hangUp() {
	if a.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = a.conn.Close(ctx)
	a.conn = nil
}

// expectedCodes are those of serialization failures, deadlocks, lock timeouts, killed
// sessions (08P01 is PgBouncer's, about a session that was killed while it was being
// prepared for its next client), and a server that stops, starts or is a standby still.
var expectedCodes = []string{"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05", "25006", "08006", "08P01"}

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func isBroken(conn *pgx.Conn) bool { return conn == nil || conn.IsClosed() }

// pause is work that takes its time, not a wait for anything.
func pause(d time.Duration) { time.Sleep(d) }

func (a *actor) pauseUpTo(most time.Duration) { pause(time.Duration(a.r.Int64N(int64(most)))) }

func (a *actor) chance(oneIn int) bool { return a.r.IntN(oneIn) == 0 }

func (a *actor) exec(sql string, args ...any) error {
	_, err := a.conn.Exec(a.ctx, sql, args...)
	return err
}

func (a *actor) number(sql string, args ...any) (n int64, err error) {
	return n, a.conn.QueryRow(a.ctx, sql, args...).Scan(&n)
}
