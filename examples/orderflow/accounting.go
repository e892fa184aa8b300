package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/examples/orderflow/events"
)

// accounting lets orders go that are paid for, and cancels those that are not.
type accounting struct{ *flow }

func (f *flow) accounting() starter {
	a := accounting{f}
	c := events.NewPaymentsConsumer(f.client, "accounting", f.counted("accounting"))
	c.OnPaymentCapturedTx(a.ship)
	c.OnPaymentDeclinedTx(a.cancel)
	c.OnPaymentRefunded(a.settle)
	return c
}

// ship asks for the shipment of an order, unless it was cancelled meanwhile.
func (a accounting) ship(ctx context.Context, tx pgx.Tx, ev events.PaymentCaptured) error {
	known := a.flow.book.look(ev.OrderID)
	if known.cancelled {
		return nil
	}
	_, err := events.NewShipmentsProducer(a.client.WithTx(tx)).SendShipmentRequested(ctx, events.ShipmentRequested{
		ShipmentID:  newUUID(),
		OrderID:     ev.OrderID,
		RequestedAt: time.Now(),
		ShipTo:      known.order.ShipTo,
		Items:       items(known.order.Lines),
		Service:     events.ShipmentRequestedServiceStandard,
	})
	return err
}

func items(lines []events.OrderLine) []events.ShipmentItem {
	items := make([]events.ShipmentItem, len(lines))
	for i, line := range lines {
		items[i] = events.ShipmentItem{SKU: line.SKU, Quantity: line.Quantity}
	}
	return items
}

func (a accounting) cancel(ctx context.Context, tx pgx.Tx, ev events.PaymentDeclined) error {
	_, err := events.NewOrdersProducer(a.client.WithTx(tx)).SendOrderCancelled(ctx, events.OrderCancelled{
		OrderID:     ev.OrderID,
		CancelledAt: time.Now(),
		Reason:      events.OrderCancelledReasonPaymentDeclined,
	})
	return err
}

// settle has nothing to do: billing has paid the money back already.
func (a accounting) settle(context.Context, events.PaymentRefunded) error { return nil }
