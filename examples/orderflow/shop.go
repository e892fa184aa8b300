package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque/wire"
)

// Every so many orders something is not as usual.
const (
	everyDeclined  = 12 // the bank declines the payment
	everyCancelled = 17 // the customer changes his mind at once
	everyMailbox   = 40 // no mail reaches the customer
	everyInvalid   = 30 // the shop makes a mistake: the order is no valid event
)

// shop places orders. It is the only one who sends without having received.
type shop struct {
	orders *events.OrdersProducer
	book   *book
	notes  *notes
}

// open places rate orders a second until ctx ends.
func (s *shop) open(ctx context.Context, rate float64) error {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for n := 1; ; n++ {
		if err := s.place(ctx, n); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// place sends the n-th order. Sending goes on when ctx ends in the middle of it:
// an order whose fate nobody knows could not be counted.
func (s *shop) place(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()

	order := newOrder(n)
	s.book.enter(order, n%everyCancelled == 0)
	_, err := s.orders.SendOrderCreated(ctx, order)
	if invalid := (*wire.ValidationError)(nil); errors.As(err, &invalid) {
		s.book.refuse(order)
		s.notes.add("refused", invalid.Error())
		return nil
	}
	if err != nil || n%everyCancelled != 0 {
		return err
	}
	_, err = s.orders.SendOrderCancelled(ctx, events.OrderCancelled{
		OrderID:     order.OrderID,
		CancelledAt: time.Now(),
		Reason:      events.OrderCancelledReasonCustomerRequest,
	})
	return err
}

const sendTimeout = 10 * time.Second

var articles = []events.OrderLine{
	{SKU: "TEA-0042", Title: "Darjeeling, first flush", UnitPrice: euros(1290)},
	{SKU: "TEA-0107", Title: "Sencha", UnitPrice: euros(990)},
	{SKU: "POT-0003", Title: "Tea pot, cast iron", UnitPrice: euros(5450)},
	{SKU: "CUP-0015", Title: "Cup, celadon", UnitPrice: euros(1800)},
}

// newOrder makes up the n-th order.
func newOrder(n int) events.OrderCreated {
	lines, total := basket(n)
	order := events.OrderCreated{
		OrderID:   fmt.Sprintf("o-%d", n),
		CreatedAt: time.Now(),
		Channel:   events.OrderCreatedChannelWeb,
		Customer:  events.Customer{ID: newUUID(), Name: "Ada Byron", Email: "ada@example.org"},
		ShipTo: events.Address{
			Name:    "Ada Byron",
			Lines:   []string{"12 St James's Square"},
			City:    "London",
			Country: "GB",
		},
		Lines: lines,
		Total: total,
	}
	if n%everyMailbox == 0 {
		order.Customer.Email = fullMailbox
	}
	if n%everyInvalid == 0 {
		order.Lines[0].Quantity = 0
	}
	return order
}

// number is the n of newOrder.
func number(orderID string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(orderID, "o-"))
	return n
}

func basket(n int) ([]events.OrderLine, events.Money) {
	lines := make([]events.OrderLine, 1+n%3)
	total := int64(0)
	for i := range lines {
		lines[i] = articles[(n+i)%len(articles)]
		lines[i].Quantity = 1 + rand.Int64N(3)
		total += lines[i].Quantity * lines[i].UnitPrice.Amount
	}
	return lines, euros(total)
}

func euros(cents int64) events.Money {
	return events.Money{Amount: cents, Currency: events.MoneyCurrencyEUR}
}

// newUUID is a random UUID, version 4.
func newUUID() wire.UUID {
	var u wire.UUID
	for i := range u {
		u[i] = byte(rand.Uint32())
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}
