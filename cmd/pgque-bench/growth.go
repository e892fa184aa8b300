package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
	"github.com/pgque/pgque-go/pgque"
)

// growth is one thing that may grow without anything becoming slower.
type growth struct {
	what  string
	sizes []int // the quick run leaves the last one out
	// arrange makes it that large, and returns the consumer that reads from then on.
	arrange func(ctx context.Context, b *bench, size int) (reader string, err error)
}

func growths() []growth {
	return []growth{
		{"events waiting (backlog)", []int{10_000, 100_000, 1_000_000}, waitingEvents},
		{"events retained behind the consumer", []int{10_000, 100_000, 1_000_000}, retainedEvents},
		{"pages consumed under one open transaction", []int{0, 500, 5000}, oldTransaction},
		{"consumers of the queue", []int{1, 20, 200}, manyConsumers},
		{"queues", []int{1, 20, 200}, manyQueues},
	}
}

// growthSurvey measures what sending, ticking and consuming take at each size.
func growthSurvey(ctx context.Context, l *lab, p plan, out *os.File) error {
	fmt.Fprintf(out, "\nwhere it must not grow: microseconds for 100 events, medians of %d\n\n", cycles)
	fmt.Fprintf(out, "| what grows | size | send | tick | receive + ack | of the smallest size |\n|---|---|---|---|---|---|\n")
	for _, g := range growths() {
		sizes := g.sizes
		if p.quick {
			sizes = sizes[:len(sizes)-1]
		}
		if err := g.survey(ctx, l, sizes, out); err != nil {
			return fmt.Errorf("%s: %w", g.what, err)
		}
	}
	return nil
}

func (g growth) survey(ctx context.Context, l *lab, sizes []int, out *os.File) error {
	var least stage
	for i, size := range sizes {
		s, err := g.measure(ctx, l, size)
		if err != nil {
			return err
		}
		if i == 0 {
			least = s
		}
		fmt.Fprintf(out, "| %s | %d | %.0f | %.0f | %.0f | %.2f, %.2f, %.2f |\n", g.what, size, s.send, s.tick, s.page,
			s.send/least.send, s.tick/least.tick, s.page/least.page)
	}
	return nil
}

func (g growth) measure(ctx context.Context, l *lab, size int) (stage, error) {
	b, err := l.newBench(ctx, 4)
	if err != nil {
		return stage{}, err
	}
	defer func() { _ = b.close(context.WithoutCancel(ctx)) }()
	reader, err := g.arrange(ctx, b, size)
	if err != nil {
		return stage{}, err
	}
	if _, err := b.pool.Exec(ctx, `checkpoint`); err != nil {
		return stage{}, err
	}
	var sends, ticks, pages []float64
	for range cycles {
		s, err := b.cycle(ctx, reader, 100)
		if err != nil {
			return stage{}, err
		}
		sends, ticks, pages = append(sends, s.send), append(ticks, s.tick), append(pages, s.page)
	}
	return stage{median(sends), median(ticks), median(pages)}, nil
}

const cycles = 50

// stage is what each part of a cycle took, in microseconds.
type stage struct {
	send, tick, page float64
}

// cycle sends n events, ticks, and lets a consumer receive and ack a page of n.
func (b *bench) cycle(ctx context.Context, reader string, n int) (s stage, err error) {
	producer, list := events.NewOrdersProducer(b.client), paidEvents(n)
	if s.send, err = took(func() error {
		_, err := producer.SendOrderPaidBatch(ctx, list)
		return err
	}); err != nil {
		return s, err
	}
	if s.tick, err = took(func() error { return b.tick(ctx) }); err != nil {
		return s, err
	}
	s.page, err = took(func() error { return b.page(ctx, reader, n) })
	return s, err
}

func took(do func() error) (microseconds float64, err error) {
	begun := time.Now()
	err = do()
	return float64(time.Since(begun).Nanoseconds()) / 1000, err
}

// page receives and acks n messages.
func (b *bench) page(ctx context.Context, reader string, n int) error {
	messages, err := b.client.Receive(ctx, events.QueueOrders, reader, n)
	switch {
	case err != nil:
		return err
	case len(messages) != n:
		return fmt.Errorf("page of %d, not %d", len(messages), n)
	}
	return b.client.Ack(ctx, messages[0].BatchID)
}

// fill sends n events with a tick behind every 5,000.
func (b *bench) fill(ctx context.Context, n int) error {
	producer, list := events.NewOrdersProducer(b.client), paidEvents(5000)
	for sent := 0; sent < n; sent += len(list) {
		if _, err := producer.SendOrderPaidBatch(ctx, list); err != nil {
			return err
		}
		if err := b.tick(ctx); err != nil {
			return err
		}
	}
	return nil
}

func waitingEvents(ctx context.Context, b *bench, size int) (string, error) {
	if err := b.client.Subscribe(ctx, events.QueueOrders, "reader"); err != nil {
		return "", err
	}
	return "reader", b.fill(ctx, size)
}

// retainedEvents keeps the events for one consumer and reads with a newer one.
func retainedEvents(ctx context.Context, b *bench, size int) (string, error) {
	if err := b.client.Subscribe(ctx, events.QueueOrders, "slow"); err != nil {
		return "", err
	}
	if err := b.fill(ctx, size); err != nil {
		return "", err
	}
	return "reader", b.client.Subscribe(ctx, events.QueueOrders, "reader")
}

// oldTransaction consumes pages of one event while a snapshot is held.
func oldTransaction(ctx context.Context, b *bench, size int) (string, error) {
	if err := b.client.Subscribe(ctx, events.QueueOrders, "reader"); err != nil {
		return "", err
	}
	if size == 0 {
		return "reader", nil
	}
	release, err := holdSnapshot(ctx, b)
	if err != nil {
		return "", err
	}
	b.extra = append(b.extra, release)
	for range size {
		if _, err := b.cycle(ctx, "reader", 1); err != nil {
			return "", err
		}
	}
	return "reader", nil
}

func manyConsumers(ctx context.Context, b *bench, size int) (string, error) {
	for i := range size {
		if err := b.client.Subscribe(ctx, events.QueueOrders, fmt.Sprintf("reader_%d", i)); err != nil {
			return "", err
		}
	}
	return "reader_0", nil
}

// manyQueues makes queues with an event and a consumer each.
func manyQueues(ctx context.Context, b *bench, size int) (string, error) {
	for i := range size - 1 {
		queue := fmt.Sprintf("other_%d", i)
		if err := b.client.CreateQueue(ctx, queue); err != nil {
			return "", err
		}
		if err := b.client.Subscribe(ctx, queue, "reader"); err != nil {
			return "", err
		}
		if _, err := b.client.Send(ctx, queue, pgque.Event{Payload: i}); err != nil {
			return "", err
		}
	}
	return "reader", b.client.Subscribe(ctx, events.QueueOrders, "reader")
}
