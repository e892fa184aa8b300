package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/examples/outbox/events"
	"github.com/pgque/pgque-go/pgque"
)

// placeOrder inserts an order, sends its event and charges the customer, in one
// transaction. What goes wrong before the commit, be it after the sending, leaves
// nothing of the three.
func placeOrder(ctx context.Context, client *pgque.Client, order events.OrderPlaced) error {
	return pgx.BeginFunc(ctx, client.Pool(), func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "insert into outbox_example.customer_order values ($1, $2, $3)",
			order.OrderID, order.Article, order.Cents)
		if err != nil {
			return err
		}
		if _, err := events.NewOrdersProducer(client.WithTx(tx)).SendOrderPlaced(ctx, order); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "update outbox_example.credit set cents = cents - $1 where customer = 'ada'", order.Cents)
		return err
	})
}
