package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestConsumer_IsAddedAndRemoved(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(pgquetest.New(t))
	must(t, dsn, "queue", "create", "orders")
	wantText(t, must(t, dsn, "consumer", "add", "orders", "billing"), `"billing" is subscribed`)
	wantText(t, must(t, dsn, "status"), "billing ")
	wantText(t, must(t, dsn, "consumer", "remove", "orders", "billing"), "not subscribed")
	wantText(t, must(t, dsn, "status"), "no consumers")
	wantText(t, mustFail(t, exitFailed, "-dsn", dsn, "consumer", "remove", "orders", "billing"), "consumer not found", "pgque status")
	wantText(t, mustFail(t, exitFailed, "-dsn", dsn, "consumer", "seek", "orders", "billing", "1h"), "orders/billing", "pgque status")
	wantText(t, mustFail(t, exitFailed, "-dsn", dsn, "consumer", "add", "nowhere", "billing"), "nowhere", "pgque queue list")
}

func TestConsumer_OfManySlotsIsRemoved(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	must(t, dsnOf(c), "queue", "create", "orders")
	if _, err := c.Pool().Exec(t.Context(), "select pgque.subscribe_partitioned('orders', 'parts', 2)"); err != nil {
		t.Fatal(err)
	}
	wantText(t, must(t, dsnOf(c), "status"), "parts#0 ", "parts#1 ")
	wantText(t, must(t, dsnOf(c), "consumer", "remove", "orders", "parts"), "not subscribed")
	wantText(t, must(t, dsnOf(c), "status"), "no consumers")
}

func TestConsumer_SeesTheOldEventsAgain(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	dsn := dsnOf(c)
	must(t, dsn, "queue", "create", "orders")
	must(t, dsn, "consumer", "add", "orders", "billing")
	send(t, c, "orders")
	wantReceived(t, c, 1)
	wantReceived(t, c, 0)
	must(t, dsn, "consumer", "seek", "orders", "billing", "1h")
	wantReceived(t, c, 1)
	wantText(t, must(t, dsn, "consumer", "replay", "orders", "billing", "-since", "1h", "-types", "order.created,other"), "1 events")
	wantReceived(t, c, 1)
	wantText(t, must(t, dsn, "consumer", "replay", "orders", "billing", "-types", "other"), "0 events")
}

// wantReceived receives and acks what waits for billing.
func wantReceived(t *testing.T, c *pgque.Client, want int) {
	t.Helper()
	if _, err := c.Pool().Exec(t.Context(), "select pgque.maint()"); err != nil {
		t.Fatal(err)
	}
	pgquetest.Tick(t, c, "orders")
	page, err := c.Receive(t.Context(), "orders", "billing", 10)
	if err != nil || len(page) != want {
		t.Fatalf("received %d messages, want %d; error %v", len(page), want, err)
	}
	if want > 0 {
		if err := c.Ack(t.Context(), page[0].BatchID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"90m":                  now.Add(-90 * time.Minute),
		"0s":                   now,
		"2026-11-01T08:00:00Z": time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC),
	} {
		if got, err := parseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, want %v; error %v", text, got, want, err)
		}
	}
	for text, want := range map[string]string{"-2h": "how long ago", "yesterday": "neither"} {
		if _, err := parseTime(text, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}
