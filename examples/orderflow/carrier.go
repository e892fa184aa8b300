package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/examples/orderflow/events"
)

// carrier takes parcels from the warehouse to the door.
type carrier struct{ *flow }

func (f *flow) carrier() starter {
	w := carrier{f}
	c := events.NewShipmentsConsumer(f.client, "carrier", f.counted("carrier"))
	c.OnShipmentRequestedTx(w.dispatch)
	c.OnShipmentDispatchedTx(w.deliver)
	c.OnShipmentDeliveredTx(w.complete)
	return c
}

func (w carrier) dispatch(ctx context.Context, tx pgx.Tx, ev events.ShipmentRequested) error {
	_, err := events.NewShipmentsProducer(w.client.WithTx(tx)).SendShipmentDispatched(ctx, events.ShipmentDispatched{
		ShipmentID:   ev.ShipmentID,
		OrderID:      ev.OrderID,
		DispatchedAt: time.Now(),
		Carrier:      events.ShipmentDispatchedCarrierDhl,
		Parcels:      []events.Parcel{parcel(ev)},
	})
	return err
}

// parcel is the one box that all articles of a shipment fit into.
func parcel(ev events.ShipmentRequested) events.Parcel {
	weight := 0.25
	for _, item := range ev.Items {
		weight += 0.5 * float64(item.Quantity)
	}
	return events.Parcel{
		TrackingNumber: fmt.Sprintf("JJD%012d", number(ev.OrderID)),
		WeightKg:       weight,
	}
}

func (w carrier) deliver(ctx context.Context, tx pgx.Tx, ev events.ShipmentDispatched) error {
	_, err := events.NewShipmentsProducer(w.client.WithTx(tx)).SendShipmentDelivered(ctx, events.ShipmentDelivered{
		ShipmentID:  ev.ShipmentID,
		OrderID:     ev.OrderID,
		DeliveredAt: time.Now(),
		Parcels:     ev.Parcels,
	})
	return err
}

func (w carrier) complete(ctx context.Context, tx pgx.Tx, ev events.ShipmentDelivered) error {
	_, err := events.NewOrdersProducer(w.client.WithTx(tx)).SendOrderCompleted(ctx, events.OrderCompleted{
		OrderID:     ev.OrderID,
		CompletedAt: time.Now(),
		PaymentID:   w.book.look(ev.OrderID).payment,
		ShipmentID:  ev.ShipmentID,
	})
	return err
}
