package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// connectTo opens a connection that is closed when the test ends.
func connectTo(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

// mustExec runs statements without arguments.
func mustExec(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// query1 returns the only value of the only row.
func query1[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return value
}

func mustInstall(t testing.TB, db pgque.DB) {
	t.Helper()
	if err := pgque.Install(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

func TestInstall_VersionsAgree(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgquetest.NewDatabase(t))
	mustInstall(t, conn)
	if installed := query1[string](t, conn, `select pgque.version()`); installed != pgque.Version {
		t.Errorf("the engine says %s, the package %s", installed, pgque.Version)
	}
}

func TestInstall_SecondTimeKeepsData(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgquetest.NewDatabase(t))
	mustInstall(t, conn)
	mustExec(t, conn, `select pgque.create_queue('q'); select pgque.subscribe('q', 'c'); select pgque.send('q', '1')`)
	mustInstall(t, conn)
	mustExec(t, conn, `select pgque.tick_queue('q')`)
	if got := query1[string](t, conn, `select payload from pgque.receive('q', 'c')`); got != "1" {
		t.Errorf("received %q", got)
	}
}

func TestInstall_PutsChangedFunctionsRight(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgquetest.NewDatabase(t))
	mustInstall(t, conn)
	mustExec(t, conn, `create or replace function pgque.create_queue(i_queue_name text) returns int language sql as 'select 7'`)
	mustInstall(t, conn)
	if got := query1[int](t, conn, `select pgque.create_queue('q')`); got != 1 {
		t.Errorf("create_queue = %d", got)
	}
}

func TestInstall_OlderVersionIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgquetest.NewDatabase(t))
	mustInstall(t, conn)
	mustExec(t, conn, `select pgque.create_queue('q'); update pgque.config set engine_version = '0.9.9'`)
	mustInstall(t, conn)
	if got := query1[string](t, conn, `select pgque.version()`); got != pgque.Version {
		t.Errorf("version %s", got)
	}
	if got := query1[int](t, conn, `select count(*) from pgque.queue`); got != 1 {
		t.Errorf("%d queues left", got)
	}
}

func TestInstall_NewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgquetest.NewDatabase(t))
	mustInstall(t, conn)
	mustExec(t, conn, `update pgque.config set engine_version = '1.10.0'`)
	if err := pgque.Install(t.Context(), conn); !errors.Is(err, pgque.ErrForeignSchema) || !strings.Contains(err.Error(), "1.10.0") {
		t.Errorf("error %v", err)
	}
	if got := query1[string](t, conn, `select pgque.version()`); got != "1.10.0" {
		t.Errorf("version is now %s", got)
	}
}

func TestInstall_ForeignSchemaIsRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"empty":           `create schema pgque`,
		"another engine":  `create schema pgque; create table pgque.config (singleton bool); create function pgque.version() returns text language sql as 'select ''0.2.0'''`,
		"same table name": `create schema pgque; create table pgque.config (engine text, engine_version text); insert into pgque.config values ('other', '1.0.0')`,
		"empty config":    `create schema pgque; create table pgque.config (engine text, engine_version text)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connectTo(t, pgquetest.NewDatabase(t))
			mustExec(t, conn, schema)
			before := schemaObjects(t, conn)
			if err := pgque.Install(t.Context(), conn); !errors.Is(err, pgque.ErrForeignSchema) {
				t.Errorf("error %v", err)
			}
			if after := schemaObjects(t, conn); after != before {
				t.Errorf("before: %s\nafter: %s", before, after)
			}
		})
	}
}

// schemaObjects names all tables and functions of the schema pgque.
func schemaObjects(t testing.TB, conn *pgx.Conn) string {
	t.Helper()
	return query1[string](t, conn, `
		select coalesce(string_agg(name, ' ' order by name), '') from (
			select relname::text from pg_class where relnamespace = 'pgque'::regnamespace
			union all
			select proname || md5(prosrc) from pg_proc where pronamespace = 'pgque'::regnamespace) as o(name)`)
}

func TestUninstall_LeavesNothingOfOursAndAllOfOthers(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.send("a", 1)
	b.must(b.Uninstall(t.Context()))
	b.must(b.Uninstall(t.Context()))
	if _, err := b.Send(t.Context(), "orders", pgque.Event{}); !errors.Is(err, pgque.ErrNotInstalled) {
		t.Errorf("Send: %v", err)
	}
	b.exec("create schema pgque; create table pgque.mine (id int)")
	if err := b.Uninstall(t.Context()); !errors.Is(err, pgque.ErrForeignSchema) {
		t.Errorf("Uninstall of another engine: %v", err)
	}
	b.exec("drop table pgque.mine; drop schema pgque")
	b.must(b.Install(t.Context()))
	b.must(b.CreateQueue(t.Context(), "orders"))
	b.send("a", 1)
}

func TestInstall_TenAtOnce(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	pool, err := pgxpool.New(t.Context(), dsn+" pool_max_conns=10")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()

	failures := make([]error, 10)
	var ready, done sync.WaitGroup
	ready.Add(len(failures))
	for i := range failures {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			failures[i] = pgque.Install(t.Context(), pool)
		})
	}
	done.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Error(err)
	}
	if got := query1[string](t, connectTo(t, dsn), `select pgque.version()`); got != pgque.Version {
		t.Errorf("version %s", got)
	}
}

// newRole makes a login role that is dropped, with what it owns, when the test ends.
func newRole(t testing.TB, conn *pgx.Conn, name, attributes string) {
	t.Helper()
	mustExec(t, conn, fmt.Sprintf(`create role %s login %s`, name, attributes))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		for sessions := 1; sessions > 0; { // a session that ends drops its temporary tables after it is gone
			if err := conn.QueryRow(ctx, `select count(*) from pg_stat_activity where usename = $1`, name).Scan(&sessions); err != nil {
				t.Error(err)
				return
			}
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf(`reassign owned by %[1]s to current_user; drop owned by %[1]s; drop role %[1]s`, name)); err != nil {
			t.Error(err)
		}
	})
}

// asRole rewrites the user of a connection string in keyword form.
func asRole(dsn, role string) string { return dsn + " user=" + role }

func TestInstall_ByTheOwnerOfTheDatabase(t *testing.T) {
	t.Parallel()
	for name, attributes := range map[string]string{"may not make roles": "nocreaterole", "may make roles": "createrole"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgquetest.NewDatabase(t)
			super := connectTo(t, dsn)
			owner := fmt.Sprintf("owner_%s_%d", attributes, time.Now().UnixNano())
			newRole(t, super, owner, attributes)
			mustExec(t, super, `do $$ begin execute format('alter database %I owner to `+owner+`', current_database()); end $$`)

			conn := connectTo(t, asRole(dsn, owner))
			mustInstall(t, conn)
			mustInstall(t, conn)
			mustExec(t, conn, `select pgque.create_queue('q'); select pgque.subscribe('q', 'c'); select pgque.send('q', '1')`)
			mustExec(t, conn, `select pgque.tick_queue('q')`)
			mustExec(t, conn, `select pgque.ack(batch_id) from (select batch_id from pgque.receive('q', 'c') limit 1) m`)
			mustExec(t, conn, `select pgque.maint(); select pgque.drop_queue('q', true)`)
		})
	}
}

func TestInstall_ByAStrangerOfACurrentEngineChangesNothing(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	super := connectTo(t, dsn)
	mustInstall(t, super)
	stranger := fmt.Sprintf("stranger_%d", time.Now().UnixNano())
	newRole(t, super, stranger, "in role pgque_reader")
	mustInstall(t, connectTo(t, asRole(dsn, stranger)))
}

// Roles belong to the cluster, so this test has one of its own.
func TestInstall_RolesAreOptionalAndMayComeLater(t *testing.T) {
	t.Parallel()
	server := pgquetest.Start(t)
	super := connectTo(t, server.DSN("postgres"))
	mustExec(t, super, `create role owner login nocreaterole`)
	mustExec(t, super, `create database app owner owner`)

	conn := connectTo(t, asRole(server.DSN("app"), "owner"))
	mustInstall(t, conn)
	mustExec(t, conn, `select pgque.create_queue('q'); select pgque.subscribe('q', 'c'); select pgque.send('q', '1')`)
	mustExec(t, conn, `select pgque.tick_queue('q')`)
	if got := query1[string](t, conn, `select payload from pgque.receive('q', 'c')`); got != "1" {
		t.Errorf("received %q", got)
	}

	mustExec(t, super, `create role pgque_reader; create role pgque_writer; create role pgque_admin; create role app login in role pgque_reader`)
	mustInstall(t, conn)
	reader := connectTo(t, asRole(server.DSN("app"), "app"))
	if got := query1[string](t, reader, `select ev_data from pgque.event_1, pgque.receive('q', 'c')`); got != "1" {
		t.Errorf("a reader that came later received %q", got)
	}
}

func TestInstall_CancelledChangesNothing(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, pgquetest.NewDatabase(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pgque.Install(ctx, conn); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
