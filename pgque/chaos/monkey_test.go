package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// monkey causes trouble. It makes its choices in one goroutine, so that a seed
// repeats them.
type monkey struct {
	t      *testing.T
	rng    *rand.Rand
	server *pgquetest.Server
	dsn    string // past the proxy
	proxy  *proxy
	fleet  *fleet
	done   map[string]int
}

// troubles with how often each is chosen, of the sum of all.
var troubles = []struct {
	name   string
	weight int
	cause  func(*monkey)
}{
	{"worker killed", 20, func(m *monkey) { m.fleet.any(m.rng).signal(syscall.SIGKILL) }},
	{"worker stopped", 6, func(m *monkey) { m.fleet.any(m.rng).signal(syscall.SIGTERM) }},
	{"worker frozen", 5, (*monkey).freezeWorker},
	{"server killed", 3, func(m *monkey) { m.server.Kill(); m.server.Restart() }},
	{"connections reset", 12, func(m *monkey) { m.proxy.reset(m.some) }},
	{"connections half closed", 12, func(m *monkey) { m.proxy.halfClose(m.some, m.some) }},
	{"network stalled", 4, func(m *monkey) { m.proxy.stall(); m.wait(1500 * time.Millisecond); m.proxy.resume() }},
	{"stalled, then reset", 4, func(m *monkey) {
		m.proxy.stall()
		m.wait(700 * time.Millisecond)
		m.proxy.reset(m.some)
		m.proxy.resume()
	}},
	{"backends terminated", 8, (*monkey).terminateBackends},
	{"notifications lost", 6, func(m *monkey) { m.proxy.deaf.Store(true); m.wait(2 * time.Second); m.proxy.deaf.Store(false) }},
	{"ticker paused", 5, (*monkey).pauseTicker},
	{"clock set back", 3, func(m *monkey) { m.turnClock("-1 hour") }},
	{"clock set forward", 3, func(m *monkey) { m.turnClock("1 hour") }},
}

// rage causes trouble for that long.
func (m *monkey) rage(ctx context.Context) {
	m.done = make(map[string]int)
	for ctx.Err() == nil {
		m.one()
		m.wait(200 * time.Millisecond)
	}
}

func (m *monkey) one() {
	total := 0
	for _, trouble := range troubles {
		total += trouble.weight
	}
	n := m.rng.IntN(total)
	for _, trouble := range troubles {
		if n -= trouble.weight; n < 0 {
			trouble.cause(m)
			m.done[trouble.name]++
			return
		}
	}
}

// some is true for about a third.
func (m *monkey) some() bool { return m.rng.IntN(3) == 0 }

func (m *monkey) wait(most time.Duration) { time.Sleep(time.Duration(m.rng.Int64N(int64(most)))) }

// freezeWorker makes a worker outlive its own takeover: it wakes up in the middle
// of work that is somebody else's by then.
func (m *monkey) freezeWorker() {
	victim := m.fleet.any(m.rng)
	victim.signal(syscall.SIGSTOP)
	m.wait(4 * time.Second)
	victim.signal(syscall.SIGCONT)
}

func (m *monkey) terminateBackends() {
	m.admin("select pg_terminate_backend(pid) from pg_stat_activity " +
		"where pid <> pg_backend_pid() and backend_type = 'client backend' and random() < 0.3")
}

func (m *monkey) pauseTicker() {
	queue := []string{orders, shipments}[m.rng.IntN(2)]
	m.admin(fmt.Sprintf("select pgque.set_queue_config('%s', 'ticker_paused', 'true')", queue))
	m.wait(1500 * time.Millisecond)
	m.admin(fmt.Sprintf("select pgque.set_queue_config('%s', 'ticker_paused', 'false')", queue))
}

// turnClock does to the database what turning the server's clock does: what was noted
// before moves the other way. Rows that somebody works with stay as they are, as if they
// were noted just after.
func (m *monkey) turnClock(by string) {
	for _, noted := range [][2]string{
		{"tick", "tick_time = tick_time - %[1]s"},
		{"queue", "queue_switch_time = queue_switch_time - %[1]s"},
		{"subscription", "sub_active = sub_active - %[1]s"},
		{"partition_slot", "lease_until = lease_until - %[1]s, wanted_until = wanted_until - %[1]s"},
	} {
		m.admin(fmt.Sprintf("update pgque.%[1]s set %[2]s where ctid in (select ctid from pgque.%[1]s for no key update skip locked)",
			noted[0], fmt.Sprintf(noted[1], "interval '"+by+"'")))
	}
}

func (m *monkey) admin(sql string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, m.dsn)
	if err == nil {
		_, err = conn.Exec(ctx, sql)
		_ = conn.Close(ctx)
	}
	if err != nil {
		m.t.Errorf("%s: %v", sql, err)
	}
}

func (m *monkey) deeds() string {
	var text string
	for _, name := range slices.Sorted(maps.Keys(m.done)) {
		text += fmt.Sprintf("%s %d, ", name, m.done[name])
	}
	return text
}
