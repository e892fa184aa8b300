package pgquetest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// witness is a test that may fail.
type witness struct {
	testing.TB
	failures []string
}

func (w *witness) Errorf(format string, args ...any) {
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

// stopped is what Fatal leaves a witness with.
type stopped struct{ *witness }

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(stopped{w})
}

func (w *witness) Fatal(args ...any) { w.Fatalf("%s", fmt.Sprint(args...)) }

// refused runs a part of a test that is to fail, and returns what it said.
func refused(t *testing.T, part func(t testing.TB)) (said string) {
	t.Helper()
	w := &witness{TB: t}
	defer func() {
		if value := recover(); value != nil {
			if s, ok := value.(stopped); !ok || s.witness != w {
				panic(value)
			}
		}
		said = strings.Join(w.failures, "\n")
		if said == "" {
			t.Error("this was to fail")
		}
	}()
	part(w)
	return ""
}

func created(id string) pgque.Event {
	ev := OrderCreated{OrderID: id}
	return pgque.Event{Type: ev.EventType(), Payload: ev}
}

func TestRecorder_AssertsWhatWasSent(t *testing.T) {
	t.Parallel()
	var r pgquetest.Recorder
	for _, id := range []string{"a", "b"} {
		if _, err := r.Send(t.Context(), "orders", created(id)); err != nil {
			t.Fatal(err)
		}
	}
	sent := r.Sent()
	pgquetest.AssertSent(t, sent, OrderCreated{"a"}, OrderCreated{"b"})
	pgquetest.AssertSent[OrderCancelled](t, sent)
	pgquetest.AssertNotSent[OrderCancelled](t, sent)
	pgquetest.AssertOrder(t, sent, "order.created", "order.created")
	if got := pgquetest.SentOf[OrderCreated](t, sent); len(got) != 2 || got[1].OrderID != "b" {
		t.Errorf("got %v", got)
	}
	for name, wrong := range map[string]func(t testing.TB){
		"order":   func(t testing.TB) { pgquetest.AssertSent(t, sent, OrderCreated{"b"}, OrderCreated{"a"}) },
		"missing": func(t testing.TB) { pgquetest.AssertSent(t, sent, OrderCreated{"a"}) },
		"none":    func(t testing.TB) { pgquetest.AssertNotSent[OrderCreated](t, sent) },
		"types":   func(t testing.TB) { pgquetest.AssertOrder(t, sent, "order.created") },
	} {
		if said := refused(t, wrong); !strings.Contains(said, "order.created") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func TestRecorder_RefusesLikeASender(t *testing.T) {
	t.Parallel()
	var r pgquetest.Recorder
	if _, err := r.SendBatch(t.Context(), "orders", []pgque.Event{created("a"), {Payload: make(chan int)}}); err == nil {
		t.Error("an event that has no JSON was sent")
	}
	if sent := r.Sent(); len(sent) != 0 {
		t.Errorf("half of a batch was sent: %v", sent)
	}
	broken := errors.New("broken")
	r.Fail(broken)
	if _, err := r.Send(t.Context(), "orders", created("a")); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	r.Fail(nil)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Send(cancelled, "orders", created("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if id, err := r.Send(t.Context(), "orders", created("a")); err != nil || id != 1 {
		t.Errorf("id %d, %v", id, err)
	}
}

func newQueues(t *testing.T, queues ...string) *pgque.Client {
	t.Helper()
	c := pgquetest.New(t)
	for _, queue := range queues {
		if err := c.CreateQueue(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestHandle_TellsTheOutcome(t *testing.T) {
	t.Parallel()
	c := newQueues(t, "orders", "letters")
	consumer := c.NewConsumer("orders", "billing", pgque.WithRetryAfter(0))
	returns := func(err error) pgque.HandlerFunc {
		return func(context.Context, pgque.Message) error { return err }
	}
	consumer.Handle("fail", returns(errors.New("not today")))
	consumer.Handle("later", returns(pgque.RetryAfter(time.Hour, errors.New("not today"))))
	consumer.Handle("never", returns(pgque.Permanent(errors.New("not ever"))))
	consumer.Handle("halt", returns(pgque.Halt(errors.New("stop here"))))
	consumer.HandleTx("done", func(ctx context.Context, tx pgx.Tx, _ pgque.Message) error {
		_, err := c.WithTx(tx).Send(ctx, "letters", pgque.Event{Type: "letter"})
		if err == nil {
			_, err = c.WithTx(tx).Send(ctx, "orders", pgque.Event{Type: "fail"})
		}
		return err
	})
	for eventType, right := range map[string]func(pgquetest.Outcome) bool{
		"done":    func(o pgquetest.Outcome) bool { return o.Done && !o.Retried && !o.Dead && len(o.Sent) == 2 },
		"fail":    func(o pgquetest.Outcome) bool { return o.Retried && o.RetryIn < time.Minute && !o.Done },
		"later":   func(o pgquetest.Outcome) bool { return o.Retried && o.RetryIn > 50*time.Minute },
		"never":   func(o pgquetest.Outcome) bool { return o.Dead && strings.Contains(o.Reason, "not ever") },
		"unknown": func(o pgquetest.Outcome) bool { return o.Retried },
	} {
		if o := pgquetest.Handle(t, c, consumer, pgque.Event{Type: eventType}); !right(o) {
			t.Errorf("%s: %+v", eventType, o)
		}
	}
	o := pgquetest.Handle(t, c, consumer, pgque.Event{Type: "halt"})
	if o.Halted == nil || !strings.Contains(o.Halted.Error(), "stop here") || o.Done {
		t.Errorf("halt: %+v", o)
	}
}

func TestDrain_FollowsEventsThroughConsumersAndRetries(t *testing.T) {
	t.Parallel()
	c := newQueues(t, "orders", "letters")
	for queue, consumer := range map[string]string{"orders": "billing", "letters": "mail"} {
		if err := c.Subscribe(t.Context(), queue, consumer); err != nil {
			t.Fatal(err)
		}
	}
	billing := c.NewConsumer("orders", "billing")
	billing.Handle("order.created", func(ctx context.Context, _ pgque.Message) error {
		_, err := c.Send(ctx, "letters", pgque.Event{Type: "letter"})
		return err
	})
	var mailed atomic.Int64
	mail := c.NewConsumer("letters", "mail", pgque.WithRetryAfter(3600))
	mail.Handle("letter", func(_ context.Context, msg pgque.Message) error {
		if msg.Attempt() < 3 {
			return errors.New("the postman is away")
		}
		mailed.Add(1)
		return nil
	})
	for range 2 {
		for range 5 {
			if _, err := c.Send(t.Context(), "orders", created("a")); err != nil {
				t.Fatal(err)
			}
		}
		pgquetest.Drain(t, c, billing, mail)
	}
	if n := mailed.Load(); n != 10 {
		t.Errorf("%d of 10 letters were mailed when all was quiet", n)
	}
	pgquetest.Drain(t, c, billing, mail)
}

func TestDrain_FollowsGroupsAndPartitions(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]pgque.Option{"group": pgque.WithSubconsumer("a"), "partitions": pgque.WithPartitions(2)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newQueues(t, "orders")
			var handled atomic.Int64
			consumer := c.NewConsumer("orders", "billing", pgque.WithRetryAfter(3600), opt)
			consumer.Handle("*", func(_ context.Context, msg pgque.Message) error {
				if msg.Attempt() == 1 {
					return errors.New("not today")
				}
				handled.Add(1)
				return nil
			})
			if err := consumer.Subscribe(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				key := strconv.Itoa(i)
				if _, err := c.Send(t.Context(), "orders", pgque.Event{Extra1: &key}); err != nil {
					t.Fatal(err)
				}
			}
			pgquetest.Drain(t, c, consumer)
			if n := handled.Load(); n != 5 {
				t.Errorf("%d of 5 messages were handled when all was quiet", n)
			}
		})
	}
}

func TestDrain_HaltFails(t *testing.T) {
	t.Parallel()
	c := newQueues(t, "orders")
	consumer := c.NewConsumer("orders", "billing")
	consumer.Handle("*", func(context.Context, pgque.Message) error { return pgque.Halt(errors.New("stop here")) })
	if err := c.Subscribe(t.Context(), "orders", "billing"); err != nil {
		t.Fatal(err)
	}
	send(t, c)
	if said := refused(t, func(t testing.TB) { pgquetest.Drain(t, c, consumer) }); !strings.Contains(said, "stop here") {
		t.Error(said)
	}
}

// twoHandlers are one that may run twice and one that may not.
func twoHandlers(t *testing.T, c *pgque.Client) *pgque.Consumer {
	t.Helper()
	if _, err := c.Pool().Exec(t.Context(), `
		create table invoices (event_id bigint primary key, at timestamptz default clock_timestamp());
		create table visits (event_id bigint)`); err != nil {
		t.Fatal(err)
	}
	consumer := c.NewConsumer("orders", "billing")
	insert := func(sql string) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			_, err := c.Pool().Exec(ctx, sql, msg.MsgID)
			return err
		}
	}
	consumer.Handle("idempotent", insert("insert into invoices values ($1) on conflict do nothing"))
	consumer.Handle("touches", insert("insert into invoices values ($1) on conflict (event_id) do update set at = clock_timestamp()"))
	consumer.Handle("counts", insert("insert into visits values ($1)"))
	consumer.Handle("sends", func(ctx context.Context, _ pgque.Message) error {
		_, err := c.Send(ctx, "letters", created("again"))
		return err
	})
	consumer.Handle("fails", func(context.Context, pgque.Message) error { return errors.New("no") })
	return consumer
}

func TestTwice_FindsWhatASecondDeliveryChanges(t *testing.T) {
	t.Parallel()
	c := newQueues(t, "orders", "letters")
	consumer := twoHandlers(t, c)
	pgquetest.Twice(t, c, consumer, pgque.Event{Type: "idempotent"})
	pgquetest.Twice(t, c, consumer, pgque.Event{Type: "touches"}, "at")
	for eventType, want := range map[string]string{
		"touches": "invoices", "counts": "+ public.visits", "sends": "again", "fails": "not done",
	} {
		said := refused(t, func(t testing.TB) { pgquetest.Twice(t, c, consumer, pgque.Event{Type: eventType}) })
		if !strings.Contains(said, want) {
			t.Errorf("%s: %s", eventType, said)
		}
	}
}
