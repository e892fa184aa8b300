package pgquetest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestNewDatabase_IsEmptyAndOfThisTestOnly(t *testing.T) {
	t.Parallel()
	a, b := connect(t, pgquetest.NewDatabase(t)), connect(t, pgquetest.NewDatabase(t))
	if _, err := a.Exec(t.Context(), "create table mine (id int)"); err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, b, "select count(*) from pg_class where relname = 'mine'"); n != 0 {
		t.Error("a table of one database is seen in another")
	}
	if n := value[int](t, b, "select count(*) from pg_namespace where nspname = 'pgque'"); n != 0 {
		t.Error("the engine is in a database that was to be empty")
	}
}

func TestNewDatabase_IsDroppedWithTheTestThoughSomebodyIsConnected(t *testing.T) {
	t.Parallel()
	other := connect(t, pgquetest.NewDatabase(t))
	var name string
	t.Run("inner", func(t *testing.T) {
		left := connect(t, pgquetest.NewDatabase(t))
		name = value[string](t, left, "select current_database()")
	})
	if n := value[int](t, other, "select count(*) from pg_database where datname = $1", name); n != 0 {
		t.Errorf("database %s outlived its test", name)
	}
}

func TestStart_KeepsCommittedDataOverKillAndRestart(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t, pgquetest.WithSetting("max_prepared_transactions", "3"))
	before := connect(t, s.DSN(""))
	if n := value[string](t, before, "show max_prepared_transactions"); n != "3" {
		t.Errorf("max_prepared_transactions = %s, want 3", n)
	}
	if _, err := before.Exec(t.Context(), "create table kept (id int)"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	s.Restart()
	if n := value[int](t, connect(t, s.DSN("")), "select count(*) from pg_class where relname = 'kept'"); n != 1 {
		t.Error("a committed table is gone after kill and restart")
	}
	s.Stop(server.Fast)
	s.Stop(server.Fast)
	s.Restart()
	if n := value[int](t, connect(t, s.DSN("")), "select count(*) from pg_class where relname = 'kept'"); n != 1 {
		t.Error("a committed table is gone after stop and restart")
	}
}
