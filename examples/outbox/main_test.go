package main

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/examples/outbox/events"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestRun_EveryOrderThatCommittedHasOneInvoice(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), pgquetest.NewDatabase(t), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, line := range []string{
		"order 1: committed",
		"order 2: rolled back",
		"order 3: rolled back: ",
		"order.placed: /article: 0 characters",
		"order 4: committed",
		"order 4: invoice inserted, attempt 2",
		"2 orders, 2 invoices\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the output lacks %q:\n%s", line, &out)
		}
	}
}

func TestRun_LeavesAnExistingDatabaseClean(t *testing.T) {
	t.Parallel()
	client := pgquetest.New(t)
	if err := run(t.Context(), client.Pool().Config().ConnString(), &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	queues, err := client.Queues(t.Context())
	if err != nil || len(queues) > 0 {
		t.Errorf("queues left behind: %v, %v", queues, err)
	}
	var schema *string
	if err := client.Pool().QueryRow(t.Context(), "select to_regnamespace('outbox_example')::text").Scan(&schema); err != nil || schema != nil {
		t.Errorf("the schema is left behind: %v", err)
	}
}

func TestConsumer_DoesNotStartWithANilHandler(t *testing.T) {
	t.Parallel()
	client := pgquetest.New(t)
	for name, set := range map[string]func(*events.OrdersConsumer){
		"On":      func(c *events.OrdersConsumer) { c.OnOrderPlaced(nil) },
		"OnTx":    func(c *events.OrdersConsumer) { c.OnOrderPlacedTx(nil) },
		"OnBatch": func(c *events.OrdersConsumer) { c.OnOrderPlacedBatch(nil) },
	} {
		c := events.NewOrdersConsumer(client, "nobody")
		set(c)
		if err := c.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "is nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
