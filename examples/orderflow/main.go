// Command orderflow is pgque's demo: a shop whose departments talk through three
// queues, with code that pgque-gen made from the schemas of this repository.
//
// It starts a throw-away PostgreSQL, or uses the database that -dsn names; places
// orders for some seconds; lets every event come to its end; and checks that
// what was sent is what was handled or dead-lettered. Ctrl-C ends it early, the
// same way. The exit code is 0 when everything adds up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pgque/pgque-go/examples/internal/scratch"
	"github.com/pgque/pgque-go/pgque"
)

//go:generate go run ../../cmd/pgque-gen -schemas ../../schemas -out events -package events

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	settings, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := play(ctx, settings, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "orderflow:", err)
		return 1
	}
	return 0
}

type settings struct {
	dsn      string
	duration time.Duration
	rate     float64 // orders a second
}

// parse reports what is wrong on stderr itself.
func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("orderflow", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.dsn, "dsn", "", "`connection string` of an existing database; it is left as it was, but for the installed engine (default a throw-away server)")
	flags.DurationVar(&s.duration, "duration", 8*time.Second, "how long orders are placed")
	flags.Float64Var(&s.rate, "rate", 25, "orders per second")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.duration <= 0:
		err = fmt.Errorf("-duration is %v, must be positive", s.duration)
	case !(s.rate > 0 && s.rate <= maxRate):
		err = fmt.Errorf("-rate is %v, must be above 0 and at most %d", s.rate, maxRate)
	}
	if err != nil {
		fmt.Fprintln(stderr, "orderflow:", err)
		flags.Usage()
	}
	return s, err
}

// maxRate is as fast as the ticker of the shop can go.
const maxRate = 10_000

func play(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	if err := proveFresh(ctx, stdout, stderr); err != nil {
		return err
	}
	quiet := pgque.WithLogger(slog.New(slog.DiscardHandler)) // failures on purpose are shown as notes
	db, err := scratch.Open(ctx, s.dsn, quiet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CreateQueues(ctx, queueNames()...); err != nil {
		return err
	}
	version, err := db.Client.Version(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "database   %s, engine %s\n\n", db.Label, version)
	d, err := newDemo(ctx, db.Client, newScreen(stdout))
	if err != nil {
		return err
	}
	return d.run(ctx, s.duration, s.rate)
}
