// Command raw uses the client without generated code: for events whose types are
// known at run time only, and to see what the typed code does beneath.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/pgque/pgque-go/examples/internal/scratch"
	"github.com/pgque/pgque-go/pgque"
)

func main() {
	dsn := flag.String("dsn", "", "`connection string` of an existing database (default a throw-away server)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dsn, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "raw:", err)
		os.Exit(1)
	}
}

// queue of sensor readings, and the two consumers that see each of them.
const (
	queue     = "readings"
	byHand    = "by-hand"
	byHandler = "by-handler"
)

func run(ctx context.Context, dsn string, out io.Writer) (err error) {
	db, err := scratch.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CreateQueues(ctx, queue); err != nil {
		return err
	}
	return story(ctx, db.Client, out)
}

// story sends three events and receives them twice: once by hand, once with a
// handler. Every consumer of a queue sees all its events.
func story(ctx context.Context, client *pgque.Client, out io.Writer) error {
	for _, consumer := range []string{byHand, byHandler} {
		if err := client.Subscribe(ctx, queue, consumer); err != nil {
			return err
		}
	}
	if err := send(ctx, client, out); err != nil {
		return err
	}
	if err := receive(ctx, client, out); err != nil {
		return err
	}
	return handle(ctx, client, out)
}

// send sends one event, and then two at once.
func send(ctx context.Context, client *pgque.Client, out io.Writer) error {
	id, err := client.Send(ctx, queue, pgque.Event{
		Type:    "temperature",
		Payload: map[string]any{"room": "attic", "celsius": 31.5},
	})
	if err != nil {
		return err
	}
	ids, err := client.SendBatch(ctx, queue, []pgque.Event{
		{Type: "humidity", Payload: json.RawMessage(`{"room": "cellar", "percent": 81}`)},
		{Payload: "a string is a payload, too"},
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "sent", id, ids)
	return nil
}

// receive works page by page: a message is done, or put back with Nack; then Ack
// moves the consumer past the page. What was put back returns later, to this
// consumer alone.
func receive(ctx context.Context, client *pgque.Client, out io.Writer) error {
	defer ticking(ctx, client)()
	for done := 0; done < 3; {
		page, err := client.Receive(ctx, queue, byHand, 10)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		for _, msg := range page {
			fmt.Fprintf(out, "%s: %s %s, attempt %d\n", byHand, msg.Type, msg.Payload, msg.Attempt())
			if msg.Type == "humidity" && msg.Attempt() == 1 {
				err = client.Nack(ctx, msg.BatchID, msg, 0, "not now")
			} else {
				done++
			}
			if err != nil {
				return err
			}
		}
		if err := client.Ack(ctx, page[0].BatchID); err != nil {
			return err
		}
	}
	return nil
}

// ticking makes what was sent receivable and brings back what was put back, until
// the returned function is called. A Consumer does this for its own queue; where
// none runs, a Ticker, "pgque ticker" or pg_cron does.
func ticking(ctx context.Context, client *pgque.Client) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- client.Ticker().Start(ctx) }()
	return func() {
		cancel()
		<-ended
	}
}

// handle leaves receiving, ticking and acking to a Consumer. Its handler takes
// every type that has no handler of its own.
func handle(ctx context.Context, client *pgque.Client, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := 0
	consumer := client.NewConsumer(queue, byHandler, pgque.WithPollInterval(time.Second))
	consumer.Handle(pgque.CatchAll, func(_ context.Context, msg pgque.Message) error {
		fmt.Fprintf(out, "%s: %s %s\n", byHandler, msg.Type, msg.Payload)
		if done++; done == 3 {
			stop()
		}
		return nil
	})
	if err := consumer.Start(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
