package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// bury makes a dead letter on a fresh database and returns its id.
func bury(t *testing.T) (c *pgque.Client, id string) {
	t.Helper()
	c = pgquetest.New(t)
	ctx := t.Context()
	must(t, dsnOf(c), "queue", "create", "orders")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(c.SetQueueConfig(ctx, "orders", "max_retries", "0"))
	check(c.Subscribe(ctx, "orders", "billing"))
	_, err := c.Send(ctx, "orders", pgque.Event{Type: "order.created", Payload: map[string]int{"n": 1}})
	check(err)
	pgquetest.Tick(t, c, "orders")
	page, err := c.Receive(ctx, "orders", "billing", 10)
	check(err)
	check(c.Nack(ctx, page[0].BatchID, page[0], 0, "no stock\nat all"))
	check(c.Ack(ctx, page[0].BatchID))
	letters, err := c.DeadLetters(ctx, pgque.DeadLetterFilter{})
	check(err)
	return c, strconv.FormatInt(letters[0].ID, 10)
}

func TestDead_ListShowExportReplay(t *testing.T) {
	t.Parallel()
	c, id := bury(t)
	dsn := dsnOf(c)
	wantText(t, must(t, dsn, "dead", "list"), "ID", "billing", "order.created", `no stock\nat all`)
	wantText(t, must(t, dsn, "dead", "list", "-consumer", "audit"), "no dead letters")
	var listed []pgque.DeadLetter
	decode(t, must(t, dsn, "dead", "list", "-json"), &listed)
	if len(listed) != 1 || listed[0].Queue != "orders" {
		t.Errorf("listed %+v", listed)
	}
	wantText(t, must(t, dsn, "dead", "show", id), `"consumer": "billing"`, `{\"n\":1}`)
	wantText(t, must(t, dsn, "dead", "export", "-package", "orders_test", id), "package orders_test", "func TestDeadLetter"+id+"_order_created", "//\tno stock")
	wantText(t, must(t, dsn, "dead", "replay", id), "dead letter "+id+" replayed as message ")
	wantText(t, must(t, dsn, "dead", "list"), "no dead letters")
	wantText(t, mustFail(t, exitFailed, "-dsn", dsn, "dead", "show", id), "dead letter", "pgque dead list")
}

func TestDead_ReplayAndPurgeWhatIsSelected(t *testing.T) {
	t.Parallel()
	c, _ := bury(t)
	dsn := dsnOf(c)
	wantText(t, must(t, dsn, "dead", "replay", "-type", "other"), "0 replayed")
	wantText(t, must(t, dsn, "dead", "purge", "orders"), "0 dead letters purged")
	wantText(t, must(t, dsn, "dead", "replay", "-queue", "orders"), "1 replayed")
	c, _ = bury(t)
	wantText(t, must(t, dsnOf(c), "dead", "purge", "-older-than", "0s", "orders"), "1 dead letters purged")
}

func TestDead_WrongUsage(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"dead":                         "list, show, replay, purge, export",
		"dead show":                    "ID is missing",
		"dead show seven":              `"seven"`,
		"dead replay":                  "ids",
		"dead replay -queue orders 7":  "either",
		"dead purge -older-than -1s q": "negative",
	} {
		wantText(t, mustFail(t, exitUsage, strings.Fields(line)...), want, "pgque help")
	}
}
