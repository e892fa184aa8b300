package main

import (
	"context"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque"
)

// flow is what follows from an order:
//
//	queue      event                 consumer    sends
//	orders     order.created         billing     payment.captured or payment.declined
//	           order.cancelled       billing     payment.refunded
//	           all of them           stock, mailer
//	payments   payment.captured      accounting  shipment.requested
//	           payment.declined      accounting  order.cancelled
//	shipments  shipment.requested    carrier     shipment.dispatched
//	           shipment.dispatched   carrier     shipment.delivered
//	           shipment.delivered    carrier     order.completed
//
// A handler that sends does so in the transaction that also moves its consumer's
// cursor: whatever crashes when, an order is paid for once.
type flow struct {
	client *pgque.Client
	book   *book
	tally  *tally
	notes  *notes
}

// stops are the flow's queues, each with its consumers.
var stops = []struct {
	queue     string
	consumers []string
}{
	{events.QueueOrders, []string{"billing", "stock", "mailer"}},
	{events.QueuePayments, []string{"accounting"}},
	{events.QueueShipments, []string{"carrier"}},
}

// starter is what the typed consumers have in common.
type starter interface {
	Start(ctx context.Context) error
}

func (f *flow) consumers() []starter {
	return []starter{f.billing(), f.stock(), f.mailer(), f.accounting(), f.carrier()}
}

// counted makes a consumer's handlers count.
func (f *flow) counted(consumer string) pgque.Option {
	return func(c *pgque.Consumer) { c.Use(f.tally.watch(consumer)) }
}

func queueNames() []string {
	var names []string
	for _, stop := range stops {
		names = append(names, stop.queue)
	}
	return names
}
