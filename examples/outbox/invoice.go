package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/examples/outbox/events"
	"github.com/pgque/pgque-go/pgque"
)

const invoicing = "invoicing"

// writeInvoices consumes until every order has its invoice.
func writeInvoices(ctx context.Context, client *pgque.Client, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	consumer := events.NewOrdersConsumer(client, invoicing, pgque.WithRetryAfter(0))
	consumer.OnOrderPlacedTx(func(ctx context.Context, tx pgx.Tx, ev events.OrderPlaced) error {
		return writeInvoice(ctx, tx, ev, out)
	})
	ended := make(chan error, 1)
	go func() { ended <- consumer.Start(ctx) }()

	for {
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Millisecond):
		}
		missing, err := count(ctx, client, sqlMissing)
		if missing > 0 && err == nil {
			continue
		}
		stop()
		if ending := <-ended; !errors.Is(ending, context.Canceled) {
			err = errors.Join(err, ending)
		}
		return err
	}
}

// writeInvoice has a bad day: it fails on the first delivery of order 4, after the
// insert. All messages of a page share the transaction that ends with it; so the
// handler of order 1 runs twice, too, and its invoice is there once all the same.
func writeInvoice(ctx context.Context, tx pgx.Tx, ev events.OrderPlaced, out io.Writer) error {
	_, err := tx.Exec(ctx, "insert into outbox_example.invoice values ($1, $2)", ev.OrderID, ev.Cents)
	if err != nil {
		return err
	}
	msg, _ := pgque.MessageFromContext(ctx)
	if ev.OrderID == 4 && msg.Attempt() == 1 {
		fmt.Fprintf(out, "order %d: out of paper: the insert is undone, the message comes again\n", ev.OrderID)
		return errors.New("out of paper")
	}
	fmt.Fprintf(out, "order %d: invoice inserted, attempt %d\n", ev.OrderID, msg.Attempt())
	return nil
}

const (
	sqlOrders   = "select count(*) from outbox_example.customer_order"
	sqlInvoices = "select count(*) from outbox_example.invoice"
	sqlMissing  = `
		select count(*) from outbox_example.customer_order
		where id not in (select order_id from outbox_example.invoice)`
)

func count(ctx context.Context, client *pgque.Client, sql string) (n int, err error) {
	err = client.Pool().QueryRow(ctx, sql).Scan(&n)
	return n, err
}

// compare is an error unless there are as many invoices as orders.
func compare(ctx context.Context, client *pgque.Client, out io.Writer) error {
	orders, err := count(ctx, client, sqlOrders)
	if err != nil {
		return err
	}
	invoices, err := count(ctx, client, sqlInvoices)
	if err != nil {
		return err
	}
	if orders != invoices {
		return fmt.Errorf("%d orders, but %d invoices", orders, invoices)
	}
	fmt.Fprintf(out, "%d orders, %d invoices\n", orders, invoices)
	return nil
}
