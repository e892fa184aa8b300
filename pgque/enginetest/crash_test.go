package enginetest

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/internal/testserver"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

var crashes = flag.Int("crashes", 2, "how often to kill the server under load")

// TestCrash kills every process of the server at random moments under load, and starts
// it again. What was committed is there, and what was in the middle is not.
func TestCrash_NothingThatWasCommittedIsLost(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, server.Options{Durable: true})
	h := newHistory(t, newDatabase(t, s.DSN("")))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.run(ctx, func(ctx context.Context) {
		defer cancel()
		r := newRand(h.seed, 3000)
		for n := 0; n < *crashes && ctx.Err() == nil; n++ {
			pause(500*time.Millisecond + time.Duration(r.Int64N(int64(time.Second))))
			if err := s.Kill(); err != nil {
				t.Error(err)
				return
			}
			if err := s.Restart(); err != nil {
				t.Error(err)
				return
			}
		}
		pause(500 * time.Millisecond)
	})
	h.check()
}

// newDatabase creates one with the engine beside the database of dsn, and returns the
// keyword that is to be added to dsn for it.
func newDatabase(t *testing.T, dsn string) string {
	t.Helper()
	admin := dial(t, dsn)
	mustExec(t, admin, `create database proof`)
	dsn += " dbname=proof"
	conn := dial(t, dsn)
	if err := pgque.Install(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	closeAll(t, admin, conn)
	return dsn
}

func closeAll(t *testing.T, conns ...*pgx.Conn) {
	t.Helper()
	for _, conn := range conns {
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A sequence that is used in the transaction that creates it is not logged at
// wal_level minimal, and goes back in a crash.
func TestCrash_OfAFreshQueueLeavesItsTicksInOrder(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, server.Options{Settings: map[string]string{"wal_level": "minimal"}})
	dsn := newDatabase(t, s.DSN(""))
	conn := dial(t, dsn)
	mustExec(t, conn, `select pgque.create_queue('q')`)
	ticks := func(conn *pgx.Conn) {
		for range 3 {
			mustExec(t, conn, `select pgque.force_next_tick('q')`)
			mustExec(t, conn, `select pgque.ticker('q')`)
		}
	}
	ticks(conn)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	ticks(dial(t, dsn))
}
