package pgque

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Finding is what the engine says of one of its parts.
type Finding struct {
	Component string // such as "ticker" or "maintenance"
	Status    string // "ok", "info", "none", "absent", "available"; "stopped", "overdue" or "error" want attention
	Detail    string // for humans; may be ""
}

// IsTrouble reports a finding that somebody has to see to.
func (f Finding) IsTrouble() bool {
	return f.Status == "error" || f.Status == "stopped" || f.Status == "overdue"
}

// Health asks the engine how it is doing: one finding for each of its parts. The ticker is
// "stopped" when events have waited for a consumer, and for a tick, a minute longer than
// ticker_max_lag; maintenance is "overdue" when messages that were put back or sent for
// later are a minute late, or a queue has not rotated for two periods and still takes
// events. Queues that nobody needs ticked are well without a ticker.
func (c *Client) Health(ctx context.Context) ([]Finding, error) {
	rows, err := c.pool.Query(ctx, sqlHealth)
	if err != nil {
		return nil, wrap(err, "health")
	}
	findings, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Finding])
	return findings, wrap(err, "health")
}

// Rebase mends queues that came from another server with a dump or a logical copy, and
// returns how many; 0 when all are well. Until then they do not tick, which Health
// reports. No event is lost and none comes twice; consumers keep their place. It holds
// up their producers and consumers meanwhile.
func (c *Client) Rebase(ctx context.Context) (int64, error) {
	n, err := queryInt(ctx, c.pool, sqlRebase)
	return n, wrap(err, "rebase")
}
