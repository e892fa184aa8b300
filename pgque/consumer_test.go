package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

func TestStart_DeliversWithoutAnyoneElseTicking(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		_, err := b.Send(t.Context(), "orders", pgque.Event{Type: "order.created", Payload: "first"})
		b.must(err)
		got := make(chan pgque.Message, 2)
		c := b.NewConsumer("orders", "billing")
		c.Handle("order.created", func(ctx context.Context, msg pgque.Message) error {
			if here, ok := pgque.MessageFromContext(ctx); !ok || here.MsgID != msg.MsgID {
				t.Errorf("the context has message %v, %t", here, ok)
			}
			got <- msg
			return nil
		})
		stop := b.start(c)
		if m := within(t, "the first event", got); m.Payload != `"first"` {
			t.Errorf("received %+v", m)
		}
		_, err = b.Send(t.Context(), "orders", pgque.Event{Type: "order.created", Payload: "second"})
		b.must(err)
		if m := within(t, "the second event", got); m.Payload != `"second"` {
			t.Errorf("received %+v", m)
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
		b.tick()
		if rest := b.receive("billing", 10); len(rest) != 0 {
			t.Errorf("handled but not acked: %v", rest)
		}
	})
}

func TestStart_EveryTypeFindsItsHandler(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var mu sync.Mutex
	got := map[string]string{}
	by := func(handler string) pgque.HandlerFunc {
		return func(_ context.Context, msg pgque.Message) error {
			mu.Lock()
			defer mu.Unlock()
			got[msg.Type] = handler
			return nil
		}
	}
	c := b.NewConsumer("orders", "billing")
	c.Handle("a", by("an earlier one"))
	c.Handle("a", by("a"))
	c.Handle("*", by("*"))
	c.Handle("", by("default"))
	b.subscribe("billing")
	b.send("a", 1)
	b.send("b", 1)
	b.send("", 1)
	b.exec("select pgque.insert_event('orders', null, null)")
	b.start(c)
	until(t, "four types are handled", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == 4 })
	if got["a"] != "a" || got["b"] != "*" || got["default"] != "default" || got[""] != "*" {
		t.Errorf("handlers %v", got)
	}
}

func TestStart_EachOfThousandsInOneBatchIsHandledOrDead(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		n := 10_000
		if b.foreign { // where each page reads the whole batch
			n = 2_000
		}
		b.subscribe("billing")
		b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "1"))
		events := make([]pgque.Event, n)
		for i := range events {
			events[i].Payload = i
		}
		_, err := b.SendBatch(t.Context(), "orders", events)
		b.must(err)
		b.tick()
		var handled, deliveries ledger
		c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(100), pgque.WithRetryAfter(0))
		c.Handle("default", func(_ context.Context, msg pgque.Message) error {
			deliveries.note(msg)
			var i int
			if _, err := fmt.Sscan(msg.Payload, &i); err != nil || i%7 == 0 {
				return fmt.Errorf("number %d: %w", i, err)
			}
			handled.note(msg)
			return nil
		})
		b.start(c)
		failing := int64((n + 6) / 7)
		until(t, "every seventh is dead", func() bool {
			return b.number("select count(*) from pgque.dead_letter") == failing
		})
		until(t, "the others are handled", func() bool { return int64(handled.messages()) == int64(n)-failing })
		for id, count := range deliveries.count {
			want := 1
			if handled.count[id] == 0 {
				want = 2
			}
			if count != want {
				t.Fatalf("message %d was delivered %d times, want %d", id, count, want)
			}
		}
	})
}

func TestStart_FailuresAreRecordedWithTheirReason(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
	c := b.NewConsumer("orders", "billing")
	c.Handle("error", func(context.Context, pgque.Message) error { return errors.New("no stock") })
	c.Handle("panic", func(context.Context, pgque.Message) error { panic("out of paper") })
	c.Handle("odd", func(context.Context, pgque.Message) error { return errors.New("bad \xff\x00 text") })
	c.Handle("rejected", func(context.Context, pgque.Message) error { return pgque.Permanent(errors.New("no such customer")) })
	b.subscribe("billing")
	for _, eventType := range []string{"error", "panic", "odd", "rejected", "unheard.of"} {
		b.send(eventType, 1)
	}
	b.start(c)
	until(t, "five dead letters", func() bool { return b.number("select count(*) from pgque.dead_letter") == 5 })
	letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
	b.must(err)
	want := map[string]string{
		"error":      "handler error: no stock",
		"panic":      "handler panic: out of paper",
		"odd":        "handler error: bad  text",
		"rejected":   "handler error: no such customer",
		"unheard.of": "unknown event type: unheard.of",
	}
	for _, l := range letters {
		if l.Reason != want[l.Message.Type] {
			t.Errorf("%s: reason %q, want %q", l.Message.Type, l.Reason, want[l.Message.Type])
		}
	}
}

func TestStart_GoesOnWhenAHandlerEndsItsGoroutine(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		var attempts ledger
		done := make(chan pgque.Message, 2)
		c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(0))
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			if attempts.note(msg) == 1 {
				runtime.Goexit()
			}
			done <- msg
			return nil
		})
		b.subscribe("billing")
		b.send("a", 2)
		stop := b.start(c)
		for range 2 {
			if m := within(t, "the second delivery", done); m.RetryCount == nil || *m.RetryCount != 1 {
				t.Errorf("delivered as %+v", m)
			}
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
	})
}

func TestStart_RetriesReturnUntilTheySucceed(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		var attempts ledger
		done := make(chan pgque.Message, 1)
		c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(0))
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			if attempts.note(msg) < 3 {
				return errors.New("not yet")
			}
			done <- msg
			return nil
		})
		b.subscribe("billing")
		b.send("a", 1)
		b.start(c)
		if m := within(t, "the third delivery", done); m.RetryCount == nil || *m.RetryCount != 2 {
			t.Errorf("delivered as %+v", m)
		}
	})
}

func TestStart_HandlersOutcomesAreHonoured(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	var seen ledger
	c := b.NewConsumer("orders", "billing")
	c.Handle("dead", func(context.Context, pgque.Message) error {
		return fmt.Errorf("wrapped: %w", pgque.Permanent(errors.New("never")))
	})
	c.Handle("later", func(_ context.Context, msg pgque.Message) error {
		return pgque.RetryAfter(time.Hour, errors.New("later"))
	})
	c.Handle("skip", func(context.Context, pgque.Message) error { return pgque.Skip("not for us") })
	c.Handle("done", func(_ context.Context, msg pgque.Message) error { seen.note(msg); return nil })
	for _, eventType := range []string{"dead", "later", "skip", "done"} {
		b.send(eventType, 1)
	}
	b.start(c)
	until(t, "the last is done", func() bool { return seen.messages() == 1 })
	until(t, "the page is settled", func() bool {
		return b.number("select count(*) from pgque.retry_queue") == 1 && b.number("select count(*) from pgque.dead_letter") == 1
	})
	if late := b.number("select count(*) from pgque.retry_queue where ev_type = 'later' and ev_retry_after > now() + interval '50 minutes'"); late != 1 {
		t.Error("the message for later is not put back for an hour")
	}
}

func TestStart_TheLastRetryIsADeadLetterForLogAndMetrics(t *testing.T) {
	for _, handler := range []string{"plain", "in a transaction"} {
		t.Run(handler, func(t *testing.T) {
			onBothEngines(t, func(t *testing.T, b *bus) {
				b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "2"))
				var retried, dead atomic.Int64
				c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(0), pgque.WithPageHook(func(p pgque.SettledPage) {
					retried.Add(int64(p.Retried))
					dead.Add(int64(p.Dead))
				}))
				if handler == "plain" {
					c.Handle("a", func(context.Context, pgque.Message) error { return errors.New("no") })
				} else {
					c.HandleTx("a", func(context.Context, pgx.Tx, pgque.Message) error { return errors.New("no") })
				}
				b.subscribe("billing")
				b.send("a", 3)
				stop := b.start(c)
				until(t, "all are dead", func() bool { return b.number("select count(*) from pgque.dead_letter") == 3 })
				_ = stop()
				if retried.Load() != 6 || dead.Load() != 3 {
					t.Errorf("retried %d times, %d dead", retried.Load(), dead.Load())
				}
				if back, gone := strings.Count(b.log.text(), "message put back"), strings.Count(b.log.text(), "goes to the dead letters"); back != 6 || gone != 3 {
					t.Errorf("logged %d and %d times: %s", back, gone, b.log.text())
				}
			})
		})
	}
}

func TestStart_HaltStopsAndKeepsThePage(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 3)
	enough := errors.New("enough")
	c := b.NewConsumer("orders", "billing")
	c.Handle("a", func(context.Context, pgque.Message) error { return pgque.Halt(enough) })
	if err := c.Start(t.Context()); !errors.Is(err, enough) {
		t.Errorf("halted with %v", err)
	}
	if page := b.receive("billing", 10); len(page) != 3 || page[0].RetryCount != nil {
		t.Errorf("the page is %v", page)
	}
}

func TestStart_DeclaredTypesWithoutHandlerAreSkippedAndNamedOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	var seen ledger
	c := b.NewConsumer("orders", "billing", pgque.WithDeclaredTypes("b", "a", "done"))
	c.Handle("done", func(_ context.Context, msg pgque.Message) error { seen.note(msg); return nil })
	for _, eventType := range []string{"a", "b", "unknown", "done"} {
		b.send(eventType, 2)
	}
	stop := b.start(c)
	until(t, "unknown ones are put back", func() bool { return b.number("select count(*) from pgque.retry_queue") == 2 })
	_ = stop()
	if types := b.number("select count(*) from pgque.retry_queue where ev_type <> 'unknown'"); types != 0 || seen.messages() != 2 {
		t.Errorf("%d declared messages put back, %d handled", types, seen.messages())
	}
	named := 0
	for _, line := range b.log.all() {
		if strings.Contains(line, "[a b]") {
			named++
		}
	}
	if named != 1 {
		t.Errorf("named %d times in %q", named, b.log.all())
	}
}

func TestStart_UnknownTypesCanBeSkipped(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("unknown", 3)
	b.tick()
	b.start(b.NewConsumer("orders", "billing", pgque.WithUnknownSkipped()))
	b.untilDrained("billing")
	if n := b.number("select count(*) from pgque.retry_queue"); n != 0 {
		t.Errorf("%d put back", n)
	}
}

// untilDrained waits until a consumer has acked all that was ticked.
func (b *bus) untilDrained(consumer string) {
	b.t.Helper()
	until(b.t, consumer+" has acked everything", func() bool {
		return b.number(`select count(*) from pgque.subscription s
			join pgque.consumer c on c.co_id = s.sub_consumer
			join pgque.queue q on q.queue_id = s.sub_queue
			where c.co_name = $1 and s.sub_batch is null and s.sub_next_tick is null
			  and s.sub_last_tick = (select max(tick_id) from pgque.tick where tick_queue = q.queue_id)`, consumer) == 1
	})
}

func TestStart_FailedSettlingLeavesThePageOpenAndBacksOff(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise 'injected'; end $$`)
		b.exec(`create trigger refuse before insert on pgque.retry_queue execute function refuse()`)
		b.send("a", 2)
		b.tick()
		var deliveries ledger
		c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(0))
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			deliveries.note(msg)
			if strings.Contains(msg.Payload, "1") && msg.RetryCount == nil {
				return errors.New("no")
			}
			return nil
		})
		b.start(c)
		until(t, "the page was handled", func() bool { return deliveries.messages() == 2 })
		until(t, "a settlement was refused", func() bool {
			return b.number("select xact_rollback from pg_stat_database where datname = current_database()") >= 3
		})
		if open := b.number("select count(*) from pgque.subscription where sub_batch is not null"); open != 1 {
			t.Error("the batch was finished without its nack")
		}
		if n := len(deliveries.deliveries()); n > 6 {
			t.Errorf("%d deliveries while nothing could be recorded", n)
		}
		b.exec("drop trigger refuse on pgque.retry_queue")
		until(t, "the failed message came back", func() bool {
			return b.number("select count(*) from pgque.retry_queue") == 0 && len(deliveries.deliveries()) >= 3
		})
		b.untilDrained("billing")
	})
}

func TestStart_WorkDoneIsRecordedWhenCancelledMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := b.NewConsumer("orders", "billing")
	var handled ledger
	c.Handle("a", func(hctx context.Context, msg pgque.Message) error {
		cancel()
		if hctx.Err() != nil {
			t.Error("the handler was cancelled without drain time")
		}
		handled.note(msg)
		return nil
	})
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	for _, m := range b.receive("billing", 10) {
		if handled.count[m.MsgID] > 0 {
			t.Errorf("message %d was handled and is delivered again", m.MsgID)
		}
		handled.note(m)
	}
	if handled.messages() != 3 {
		t.Errorf("%d of 3 messages", handled.messages())
	}
}

func TestStart_DrainTimeEndsHandlersAndKeepsTheirMessages(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := b.NewConsumer("orders", "billing", pgque.WithDrainTimeout(10*time.Millisecond))
	c.Handle("a", func(hctx context.Context, msg pgque.Message) error {
		cancel()
		<-hctx.Done()
		return hctx.Err()
	})
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	page := b.receive("billing", 10)
	if len(page) != 2 || page[0].RetryCount != nil {
		t.Errorf("left behind %+v", page)
	}
}

func TestAbort_EndsStartWithoutDrainTime(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 1)
	c := b.NewConsumer("orders", "billing", pgque.WithDrainTimeout(time.Hour))
	c.Abort() // before Start: nothing
	c.Handle("a", func(ctx context.Context, _ pgque.Message) error {
		go c.Abort()
		<-ctx.Done()
		return ctx.Err()
	})
	if err := c.Start(t.Context()); !errors.Is(err, pgque.ErrAborted) {
		t.Errorf("ended with %v", err)
	}
	if page := b.receive("billing", 10); len(page) != 1 {
		t.Errorf("left behind %v", page)
	}
}

func TestClose_StopsConsumersAndWaitsForThem(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	c := b.NewConsumer("orders", "billing")
	entered, ended := make(chan struct{}, 1), make(chan error, 1)
	var finished atomic.Bool
	released, release := b.gate()
	c.Handle("a", func(context.Context, pgque.Message) error {
		entered <- struct{}{}
		<-released
		finished.Store(true)
		return nil
	})
	b.subscribe("billing")
	b.send("a", 1)
	go func() { ended <- c.Start(context.Background()) }()
	within(t, "the handler runs", entered)
	closed := make(chan bool, 1)
	go func() { b.Close(); closed <- finished.Load() }()
	until(t, "Close has begun", func() bool {
		return errors.Is(c.Start(t.Context()), pgque.ErrClosed) // not ErrRunning any more
	})
	release()
	if !within(t, "Close returns", closed) {
		t.Error("Close did not wait for the handler")
	}
	if err := within(t, "Start returns", ended); !errors.Is(err, pgque.ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}

func TestStart_TwiceAtOnceIsRefusedAndAgainIsFine(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	c := b.NewConsumer("orders", "billing")
	got := make(chan pgque.Message, 2)
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	for range 2 {
		stop := b.start(c)
		_, err := b.Send(t.Context(), "orders", pgque.Event{})
		b.must(err)
		within(t, "it runs", got)
		if err := c.Start(t.Context()); !errors.Is(err, pgque.ErrRunning) {
			t.Errorf("second start: %v", err)
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
	}
}

func TestHandle_CountsAtOnceWhileStartRuns(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	got := make(chan string, 1)
	by := func(name string) pgque.HandlerFunc {
		return func(context.Context, pgque.Message) error { got <- name; return nil }
	}
	c := b.NewConsumer("orders", "billing")
	b.start(c)
	for _, name := range []string{"first", "second"} {
		c.Handle("a", by(name))
		b.send("a", 1)
		if handler := within(t, "it is handled", got); handler != name {
			t.Errorf("handled by %s, want %s", handler, name)
		}
	}
}

func TestStart_CancelledBeforehandDoesNothing(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.NewConsumer("orders", "billing").Start(ctx); err != context.Canceled {
		t.Errorf("error %v", err)
	}
	if n := b.number("select count(*) from pgque.subscription"); n != 0 {
		t.Error("it subscribed")
	}
}

func TestStart_WrongUseIsRefusedByName(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	cases := map[string]*pgque.Consumer{
		"WithMaxMessages(0)":     b.NewConsumer("orders", "c", pgque.WithMaxMessages(0)),
		"WithPollInterval(-1s)":  b.NewConsumer("orders", "c", pgque.WithPollInterval(-time.Second)),
		"WithRetryAfter(-1)":     b.NewConsumer("orders", "c", pgque.WithRetryAfter(-1)),
		"WithConcurrency(0)":     b.NewConsumer("orders", "c", pgque.WithConcurrency(0)),
		"WithRetryPolicy":        b.NewConsumer("orders", "c", pgque.WithRetryPolicy(pgque.RetryPolicy{Jitter: 2})),
		"queue name is empty":    b.NewConsumer("", "c"),
		"consumer name is empty": b.NewConsumer("orders", ""),
		"queue not found":        b.NewConsumer("nowhere", "c"),
	}
	missing := b.NewConsumer("orders", "c")
	missing.Handle("a", nil)
	cases[`the handler of "a" is nil`] = missing
	for want, c := range cases {
		if err := c.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

func TestWithConcurrency_KeepsTheOrderOfAKey(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	const keys, each = 10, 20
	var events []pgque.Event
	for i := range keys * each {
		events = append(events, pgque.Event{Type: fmt.Sprint(i % keys), Payload: i})
	}
	_, err := b.SendBatch(t.Context(), "orders", events)
	b.must(err)
	b.tick()

	var mu sync.Mutex
	perKey := map[string][]int64{}
	var running, most atomic.Int64
	together, arrived := b.gate()
	c := b.NewConsumer("orders", "billing", pgque.WithConcurrency(4), pgque.WithMaxMessages(keys*each),
		pgque.WithOrderKey(func(m pgque.Message) string { return m.Type }))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error {
		if n := running.Add(1); n >= 4 {
			most.Store(max(n, most.Load()))
			arrived()
		}
		defer running.Add(-1)
		<-together // only four at once get further
		mu.Lock()
		defer mu.Unlock()
		perKey[msg.Type] = append(perKey[msg.Type], msg.MsgID)
		return nil
	})
	b.start(c)
	b.untilDrained("billing")
	for key, ids := range perKey {
		if len(ids) != each || !slices.IsSorted(ids) {
			t.Errorf("key %s: %v", key, ids)
		}
	}
	if most.Load() > 4 {
		t.Errorf("%d handlers at once", most.Load())
	}
}

func TestUse_WrapsInOrderAndSeesPanicsAsErrors(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
	var mu sync.Mutex
	var trace []string
	tracing := func(name string) pgque.Middleware {
		return func(next pgque.HandlerFunc) pgque.HandlerFunc {
			return func(ctx context.Context, msg pgque.Message) error {
				err := next(ctx, msg)
				mu.Lock()
				defer mu.Unlock()
				trace = append(trace, fmt.Sprint(name, ": ", err))
				return err
			}
		}
	}
	b.Use(tracing("client"))
	c := b.NewConsumer("orders", "billing")
	c.Handle("a", tracing("handler")(func(context.Context, pgque.Message) error { panic("oops") }))
	c.Use(tracing("consumer"))
	b.subscribe("billing")
	b.send("a", 1)
	stop := b.start(c)
	until(t, "it is dead", func() bool { return b.number("select count(*) from pgque.dead_letter") == 1 })
	_ = stop()
	want := []string{"consumer: handler panic: oops", "client: handler panic: oops"}
	if !slices.Equal(trace, want) {
		t.Errorf("trace %q, want %q", trace, want)
	}
}

func TestWithHandlerTimeout_CancelsAndHangingIsNamed(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	ids := b.send("a", 1)
	c := b.NewConsumer("orders", "billing", pgque.WithHandlerTimeout(20*time.Millisecond), pgque.WithHangWarning(10*time.Millisecond))
	c.Handle("a", func(ctx context.Context, _ pgque.Message) error {
		until(t, "it is named", func() bool {
			return slices.ContainsFunc(b.log.all(), func(line string) bool {
				return strings.Contains(line, "handler still runs") && strings.Contains(line, fmt.Sprintf("msg=%d", ids[0]))
			})
		})
		<-ctx.Done()
		return ctx.Err()
	})
	b.start(c)
	until(t, "it is put back", func() bool { return b.number("select count(*) from pgque.retry_queue") == 1 })
}

func TestWithHangWarning_IsForEachCall(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	ids := b.send("a", 3)
	c := b.NewConsumer("orders", "billing", pgque.WithHangWarning(20*time.Millisecond))
	c.Handle("a", func(_ context.Context, msg pgque.Message) error {
		if msg.MsgID == ids[0] {
			return nil
		}
		before := strings.Count(b.log.text(), "handler still runs")
		until(t, "it is named twice", func() bool { return strings.Count(b.log.text(), "handler still runs") >= before+2 })
		return nil
	})
	b.start(c)
	b.untilDrained("billing")
}

func TestStart_TerminatedBackendsCostNothing(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		var handled ledger
		c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(10))
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			if n := handled.note(msg); n == 1 && msg.MsgID%100 == 0 {
				b.terminateOthers()
			}
			return nil
		})
		ids := b.send("a", 500)
		b.start(c)
		until(t, "all are handled", func() bool { return handled.messages() == len(ids) })
		b.untilDrained("billing")
	})
}

// terminateOthers ends every connection to the database but its own.
func (b *bus) terminateOthers() { b.t.Helper(); b.terminate("") }

// terminate ends the connections of an application, all for "".
func (b *bus) terminate(application string) {
	b.t.Helper()
	conn, err := pgx.ConnectConfig(context.Background(), b.Pool().Config().ConnConfig)
	b.must(err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid() and application_name like $1`, application+"%")
	b.must(err)
}

func TestStart_SurvivesEmptyPollsAndIdlesCheaply(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer("orders", "billing")
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.start(c)
	_, err := b.Send(t.Context(), "orders", pgque.Event{})
	b.must(err)
	within(t, "it runs", got)
	b.untilDrained("billing")
	before := b.number("select max(tick_id) from pgque.tick")
	for range 3 {
		b.exec("select pg_notify('pgque_orders', 'nonsense')")
	}
	_, err = b.Send(t.Context(), "orders", pgque.Event{})
	b.must(err)
	within(t, "it still runs", got)
	if ticks := b.number("select max(tick_id) from pgque.tick") - before; ticks > 5 {
		t.Errorf("%d ticks for one event", ticks)
	}
}
