package pgque_test

import (
	"testing"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// An event whose transaction was open when the last tick was made, and that no
// later event follows, has to be ticked by the next tick_queue.
func TestEngineTickQueue_TicksForASenderThatCommittedAfterTheLastTick(t *testing.T) {
	c := pgquetest.New(t)
	ctx := t.Context()
	if err := c.CreateQueue(ctx, "q"); err != nil {
		t.Fatal(err)
	}
	if err := c.Subscribe(ctx, "q", "c"); err != nil {
		t.Fatal(err)
	}
	tick := func() (n *int64) {
		if err := c.Pool().QueryRow(ctx, "select pgque.tick_queue('q')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	tx, err := c.Pool().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WithTx(tx).Send(ctx, "q", pgque.Event{Type: "slow"}); err != nil {
		t.Fatal(err)
	}
	tick() // it draws no event: the sender's is not committed
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if tick() == nil {
		t.Error("no tick for the event that was committed after the last tick")
	}
}
