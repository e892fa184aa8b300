package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
)

// The load of the comparison.
const (
	heldRate    = 800 // events per second
	heldSenders = 16
)

// held is how a queue did, second by second, while a transaction stayed open.
type held struct {
	name    string
	colour  string
	path    path
	seconds []second
}

type second struct {
	handled  int
	p50, p99 float64 // ms from the moment an event was to be sent; NaN without events
	dead     float64 // dead tuples in all tables of the database
}

// compareHeld runs ours and a SKIP LOCKED table, one after the other, each in a
// database in which a REPEATABLE READ transaction is open from before the first
// event to behind the last. It prints numbers and writes a plot.
func compareHeld(ctx context.Context, l *lab, each time.Duration, file string) error {
	sides := []*held{
		{name: "pgque", colour: "#0b7285", path: queuePath},
		{name: "SKIP LOCKED table", colour: "#e8590c", path: tablePath},
	}
	for _, side := range sides {
		fmt.Fprintf(os.Stderr, "%s: %d events/s for %s\n", side.name, heldRate, each)
		if err := side.run(ctx, l, each); err != nil {
			return fmt.Errorf("%s: %w", side.name, err)
		}
	}
	printHeld(os.Stdout, sides)
	return os.WriteFile(file, []byte(heldPlot(l, sides).svg()), 0o644)
}

func (h *held) run(ctx context.Context, l *lab, each time.Duration) error {
	b, err := l.newBench(ctx, heldSenders+8)
	if err != nil {
		return err
	}
	defer func() { _ = b.close(context.WithoutCancel(ctx)) }()
	release, err := holdSnapshot(ctx, b)
	if err != nil {
		return err
	}
	defer release()
	running, stop := context.WithCancel(ctx)
	defer stop()
	begun := make([]time.Time, heldRate*int(each/time.Second))
	var arrivals arrivals
	send, err := h.path(running, b, func(n int) { arrivals.add(begun[n]) })
	if err != nil {
		return err
	}
	watching, unwatch := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- h.watch(watching, b, &arrivals) }()
	err = atRate(ctx, heldRate, heldSenders, begun, send)
	unwatch()
	if failure := <-watched; err == nil {
		err = failure
	}
	return err
}

// holdSnapshot opens a transaction whose snapshot keeps all dead tuples of the
// database from being removed until release.
func holdSnapshot(ctx context.Context, b *bench) (release func(), err error) {
	conn, err := pgx.ConnectConfig(ctx, b.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	release = func() { _ = conn.Close(context.WithoutCancel(ctx)) }
	if _, err := conn.Exec(ctx, `begin isolation level repeatable read; select count(*) from pg_class`); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// watch closes a second after the other until ctx ends.
func (h *held) watch(ctx context.Context, b *bench, a *arrivals) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		s := a.close()
		err := b.pool.QueryRow(ctx, `select coalesce(sum(n_dead_tup), 0)::float8 from pg_stat_user_tables`).Scan(&s.dead)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		h.seconds = append(h.seconds, s)
	}
}

// arrivals are the delays of the events of the current second.
type arrivals struct {
	mu    sync.Mutex
	delay []float64
}

func (a *arrivals) add(due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delay = append(a.delay, float64(time.Since(due))/float64(time.Millisecond))
}

// close ends the current second and begins the next.
func (a *arrivals) close() second {
	a.mu.Lock()
	delay := a.delay
	a.delay = nil
	a.mu.Unlock()
	if len(delay) == 0 {
		return second{p50: math.NaN(), p99: math.NaN()}
	}
	slices.Sort(delay)
	return second{handled: len(delay), p50: delay[len(delay)/2], p99: delay[len(delay)*99/100]}
}

// tablePath is a producer and a consumer of a SKIP LOCKED table. The consumer reads
// up to 100 rows at a time, and waits for 10 ms when there are none.
func tablePath(ctx context.Context, b *bench, got func(n int)) (func(ctx context.Context, n int) error, error) {
	table, err := newLockingTable(ctx, b, "skip_locked")
	if err != nil {
		return nil, err
	}
	go func() {
		for ctx.Err() == nil {
			page, err := table.read(ctx, 100)
			if err == nil && len(page) > 0 {
				err = handlePage(ctx, table, page, got)
			}
			switch {
			case err != nil && ctx.Err() == nil:
				fmt.Fprintln(os.Stderr, "skip locked:", err)
			case len(page) == 0:
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
	return func(ctx context.Context, n int) error {
		ev := paid(n)
		ev.Amount = int64(n)
		text, err := ev.AppendJSON(nil)
		if err != nil {
			return err
		}
		_, err = table.send(ctx, []string{string(text)})
		return err
	}, nil
}

func handlePage(ctx context.Context, table lockingTable, page []lockedRow, got func(n int)) error {
	for _, row := range page {
		var ev events.OrderPaid
		if err := json.Unmarshal(row.Message, &ev); err != nil {
			return err
		}
		got(int(ev.Amount))
	}
	return table.delete(ctx, page)
}

// printHeld shows about ten moments of the run.
func printHeld(out *os.File, sides []*held) {
	fmt.Fprintf(out, "\n%d events/s while a REPEATABLE READ transaction stays open\n\n| second |", heldRate)
	for _, side := range sides {
		fmt.Fprintf(out, " %s: handled/s | p50 ms | p99 ms | dead tuples |", side.name)
	}
	fmt.Fprintln(out, "\n|---|---|---|---|---|---|---|---|---|")
	n := len(sides[0].seconds)
	for _, side := range sides {
		n = min(n, len(side.seconds))
	}
	step := max(n/10, 1)
	for at := step - 1; at < n; at += step {
		fmt.Fprintf(out, "| %d |", at+1)
		for _, side := range sides {
			s := summary(side.seconds[at+1-step : at+1])
			fmt.Fprintf(out, " %d | %.1f | %.1f | %.0f |", s.handled, s.p50, s.p99, s.dead)
		}
		fmt.Fprintln(out)
	}
}

// summary is the median of some seconds, and the dead tuples at their end.
func summary(seconds []second) second {
	of := func(f func(s second) float64) float64 {
		var values []float64
		for _, s := range seconds {
			if v := f(s); !math.IsNaN(v) {
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			return math.NaN()
		}
		return median(values)
	}
	return second{
		handled: int(of(func(s second) float64 { return float64(s.handled) })),
		p50:     of(func(s second) float64 { return s.p50 }),
		p99:     of(func(s second) float64 { return s.p99 }),
		dead:    seconds[len(seconds)-1].dead,
	}
}

func heldPlot(l *lab, sides []*held) plot {
	server, _, _ := strings.Cut(version(l), " (")
	lines := func(f func(s second) float64, suffix string, dashed bool) []line {
		var list []line
		for _, side := range sides {
			one := line{name: side.name + suffix, colour: side.colour, dashed: dashed}
			for i, s := range side.seconds {
				one.points = append(one.points, point{float64(i + 1), f(s)})
			}
			list = append(list, one)
		}
		return list
	}
	return plot{
		title:    "A transaction stays open, and dead tuples cannot be removed",
		subtitle: fmt.Sprintf("%d events/s sent and handled; one REPEATABLE READ transaction open all the time; %s", heldRate, server),
		axis:     "seconds since the first event",
		panels: []panel{
			{title: "events handled per second", lines: lines(func(s second) float64 { return float64(s.handled) }, "", false)},
			{title: "milliseconds until handled (logarithmic): p50, and p99 dashed", log: true,
				lines: append(lines(func(s second) float64 { return s.p50 }, " p50", false), lines(func(s second) float64 { return s.p99 }, " p99", true)...)},
			{title: "dead tuples in all tables", lines: lines(func(s second) float64 { return s.dead }, "", false)},
		},
	}
}
