package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
)

func sendDuels() []duel {
	return []duel{
		{what: "Send, 1 connection : prepared INSERT", goal: ">= 0.95", conns: 8, arrange: singles(1, 1)},
		{what: "Send, 8 goroutines : INSERT, 8 connections", goal: ">= 1.0", conns: 8, arrange: singles(8, 8)},
		{what: "Send, 32 goroutines : INSERT, 32 connections", goal: ">= 2.5", conns: 32, arrange: singles(32, 32)},
		{what: "Send, 128 goroutines : INSERT, 32 connections", goal: ">= 6", conns: 32, arrange: singles(128, 32)},
		{what: "SendBatch of 100 : COPY of 100", goal: "-", arrange: batches(100)},
		{what: "SendBatch of 1,000 : COPY of 1,000", goal: ">= 1.05", arrange: batches(1000)},
		{what: "SendBatch of 10,000 : COPY of 10,000", goal: ">= 0.95", arrange: batches(10_000)},
	}
}

// singles compares typed Sends of some goroutines with INSERTs on some connections.
func singles(goroutines, connections int) func(context.Context, *bench, plan) (limit, ours work, err error) {
	return func(ctx context.Context, b *bench, p plan) (limit, ours work, err error) {
		table, err := b.eventTable(ctx)
		if err != nil {
			return nil, nil, err
		}
		insert := fmt.Sprintf(`insert into %s (ev_type, ev_data) values ($1, $2) returning ev_id`, table)
		texts, list := paidTexts(1000), paidEvents(1000)
		limit = func(ctx context.Context) (int, error) {
			return forAWhile(ctx, connections, p.slice, func(ctx context.Context, n int) (int, error) {
				var id int64
				return 1, b.pool.QueryRow(ctx, insert, events.TypeOrderPaid, texts[n%len(texts)]).Scan(&id)
			})
		}
		producer := events.NewOrdersProducer(b.client)
		ours = func(ctx context.Context) (int, error) {
			return forAWhile(ctx, goroutines, p.slice, func(ctx context.Context, n int) (int, error) {
				_, err := producer.SendOrderPaid(ctx, list[n%len(list)])
				return 1, err
			})
		}
		return limit, ours, nil
	}
}

// batches compares SendBatch with COPY, one transaction each.
func batches(size int) func(context.Context, *bench, plan) (limit, ours work, err error) {
	return func(ctx context.Context, b *bench, p plan) (limit, ours work, err error) {
		table, err := b.eventTable(ctx)
		if err != nil {
			return nil, nil, err
		}
		texts, list := paidTexts(size), paidEvents(size)
		var name [2]string
		if _, err := fmt.Sscanf(table, "pgque.%s", &name[1]); err != nil {
			return nil, nil, err
		}
		rows := make([][]any, size)
		for i := range rows {
			rows[i] = []any{events.TypeOrderPaid, texts[i]}
		}
		limit = func(ctx context.Context) (int, error) {
			return forAWhile(ctx, 1, p.slice, func(ctx context.Context, _ int) (int, error) {
				n, err := b.pool.CopyFrom(ctx, pgx.Identifier{"pgque", name[1]}, []string{"ev_type", "ev_data"}, pgx.CopyFromRows(rows))
				return int(n), err
			})
		}
		producer := events.NewOrdersProducer(b.client)
		ours = func(ctx context.Context) (int, error) {
			return forAWhile(ctx, 1, p.slice, func(ctx context.Context, _ int) (int, error) {
				ids, err := producer.SendOrderPaidBatch(ctx, list)
				return len(ids), err
			})
		}
		return limit, ours, nil
	}
}

// forAWhile calls do from n goroutines, each time with another number, until the
// time is over, and adds up what it returns.
func forAWhile(ctx context.Context, n int, d time.Duration, do func(ctx context.Context, number int) (int, error)) (int, error) {
	var done, next atomic.Int64
	var group sync.WaitGroup
	failures := make(chan error, n)
	end := time.Now().Add(d)
	for range n {
		group.Go(func() {
			for time.Now().Before(end) {
				some, err := do(ctx, int(next.Add(1)))
				if err != nil {
					failures <- err
					return
				}
				done.Add(int64(some))
			}
		})
	}
	group.Wait()
	select {
	case err := <-failures:
		return 0, err
	default:
		return int(done.Load()), nil
	}
}
