package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
	"github.com/pgque/pgque-go/pgque"
)

// idleSurvey lets ten consumers wait on ten of a hundred queues where nothing happens.
func idleSurvey(ctx context.Context, l *lab, p plan, out *os.File) error {
	b, err := l.newBench(ctx, 4)
	if err != nil {
		return err
	}
	defer func() { _ = b.close(context.WithoutCancel(ctx)) }()
	running, stop := context.WithCancel(ctx)
	b.extra = append(b.extra, stop)
	for i := range 100 {
		queue := fmt.Sprintf("idle_%d", i)
		if err := b.client.CreateQueue(ctx, queue); err != nil {
			return err
		}
		if i >= 10 {
			continue
		}
		consumer := b.client.NewConsumer(queue, "reader")
		consumer.Handle(pgque.CatchAll, func(context.Context, pgque.Message) error { return nil })
		go func() {
			if err := consumer.Start(running); !errors.Is(err, context.Canceled) {
				fmt.Fprintln(os.Stderr, "consumer:", err)
			}
		}()
	}
	time.Sleep(3 * time.Second) // until they have come to rest
	before, err := nextXid(ctx, b)
	if err != nil {
		return err
	}
	c, err := l.measure(ctx, func(context.Context) (int, error) {
		time.Sleep(10 * p.slice)
		return 1, nil
	})
	if err != nil {
		return err
	}
	after, err := nextXid(ctx, b)
	if err != nil {
		return err
	}
	seconds := c.wall.Seconds()
	fmt.Fprintf(out, "\nidle, 100 queues, 10 consumers: server %.2f %%, client %.2f %% of one core, %.1f transaction ids/s (goal: < 1 %% together, 0)\n",
		100*c.server.Seconds()/seconds, 100*c.client.Seconds()/seconds, float64(after-before)/seconds)
	return nil
}

func nextXid(ctx context.Context, b *bench) (xid int64, err error) {
	err = b.pool.QueryRow(ctx, `select pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).Scan(&xid)
	return xid, err
}

// growthSurvey receives pages of 100 from backlogs of two sizes, and in the presence
// of many queues and consumers.
func growthSurvey(ctx context.Context, l *lab, p plan, out *os.File) error {
	fmt.Fprintf(out, "\nwhere it must not grow: microseconds for one page of 100 received and acked, and for one tick\n\n| case | receive + ack | tick |\n|---|---|---|\n")
	for _, g := range []growth{
		{name: "backlog of 10,000", events: 10_000},
		{name: "backlog of " + fmt.Sprint(p.scale*20_000), events: p.scale * 20_000},
		{name: "1 consumer, 1 queue", events: 10_000},
		{name: "50 consumers, 100 queues", events: 10_000, consumers: 50, queues: 100},
		{name: "an open transaction as old as the queue", events: 10_000, held: true},
	} {
		if err := g.run(ctx, l, out); err != nil {
			return err
		}
	}
	return nil
}

type growth struct {
	name      string
	events    int
	consumers int
	queues    int
	held      bool
}

func (g growth) run(ctx context.Context, l *lab, out *os.File) error {
	b, err := l.newBench(ctx, 4)
	if err != nil {
		return err
	}
	defer func() { _ = b.close(context.WithoutCancel(ctx)) }()
	if g.held {
		conn, err := b.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		b.extra = append(b.extra, conn.Release)
		if _, err := conn.Exec(ctx, `begin isolation level repeatable read; select count(*) from pgque.tick`); err != nil {
			return err
		}
		b.extra = append(b.extra, func() { _, _ = conn.Exec(context.WithoutCancel(ctx), `rollback`) })
		b.extra[0], b.extra[1] = b.extra[1], b.extra[0]
	}
	for i := range g.queues {
		if err := b.client.CreateQueue(ctx, fmt.Sprintf("other_%d", i)); err != nil {
			return err
		}
	}
	for i := range g.consumers {
		if err := b.client.Subscribe(ctx, events.QueueOrders, fmt.Sprintf("other_%d", i)); err != nil {
			return err
		}
	}
	if _, err := backlog(ctx, b, plan{}, g.events, 5000); err != nil {
		return err
	}
	var page, tick []float64
	for range 50 {
		begun := time.Now()
		messages, err := b.client.Receive(ctx, events.QueueOrders, "reader_0", 100)
		if err == nil && len(messages) == 100 {
			err = b.client.Ack(ctx, messages[0].BatchID)
		}
		if err != nil || len(messages) != 100 {
			return fmt.Errorf("page of %d: %w", len(messages), err)
		}
		page = append(page, float64(time.Since(begun).Microseconds()))
		if _, err := b.client.Send(ctx, events.QueueOrders, pgque.Event{Payload: 1}); err != nil {
			return err
		}
		begun = time.Now()
		if err := b.tick(ctx); err != nil {
			return err
		}
		tick = append(tick, float64(time.Since(begun).Microseconds()))
	}
	fmt.Fprintf(out, "| %s | %.0f | %.0f |\n", g.name, median(page), median(tick))
	return nil
}
