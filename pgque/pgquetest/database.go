package pgquetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// DSNEnv names the environment variable that makes the tests use a server that
// is there already. Its user must be allowed to create databases.
const DSNEnv = "PGQUE_TEST_DSN"

// adminTimeout bounds what this package itself asks of a server. Creating a
// database takes milliseconds; many at once on a small machine take longer.
const adminTimeout = time.Minute

// NewDatabase creates an empty database, without the engine, and returns its
// connection string in keyword form. It is dropped when the test ends, whoever
// is connected.
//
// Its server is the one that PGQUE_TEST_DSN names, or else a throw-away server
// that all tests of the test binary share.
func NewDatabase(t testing.TB) (dsn string) {
	t.Helper()
	return newDatabase(t, shared(t), emptyTemplate)
}

// emptyTemplate is the template that nobody may connect to, and so nobody has
// added anything to.
const emptyTemplate = "template0"

func newDatabase(t testing.TB, h *host, template string) (dsn string) {
	t.Helper()
	name := newName()
	check(t, h.exec("create database "+name+" template "+template+h.strategy()))
	if h.brief {
		return h.dsn(name)
	}
	t.Cleanup(func() {
		t.Helper()
		check(t, h.exec("drop database if exists "+name+" with (force)"))
	})
	return h.dsn(name)
}

// newName tells a human who finds a database that was left behind (a killed
// test, a server of PGQUE_TEST_DSN) where it came from.
func newName() string {
	return "pgque_test_" + strings.ToLower(rand.Text())[:12]
}

// host is a server on which databases are created.
type host struct {
	dsn      func(database string) string
	template func() error  // makes the template; nil on a server that is not ours
	strategy func() string // how to copy a template, for create database
	brief    bool          // gone with its test, and its databases with it
}

func ownHost(s *server.Server) *host {
	h := &host{dsn: s.DSN}
	h.strategy = sync.OnceValue(h.copyFiles)
	h.template = sync.OnceValue(h.makeTemplate)
	return h
}

// copyFiles costs a fifth of the way through the log, which servers go by default since
// they have the choice. It makes two checkpoints, which are cheap without fsync.
func (h *host) copyFiles() string {
	var cheap bool
	err := h.ask(func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `select current_setting('server_version_num')::int >= 150000
			and current_setting('fsync') = 'off'`).Scan(&cheap)
	})
	if err != nil || !cheap {
		return ""
	}
	return " strategy file_copy"
}

// shared returns the server of this test binary. It is started by the first
// test that asks, and nothing closes it: the watchdog of package server does
// when the test binary ends.
func shared(t testing.TB) *host {
	t.Helper()
	h, err := sharedHost()
	check(t, err)
	return h
}

var sharedHost = sync.OnceValues(func() (*host, error) {
	if dsn := os.Getenv(DSNEnv); dsn != "" {
		return existingHost(dsn)
	}
	s, err := server.Start(context.Background(), server.Options{})
	var missing *server.NotFoundError
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("%w\n  a server of yours: set %s to its connection string", err, DSNEnv)
	}
	if err != nil {
		return nil, err
	}
	return ownHost(s), nil
})

// exec runs one statement in the host's own database.
func (h *host) exec(sql string) error {
	err := h.ask(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
	if err != nil {
		return fmt.Errorf("pgquetest: %s: %w", sql, err)
	}
	return nil
}

// ask uses a connection of its own to the host's own database: an idle one kept for next
// time would stand in the way of tests that look for leaks.
func (h *host) ask(question func(ctx context.Context, conn *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, h.dsn(""))
	if err != nil {
		return err
	}
	return errors.Join(question(ctx, conn), conn.Close(ctx))
}
