package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

var (
	rageFor = flag.Duration("rage", 10*time.Second, "how long there is trouble")
	seed    = flag.Uint64("seed", 0, "repeats the choices of a run; 0 is a new one")
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(work(role))
	}
	os.Exit(m.Run())
}

// calm is how long it may take, after the trouble, until there is less left to handle.
const calm = time.Minute

func TestChaos_EffectsOnceAllElseAtLeastOnceNothingLost(t *testing.T) {
	t.Parallel()
	rage(t, func(port int) (int, string) { return port, "" })
}

// rage has workers that reach the server through a proxy, before what in front puts
// between the two: it returns the port of that, and parameters for connections.
func rage(t *testing.T, front func(port int) (int, string)) {
	seed := *seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with: go test ./pgque/chaos -run %s -args -rage %v -seed %d", t.Name(), *rageFor, seed)
	server := pgquetest.Start(t, pgquetest.Durable())
	l := newLedger(t, pgquetest.New(t, pgquetest.On(server), pgquetest.WithPool(func(c *pgxpool.Config) { c.MaxConns = 2 })))
	direct := l.Pool().Config().ConnString()
	port, parameters := front(server.Port())
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	through := strings.Replace(direct, fmt.Sprintf("port=%d", server.Port()), fmt.Sprintf("port=%d", p.port()), 1) + parameters
	f := newFleet(t, through, &l.book)
	for _, place := range []struct {
		role string
		n    int
	}{{"produce", 2}, {"billing", 2}, {"pool", 2}, {"crew", 2}, {"keyed", 2}, {"bundle", 1}, {"mixed", 1}, {"audit", 1}, {"shipping", 1}, {"tick", 1}} {
		f.hire(place.role, place.n)
	}

	m := &monkey{t: t, rng: rand.New(rand.NewPCG(seed, 0)), server: server, dsn: direct, proxy: p, fleet: f}
	raging, calmDown := context.WithTimeout(t.Context(), *rageFor)
	defer calmDown()
	m.rage(raging)
	t.Logf("%d lives of %d workers; %s", f.lives(), len(f.members), m.deeds())

	f.retire("produce")
	l.sendLast()
	l.awaitAll()
	f.retire()
	l.check()
	t.Logf("%d events reported", l.count())
}

// ledger is the database in which handlers leave their effects, and what has to be
// true of it in the end.
type ledger struct {
	*pgque.Client
	t *testing.T
	book
}

func newLedger(t *testing.T, c *pgque.Client) *ledger {
	t.Helper()
	l := &ledger{Client: c, t: t, book: book{sent: make(map[int64]string)}}
	for _, sql := range []string{
		"create table effect (consumer text, msg_id bigint, payload text)",
		"create table seen (consumer text, msg_id bigint, payload text)",
		"create table outbox (label text)",
		"create table reported (msg_id bigint, label text)",
		"create table undone (label text)",
		"create index on effect (consumer, msg_id)",
		"create index on seen (consumer, msg_id)",
		fmt.Sprintf("select pgque.create_queue('%s'), pgque.create_queue('%s')", orders, shipments),
		// Retries end in the dead letters only where a handler asks for that, and
		// tables rotate many times.
		"select pgque.set_queue_config(queue_name, 'max_retries', '1000'), " +
			"pgque.set_queue_config(queue_name, 'rotation_period', '1 second') from pgque.queue",
	} {
		l.exec(sql)
	}
	for _, consumer := range []string{"billing", "pool", "crew", "mixed", "bundle", "audit"} {
		l.must(c.Subscribe(t.Context(), orders, consumer))
	}
	l.exec(fmt.Sprintf("select pgque.subscribe_partitioned('%s', 'keyed', 3)", orders))
	l.must(c.Subscribe(t.Context(), shipments, "shipping"))
	return l
}

func (l *ledger) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) exec(sql string, args ...any) {
	l.t.Helper()
	_, err := l.Pool().Exec(l.t.Context(), sql, args...)
	l.must(err)
}

// sendLast sends what comes after everything else: a consumer that keeps the order
// has seen all when it has seen that. The pool's connections of before are dead.
func (l *ledger) sendLast() {
	l.t.Helper()
	l.Pool().Reset()
	last := label()
	id, err := l.Send(l.t.Context(), orders, pgque.Event{Type: typePlain, Payload: last})
	l.must(err)
	l.sent[id] = last
	ids := slices.Collect(maps.Keys(l.sent))
	labels := make([]string, len(ids))
	for i, id := range ids {
		labels[i] = l.sent[id]
	}
	l.exec("insert into reported select * from unnest($1::bigint[], $2::text[])", ids, labels)
	l.exec("insert into undone select unnest($1::text[])", l.undone)
	l.exec("analyze")
}

// The whole of what was sent is what the audit saw, once it has seen the last event.
const sqlBooks = `
	with stored as (select distinct msg_id, payload::jsonb #>> '{}' as label from seen where consumer = 'audit'),
	rejected as (
		select c.co_name as consumer, d.ev_id as msg_id
		from pgque.dead_letter d join pgque.consumer c on c.co_id = d.dl_consumer_id),
	handled as (
		select consumer, msg_id from effect
		union all select consumer, msg_id from seen
		union all select consumer, msg_id from rejected)
	`

// unfinished are what waits for a consumer that is alive and well.
var unfinished = map[string]string{
	"reported and not seen by the audit": `
		select count(*) from reported where msg_id not in (select msg_id from stored)`,
	"not handled by a consumer of the orders": `
		select count(*) from (
		    select of.consumer, stored.msg_id
		    from stored, unnest(array['billing', 'pool', 'crew', 'mixed', 'keyed', 'bundle']) as of(consumer)
		    except select consumer, msg_id from handled) missing`,
	"put back, be it after its effect": `select count(*) from pgque.retry_queue`,
	"not shipped": `
		select count(*) from effect b where consumer = 'billing'
		and not exists (select from effect s where s.consumer = 'shipping' and s.payload = b.msg_id::text)`,
}

// wrongs are what must not be, ever.
var wrongs = map[string]string{
	"effects that happened twice": `
		select count(*) from (select from effect group by consumer, msg_id having count(*) > 1) twice`,
	"shipments caused twice": `
		select count(*) from (select from effect where consumer = 'shipping' group by payload having count(*) > 1) twice`,
	"shipments without a billed order": `
		select count(*) from effect s where consumer = 'shipping'
		and not exists (select from effect b where b.consumer = 'billing' and b.msg_id::text = s.payload)`,
	"events stored twice": `
		select count(*) from (select from stored group by label having count(*) > 1) twice`,
	"events stored under another id than reported": `
		select count(*) from reported r join stored s using (msg_id) where r.label <> s.label`,
	"events of a transaction that was rolled back": `
		select count(*) from stored where label in (select label from undone)`,
	"outbox rows without their event": `
		select count(*) from outbox where label not in (select label from stored)`,
	"events without their outbox row": `
		select count(*) from stored where label like 'tx%' and label not in (select label from outbox)`,
	"events that the audit did not see": `
		select count(*) from handled where consumer in ('billing', 'pool', 'crew', 'mixed', 'keyed', 'bundle')
		and msg_id not in (select msg_id from stored)`,
	"messages both rejected and with an effect": `
		select count(*) from rejected join effect using (consumer, msg_id)`,
	"rejected by consumers that reject nothing": `
		select count(*) from rejected where consumer not in ('billing', 'mixed')`,
	"rejected by one and not by the other": `
		select count(*) from (select msg_id from rejected group by msg_id having count(*) <> 2) half`,
}

func (l *ledger) counts(queries map[string]string) string {
	l.t.Helper()
	var found string
	for _, what := range slices.Sorted(maps.Keys(queries)) {
		var n int64
		l.must(l.Pool().QueryRow(l.t.Context(), sqlBooks+queries[what]).Scan(&n))
		if n != 0 {
			found += fmt.Sprintf("%d %s; ", n, what)
		}
	}
	return found
}

func (l *ledger) awaitAll() {
	l.t.Helper()
	deadline, before := time.Now().Add(calm), ""
	for missing := l.counts(unfinished); missing != ""; missing = l.counts(unfinished) {
		if missing != before {
			deadline, before = time.Now().Add(calm), missing
		}
		if time.Now().After(deadline) {
			l.t.Errorf("no progress for %v: %s", calm, missing)
			return
		}
		rest(l.t.Context(), 200*time.Millisecond)
	}
}

func (l *ledger) check() {
	l.t.Helper()
	for _, queries := range []map[string]string{unfinished, wrongs} {
		if found := l.counts(queries); found != "" {
			l.t.Error(found)
		}
	}
}
