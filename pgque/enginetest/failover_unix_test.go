//go:build unix

package enginetest

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/internal/testserver"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

var failovers = flag.Int("failovers", 1, "how often to fail over to a standby")

// TestFailover kills the primary under load and promotes its synchronous standby, to
// which the clients then connect; the old primary becomes the new one's standby, and
// so on. What was committed is there.
func TestFailover_NothingThatWasCommittedIsLost(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	h := newHistory(t, p.dsn)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.run(ctx, func(ctx context.Context) {
		defer cancel()
		for n := 0; n < *failovers && ctx.Err() == nil; n++ {
			if err := p.failOver(ctx); err != nil {
				t.Error(err)
				return
			}
			pause(500 * time.Millisecond)
		}
	})
	h.check()
}

// pair is a primary and the server that is to become its standby.
type pair struct {
	primary, standby *server.Server
	dsn              string // of whichever is the primary
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{}
	o := server.Options{Durable: true, Settings: map[string]string{
		"wal_level": "replica", "max_wal_senders": "5", "wal_keep_size": "256MB", "hot_standby": "on",
	}}
	p.primary, p.standby = testserver.Start(t, o), testserver.Start(t, o)
	p.dsn = fmt.Sprintf("host=127.0.0.1,127.0.0.1 port=%d,%d user=postgres sslmode=disable target_session_attrs=read-write dbname=proof",
		p.primary.Port(), p.standby.Port())
	newDatabase(t, p.primary.DSN(""))
	return p
}

// failOver makes the standby follow the primary, kills the primary once it depends on
// the standby for every commit, and lets the two change places. The copy is made before
// the primary learns to wait for a standby: it must not wait itself, once it is promoted.
func (p *pair) failOver(ctx context.Context) error {
	if err := p.standby.Follow(ctx, p.primary); err != nil {
		return err
	}
	if err := p.synchronize(ctx); err != nil {
		return err
	}
	pause(time.Second)
	if err := p.primary.Kill(); err != nil {
		return err
	}
	p.primary, p.standby = p.standby, p.primary
	return on(ctx, p.primary, func(conn *pgx.Conn) error {
		return execOn(ctx, conn, `select pg_promote()`)
	})
}

// synchronize returns once nothing is committed that the standby has not on its disk.
func (p *pair) synchronize(ctx context.Context) error {
	return on(ctx, p.primary, func(conn *pgx.Conn) error {
		if err := execOn(ctx, conn, `alter system set synchronous_standby_names = '*'`); err != nil {
			return err
		}
		if err := execOn(ctx, conn, `select pg_reload_conf()`); err != nil {
			return err
		}
		if err := until(ctx, conn, `select exists (select from pg_stat_replication where sync_state = 'sync')`); err != nil {
			return err
		}
		var position string
		if err := conn.QueryRow(ctx, `select pg_current_wal_lsn()::text`).Scan(&position); err != nil {
			return err
		}
		return until(ctx, conn, `select exists (select from pg_stat_replication where flush_lsn >= $1::pg_lsn)`, position)
	})
}

func on(ctx context.Context, s *server.Server, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.DSN(""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return do(conn)
}

func until(ctx context.Context, conn *pgx.Conn, fact string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var is bool
		if err := conn.QueryRow(ctx, fact, args...).Scan(&is); err != nil {
			return fmt.Errorf("%s: %w", fact, err)
		}
		if is {
			return nil
		}
		pause(10 * time.Millisecond)
	}
}
