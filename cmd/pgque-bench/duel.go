package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// duel is one row: ours against a limit or a rival, in alternating rounds.
type duel struct {
	what  string
	goal  string
	conns int // connections of the pool; 0 is 8
	// arrange prepares both sides on a fresh database. Each of the two does one
	// round of work and returns how many events that were.
	arrange func(ctx context.Context, b *bench, p plan) (limit, ours work, err error)
}

type work func(ctx context.Context) (events int, err error)

// row is what a duel ended with: medians over the rounds.
type row struct {
	what, goal  string
	ratio       float64 // of events per second, ours to the limit's, of the same round
	least, most float64
	limit, ours perEvent
}

type perEvent struct {
	rate   float64
	client time.Duration
	server time.Duration
	wal    float64
	allocs float64
}

// fight runs one round that does not count, then the rounds. Who begins alternates.
func (d duel) fight(ctx context.Context, l *lab, p plan) (row, error) {
	b, err := l.newBench(ctx, cmp.Or(d.conns, 8))
	if err != nil {
		return row{}, err
	}
	defer func() { _ = b.close(context.WithoutCancel(ctx)) }()
	limit, ours, err := d.arrange(ctx, b, p)
	if err != nil {
		return row{}, err
	}
	var limits, own []cost
	for round := -1; round < p.rounds; round++ {
		sides := []struct {
			work  work
			costs *[]cost
		}{{limit, &limits}, {ours, &own}}
		if round%2 == 0 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			runtime.GC()
			c, err := l.measure(ctx, side.work)
			if err != nil {
				return row{}, err
			}
			if round >= 0 {
				*side.costs = append(*side.costs, c)
			}
		}
	}
	return d.judge(limits, own), nil
}

func (d duel) judge(limits, own []cost) row {
	ratios := make([]float64, len(own))
	for i := range own {
		ratios[i] = own[i].rate() / limits[i].rate()
	}
	return row{what: d.what, goal: d.goal, ratio: median(ratios), least: slices.Min(ratios), most: slices.Max(ratios),
		limit: medians(limits), ours: medians(own)}
}

func medians(costs []cost) perEvent {
	of := func(f func(c cost) float64) float64 {
		values := make([]float64, len(costs))
		for i, c := range costs {
			values[i] = f(c)
		}
		return median(values)
	}
	n := func(c cost) float64 { return float64(c.events) }
	return perEvent{
		rate:   of(cost.rate),
		client: time.Duration(of(func(c cost) float64 { return float64(c.client) / n(c) })),
		server: time.Duration(of(func(c cost) float64 { return float64(c.server) / n(c) })),
		wal:    of(func(c cost) float64 { return float64(c.wal) / n(c) }),
		allocs: of(func(c cost) float64 { return float64(c.allocs) / n(c) }),
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

const rowFormat = "| %-44s | %-8s | %6s | %-12s | %18s | %15s | %15s | %13s | %13s |\n"

func printHeader(out io.Writer, l *lab) {
	fmt.Fprintf(out, "%s, %d processors (%s), %s; durable server, synchronous_commit on\n\n",
		time.Now().Format("2006-01-02"), runtime.NumCPU(), processor(), version(l))
	fmt.Fprintln(out, "Ratios are events per second of ours to the limit's, medians of the rounds. Pairs are ours / limit.")
	fmt.Fprintln(out)
	fmt.Fprintf(out, rowFormat, "what", "goal", "ratio", "range", "events/s", "client µs/event", "server µs/event", "WAL B/event", "allocs/event")
	dash := strings.Repeat("-", 3)
	fmt.Fprintf(out, strings.Repeat("| %s ", 9)+"|\n", dash, dash, dash, dash, dash, dash, dash, dash, dash)
}

func (r row) print(out io.Writer) {
	micro := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	fmt.Fprintf(out, rowFormat, r.what, r.goal, fmt.Sprintf("%.2f", r.ratio), fmt.Sprintf("%.2f to %.2f", r.least, r.most),
		fmt.Sprintf("%.0f / %.0f", r.ours.rate, r.limit.rate),
		fmt.Sprintf("%.1f / %.1f", micro(r.ours.client), micro(r.limit.client)),
		fmt.Sprintf("%.1f / %.1f", micro(r.ours.server), micro(r.limit.server)),
		fmt.Sprintf("%.0f / %.0f", r.ours.wal, r.limit.wal),
		fmt.Sprintf("%.1f / %.1f", r.ours.allocs, r.limit.allocs))
}

// processor names the machine as Linux does.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func version(l *lab) string {
	var v string
	if err := l.admin.QueryRow(context.Background(), `select 'PostgreSQL ' || current_setting('server_version')`).Scan(&v); err != nil {
		return err.Error()
	}
	return v
}
