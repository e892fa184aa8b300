package pgquetest

import (
	"context"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

const (
	sqlForceNextTick = `select pgque.force_next_tick($1::text)`
	sqlTicker        = `select pgque.ticker($1::text)`
)

// tickTimeout bounds the wait for another ticker that holds the queue.
const tickTimeout = 20 * time.Second

// Tick makes everything that was sent to the queue in transactions committed so
// far receivable now. It does not bring back messages whose retry is due: that
// is maintenance's work.
//
// A queue whose ticks are paused or come from elsewhere fails the test.
//
// The ticker takes its snapshot in a transaction of its own, so events sent in a
// transaction that is still open wait for a later Tick.
func Tick(t testing.TB, c *pgque.Client, queue string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tickTimeout)
	defer cancel()
	for ticked := false; !ticked; {
		var err error
		if ticked, err = tick(ctx, c, queue); err != nil {
			t.Fatalf("pgquetest: tick %q: %v", queue, err)
		}
	}
}

// tick is false when another ticker was at work: its snapshot may be older than
// the latest event.
func tick(ctx context.Context, c *pgque.Client, queue string) (bool, error) {
	if _, err := c.Pool().Exec(ctx, sqlForceNextTick, queue); err != nil {
		return false, err
	}
	var id *int64
	err := c.Pool().QueryRow(ctx, sqlTicker, queue).Scan(&id)
	return id != nil, err
}
