package pgquetest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// OrderCreated stands for a type that pgque-gen wrote.
type OrderCreated struct {
	OrderID string `json:"order_id"`
}

func (OrderCreated) EventType() string { return "order.created" }

// OrderCancelled is another one.
type OrderCancelled struct {
	OrderID string `json:"order_id"`
}

func (OrderCancelled) EventType() string { return "order.cancelled" }

var t *testing.T // of the test that the examples stand in

// What a function sends, without a database.
func ExampleRecorder() {
	checkout := func(ctx context.Context, s pgque.Sender) error {
		ev := OrderCreated{OrderID: "o-42"}
		_, err := s.Send(ctx, "orders", pgque.Event{Type: ev.EventType(), Payload: ev})
		return err
	}

	var recorder pgquetest.Recorder
	if err := checkout(t.Context(), &recorder); err != nil {
		t.Fatal(err)
	}
	pgquetest.AssertSent(t, recorder.Sent(), OrderCreated{OrderID: "o-42"})
	pgquetest.AssertNotSent[OrderCancelled](t, recorder.Sent())
}

// One handler, one event: what becomes of it, and what the handler sends.
func ExampleHandle() {
	client := pgquetest.New(t)
	_ = client.CreateQueue(t.Context(), "orders")
	consumer := client.NewConsumer("orders", "billing")
	consumer.HandleTx("order.created", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		_, err := client.WithTx(tx).Send(ctx, "orders", pgque.Event{Type: "order.cancelled"})
		return err
	})

	outcome := pgquetest.Handle(t, client, consumer, pgque.Event{Type: "order.created"})
	if !outcome.Done {
		t.Errorf("outcome %+v", outcome)
	}
	pgquetest.AssertOrder(t, outcome.Sent, "order.cancelled")
}

// All that follows from an event, through several consumers.
func ExampleDrain() {
	client := pgquetest.New(t)
	_ = client.CreateQueue(t.Context(), "orders")
	_ = client.Subscribe(t.Context(), "orders", "billing")
	consumer := client.NewConsumer("orders", "billing")
	_, _ = client.Send(t.Context(), "orders", pgque.Event{Type: "order.created"})

	pgquetest.Drain(t, client, consumer)
	// Whatever the handlers wrote is in the database now.
}

// A handler that may see a message twice.
func ExampleTwice() {
	client := pgquetest.New(t)
	_ = client.CreateQueue(t.Context(), "orders")
	consumer := client.NewConsumer("orders", "billing")
	consumer.Handle("order.created", func(ctx context.Context, msg pgque.Message) error {
		_, err := client.Pool().Exec(ctx,
			`insert into invoices (event_id) values ($1) on conflict do nothing`, msg.MsgID)
		return err
	})

	pgquetest.Twice(t, client, consumer, pgque.Event{Type: "order.created"})
}
