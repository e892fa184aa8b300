package pgque_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

// startUntil runs a consumer, cancels it when the fact is told, and returns when Start
// has.
func (b *bus) startUntil(c *pgque.Consumer, fact <-chan struct{}) {
	b.t.Helper()
	stop := b.start(c)
	within(b.t, "the time to stop", fact)
	if err := stop(); !errors.Is(err, context.Canceled) {
		b.t.Errorf("stopped with %v", err)
	}
}

// startForAll runs a consumer of all types until n messages came, and returns their
// ids in order.
func (b *bus) startForAll(c *pgque.Consumer, n int) []pgque.Message {
	b.t.Helper()
	got := make(chan pgque.Message, n+100)
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	stop := b.start(c)
	var all []pgque.Message
	for range n {
		all = append(all, within(b.t, "the rest", got))
	}
	_ = stop()
	close(got)
	for msg := range got {
		all = append(all, msg)
	}
	return all
}

func TestCancel_WhatIsDoneIsSettledAndTheRestComesAgain(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0")) // an attempt too many is the end
		sent := b.send("a", 5)
		b.tick()
		running := make(chan struct{})
		var handled ledger
		c := b.NewConsumer("orders", "billing")
		c.Handle("a", func(ctx context.Context, msg pgque.Message) error {
			if handled.note(msg); msg.MsgID == sent[1] {
				close(running)
				<-ctx.Done() // through the drain time
				return nil   // done all the same
			}
			return nil
		})
		pgque.WithDrainTimeout(time.Millisecond)(c)
		b.startUntil(c, running)
		if got := handled.deliveries(); !slices.Equal(got, sent[:2]) {
			t.Errorf("handled %v, want %v", got, sent[:2])
		}
		rest := b.startForAll(b.NewConsumer("orders", "billing"), 3)
		if !slices.Equal(ids(rest), sent[2:]) || rest[0].RetryCount != nil {
			t.Errorf("the rest is %+v, want %v", rest, sent[2:])
		}
	})
}

func TestDrain_AnInterruptedMessageCostsNoOther(t *testing.T) {
	for name, opts := range map[string][]pgque.Option{
		"without order": {pgque.WithConcurrency(3)},
		"by key": {pgque.WithConcurrency(3), pgque.WithOrderKey(func(msg pgque.Message) string {
			if msg.Type == "hanging" {
				return ""
			}
			return msg.Type
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBus(t)
			b.subscribe("billing")
			b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
			before := b.send("a", 2)
			hanging := b.send("hanging", 1)
			behind := b.send("b", 4)
			b.tick()
			var handled ledger
			var others sync.WaitGroup
			others.Add(len(before) + len(behind))
			c := b.NewConsumer("orders", "billing", append(opts, pgque.WithDrainTimeout(time.Millisecond))...)
			c.Handle("*", func(ctx context.Context, msg pgque.Message) error {
				handled.note(msg)
				others.Done()
				return nil
			})
			c.Handle("hanging", func(ctx context.Context, _ pgque.Message) error {
				<-ctx.Done()
				return ctx.Err()
			})
			done := make(chan struct{})
			go func() { others.Wait(); close(done) }()
			b.startUntil(c, done)
			again := b.startForAll(b.NewConsumer("orders", "billing"), 1)
			if !slices.Equal(ids(again), hanging) || again[0].RetryCount != nil {
				t.Errorf("came again: %+v, want message %d only, as new", again, hanging)
			}
		})
	}
}

func TestDrain_OrderOfAKeyOutlivesTheInterruption(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	first := b.send("k", 2)
	other := b.send("other", 1)
	last := b.send("k", 1)
	b.tick()
	done := make(chan struct{})
	c := b.NewConsumer("orders", "billing", pgque.WithConcurrency(2), pgque.WithDrainTimeout(time.Millisecond),
		pgque.WithOrderKey(func(msg pgque.Message) string { return msg.Type }))
	c.Handle("k", func(ctx context.Context, msg pgque.Message) error { <-ctx.Done(); return ctx.Err() })
	c.Handle("other", func(context.Context, pgque.Message) error { close(done); return nil })
	b.startUntil(c, done)
	var inOrder []int64
	for _, msg := range b.startForAll(b.NewConsumer("orders", "billing"), 4) {
		if msg.Type == "k" {
			inOrder = append(inOrder, msg.MsgID)
		}
	}
	if !slices.Equal(inOrder, append(first, last...)) {
		t.Errorf("key k came as %v, want %v (the other was %v)", inOrder, append(first, last...), other)
	}
}

func TestHalt_WhatIsDoneIsSettledAndTheRestComesAgain(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
		b.send("a", 2)
		b.send("failing", 1)
		rest := b.send("halt", 1)
		rest = append(rest, b.send("a", 2)...)
		b.tick()
		enough := errors.New("enough")
		c := b.NewConsumer("orders", "billing")
		c.Handle("a", func(context.Context, pgque.Message) error { return nil })
		c.Handle("failing", func(context.Context, pgque.Message) error { return errors.New("no") })
		c.Handle("halt", func(context.Context, pgque.Message) error { return pgque.Halt(enough) })
		if err := c.Start(t.Context()); !errors.Is(err, enough) {
			t.Errorf("halted with %v", err)
		}
		if dead := b.number("select count(*) from pgque.dead_letter"); dead != 1 {
			t.Errorf("%d dead letters, want that of the failed one", dead)
		}
		again := b.startForAll(b.NewConsumer("orders", "billing"), len(rest))
		if !slices.Equal(ids(again), rest) || again[0].RetryCount != nil {
			t.Errorf("came again: %+v, want %v", again, rest)
		}
	})
}

func TestHandleTx_CancelCommitsWhatIsDone(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	sent := b.send("a", 4)
	b.tick()
	running := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := b.NewConsumer("orders", "billing")
	c.HandleTx("a", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if msg.MsgID == sent[1] {
			cancel()
			close(running)
		}
		return leaveEffect(ctx, tx, msg)
	})
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped with %v", err)
	}
	<-running
	b.eachOnce(sent[:2])
	if rest := b.receive("billing", 10); !slices.Equal(ids(rest), sent[2:]) || rest[0].RetryCount != nil {
		t.Errorf("the rest is %+v, want %v", rest, sent[2:])
	}
}

func TestHandleTx_AnInterruptedHandlerCostsHalfASecondAtMost(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	slow := b.send("slow", 2)
	hanging := b.send("hanging", 1)
	b.tick()
	running := make(chan struct{})
	c := b.NewConsumer("orders", "billing", pgque.WithDrainTimeout(time.Millisecond))
	c.HandleTx("slow", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if err := leaveEffect(ctx, tx, msg); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "select pg_sleep(0.6)")
		return err
	})
	c.HandleTx("hanging", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		b.must(leaveEffect(ctx, tx, msg))
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	b.startUntil(c, running)
	b.eachOnce(slow)
	if rest := b.receive("billing", 10); !slices.Equal(ids(rest), hanging) || rest[0].RetryCount != nil {
		t.Errorf("the rest is %+v, want %v", rest, hanging)
	}
}
