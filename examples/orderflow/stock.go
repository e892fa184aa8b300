package main

import (
	"context"
	"sync"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque"
)

// stock keeps the articles of open orders reserved.
type stock struct {
	mu       sync.Mutex
	reserved map[string][]events.OrderLine // by order
}

func (f *flow) stock() starter {
	s := &stock{reserved: map[string][]events.OrderLine{}}
	c := events.NewOrdersConsumer(f.client, "stock", f.counted("stock"))
	c.OnOrderCreatedBatch(s.reserve)
	c.OnOrderCancelled(func(_ context.Context, ev events.OrderCancelled) error { return s.release(ev.OrderID) })
	c.OnOrderCompleted(func(_ context.Context, ev events.OrderCompleted) error { return s.release(ev.OrderID) })
	return c
}

// reserve takes all orders that came one after another at once.
func (s *stock) reserve(_ context.Context, batch []pgque.Delivery[events.OrderCreated]) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range batch {
		s.reserved[d.Event.OrderID] = d.Event.Lines
	}
	return nil
}

// release is called for orders that were cancelled and for those that went out.
func (s *stock) release(orderID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reserved, orderID)
	return nil
}
