package pgque_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	client, err := pgque.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.Install(ctx); err != nil {
		log.Fatal(err)
	}
	if err := client.CreateQueue(ctx, "orders"); err != nil {
		log.Fatal(err)
	}

	if _, err := client.Send(ctx, "orders", pgque.Event{Type: "order.created", Payload: map[string]any{"id": 42}}); err != nil {
		log.Fatal(err)
	}

	billing := client.NewConsumer("orders", "billing")
	billing.Handle("order.created", func(ctx context.Context, msg pgque.Message) error {
		fmt.Println(msg.Payload)
		return nil
	})
	log.Print(billing.Start(ctx)) // until interrupted
}

// An event of the application's own transaction, which appears if and only if that
// transaction commits.
func ExampleClient_WithTx() {
	var client *pgque.Client
	placeOrder := func(ctx context.Context, id int) error {
		return pgx.BeginFunc(ctx, client.Pool(), func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `insert into orders (id) values ($1)`, id); err != nil {
				return err
			}
			_, err := client.WithTx(tx).Send(ctx, "orders", pgque.Event{Type: "order.created", Payload: id})
			return err
		})
	}
	_ = placeOrder
}

// The handler's writes and the message are settled together: the invoice is written
// exactly once.
func ExampleConsumer_HandleTx() {
	var billing *pgque.Consumer
	billing.HandleTx("order.created", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		_, err := tx.Exec(ctx, `insert into invoices (order_event) values ($1)`, msg.Payload)
		return err
	})
}
