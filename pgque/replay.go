package pgque

import (
	"context"
	"time"
)

// ReplayFilter selects retained events; a field's zero value selects all, but not all
// fields may be zero.
type ReplayFilter struct {
	// FromID and ToID bound the events' ids, both included.
	FromID, ToID int64
	Types        []string
	// Since and Until bound when the events were sent: at or after Since, before Until.
	Since, Until time.Time
}

// Replay sends retained events once more, to one consumer alone, as new messages
// without retries, and returns how many. Events are retained for one to two rotation
// periods after all consumers have finished them.
func (c *Client) Replay(ctx context.Context, queue, consumer string, filter ReplayFilter) (int64, error) {
	n, err := queryInt(ctx, c.pool, sqlReplayEvents, queue, consumer, nonZero(filter.FromID), nonZero(filter.ToID),
		filter.Types, nonZero(filter.Since), nonZero(filter.Until))
	return n, wrap(err, "replay %q for %q", queue, consumer)
}

// Seek moves a consumer, back or forth, to the last tick before a time, so that it
// receives everything that was sent since; at the earliest to the first tick that is
// kept. A page that is open is dropped: nobody can settle it any more. It returns the
// tick.
func (c *Client) Seek(ctx context.Context, queue, consumer string, to time.Time) (int64, error) {
	tick, err := queryInt(ctx, c.pool, sqlSeek, queue, consumer, to)
	return tick, wrap(err, "move %q on %q", consumer, queue)
}
