package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque"
)

// mailer tells customers what happens to their orders. Mail is what it is: the
// server is busy now and then, and some mailboxes are full for good.
type mailer struct{ *flow }

// mailRetries tries a mail three times; what fails then is a dead letter.
var mailRetries = pgque.RetryPolicy{Delay: 500 * time.Millisecond, Factor: 2, MaxAttempts: 3}

const (
	everyBusy   = 25 // the mail server refuses so many of the first attempts
	fullMailbox = "full@example.org"
)

var (
	errBusy = errors.New("the mail server is busy")
	errFull = errors.New("the mailbox is full")
)

func (f *flow) mailer() starter {
	m := mailer{f}
	c := events.NewOrdersConsumer(f.client, "mailer", f.counted("mailer"), pgque.WithRetryPolicy(mailRetries))
	c.OnOrderCreated(func(ctx context.Context, ev events.OrderCreated) error {
		return m.mail(ctx, ev.OrderID)
	})
	c.OnOrderCancelled(func(ctx context.Context, ev events.OrderCancelled) error {
		return m.mail(ctx, ev.OrderID)
	})
	c.OnOrderCompleted(func(ctx context.Context, ev events.OrderCompleted) error {
		return m.mail(ctx, ev.OrderID)
	})
	return c
}

func (m mailer) mail(ctx context.Context, orderID string) error {
	msg, _ := pgque.MessageFromContext(ctx)
	err := m.deliver(msg, m.book.look(orderID).order.Customer.Email)
	switch {
	case err == nil:
	case msg.Attempt() < mailRetries.MaxAttempts:
		m.notes.add("failed", fmt.Sprintf("mail for %s, attempt %d: %v; it is tried again", orderID, msg.Attempt(), err))
	default:
		m.notes.add("dead letter", fmt.Sprintf("mail for %s, attempt %d: %v", orderID, msg.Attempt(), err))
	}
	return err
}

func (m mailer) deliver(msg pgque.Message, address string) error {
	switch {
	case address == fullMailbox:
		return errFull
	case msg.MsgID%everyBusy == 0 && msg.Attempt() == 1:
		return errBusy
	}
	return nil
}
