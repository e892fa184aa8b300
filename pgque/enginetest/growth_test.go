package enginetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// BenchmarkGrowth prints what a tick, a page and a pass of maintenance cost as there
// are more queues, more consumers and a backlog, and what an old snapshot does to them.
// It is a measurement, to be run once; each line of it can be had alone, as in
// -bench Growth/backlog=10000000.
func BenchmarkGrowth(b *testing.B) {
	fmt.Printf("\n%-42s %10s %10s %10s %10s\n", "", "ticker()", "maint()", "receive", "ack")
	for _, queues := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("queues=%d", queues), func(b *testing.B) {
			g := newGrowth(b)
			for n := range queues { // each locks its tables until its transaction ends
				mustExec(b, g.conn, `select pgque.create_queue('q' || $1::int), pgque.subscribe('q' || $1::int, 'c')`, n+1)
			}
			g.row(fmt.Sprintf("%d queues", queues))
		})
	}
	for _, consumers := range []int{1, 100} {
		b.Run(fmt.Sprintf("consumers=%d", consumers), func(b *testing.B) {
			g := newGrowth(b)
			mustExec(b, g.conn, `select pgque.create_queue('q1')`)
			mustExec(b, g.conn, `select pgque.subscribe('q1', case n when 1 then 'c' else 'c' || n end) from generate_series(1, $1) as n`, consumers)
			g.row(fmt.Sprintf("%d consumers", consumers))
		})
	}
	for _, size := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("backlog=%d", size), func(b *testing.B) {
			g := newGrowth(b)
			g.fill(size, size)
			g.row(fmt.Sprintf("backlog of %d, one window", size))
		})
	}
	b.Run("windows=1000", func(b *testing.B) {
		g := newGrowth(b)
		g.fill(1_000_000, 1000)
		g.row("backlog of 1000000, windows of 1000")
	})
	b.Run("snapshot", heldSnapshot)
}

type growth struct {
	b    *testing.B
	dsn  string
	conn *pgx.Conn
}

func newGrowth(b *testing.B) *growth {
	b.Helper()
	dsn := pgquetest.New(b).Pool().Config().ConnString()
	return &growth{b: b, dsn: dsn, conn: dial(b, dsn)}
}

// rounds are enough for a median.
const rounds = 21

// row measures one event's way through q1, over and over.
func (g *growth) row(what string) {
	var ticker, maint, receive, ack sample
	for range rounds {
		mustExec(g.b, g.conn, `select pgque.send('q1', 'x')`)
		mustExec(g.b, g.conn, `select pgque.force_next_tick('q1')`)
		ticker.time(g, `select pgque.ticker()`)
		maint.time(g, `select pgque.maint()`)
		receive.time(g, `select * from pgque.receive('q1', 'c', 100)`)
		ack.time(g, `select pgque.ack(sub_batch) from pgque.subscription s join pgque.consumer on co_id = sub_consumer join pgque.queue on queue_id = sub_queue
			where co_name = 'c' and queue_name = 'q1' and sub_batch is not null`)
	}
	fmt.Printf("%-42s %10v %10v %10v %10v\n", what, ticker.median(), maint.median(), receive.median(), ack.median())
}

// sample is a set of times.
type sample []time.Duration

func (s *sample) time(g *growth, sql string) {
	g.b.Helper()
	began := time.Now()
	mustExec(g.b, g.conn, sql)
	*s = append(*s, time.Since(began))
}

func (s sample) median() time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2].Round(10 * time.Microsecond)
}

// fill sends as many events to q1 before its consumer reads anything, a window at a
// time. The pages that are measured are those at its beginning. The rows are written
// as send writes them, without its checks for each.
func (g *growth) fill(size, window int) {
	mustExec(g.b, g.conn, `select pgque.create_queue('q1'), pgque.subscribe('q1', 'c')`)
	for range size / window {
		mustExec(g.b, g.conn, `insert into pgque.event_1_0 (ev_type, ev_data) select 't', 'x' from generate_series(1, $1)`, window)
		mustExec(g.b, g.conn, `select pgque.tick_queue('q1')`)
	}
}

// heldSnapshot lets a transaction stay open while a thousand pages are read, and
// shows the pages at the beginning and at the end, and what is dead by then.
func heldSnapshot(b *testing.B) {
	g := newGrowth(b)
	mustExec(b, g.conn, `select pgque.create_queue('q1'), pgque.subscribe('q1', 'c')`)
	reader := dial(b, g.dsn)
	mustExec(b, reader, `begin isolation level repeatable read`)
	mustExec(b, reader, `select count(*) from pgque.queue`)
	g.row("held snapshot, first pages")
	const pages = 1000
	for range pages {
		mustExec(b, g.conn, `select pgque.send('q1', 'x')`)
		mustExec(b, g.conn, `select pgque.tick_queue('q1')`)
		readPage(b, g.conn)
	}
	g.row(fmt.Sprintf("held snapshot, after %d pages", pages))
	events, cursors := g.deadRows(pages)
	fmt.Printf("%-42s %d in event tables, %d in subscription\n", "dead rows", events, cursors)
	if events != 0 {
		b.Errorf("%d dead rows in event tables", events)
	}
}

// deadRows waits until the statistics have heard of as many events.
func (g *growth) deadRows(events int) (inEvents, inCursors int64) {
	g.b.Helper()
	for deadline := time.Now().Add(patience); ; pause(100 * time.Millisecond) {
		var inserted int64
		err := g.conn.QueryRow(context.Background(), `select
			sum(n_tup_ins) filter (where relname ~ '^event_[0-9]'), sum(n_dead_tup) filter (where relname ~ '^event_[0-9]'),
			sum(n_dead_tup) filter (where relname = 'subscription')
			from pg_stat_user_tables where schemaname = 'pgque'`).Scan(&inserted, &inEvents, &inCursors)
		if err != nil {
			g.b.Fatal(err)
		}
		if inserted >= int64(events) {
			return inEvents, inCursors
		}
		if time.Now().After(deadline) {
			g.b.Fatalf("the statistics know of %d events only", inserted)
		}
	}
}

func readPage(b *testing.B, conn *pgx.Conn) {
	b.Helper()
	var batch int64
	err := conn.QueryRow(context.Background(), `select max(batch_id) from pgque.receive('q1', 'c', 100)`).Scan(&batch)
	if err != nil {
		b.Fatal(err)
	}
	mustExec(b, conn, `select pgque.ack($1)`, batch)
}
