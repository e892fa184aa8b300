package pgque

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// DeadLetter is a message that used up its retries or was rejected, kept for the
// consumer that failed with it.
type DeadLetter struct {
	ID       int64     `json:"id"`
	Queue    string    `json:"queue"`
	Consumer string    `json:"consumer"`
	DiedAt   time.Time `json:"died_at"`
	Reason   string    `json:"reason"`
	// Message is as it was delivered last; its BatchID is 0.
	Message Message `json:"message"`
}

// DeadLetterFilter selects dead letters; a field's zero value selects all.
type DeadLetterFilter struct {
	Queue    string
	Consumer string
	Type     string
	// Reason selects dead letters of exactly this reason, as DeadLetterGroups
	// reports it.
	Reason string
	// Since and Until bound DiedAt: at or after Since, before Until.
	Since, Until time.Time
	// Before selects ids below it: give the last ID of a page to get the next one.
	Before int64
	// Limit bounds the result. Defaults to 100.
	Limit int
}

const defaultDeadLetters = 100

// DeadLetters lists dead letters, newest first.
func (c *Client) DeadLetters(ctx context.Context, filter DeadLetterFilter) ([]DeadLetter, error) {
	letters, err := c.deadLetters(ctx, filter)
	return letters, wrap(err, "list dead letters")
}

func (c *Client) deadLetters(ctx context.Context, filter DeadLetterFilter) ([]DeadLetter, error) {
	if filter.Limit < 0 {
		return nil, fmt.Errorf("%w: Limit is %d, must not be negative", ErrInvalidArgument, filter.Limit)
	}
	rows, err := c.pool.Query(ctx, sqlDeadLetters, filter.arguments()...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanDeadLetter)
}

// arguments leaves NULL what does not filter.
func (f DeadLetterFilter) arguments() []any {
	limit := f.Limit
	if limit == 0 {
		limit = defaultDeadLetters
	}
	return []any{nonZero(f.Queue), nonZero(f.Consumer), nonZero(f.Type), nonZero(f.Reason),
		nonZero(f.Since), nonZero(f.Until), nonZero(f.Before), limit}
}

func nonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// DeadLetter shows one dead letter, or ErrDeadLetterNotFound.
func (c *Client) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	rows, err := c.pool.Query(ctx, sqlDeadLetter, id)
	if err != nil {
		return DeadLetter{}, wrap(err, "dead letter %d", id)
	}
	letter, err := pgx.CollectExactlyOneRow(rows, scanDeadLetter)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrDeadLetterNotFound
	}
	return letter, wrap(err, "dead letter %d", id)
}

// DeadLetterGroup counts the dead letters of one consumer, type and reason.
type DeadLetterGroup struct {
	Queue    string    `json:"queue"`
	Consumer string    `json:"consumer"`
	Type     string    `json:"type"`
	Reason   string    `json:"reason"`
	Count    int64     `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Filter selects the dead letters of the group.
func (g DeadLetterGroup) Filter() DeadLetterFilter {
	return DeadLetterFilter{Queue: g.Queue, Consumer: g.Consumer, Type: g.Type, Reason: g.Reason}
}

// DeadLetterGroups counts dead letters by consumer, type and reason, the largest
// group first. The filter's Before and Limit do not apply.
func (c *Client) DeadLetterGroups(ctx context.Context, filter DeadLetterFilter) ([]DeadLetterGroup, error) {
	rows, err := c.pool.Query(ctx, sqlDeadLetterGroups, filter.arguments()[:6]...)
	if err != nil {
		return nil, wrap(err, "group dead letters")
	}
	groups, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetterGroup])
	return groups, wrap(err, "group dead letters")
}

// ReplayDeadLetter gives the message to its consumer once more, and to no other,
// with its retries counted anew, and removes the dead letter. It returns the id of
// the new event. A second call is ErrDeadLetterNotFound.
func (c *Client) ReplayDeadLetter(ctx context.Context, id int64) (int64, error) {
	msgID, err := queryInt(ctx, c.pool, sqlReplay, id)
	return msgID, wrap(err, "replay dead letter %d", id)
}

// ReplayEdited replays a dead letter with another type and payload: what edit makes of
// it. When edit returns an error, or the payload refuses itself as those of generated
// events do when they are invalid, nothing happens and that error is returned. Extras
// stay as they are. Otherwise as ReplayDeadLetter.
func (c *Client) ReplayEdited(ctx context.Context, id int64, edit func(DeadLetter) (Event, error)) (int64, error) {
	letter, err := c.DeadLetter(ctx, id)
	if err != nil {
		return 0, err
	}
	ev, err := edit(letter)
	if err != nil {
		return 0, wrap(err, "edit dead letter %d", id)
	}
	text, err := ev.JSON()
	if err != nil {
		return 0, wrap(err, "edit dead letter %d", id)
	}
	msgID, err := queryInt(ctx, c.pool, sqlReplayEdited, id, ev.typeName(), text)
	return msgID, wrap(err, "replay dead letter %d", id)
}

// ReplayDeadLetters replays everything that the filter selects at the time of the
// call, Limit aside, each in a transaction of its own. It stops at the first error
// and returns how many were replayed; those that vanished meanwhile do not count.
func (c *Client) ReplayDeadLetters(ctx context.Context, filter DeadLetterFilter) (replayed int, err error) {
	filter.Limit = 0
	for {
		letters, err := c.DeadLetters(ctx, filter)
		if err != nil || len(letters) == 0 {
			return replayed, err
		}
		for _, letter := range letters {
			_, err := c.ReplayDeadLetter(ctx, letter.ID)
			if errors.Is(err, ErrDeadLetterNotFound) {
				continue
			}
			if err != nil {
				return replayed, err
			}
			replayed++
		}
		filter.Before = letters[len(letters)-1].ID
	}
}

// PurgeDeadLetters removes a queue's dead letters that are older than the given
// age, for good, and returns how many there were.
func (c *Client) PurgeDeadLetters(ctx context.Context, queue string, olderThan time.Duration) (int, error) {
	n, err := queryInt(ctx, c.pool, sqlPurge, queue, olderThan.Seconds())
	return int(n), wrap(err, "purge dead letters of %q", queue)
}

func scanDeadLetter(row pgx.CollectableRow) (DeadLetter, error) {
	var d DeadLetter
	m := &d.Message
	err := row.Scan(&d.ID, &d.Queue, &d.Consumer, &d.DiedAt, &d.Reason,
		&m.MsgID, &m.Type, &m.Payload, &m.RetryCount, &m.CreatedAt, &m.Extra1, &m.Extra2, &m.Extra3, &m.Extra4)
	return d, err
}
