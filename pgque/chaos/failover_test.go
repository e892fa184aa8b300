package chaos_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/internal/testserver"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// TestFailover kills the primary under load and promotes its synchronous standby.
// Nobody tells the workers: their connection string names both servers.
func TestFailover_ProducersAndConsumersGoOn(t *testing.T) {
	t.Parallel()
	primary := testserver.Start(t, server.Options{Durable: true, Settings: map[string]string{
		"wal_level": "replica", "max_wal_senders": "4",
	}})
	testserver.Exec(t, primary, "create database proof")
	standby := testserver.Start(t, server.Options{StandbyOf: primary})
	dsn := fmt.Sprintf("host=127.0.0.1,127.0.0.1 port=%d,%d user=postgres dbname=proof sslmode=disable target_session_attrs=read-write",
		primary.Port(), standby.Port())
	testserver.Exec(t, primary, "alter system set synchronous_standby_names = '*'")
	testserver.Exec(t, primary, "select pg_reload_conf()")
	l := newLedger(t, connect(t, dsn))
	l.await("the standby is synchronous", "select exists (select from pg_stat_replication where sync_state = 'sync')")

	f := newFleet(t, dsn, &l.book)
	for _, role := range []string{"produce", "billing", "pool", "crew", "keyed", "bundle", "mixed", "audit", "shipping"} {
		f.hire(role, 1)
	}
	l.awaitSent(200)
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	testserver.Exec(t, standby, "select pg_promote()")
	l.awaitSent(l.count() + 200)

	f.retire("produce")
	l.sendLast()
	l.awaitAll()
	f.retire()
	l.check()
	t.Logf("%d events reported", l.count())
}

func connect(t *testing.T, dsn string) *pgque.Client {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c := pgque.New(pool)
	t.Cleanup(c.Close)
	if err := c.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *ledger) await(what, sql string) {
	l.t.Helper()
	l.until(what, func() (yes bool) {
		l.must(l.Pool().QueryRow(l.t.Context(), sql).Scan(&yes))
		return yes
	})
}

func (l *ledger) awaitSent(n int) {
	l.t.Helper()
	l.until(fmt.Sprintf("%d events are reported", n), func() bool { return l.count() >= n })
}

func (l *ledger) until(what string, fact func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(calm); !fact(); {
		if time.Now().After(deadline) {
			l.t.Fatalf("not within %v: %s", calm, what)
		}
		rest(l.t.Context(), 20*time.Millisecond)
	}
}
