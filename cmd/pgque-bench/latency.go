package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
)

// latencySurvey sends at a steady rate and measures from the moment an event was due
// to be sent until its handler has it. The limit inserts, notifies, and selects
// upon notification.
func latencySurvey(ctx context.Context, l *lab, p plan, out *os.File) error {
	fmt.Fprintf(out, "\nlatency from the moment an event is to be sent until it is handled, medians of %d rounds\n\n", p.rounds)
	fmt.Fprintf(out, "| rate | who | p50 ms | p99 ms | server CPU %% | client CPU %% | goal |\n|---|---|---|---|---|---|---|\n")
	for _, load := range []struct {
		rate, senders int
		goal          string
	}{{500, 16, "p50 <= 3 x, p99 <= 10 ms, server CPU <= 2 x"}, {5000, 64, "p50 <= 0.25 x, p99 <= 0.4 x"}} {
		if err := latencyAt(ctx, l, p, load.rate, load.senders, load.goal, out); err != nil {
			return err
		}
	}
	return nil
}

type delays struct {
	p50, p99, server, client []float64
}

func latencyAt(ctx context.Context, l *lab, p plan, rate, senders int, goal string, out *os.File) error {
	var plain, ours delays
	for round := range p.rounds {
		sides := []func() error{
			func() error { return latencyRound(ctx, l, p, rate, senders, &plain, plainPath) },
			func() error { return latencyRound(ctx, l, p, rate, senders, &ours, queuePath) },
		}
		if round%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			if err := side(); err != nil {
				return err
			}
		}
	}
	for _, side := range []struct {
		who string
		d   delays
	}{{"plain", plain}, {"ours", ours}} {
		fmt.Fprintf(out, "| %d/s | %s | %.2f | %.2f | %.0f | %.0f | %s |\n", rate, side.who,
			median(side.d.p50), median(side.d.p99), median(side.d.server), median(side.d.client), goal)
	}
	return nil
}

// path is one way from a sender to a receiver. It receives until ctx ends, and calls
// got for each event with the number that it was sent with.
type path func(ctx context.Context, b *bench, got func(n int)) (send func(ctx context.Context, n int) error, err error)

func latencyRound(ctx context.Context, l *lab, p plan, rate, senders int, into *delays, way path) error {
	b, err := l.newBench(ctx, senders)
	if err != nil {
		return err
	}
	defer func() { _ = b.close(context.WithoutCancel(ctx)) }()
	running, stop := context.WithCancel(ctx)
	b.extra = append(b.extra, stop)
	total := max(int(float64(rate)*p.slice.Seconds()*4), 200)
	begun := make([]time.Time, total)
	took := make([]float64, total)
	var arrived sync.WaitGroup
	send, err := way(running, b, func(n int) {
		took[n] = float64(time.Since(begun[n])) / float64(time.Millisecond)
		arrived.Done()
	})
	if err != nil {
		return err
	}
	work := func(n int) func(ctx context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			arrived.Add(n)
			if err := atRate(ctx, rate, senders, begun[:n], send); err != nil {
				return 0, err
			}
			return n, waitFor(ctx, &arrived)
		}
	}
	// Both sides begin with connections that are open and plans that are made.
	if _, err := work(min(rate/4, total))(ctx); err != nil {
		return err
	}
	runtime.GC()
	c, err := l.measure(ctx, work(total))
	if err != nil {
		return err
	}
	slices.Sort(took)
	into.p50 = append(into.p50, took[total/2])
	into.p99 = append(into.p99, took[total*99/100])
	into.server = append(into.server, 100*c.server.Seconds()/c.wall.Seconds())
	into.client = append(into.client, 100*c.client.Seconds()/c.wall.Seconds())
	return nil
}

// waitFor waits a minute at most.
func waitFor(ctx context.Context, group *sync.WaitGroup) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("not all events arrived: %w", ctx.Err())
	}
}

// atRate sends event n at its time, from some goroutines that share the work.
func atRate(ctx context.Context, rate, senders int, begun []time.Time, send func(ctx context.Context, n int) error) error {
	start := time.Now()
	for n := range begun {
		begun[n] = start.Add(time.Duration(n) * time.Second / time.Duration(rate))
	}
	numbers := make(chan int, len(begun))
	for n := range begun {
		numbers <- n
	}
	close(numbers)
	failures := make(chan error, senders)
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for n := range numbers {
				time.Sleep(time.Until(begun[n]))
				if err := send(ctx, n); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failures)
	return <-failures
}

// queuePath is a producer and a consumer with default settings. The number travels as
// the amount.
func queuePath(ctx context.Context, b *bench, got func(n int)) (func(ctx context.Context, n int) error, error) {
	if err := b.client.Subscribe(ctx, events.QueueOrders, "reader"); err != nil {
		return nil, err
	}
	consumer := events.NewOrdersConsumer(b.client, "reader")
	consumer.OnOrderPaid(func(_ context.Context, ev events.OrderPaid) error {
		got(int(ev.Amount))
		return nil
	})
	go func() {
		if err := consumer.Start(ctx); !errors.Is(err, context.Canceled) && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "consumer:", err)
		}
	}()
	producer := events.NewOrdersProducer(b.client)
	return func(ctx context.Context, n int) error {
		ev := paid(n)
		ev.Amount = int64(n)
		_, err := producer.SendOrderPaid(ctx, ev)
		return err
	}, nil
}

// plainPath is a table, INSERT with NOTIFY in one statement, and one SELECT for each
// wake-up.
func plainPath(ctx context.Context, b *bench, got func(n int)) (func(ctx context.Context, n int) error, error) {
	if _, err := b.pool.Exec(ctx, `create table plain (id bigserial primary key, n int, data text)`); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, b.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `listen plain`); err != nil {
		return nil, err
	}
	go func() {
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		seen := make(map[int64]bool) // ids do not become visible in their order
		low := int64(0)
		for {
			if _, err := conn.WaitForNotification(ctx); err != nil {
				return
			}
			rows, err := conn.Query(ctx, `select id, n, data from plain where id > $1 order by id`, low)
			if err != nil {
				return
			}
			for rows.Next() {
				var id int64
				var n int
				var data string
				if rows.Scan(&id, &n, &data) == nil && !seen[id] {
					seen[id] = true
					got(n)
				}
			}
			for seen[low+1] {
				delete(seen, low+1)
				low++
			}
		}
	}()
	texts := paidTexts(1000)
	return func(ctx context.Context, n int) error {
		_, err := b.pool.Exec(ctx, `with row as (insert into plain (n, data) values ($1, $2) returning id)
			select pg_notify('plain', '') from row`, n, texts[n%len(texts)])
		return err
	}, nil
}
