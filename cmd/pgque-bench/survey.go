package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// idleSurvey lets ten consumers wait on ten of a hundred queues where nothing happens.
//
// It has a server of its own: on that of the run, autovacuum is still busy with what the
// other rows have left.
func idleSurvey(ctx context.Context, _ *lab, p plan, out *os.File) (err error) {
	l, err := openLab(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
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
		time.Sleep(max(10*p.slice, 3*time.Second))
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
