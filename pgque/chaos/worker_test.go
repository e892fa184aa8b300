package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
)

// The test binary is also each of the workers; these tell it which.
const (
	roleEnv = "PGQUE_CHAOS_ROLE"
	nameEnv = "PGQUE_CHAOS_NAME"
	dsnEnv  = "PGQUE_CHAOS_DSN"
)

// How a worker ends when nobody kills it.
const (
	exitDone   = 0
	exitBroken = 2 // it saw what must not be
	exitHalted = 3 // a handler asked for it
)

const (
	orders    = "orders"
	shipments = "shipments"

	typePlain  = "order.plain"
	typeTx     = "order.tx"
	typePoison = "order.poison"
)

// worker is this process in one of the roles.
type worker struct {
	*pgque.Client
	name string
}

// roles are named as the consumers are, where they are consumers.
var roles = map[string]func(*worker, context.Context) error{
	"produce":  (*worker).produce,
	"tick":     func(w *worker, ctx context.Context) error { return w.Ticker().Start(ctx) },
	"billing":  (*worker).billing,
	"pool":     (*worker).pool,
	"crew":     (*worker).crew,
	"mixed":    (*worker).mixed,
	"keyed":    (*worker).keyed,
	"bundle":   (*worker).bundle,
	"audit":    (*worker).audit,
	"shipping": (*worker).shipping,
}

// work runs until it is told to stop (SIGTERM), or until the process that started
// it is gone.
func work(role string) int {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(exitBroken)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	w, err := newWorker()
	if err == nil {
		err = roles[role](w, ctx)
		w.Close()
	}
	slog.Info("ended", "error", err)
	switch {
	case ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
		return exitDone
	case errors.Is(err, errHalt):
		return exitHalted
	}
	slog.Error("this worker should not have ended", "error", err)
	return exitBroken
}

// newWorker does not connect: the server may be down.
func newWorker() (*worker, error) {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	config, err := pgxpool.ParseConfig(os.Getenv(dsnEnv))
	if err != nil {
		return nil, err
	}
	config.MaxConns = 6
	config.ConnConfig.ConnectTimeout = 3 * time.Second
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	return &worker{Client: pgque.New(pool), name: os.Getenv(nameEnv)}, nil
}

var (
	errHalt   = errors.New("halt")
	errOrdeal = errors.New("failed on purpose")
)

func oneIn(n int) bool { return rand.N(n) == 0 }

func (w *worker) consumer(queue, name string, opts ...pgque.Option) *pgque.Consumer {
	opts = append([]pgque.Option{
		pgque.WithMaxMessages(25),
		pgque.WithRetryPolicy(pgque.RetryPolicy{Delay: 100 * time.Millisecond, Factor: 1.5, MaxDelay: time.Second, Jitter: 0.5}),
		pgque.WithHandlerTimeout(5 * time.Second),
		pgque.WithDrainTimeout(3 * time.Second),
		pgque.WithQuarantine(30), // here processes die of everything but their messages
	}, opts...)
	return w.NewConsumer(queue, name, opts...)
}

// ordeal is how a handler fails now and then, in all the ways that there are.
func ordeal() error {
	switch {
	case oneIn(40):
		return errOrdeal
	case oneIn(60):
		panic("panicked on purpose")
	case oneIn(60):
		return pgque.RetryAfter(200*time.Millisecond, errOrdeal)
	case oneIn(800):
		return pgque.Halt(errHalt)
	}
	return nil
}

// txOrdeal fails in the ways of transactions too.
func txOrdeal(ctx context.Context, tx pgx.Tx) error {
	switch {
	case oneIn(80):
		_, err := tx.Exec(ctx, "select 1/0")
		return err
	case oneIn(160):
		_, _ = tx.Exec(ctx, "select 1/0")
		return nil // the broken transaction is found out
	}
	return ordeal()
}

func effect(ctx context.Context, tx pgx.Tx, consumer string, msg pgque.Message) error {
	_, err := tx.Exec(ctx, "insert into effect values ($1, $2, $3)", consumer, msg.MsgID, msg.Payload)
	return err
}

// effectThenOrdeal leaves the effect before it fails, so that it has to be undone.
func effectThenOrdeal(consumer string) pgque.TxHandlerFunc {
	return func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if err := effect(ctx, tx, consumer, msg); err != nil {
			return err
		}
		return txOrdeal(ctx, tx)
	}
}

func (w *worker) seen(ctx context.Context, consumer string, msg pgque.Message) error {
	_, err := w.Pool().Exec(ctx, "insert into seen values ($1, $2, $3)", consumer, msg.MsgID, msg.Payload)
	return err
}

func (w *worker) seenThenOrdeal(consumer string) pgque.HandlerFunc {
	return func(ctx context.Context, msg pgque.Message) error {
		if err := w.seen(ctx, consumer, msg); err != nil {
			return err
		}
		return ordeal()
	}
}

func poison(context.Context, pgque.Message) error { return pgque.Permanent(errors.New("poison")) }

// billing has several replicas that read as one consumer. Each order causes one
// shipment.
func (w *worker) billing(ctx context.Context) error {
	c := w.consumer(orders, "billing")
	c.HandleTx("*", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if _, err := w.WithTx(tx).Send(ctx, shipments, pgque.Event{Type: "shipment", Payload: msg.MsgID}); err != nil {
			return err
		}
		return effectThenOrdeal("billing")(ctx, tx, msg)
	})
	c.HandleTx(typePoison, func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if err := effect(ctx, tx, "billing", msg); err != nil {
			return err
		}
		return poison(ctx, msg)
	})
	return c.Start(ctx)
}

// pool is a group whose members share the work.
func (w *worker) pool(ctx context.Context) error {
	c := w.consumer(orders, "pool", pgque.WithSubconsumer(w.name), pgque.WithTakeover(2*time.Second))
	c.HandleTx("*", effectThenOrdeal("pool"))
	return c.Start(ctx)
}

// crew is a group of plain handlers, several at once in each member.
func (w *worker) crew(ctx context.Context) error {
	c := w.consumer(orders, "crew", pgque.WithSubconsumer(w.name), pgque.WithTakeover(2*time.Second),
		pgque.WithConcurrency(4))
	c.Handle("*", w.seenThenOrdeal("crew"))
	return c.Start(ctx)
}

// mixed has plain and transactional handlers in one page.
func (w *worker) mixed(ctx context.Context) error {
	c := w.consumer(orders, "mixed")
	c.Handle(typePlain, w.seenThenOrdeal("mixed"))
	c.HandleTx(typeTx, effectThenOrdeal("mixed"))
	c.Handle(typePoison, poison)
	return c.Start(ctx)
}

// keyed has its keys spread over processes, each in one at a time.
func (w *worker) keyed(ctx context.Context) error {
	c := w.consumer(orders, "keyed", pgque.WithPartitions(3), pgque.WithTakeover(2*time.Second), pgque.WithConcurrency(2))
	c.HandleTx("*", effectThenOrdeal("keyed"))
	return c.Start(ctx)
}

// bundle gets messages together, of which some fail.
func (w *worker) bundle(ctx context.Context) error {
	c := w.consumer(orders, "bundle")
	c.HandleBatch("*", func(ctx context.Context, msgs []pgque.Message) []error {
		errs := make([]error, len(msgs))
		for i, msg := range msgs {
			if errs[i] = w.seen(ctx, "bundle", msg); errs[i] == nil {
				errs[i] = ordeal()
			}
		}
		return errs
	}, pgque.WithBatchLimit(10))
	return c.Start(ctx)
}

// audit never fails, so a retry that it sees belongs to another consumer.
func (w *worker) audit(ctx context.Context) error {
	alien := make(chan error, 1)
	c := w.consumer(orders, "audit", pgque.WithHandlerTimeout(0), pgque.WithConcurrency(4),
		pgque.WithOrderKey(func(msg pgque.Message) string { return msg.Type }))
	c.Handle("*", func(ctx context.Context, msg pgque.Message) error {
		if msg.RetryCount != nil {
			alien <- fmt.Errorf("message %d is somebody else's retry", msg.MsgID)
			return pgque.Halt(errors.New("alien message"))
		}
		return w.insist(ctx, func(ctx context.Context) error { return w.seen(ctx, "audit", msg) })
	})
	err := c.Start(ctx)
	select {
	case err := <-alien:
		return err
	default:
		return err
	}
}

// insist tries until it works or ctx ends.
func (w *worker) insist(ctx context.Context, try func(context.Context) error) error {
	for {
		limited, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := try(limited)
		cancel()
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rest(ctx, 20*time.Millisecond)
	}
}

func (w *worker) shipping(ctx context.Context) error {
	c := w.consumer(shipments, "shipping")
	c.HandleTx("shipment", effectThenOrdeal("shipping"))
	return c.Start(ctx)
}

// rest shapes the load; nothing depends on it.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
