// Command pgque is the operator's tool: it installs the engine into a database,
// shows and changes its queues, and keeps them ticking.
//
//	pgque help
//
// lists what it can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes. Whatever went wrong is on the standard error output, with what to
// do about it.
const (
	exitOK     = 0
	exitFailed = 1 // the database refused, or could not be reached
	exitUsage  = 2 // the command line makes no sense; nothing was done
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program but for the process around it. A cancelled ctx ends
// what runs until it is told to stop, and interrupts the rest.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := execute(ctx, args, stdout, stderr)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, message(err))
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, o, args, err := parse(args)
	if err != nil {
		return err
	}
	o.stdout, o.stderr = stdout, stderr
	return c.run(ctx, o, args)
}
