package main

import (
	"sync"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque/wire"
)

// book is what the shop's departments know about orders. It stands for their
// databases; all its methods may be called twice for one order.
type book struct {
	mu      sync.Mutex
	orders  map[string]*entry
	refused int
}

type entry struct {
	order     events.OrderCreated
	cancelled bool
	payment   wire.UUID // of the payment that was captured
	captured  bool
}

func newBook() *book { return &book{orders: map[string]*entry{}} }

// enter writes an order down before it is sent.
func (b *book) enter(order events.OrderCreated, cancelled bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders[order.OrderID] = &entry{order: order, cancelled: cancelled}
}

// refuse takes an order back that could not be sent.
func (b *book) refuse(order events.OrderCreated) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.orders, order.OrderID)
	b.refused++
}

// captured notes the payment of an order.
func (b *book) captured(orderID string, payment wire.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders[orderID].payment, b.orders[orderID].captured = payment, true
}

// look returns what is known about an order.
func (b *book) look(orderID string) entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.orders[orderID]
}

// counts are the orders that were placed and those that were refused.
func (b *book) counts() (placed, refused int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.orders), b.refused
}
