// Command pgque-gen turns folders of JSON Schema files into a Go package: a type
// with an exact codec for every event, a typed producer and consumer for every
// queue.
//
//	pgque-gen -schemas schemas -out events -package events
//
// The folder of a file is its queue, its name is the event's type. Nested
// folders are queues of their own, called by their path with dots. Files that
// other files refer to become plain types, so do files in folders whose name
// begins with "_". In a schema, x-event and x-queue say otherwise, x-go-name sets
// the Go name of what the schema becomes, x-go-field that of a field, x-go-type the
// type of another package that holds the values; x-secret keeps them out of logs and
// errors.
//
// Nothing is written when a schema has an error. Files that an earlier run wrote
// and that are not needed any more are removed; others are never touched.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/pgque/pgque-go/gen/emit"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // the schemas have errors, or -check found stale files
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	c, err := parseFlags(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err != nil {
		fmt.Fprintln(stderr, "pgque-gen:", err)
		return exitUsage
	}
	if c.version {
		fmt.Fprintln(stdout, "pgque-gen", emit.Version)
		return exitDone
	}
	if c.watching {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		c.watch(ctx, stdout, stderr)
		return exitDone
	}
	if err := c.execute(stdout, stderr); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintln(stderr, "pgque-gen:", err)
		}
		return exitFailed
	}
	return exitDone
}
