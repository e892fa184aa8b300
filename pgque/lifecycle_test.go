package pgque_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
)

// operations are all calls of a client that ask the server.
func (b *bus) operations() map[string]func(ctx context.Context) error {
	ev := pgque.Event{Type: "a"}
	later := time.Now().Add(time.Hour)
	return map[string]func(ctx context.Context) error{
		"CreateQueue":    func(ctx context.Context) error { return b.CreateQueue(ctx, "new") },
		"DropQueue":      func(ctx context.Context) error { return b.DropQueue(ctx, "orders") },
		"ForceDropQueue": func(ctx context.Context) error { return b.ForceDropQueue(ctx, "orders") },
		"SetQueueConfig": func(ctx context.Context) error { return b.SetQueueConfig(ctx, "orders", "max_retries", "1") },
		"Subscribe":      func(ctx context.Context) error { return b.Subscribe(ctx, "orders", "mail") },
		"Unsubscribe":    func(ctx context.Context) error { return b.Unsubscribe(ctx, "orders", "billing") },
		"Version":        func(ctx context.Context) error { _, err := b.Version(ctx); return err },
		"Queues":         func(ctx context.Context) error { _, err := b.Queues(ctx); return err },
		"QueueInfo":      func(ctx context.Context) error { _, err := b.QueueInfo(ctx, "orders"); return err },
		"Consumers":      func(ctx context.Context) error { _, err := b.Consumers(ctx, "orders"); return err },
		"Receive":        func(ctx context.Context) error { _, err := b.Receive(ctx, "orders", "billing", 1); return err },
		"Ack":            func(ctx context.Context) error { return b.Ack(ctx, 1) },
		"Nack":           func(ctx context.Context) error { return b.Nack(ctx, 1, pgque.Message{}, 0, "") },
		"Install":        b.Install,
		"Uninstall":      b.Uninstall,
		"DeadLetters":    func(ctx context.Context) error { _, err := b.DeadLetters(ctx, pgque.DeadLetterFilter{}); return err },
		"DeadLetter":     func(ctx context.Context) error { _, err := b.DeadLetter(ctx, 1); return err },
		"DeadLetterGroups": func(ctx context.Context) error {
			_, err := b.DeadLetterGroups(ctx, pgque.DeadLetterFilter{})
			return err
		},
		"ReplayDeadLetter": func(ctx context.Context) error { _, err := b.ReplayDeadLetter(ctx, 1); return err },
		"ReplayEdited": func(ctx context.Context) error {
			_, err := b.ReplayEdited(ctx, 1, func(pgque.DeadLetter) (pgque.Event, error) { return ev, nil })
			return err
		},
		"ReplayDeadLetters": func(ctx context.Context) error {
			_, err := b.ReplayDeadLetters(ctx, pgque.DeadLetterFilter{})
			return err
		},
		"PurgeDeadLetters": func(ctx context.Context) error { _, err := b.PurgeDeadLetters(ctx, "orders", 0); return err },
		"Replay": func(ctx context.Context) error {
			_, err := b.Replay(ctx, "orders", "billing", pgque.ReplayFilter{FromID: 1})
			return err
		},
		"Seek": func(ctx context.Context) error { _, err := b.Seek(ctx, "orders", "billing", later); return err },
		"Send": func(ctx context.Context) error { _, err := b.Send(ctx, "orders", ev); return err },
		"SendBatch": func(ctx context.Context) error {
			_, err := b.SendBatch(ctx, "orders", []pgque.Event{ev, ev})
			return err
		},
		"SendAt": func(ctx context.Context) error { _, err := b.SendAt(ctx, "orders", ev, later); return err },
		"SendOnce": func(ctx context.Context) error {
			_, _, err := b.SendOnce(ctx, "orders", ev, "k", time.Hour)
			return err
		},
		"CancelScheduled": func(ctx context.Context) error { _, err := b.CancelScheduled(ctx, 1); return err },
		"Ticker":          func(ctx context.Context) error { return b.Ticker().Start(ctx) },
		"Start":           func(ctx context.Context) error { return b.NewConsumer("orders", "mail").Start(ctx) },
		"Start, in partitions": func(ctx context.Context) error {
			return b.NewConsumer("orders", "mail", pgque.WithPartitions(2)).Start(ctx)
		},
		"Start, as a member": func(ctx context.Context) error {
			return b.NewConsumer("orders", "mail", pgque.WithSubconsumer("m")).Start(ctx)
		},
	}
}

func TestCancelledContext_IsSaidAndNothingHappens(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range b.operations() {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.number("select (select count(*) from pgque.queue) + (select count(*) from pgque.subscription) + (select count(*) from pgque.event_1)"); n != 2 {
		t.Errorf("%d queues, consumers and events, want the queue and its consumer", n)
	}
}

func TestClosedClient_EveryCallSaysSo(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	pool, err := pgxpool.NewWithConfig(t.Context(), b.Pool().Config())
	b.must(err)
	pool.Close()
	closed := &bus{Client: pgque.New(pool), t: t}
	closed.Close()
	for name, call := range closed.operations() {
		if err := call(t.Context()); !errors.Is(err, pgque.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClose_WhileStartWaitsForAServerEndsIt(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig("host=127.0.0.1 port=1 user=nobody")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	log := &logBook{}
	c := pgque.New(pool, pgque.WithLogger(log.logger()))
	ended := make(chan error, 2)
	for _, opts := range [][]pgque.Option{nil, {pgque.WithPartitions(2)}} {
		go func() { ended <- c.NewConsumer("orders", "billing", opts...).Start(t.Context()) }()
	}
	until(t, "both have tried", func() bool { return len(log.all()) >= 2 })
	c.Close()
	for range 2 {
		if err := within(t, "the end of Start", ended); !errors.Is(err, pgque.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
	}
}
