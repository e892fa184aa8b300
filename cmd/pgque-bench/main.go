// Command pgque-bench measures the price of the queue: each thing it does beside the
// plain PostgreSQL work that it cannot be cheaper than (the limit), or beside another
// library, in the same run and in alternating rounds. It starts a throw-away,
// durable PostgreSQL of its own. "make bench" runs all of it, "make bench-quick" a
// short form.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

//go:generate go run -C ../.. ./cmd/pgque-gen -schemas cmd/pgque-bench/schemas -out cmd/pgque-bench/events -package events

// plan is how long the run may take.
type plan struct {
	rounds int
	slice  time.Duration // of one contestant in one round
	scale  int           // size of backlogs, in thousands of events
	rivals bool          // whether other queues take part
	quick  bool
}

func main() {
	quick := flag.Bool("quick", false, "a short run, about a minute")
	only := flag.String("only", "", "run only rows whose name matches this `pattern`")
	xmin := flag.String("xmin", "", "compare under an open transaction instead, and write the plot to this SVG `file`")
	each := flag.Duration("for", 3*time.Minute, "how long each side of -xmin runs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	work := func(lab *lab) error { return table(ctx, lab, *quick, *only) }
	if *xmin != "" {
		work = func(lab *lab) error { return compareHeld(ctx, lab, *each, *xmin) }
	}
	if err := run(ctx, work); err != nil {
		fmt.Fprintln(os.Stderr, "pgque-bench:", err)
		os.Exit(1)
	}
}

// run starts a server for some work.
func run(ctx context.Context, work func(*lab) error) (err error) {
	lab, err := openLab(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	return work(lab)
}

// table prints all rows, or those that match a pattern.
func table(ctx context.Context, lab *lab, quick bool, only string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	p := plan{rounds: 5, slice: 600 * time.Millisecond, scale: 40, rivals: true}
	if quick {
		p = plan{rounds: 5, slice: 100 * time.Millisecond, scale: 5, rivals: only != "", quick: true}
	}
	return compare(ctx, lab, p, pattern)
}

func compare(ctx context.Context, lab *lab, p plan, pattern *regexp.Regexp) error {
	printHeader(os.Stdout, lab)
	for _, d := range duels(p) {
		if !pattern.MatchString(d.what) {
			continue
		}
		row, err := d.fight(ctx, lab, p)
		if err != nil {
			return fmt.Errorf("%s: %w", d.what, err)
		}
		row.print(os.Stdout)
	}
	for _, s := range surveys() {
		if !pattern.MatchString(s.what) {
			continue
		}
		if err := s.run(ctx, lab, p, os.Stdout); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// duels are the rows of the table, in its order.
func duels(p plan) []duel {
	var all []duel
	all = append(all, sendDuels()...)
	all = append(all, consumeDuels()...)
	all = append(all, codecDuels()...)
	if p.rivals {
		all = append(all, rivalDuels()...)
	}
	return all
}

// survey is something that prints lines of its own.
type survey struct {
	what string
	run  func(ctx context.Context, lab *lab, p plan, out *os.File) error
}

func surveys() []survey {
	return []survey{
		{"latency", latencySurvey},
		{"idle", idleSurvey},
		{"growth", growthSurvey},
	}
}
