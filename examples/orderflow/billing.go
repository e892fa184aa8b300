package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/examples/orderflow/events"
)

// billing collects the money for orders, and pays it back for cancelled ones.
type billing struct{ *flow }

func (f *flow) billing() starter {
	b := billing{f}
	c := events.NewOrdersConsumer(f.client, "billing", f.counted("billing"))
	c.OnOrderCreatedTx(b.collect)
	c.OnOrderCancelledTx(b.refund)
	c.OnOrderCompleted(b.close)
	return c
}

func (b billing) collect(ctx context.Context, tx pgx.Tx, ev events.OrderCreated) error {
	if number(ev.OrderID)%everyDeclined == 0 {
		return b.decline(ctx, tx, ev)
	}
	payment := newUUID()
	b.book.captured(ev.OrderID, payment)
	_, err := events.NewPaymentsProducer(b.client.WithTx(tx)).SendPaymentCaptured(ctx, events.PaymentCaptured{
		PaymentID:  payment,
		OrderID:    ev.OrderID,
		Amount:     ev.Total,
		Method:     events.PaymentMethod{Kind: events.PaymentMethodKindCard},
		CapturedAt: time.Now(),
	})
	return err
}

func (b billing) decline(ctx context.Context, tx pgx.Tx, ev events.OrderCreated) error {
	_, err := events.NewPaymentsProducer(b.client.WithTx(tx)).SendPaymentDeclined(ctx, events.PaymentDeclined{
		PaymentID:  newUUID(),
		OrderID:    ev.OrderID,
		Amount:     ev.Total,
		DeclinedAt: time.Now(),
		Reason:     events.PaymentDeclinedReasonLimitExceeded,
	})
	return err
}

func (b billing) refund(ctx context.Context, tx pgx.Tx, ev events.OrderCancelled) error {
	known := b.book.look(ev.OrderID)
	if !known.captured {
		return nil
	}
	_, err := events.NewPaymentsProducer(b.client.WithTx(tx)).SendPaymentRefunded(ctx, events.PaymentRefunded{
		PaymentID:  known.payment,
		OrderID:    ev.OrderID,
		Amount:     known.order.Total,
		RefundedAt: time.Now(),
	})
	return err
}

// close has nothing to do: a completed order was paid for before.
func (b billing) close(context.Context, events.OrderCompleted) error { return nil }
