package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

// calls notes which messages came together.
type calls struct {
	mu  sync.Mutex
	ids [][]int64
}

func (c *calls) note(msgs []pgque.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, ids(msgs))
}

func (c *calls) all() [][]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ids)
}

func (c *calls) messages() (n int) {
	for _, call := range c.all() {
		n += len(call)
	}
	return n
}

func (c *calls) collect(_ context.Context, msgs []pgque.Message) []error { c.note(msgs); return nil }

func (c *calls) want(t *testing.T, want ...[]int64) {
	t.Helper()
	if got := c.all(); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func TestHandleBatch_ThoseThatFollowOneAnotherComeTogether(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		first := b.send("a", 3)
		b.send("other", 1)
		second := b.send("a", 5)
		b.tick()
		var got calls
		c := b.NewConsumer("orders", "billing")
		c.HandleBatch("a", got.collect, pgque.WithBatchLimit(3))
		c.Handle("other", func(context.Context, pgque.Message) error { return nil })
		b.start(c)
		b.untilDrained("billing")
		got.want(t, first, second[:3], second[3:])
	})
}

func TestHandleBatch_CatchAllGetsAllTypesTogether(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("archive")
	all := append(b.send("a", 2), b.send("b", 2)...)
	b.tick()
	var got calls
	c := b.NewConsumer("orders", "archive")
	c.HandleBatch(pgque.CatchAll, got.collect)
	b.start(c)
	b.untilDrained("archive")
	got.want(t, all)
}

func TestHandleBatch_EachMessageHasItsOutcome(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "1"))
		sent := b.send("a", 5)
		b.tick()
		var got calls
		c := b.NewConsumer("orders", "billing")
		c.HandleBatch("a", func(_ context.Context, msgs []pgque.Message) []error {
			got.note(msgs)
			if len(msgs) != 5 {
				return nil
			}
			slices.Reverse(msgs) // the handler's own slice
			return []error{nil, pgque.Permanent(errors.New("bad")), pgque.RetryAfter(0, errors.New("later")),
				pgque.Skip("old"), nil}
		})
		b.start(c)
		until(t, "what shall return has returned", func() bool {
			b.exec("select pgque.maint_retry_events()")
			return got.messages() >= 6
		})
		b.untilDrained("billing")
		again := got.all()[1:]
		if b.foreign { // which can only try again what is permanent
			return
		}
		if len(again) != 1 || !slices.Equal(again[0], sent[2:3]) {
			t.Errorf("came again: %v, want %d", again, sent[2])
		}
		letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
		b.must(err)
		if len(letters) != 1 || letters[0].Message.MsgID != sent[1] || letters[0].Reason != "handler error: bad" {
			t.Errorf("dead letters %+v", letters)
		}
	})
}

func TestHandleBatch_AWrongAnswerIsAFailureOfAll(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		handle pgque.BatchHandlerFunc
		reason string
	}{
		"too few": {func(context.Context, []pgque.Message) []error { return []error{nil, nil} },
			"handler error: the batch handler returned 2 outcomes for 3 messages: nil for all, or one for each, is wanted"},
		"empty": {func(context.Context, []pgque.Message) []error { return []error{} },
			"handler error: the batch handler returned 0 outcomes for 3 messages: nil for all, or one for each, is wanted"},
		"panic": {func(context.Context, []pgque.Message) []error { panic("no disk") }, "handler panic: no disk"},
		"end of its goroutine": {func(context.Context, []pgque.Message) []error { runtime.Goexit(); return nil },
			"handler error: it ended its goroutine (runtime.Goexit, as t.Fatal and t.FailNow do); return an error instead"},
	} {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", in middleware ", wrapped), func(t *testing.T) {
				t.Parallel()
				b := newBus(t)
				b.subscribe("billing")
				b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
				b.send("a", 3)
				b.tick()
				c := b.NewConsumer("orders", "billing")
				c.HandleBatch("a", story.handle)
				if wrapped {
					c.Use(func(next pgque.HandlerFunc) pgque.HandlerFunc { return next })
				}
				b.start(c)
				until(t, "all are dead letters", func() bool { return b.number("select count(*) from pgque.dead_letter") == 3 })
				if n := b.number("select count(*) from pgque.dead_letter where dl_reason = $1", story.reason); n != 3 {
					t.Errorf("%d dead letters of that reason", n)
				}
			})
		}
	}
}

func TestHandleBatch_ImmediateRetriesAreForThoseThatFailed(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 4)
	b.tick()
	var got calls
	c := b.NewConsumer("orders", "billing", pgque.WithRetryPolicy(pgque.RetryPolicy{Immediate: 5, Delay: time.Hour}))
	c.HandleBatch("a", func(_ context.Context, msgs []pgque.Message) []error {
		got.note(msgs)
		errs := make([]error, len(msgs))
		for i := range errs[:len(errs)-1] { // the last one succeeds each time
			errs[i] = errors.New("not yet")
		}
		return errs
	})
	b.start(c)
	b.untilDrained("billing")
	got.want(t, sent, sent[:3], sent[:2], sent[:1])
}

func TestHandleBatch_HaltSettlesWhatStandsBeforeIt(t *testing.T) {
	for _, handler := range []string{"alone", "beside HandleTx"} {
		t.Run(handler, func(t *testing.T) {
			onBothEngines(t, func(t *testing.T, b *bus) {
				if b.foreign && handler != "alone" {
					t.Skip("a whole batch is one transaction there")
				}
				b.subscribe("billing")
				b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
				b.send("tx", 1)
				sent := b.send("a", 4)
				b.tick()
				enough := errors.New("enough")
				c := b.NewConsumer("orders", "billing")
				c.Handle("tx", func(context.Context, pgque.Message) error { return nil })
				if handler != "alone" {
					c.HandleTx("tx", func(context.Context, pgx.Tx, pgque.Message) error { return nil })
				}
				c.HandleBatch("a", func(_ context.Context, msgs []pgque.Message) []error {
					return []error{nil, errors.New("no"), pgque.Halt(enough), nil}
				})
				if err := c.Start(t.Context()); !errors.Is(err, enough) {
					t.Errorf("halted with %v", err)
				}
				if dead := b.number("select count(*) from pgque.dead_letter"); dead != 1 {
					t.Errorf("%d dead letters, want that of the failed one", dead)
				}
				again := b.startForAll(b.NewConsumer("orders", "billing"), 2)
				if !slices.Equal(ids(again), sent[2:]) || again[0].RetryCount != nil {
					t.Errorf("came again: %+v, want %v", again, sent[2:])
				}
			})
		})
	}
}

func TestHandleBatch_CancelBeginsNoFurtherCallAndCountsNoAttempt(t *testing.T) {
	for _, handler := range []string{"alone", "beside HandleTx"} {
		t.Run(handler, func(t *testing.T) {
			t.Parallel()
			b := newBus(t)
			b.subscribe("billing")
			b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
			sent := b.send("a", 6)
			b.send("tx", 1)
			b.tick()
			running := make(chan struct{})
			var got calls
			c := b.NewConsumer("orders", "billing", pgque.WithDrainTimeout(time.Millisecond))
			c.Handle("tx", func(context.Context, pgque.Message) error { return nil })
			if handler != "alone" {
				c.HandleTx("tx", func(context.Context, pgx.Tx, pgque.Message) error { return nil })
			}
			c.HandleBatch("a", func(ctx context.Context, msgs []pgque.Message) []error {
				if got.note(msgs); msgs[0].MsgID == sent[0] {
					return nil
				}
				close(running)
				<-ctx.Done()
				return []error{nil, ctx.Err()} // one is done, one was interrupted
			}, pgque.WithBatchLimit(2))
			b.startUntil(c, running)
			got.want(t, sent[:2], sent[2:4])
			rest := b.startForAll(b.NewConsumer("orders", "billing"), 4)
			if !slices.Equal(ids(rest)[:3], sent[3:]) || rest[0].RetryCount != nil {
				t.Errorf("the rest is %+v, want %v and one more", rest, sent[3:])
			}
		})
	}
}

func TestHandleBatch_RunsOnceBesideHandleTx(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	before := b.send("a", 2)
	effects := b.send("tx", 3)
	behind := b.send("a", 2)
	b.tick()
	var got calls
	failed := false
	c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(0))
	c.HandleBatch("a", got.collect)
	c.HandleTx("tx", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if msg.MsgID == effects[1] && !failed {
			failed = true // and with it the first try of the page
			return errors.New("not yet")
		}
		return leaveEffect(ctx, tx, msg)
	})
	b.start(c)
	until(t, "all effects are there", func() bool { return b.number("select count(*) from effect") == 3 })
	b.untilDrained("billing")
	b.eachOnce(effects)
	got.want(t, before, behind)
}

func TestHandleBatch_TimeoutIsForTheCallAndAHangIsNamed(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 2)
	b.tick()
	c := b.NewConsumer("orders", "billing", pgque.WithHandlerTimeout(50*time.Millisecond),
		pgque.WithHangWarning(time.Millisecond), pgque.WithRetryPolicy(pgque.RetryPolicy{Delay: time.Hour, MaxAttempts: 1}))
	c.HandleBatch("a", func(ctx context.Context, msgs []pgque.Message) []error {
		until(t, "it is named", func() bool { return strings.Contains(b.log.text(), "handler still runs") })
		<-ctx.Done()
		return []error{nil, ctx.Err()}
	})
	b.start(c)
	until(t, "the late one is a dead letter", func() bool {
		return b.number("select count(*) from pgque.dead_letter where ev_id = $1", sent[1]) == 1
	})
	if n := b.number("select count(*) from pgque.dead_letter"); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

func TestHandleBatch_ProcessDeathIsFoundAmongTheMessages(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 4)
	b.tick()
	page := b.receive("billing", 100)
	for range 2 { // two processes began with this page and never ended it
		b.exec("select pgque.begin_message($1, $2)", page[0].BatchID, page[0].MsgID)
	}
	var got calls
	c := b.NewConsumer("orders", "billing")
	c.HandleBatch("a", got.collect)
	b.start(c)
	b.untilDrained("billing")
	got.want(t, sent[:1], sent[1:2], sent[2:3], sent[3:])
}

func TestHandleBatch_MiddlewareGoesAroundEachMessage(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 4)
	b.tick()
	var got calls
	var seen []string
	failed := errors.New("failed")
	c := b.NewConsumer("orders", "billing", pgque.WithRetryPolicy(pgque.RetryPolicy{Delay: time.Hour, MaxAttempts: 1}))
	c.Use(func(next pgque.HandlerFunc) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			if msg.MsgID == sent[1] {
				return pgque.Skip("seen before") // never comes to the handler
			}
			seen = append(seen, fmt.Sprint("in ", msg.MsgID))
			msg.Payload = "changed"
			err := next(ctx, msg)
			seen = append(seen, fmt.Sprint("out ", msg.MsgID, " ", err))
			return err
		}
	})
	c.HandleBatch("a", func(ctx context.Context, msgs []pgque.Message) []error {
		got.note(msgs)
		for _, msg := range msgs {
			if msg.Payload != "changed" {
				t.Errorf("message %d came as %q", msg.MsgID, msg.Payload)
			}
		}
		return []error{nil, failed, nil}
	})
	b.start(c)
	b.untilDrained("billing")
	got.want(t, []int64{sent[0], sent[2], sent[3]})
	want := []string{fmt.Sprint("in ", sent[0]), fmt.Sprint("in ", sent[2]), fmt.Sprint("in ", sent[3]),
		fmt.Sprint("out ", sent[0], " <nil>"), fmt.Sprint("out ", sent[2], " failed"), fmt.Sprint("out ", sent[3], " <nil>")}
	if !slices.Equal(seen, want) {
		t.Errorf("middleware saw %q, want %q", seen, want)
	}
	if n := b.number("select count(*) from pgque.dead_letter where ev_id = $1", sent[2]); n != 1 {
		t.Error("the failed one is no dead letter")
	}
}

func TestHandleBatch_MiddlewareMayLetOneThroughAtATime(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 2)
	b.tick()
	var got calls
	var one sync.Mutex
	c := b.NewConsumer("orders", "billing")
	c.Use(func(next pgque.HandlerFunc) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			one.Lock()
			defer one.Unlock()
			return next(ctx, msg)
		}
	})
	c.HandleBatch("a", got.collect)
	b.start(c)
	b.untilDrained("billing")
	got.want(t, sent[:1], sent[1:])
}

func TestHandleBatch_MiddlewareThatGivesUpOrRetriesIsHeard(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 3)
	b.tick()
	var got calls
	c := b.NewConsumer("orders", "billing")
	c.Use(pgque.Timeout(time.Hour), pgque.Retry(pgque.RetryPolicy{Immediate: 1, Delay: time.Hour}))
	c.HandleBatch("a", func(ctx context.Context, msgs []pgque.Message) []error {
		if got.note(msgs); len(msgs) == 1 {
			return nil
		}
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the call has no deadline")
		}
		return []error{nil, errors.New("not yet"), nil}
	})
	b.start(c)
	b.untilDrained("billing")
	got.want(t, sent, sent[1:2])
	if n := b.number("select count(*) from pgque.retry_queue"); n != 0 {
		t.Errorf("%d messages were put back", n)
	}
}

func TestHandleBatch_CallsRunSideBySide(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		opts []pgque.Option
		each int // messages of one call
	}{
		"without order": {nil, 2},
		"by key":        {[]pgque.Option{pgque.WithOrderKey(func(msg pgque.Message) string { return *msg.Extra1 })}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBus(t)
			b.subscribe("billing")
			var events []pgque.Event
			for i := range 6 {
				key := fmt.Sprint(i % 2)
				events = append(events, pgque.Event{Type: "a", Extra1: &key})
			}
			_, err := b.SendBatch(t.Context(), "orders", events)
			b.must(err)
			b.tick()
			together := make(chan struct{})
			var arrived sync.WaitGroup
			arrived.Add(2)
			go func() { arrived.Wait(); close(together) }()
			var got calls
			c := b.NewConsumer("orders", "billing", append(story.opts, pgque.WithConcurrency(2))...)
			c.HandleBatch("a", func(ctx context.Context, msgs []pgque.Message) []error {
				if got.note(msgs); len(got.all()) <= 2 {
					arrived.Done()
					within(t, "two calls at once", together)
				}
				return nil
			}, pgque.WithBatchLimit(story.each))
			b.start(c)
			b.untilDrained("billing")
			for _, call := range got.all() {
				if len(call) != story.each || call[1]-call[0] != int64(story.each-1) {
					t.Errorf("calls %v", got.all())
				}
			}
		})
	}
}

func TestHandleBatch_WrongUseIsRefusedByName(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	c := b.NewConsumer("orders", "billing")
	c.HandleBatch("a", nil)
	c.HandleBatch("b", func(context.Context, []pgque.Message) []error { return nil }, pgque.WithBatchLimit(0))
	err := c.Start(t.Context())
	for _, want := range []string{`the handler of "a" is nil`, `the handler of "b": WithBatchLimit(0): must be at least 1`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
