// Command outbox sends an event in the application's own transaction, and handles
// one in the transaction that also moves the consumer's cursor: an order and its
// event exist together or not at all, and every event leads to one invoice, however
// often it has to be delivered.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/pgque/pgque-go/examples/internal/scratch"
	"github.com/pgque/pgque-go/examples/outbox/events"
	"github.com/pgque/pgque-go/pgque"
)

//go:generate go run ../../cmd/pgque-gen -schemas schemas -out events -package events

func main() {
	dsn := flag.String("dsn", "", "`connection string` of an existing database (default a throw-away server)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dsn, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "outbox:", err)
		os.Exit(1)
	}
}

const tables = `
	create table customer_order (id bigint primary key, article text not null, cents bigint not null);
	create table credit (customer text primary key, cents bigint not null check (cents >= 0));
	create table invoice (order_id bigint not null, cents bigint not null);
	insert into credit values ('ada', 10000);`

func run(ctx context.Context, dsn string, out io.Writer) (err error) {
	db, err := scratch.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CreateQueues(ctx, events.QueueOrders); err != nil {
		return err
	}
	if err := db.CreateSchema(ctx, "outbox_example", tables); err != nil {
		return err
	}
	return story(ctx, db.Client, out)
}

// story places four orders, two of which come to nothing, and writes invoices for
// the others.
func story(ctx context.Context, client *pgque.Client, out io.Writer) error {
	if err := client.Subscribe(ctx, events.QueueOrders, invoicing); err != nil {
		return err
	}
	for _, order := range []events.OrderPlaced{
		{OrderID: 1, Article: "tea pot", Cents: 5450},
		{OrderID: 2, Article: "silver spoon", Cents: 9900}, // more than the credit that is left
		{OrderID: 3, Article: "", Cents: 1800},             // no valid event
		{OrderID: 4, Article: "cup", Cents: 1800},
	} {
		if err := placeOrder(ctx, client, order); err != nil {
			fmt.Fprintf(out, "order %d: rolled back: %v\n", order.OrderID, err)
			continue
		}
		fmt.Fprintf(out, "order %d: committed, and its event with it\n", order.OrderID)
	}
	if err := writeInvoices(ctx, client, out); err != nil {
		return err
	}
	return compare(ctx, client, out)
}
