package pgque_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// The first engine that anybody could install, as its Install ran it, without comments.
//
//go:embed testdata/engine-1.0.0.sql.gz
var firstEngine []byte

// newOldEngine is newEngineTest on a database of the first version.
func newOldEngine(t testing.TB) *engineTest {
	t.Helper()
	dsn := pgquetest.NewDatabase(t)
	e := &engineTest{session: newSession(t, dsn), dsn: dsn}
	e.installFirst()
	e.exec(`select pgque.create_queue('q'), pgque.subscribe('q', 'c')`)
	return e
}

func (s *session) installFirst() {
	s.t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(firstEngine))
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		s.t.Fatal(err)
	}
	mustExec(s.t, s.conn, `begin; `+string(text)+`; commit`)
}

func TestEngineUpgrade_IsWhatAFreshInstallationIs(t *testing.T) {
	t.Parallel()
	old, fresh := newOldEngine(t), newEngineTest(t)
	mustInstall(t, old.conn)
	for what, catalog := range map[string]string{
		"columns": `select format('%s.%s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attacl)
			from pg_attribute a join pg_class c on c.oid = attrelid left join pg_attrdef d on adrelid = attrelid and adnum = attnum
			where relnamespace = 'pgque'::regnamespace and attnum > 0 and not attisdropped`,
		"tables": `select format('%s %s %s %s', oid::regclass, relkind, reloptions, case when relname <> 'event_1_tick_seq' then relacl end)
			from pg_class where relnamespace = 'pgque'::regnamespace`,
		"indexes":     `select pg_get_indexdef(indexrelid) from pg_index join pg_class c on c.oid = indrelid where relnamespace = 'pgque'::regnamespace`,
		"constraints": `select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'pgque'::regnamespace`,
		"functions": `select format('%s %s %s %s %s', oid::regprocedure, proacl, prosecdef, proconfig, md5(prosrc))
			from pg_proc where pronamespace = 'pgque'::regnamespace`,
		"triggers": `select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = tgrelid
			where relnamespace = 'pgque'::regnamespace and not tgisinternal`,
		"schema": `select nspacl::text from pg_namespace where nspname = 'pgque'`,
	} {
		got, want := old.lines(catalog), fresh.lines(catalog)
		for _, line := range got {
			if !slices.Contains(want, line) && !strings.HasPrefix(line, "pgque._") {
				t.Errorf("%s: an upgrade has %s", what, line)
			}
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("%s: an upgrade lacks %s", what, line)
			}
		}
	}
}

func (s *session) lines(sql string) []string {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), sql)
	if err != nil {
		s.t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	return lines
}

// Slots had no generations at first.
func TestEngineUpgrade_KeepsLeases(t *testing.T) {
	t.Parallel()
	old, fresh := newOldEngine(t), newEngineTest(t)
	old.exec(`
		create table pgque.partition_consumer (
			queue_id integer not null references pgque.queue on delete cascade, co_name text not null,
			n integer not null check (n between 1 and 256), primary key (queue_id, co_name));
		create table pgque.partition_slot (
			queue_id integer not null, co_name text not null, slot integer not null,
			lease_owner text, lease_until timestamptz, lease_ttl interval, epoch bigint not null default 0,
			primary key (queue_id, co_name, slot),
			foreign key (queue_id, co_name) references pgque.partition_consumer on delete cascade) with (fillfactor = 50);
		insert into pgque.partition_consumer values (1, 'parts', 1);
		insert into pgque.partition_slot values (1, 'parts', 0, 'w', clock_timestamp() + interval '1 hour', '1 hour', 7)`)
	mustInstall(t, old.conn)
	old.isNull(`select pgque.claim_slot('q', 'parts', 0, 'another')`)
	if epoch := old.int(`select pgque.claim_slot('q', 'parts', 0, 'w')`); epoch != 7 {
		t.Errorf("the lease of epoch 7 has become one of %d", epoch)
	}
	const table = `select format('%s %s', reloptions, pg_get_indexdef(indexrelid))
		from pg_class join pg_index on indrelid = oid where oid = 'pgque.partition_slot'::regclass`
	old.expect(old.lines(table), fresh.lines(table)...)
}

func TestEngineUpgrade_KeepsEventsCursorsSettingsAndGrants(t *testing.T) {
	t.Parallel()
	e := newOldEngine(t)
	guest := fmt.Sprintf("guest_%d", time.Now().UnixNano())
	newRole(t, e.conn, guest, "")
	e.exec(`grant usage on schema pgque to ` + guest)
	e.exec(`grant execute on function pgque.send(text, text) to ` + guest)
	e.exec(`select pgque.set_queue_config('q', 'max_retries', '1'), pgque.set_queue_config('q', 'ticker_max_lag', '7 seconds')`)
	e.exec(`update pgque.config set tick_period_ms = 50`)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 9) g))`)
	e.tick("q")
	page := e.receive("q", "c", 3)
	e.exec(`select pgque.nack(batch_id, m, '0') from pgque.receive('q', 'c', 3) m where payload = '2'`)
	e.ack(page[0].Batch)
	open := e.receive("q", "c", 2)
	e.exec(`select pgque.send('q', '10')`)

	mustInstall(t, e.conn)

	again := e.receive("q", "c", 2)
	e.expect(payloads(again), "4", "5")
	if again[0].Batch != open[0].Batch {
		t.Error("the open page has another id")
	}
	e.exec(`select pgque.maint()`)
	e.tick("q")
	e.ack(again[0].Batch)
	e.expect(e.drain("q", "c", 100), "6", "7", "8", "9", "2", "10")
	if !e.rotate("q") {
		t.Error("no rotation after the upgrade")
	}
	if got := query1[string](t, e.conn, `select format('%s %s %s', queue_max_retries, queue_ticker_max_lag, tick_period_ms) from pgque.queue, pgque.config`); got != "1 00:00:07 50" {
		t.Errorf("settings are now %s", got)
	}
	newSession(t, asRole(e.dsn, guest)).exec(`select pgque.send('q', 'sent by a guest'::text)`)
	e.tick("q")
	e.expect(e.drain("q", "c", 100), "sent by a guest")
}

// The view of slots calls a function in the name of whoever reads it. Once it did not.
func TestEngineUpgrade_WhoReadTheViewOfSlotsStillDoes(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	guest := fmt.Sprintf("guest_of_view_%d", time.Now().UnixNano())
	newRole(t, e.conn, guest, "")
	e.exec(`grant usage on schema pgque to ` + guest + `; grant select on pgque.partition_slot_status to ` + guest)
	e.exec(`create or replace view pgque.partition_slot_status as
		select q.queue_name, p.co_name as consumer, p.slot, 1 as n, true as subscribed, p.lease_owner, p.lease_until, p.epoch,
			0::bigint as last_tick, 0::bigint as pending_events
		from pgque.queue q join pgque.partition_slot p using (queue_id);
		drop function pgque.get_slot_info()`)
	mustInstall(t, e.conn)
	e.exec(`select pgque.subscribe_partitioned('q', 'parts', 3)`)
	if slots := newSession(t, asRole(e.dsn, guest)).int(`select count(*) from pgque.partition_slot_status`); slots != 3 {
		t.Errorf("%d slots of 3", slots)
	}
}

// Everything that the engine does goes on while it is exchanged.
func TestEngineUpgrade_WhileProducersAndConsumersWork(t *testing.T) {
	t.Parallel()
	e := newOldEngine(t)
	const producers, each = 3, 60
	upgraded := make(chan struct{})
	var work sync.WaitGroup
	for p := range producers {
		s := e.newSession()
		work.Go(func() { s.produceAcross(fmt.Sprint(p), each, upgraded) })
	}
	keeper, consumer := e.newSession(), e.newSession()
	var got []string
	work.Go(func() { got = consumer.consumeAcross(producers * each) })
	stop := make(chan struct{})
	var upkeep sync.WaitGroup
	upkeep.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				keeper.must(`select pgque.ticker()`)
				keeper.must(`select pgque.force_next_tick('q')`)
				keeper.must(`select pgque.maint()`)
			}
		}
	})
	if err := pgque.Install(t.Context(), e.conn); err != nil {
		t.Error(err)
	}
	close(upgraded)
	work.Wait()
	close(stop)
	upkeep.Wait()
	slices.Sort(got)
	if unique := slices.Compact(slices.Clone(got)); len(got) != producers*each || len(unique) != len(got) {
		t.Errorf("%d events were sent; %d came, %d of them once", producers*each, len(got), len(unique))
	}
}

// produceAcross sends half of its events before the upgrade has ended, if it can, and
// half of them after.
func (s *session) produceAcross(name string, n int, upgraded <-chan struct{}) {
	for i := range n {
		if i == n/2 {
			<-upgraded
		}
		s.must(`select pgque.send('q', $1::text)`, fmt.Sprintf("%s-%d", name, i))
	}
}

func (s *session) consumeAcross(n int) (got []string) {
	for deadline := time.Now().Add(time.Minute); len(got) < n && time.Now().Before(deadline); {
		rows, err := s.conn.Query(s.t.Context(), sqlMessages+`pgque.receive('q', 'c', 7)`)
		if err != nil {
			s.t.Errorf("receive: %v", err)
			return got
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sqlMessage])
		if err != nil {
			s.t.Errorf("receive: %v", err)
			return got
		}
		if len(page) > 0 && s.must(`select pgque.ack($1)`, page[0].Batch) {
			got = append(got, payloads(page)...)
		}
	}
	return got
}

// must is exec for goroutines that are not the test's.
func (s *session) must(sql string, args ...any) bool {
	_, err := s.conn.Exec(s.t.Context(), sql, args...)
	if err != nil {
		s.t.Errorf("%v\n%s", err, sql)
	}
	return err == nil
}

// Who waits for a table bars it to all that come later. So the upgrade waits in turns.
func TestEngineUpgrade_WaitsForAnOpenTransactionWithoutBarringOthers(t *testing.T) {
	t.Parallel()
	e := newOldEngine(t)
	report, installer, consumer := e.newSession(), e.newSession(), e.newSession()
	report.exec(`begin; select from pgque.subscription`)
	ended := make(chan error, 1)
	go func() { ended <- pgque.Install(t.Context(), installer.conn) }()
	e.awaitLock(installer)
	e.exec(`select pgque.send('q', '1')`)
	e.tick("q")
	consumer.exec(`set statement_timeout = '30s'`)
	consumer.expect(consumer.drain("q", "c", 10), "1")
	if version := query1[string](t, e.conn, `select pgque.version()`); version != "1.0.0" {
		t.Errorf("upgraded to %s under a transaction that holds the tables", version)
	}
	report.exec(`commit`)
	e.finish(ended)
	if version := query1[string](t, e.conn, `select pgque.version()`); version != pgque.Version {
		t.Errorf("version %s", version)
	}
}

// A superuser upgrades what belongs to somebody who may not make roles.
func TestEngineUpgrade_LeavesEverythingToItsOwner(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	super := newSession(t, dsn)
	owner := fmt.Sprintf("owner_of_old_%d", time.Now().UnixNano())
	newRole(t, super.conn, owner, "nocreaterole")
	super.exec(`do $$ begin execute format('alter database %I owner to ` + owner + `', current_database()); end $$`)
	asOwner := newSession(t, asRole(dsn, owner))
	asOwner.installFirst()
	asOwner.exec(`select pgque.create_queue('q'), pgque.subscribe('q', 'c'), pgque.send('q', '1'::text)`)

	mustInstall(t, super.conn)

	if others := super.lines(`
		select oid::regclass::text from pg_class where relnamespace = 'pgque'::regnamespace and relowner <> '` + owner + `'::regrole
		union all
		select oid::regprocedure::text from pg_proc where pronamespace = 'pgque'::regnamespace and proowner <> '` + owner + `'::regrole`); len(others) > 0 {
		t.Errorf("not the owner's: %v", others)
	}
	if user := query1[string](t, super.conn, `select current_user`); user == owner {
		t.Error("the installer's session stays with the owner's role")
	}
	asOwner.tick("q")
	asOwner.expect(asOwner.drain("q", "c", 10), "1")
	asOwner.exec(`select * from pgque.send_idem('q', 't', '2'::text, 'key')`)
	mustInstall(t, asOwner.conn)
}

func TestEngineUpgrade_ByTheOwnerItself(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	super := newSession(t, dsn)
	owner := fmt.Sprintf("upgrader_%d", time.Now().UnixNano())
	newRole(t, super.conn, owner, "nocreaterole")
	super.exec(`do $$ begin execute format('alter database %I owner to ` + owner + `', current_database()); end $$`)
	asOwner := newSession(t, asRole(dsn, owner))
	asOwner.installFirst()
	mustInstall(t, asOwner.conn)
	asOwner.exec(`select pgque.create_queue('q'), pgque.send_at('q', 't', '1'::text, clock_timestamp() + interval '1 hour')`)
}

// An old engine that somebody else owns cannot be upgraded, which is said and changes nothing.
func TestEngineUpgrade_ByAStrangerIsRefused(t *testing.T) {
	t.Parallel()
	e := newOldEngine(t)
	stranger := fmt.Sprintf("stranger_of_old_%d", time.Now().UnixNano())
	newRole(t, e.conn, stranger, "")
	e.exec(`grant usage on schema pgque to ` + stranger + `; grant select on pgque.config to ` + stranger)
	err := pgque.Install(t.Context(), connectTo(t, asRole(e.dsn, stranger)))
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "42501" || !strings.Contains(err.Error(), "install") {
		t.Errorf("error %v", err)
	}
	if version := query1[string](t, e.conn, `select pgque.version()`); version != "1.0.0" {
		t.Errorf("version %s", version)
	}
}
