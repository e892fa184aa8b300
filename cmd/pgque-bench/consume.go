package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
	"github.com/pgque/pgque-go/pgque"
)

func consumeDuels() []duel {
	return []duel{
		{what: "consume, ticks of 500, pages of 5,000 : SELECT", goal: ">= 0.85", arrange: consuming(500, 5000)},
		{what: "consume, ticks of 500, pages of 500 : SELECT", goal: "-", arrange: consuming(500, 500)},
		{what: "consume, ticks of 500, pages of 100 : SELECT", goal: "-", arrange: consuming(500, 100)},
		{what: "consume, ticks of 5,000, pages of 5,000 : SELECT", goal: ">= 0.90", arrange: consuming(5000, 5000)},
		{what: "consume in a tx, an INSERT each : the INSERTs", goal: ">= 0.85", arrange: consumingTx(500)},
	}
}

// backlog sends n events with a tick after every tickSize of them. Consumers, one for
// each round and one more, are subscribed before.
func backlog(ctx context.Context, b *bench, p plan, n, tickSize int) (consumers chan string, err error) {
	consumers = make(chan string, p.rounds+1)
	for i := range p.rounds + 1 {
		name := fmt.Sprintf("reader_%d", i)
		consumers <- name
		if err := b.client.Subscribe(ctx, events.QueueOrders, name); err != nil {
			return nil, err
		}
	}
	producer, list := events.NewOrdersProducer(b.client), paidEvents(tickSize)
	for range n / tickSize {
		if _, err := producer.SendOrderPaidBatch(ctx, list); err != nil {
			return nil, err
		}
		if err := b.tick(ctx); err != nil {
			return nil, err
		}
	}
	_, err = b.pool.Exec(ctx, `checkpoint`)
	return consumers, err
}

// consuming compares a consumer with a no-op handler that works a backlog off with a
// loop of SELECTs that returns the same rows in the same portions. The backlog is so large
// that the start of a consumer (it subscribes, listens, and its sessions compile the engine's
// functions) is a small part of it.
func consuming(tickSize, page int) func(context.Context, *bench, plan) (limit, ours work, err error) {
	return func(ctx context.Context, b *bench, p plan) (limit, ours work, err error) {
		n := p.scale * 10_000
		consumers, err := backlog(ctx, b, p, n, tickSize)
		if err != nil {
			return nil, nil, err
		}
		limit = func(ctx context.Context) (int, error) { return selectAll(ctx, b, page) }
		ours = func(ctx context.Context) (int, error) {
			consumer := events.NewOrdersConsumer(b.client, <-consumers, pgque.WithMaxMessages(page))
			return consumeAll(ctx, consumer, n, func(count func() error) {
				consumer.OnOrderPaid(func(context.Context, events.OrderPaid) error { return count() })
			})
		}
		return limit, ours, nil
	}
}

// consumeAll runs a consumer until its handler was called n times.
func consumeAll(ctx context.Context, consumer *events.OrdersConsumer, n int, register func(count func() error)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	handled := 0
	register(func() error {
		if handled++; handled == n {
			cancel()
		}
		return nil
	})
	if err := consumer.Start(ctx); !errors.Is(err, context.Canceled) {
		return 0, fmt.Errorf("consumer ended after %d events: %w", handled, err)
	}
	if handled < n {
		return 0, fmt.Errorf("consumer handled %d of %d events", handled, n)
	}
	return n, nil
}

type eventRow struct {
	id      int64
	at      time.Time
	kind    string
	payload string
	retry   *int
}

// selectAll reads the event table in portions, in the order of ids.
func selectAll(ctx context.Context, b *bench, page int) (int, error) {
	table, err := b.eventTable(ctx)
	if err != nil {
		return 0, err
	}
	query := fmt.Sprintf(`select ev_id, ev_time, ev_type, ev_data, ev_retry from %s where ev_id > $1 order by ev_id limit $2`, table)
	n, last := 0, int64(0)
	for {
		rows, err := b.pool.Query(ctx, query, last, page)
		if err != nil {
			return n, err
		}
		portion, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (eventRow, error) {
			var r eventRow
			err := row.Scan(&r.id, &r.at, &r.kind, &r.payload, &r.retry)
			return r, err
		})
		if err != nil || len(portion) == 0 {
			return n, err
		}
		n += len(portion)
		last = portion[len(portion)-1].id
	}
}

// consumingTx compares handlers that write a row each, in the transaction that also
// moves the cursor, with the same INSERTs in transactions of the same size.
func consumingTx(page int) func(context.Context, *bench, plan) (limit, ours work, err error) {
	return func(ctx context.Context, b *bench, p plan) (limit, ours work, err error) {
		n := max(p.scale*500, 2*page)
		consumers, err := backlog(ctx, b, p, n, page)
		if err != nil {
			return nil, nil, err
		}
		if _, err := b.pool.Exec(ctx, `create table ledger (customer text, amount bigint)`); err != nil {
			return nil, nil, err
		}
		list := paidEvents(page)
		enter := func(ctx context.Context, tx pgx.Tx, ev events.OrderPaid) error {
			_, err := tx.Exec(ctx, `insert into ledger values ($1, $2)`, ev.CustomerID, ev.Amount)
			return err
		}
		limit = func(ctx context.Context) (int, error) {
			for range n / page {
				err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
					for _, ev := range list {
						if err := enter(ctx, tx, ev); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return 0, err
				}
			}
			return n, nil
		}
		ours = func(ctx context.Context) (int, error) {
			consumer := events.NewOrdersConsumer(b.client, <-consumers, pgque.WithMaxMessages(page))
			return consumeAll(ctx, consumer, n, func(count func() error) {
				consumer.OnOrderPaidTx(func(ctx context.Context, tx pgx.Tx, ev events.OrderPaid) error {
					if err := enter(ctx, tx, ev); err != nil {
						return err
					}
					return count()
				})
			})
		}
		return limit, ours, nil
	}
}
