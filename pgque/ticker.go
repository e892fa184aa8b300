package pgque

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maintTimeout bounds one maintenance pass over all queues.
const maintTimeout = 5 * time.Minute

// Ticker ticks and maintains all queues: new events become receivable, retries come
// back, tables rotate. Any number of tickers may run; they do not get in each
// other's way. It takes a pool and never a transaction, because what was sent, the
// tick and the receiving must be transactions of their own.
type Ticker struct {
	client   *Client
	interval time.Duration
	maint    time.Duration
	problem  error
}

// TickerOption changes a ticker while it is made. A value that makes no sense is an
// error of Start.
type TickerOption func(*Ticker)

// WithTickInterval sets the time between two passes. Defaults to 100 ms.
func WithTickInterval(d time.Duration) TickerOption {
	return func(t *Ticker) { t.interval = positive(t, "WithTickInterval", d) }
}

// WithMaintenanceInterval sets the time between two maintenance passes, which bring
// retries back and rotate tables. Defaults to 1 second.
func WithMaintenanceInterval(d time.Duration) TickerOption {
	return func(t *Ticker) { t.maint = positive(t, "WithMaintenanceInterval", d) }
}

func positive(t *Ticker, option string, d time.Duration) time.Duration {
	if d <= 0 {
		t.problem = fmt.Errorf("%s(%v): must be positive", option, d)
	}
	return d
}

// NewTicker is New(pool).Ticker(opts...), for programs that do nothing else.
func NewTicker(pool *pgxpool.Pool, opts ...TickerOption) *Ticker {
	return New(pool).Ticker(opts...)
}

// Ticker makes a ticker over the client's pool. Close of the client stops it.
func (c *Client) Ticker(opts ...TickerOption) *Ticker {
	t := &Ticker{client: c, interval: 100 * time.Millisecond, maint: time.Second}
	for _, opt := range opts {
		opt(t)
	}
	return t
}

// Start ticks until ctx is cancelled, and returns ctx.Err(). When the server is
// away it waits, with growing pauses, and goes on. What cannot heal by itself, such
// as a missing right or a missing engine, is returned at once when it shows on the
// first pass.
func (t *Ticker) Start(ctx context.Context) error {
	if t.problem != nil {
		return wrap(t.problem, "ticker")
	}
	ctx, leave, err := t.client.enter(ctx)
	if err != nil {
		return wrap(err, "ticker")
	}
	defer leave()
	return t.run(ctx)
}

func (t *Ticker) run(ctx context.Context) error {
	retry := backoff{least: t.interval, most: 10 * time.Second, over: "pgque: ticker goes on"}
	var maintDue time.Time
	for first := true; ctx.Err() == nil; first = false {
		wait := t.interval
		err := t.tickAll(ctx)
		if now := time.Now(); err == nil && !now.Before(maintDue) {
			maintDue = now.Add(t.maint)
			err = t.maintainAll(ctx)
		}
		switch {
		case err == nil:
			retry.reset()
		case ctx.Err() != nil:
		case first && isLasting(err):
			return wrap(err, "ticker")
		default:
			retry.warn(t.client.log, "pgque: ticker pass failed", "error", err)
			wait = retry.next()
		}
		pause(ctx, wait)
	}
	return stopReason(ctx)
}

// tickAll ticks the queues that are due. Our engine settles among tickers who
// ticks; elsewhere two at once could deliver events twice.
func (t *Ticker) tickAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	engine, err := t.client.capability(ctx)
	if err != nil {
		return err
	}
	if engine.tick {
		_, err = queryInt(ctx, t.client.pool, sqlTickAll)
		return err
	}
	return alone(ctx, t.client.pool, "tick", func(tx pgx.Tx) error {
		_, err := queryInt(ctx, tx, sqlTickAll)
		return err
	})
}

func (t *Ticker) maintainAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maintTimeout)
	defer cancel()
	engine, err := t.client.capability(ctx)
	if err != nil {
		return err
	}
	if engine.maint {
		_, err = queryInt(ctx, t.client.pool, sqlMaint)
		return err
	}
	_, err = maintainAll(ctx, t.client.pool)
	return err
}
