package pgque

import (
	"context"
	"fmt"
	"time"
)

// SendAt sends an event at a later time, as soon as somebody maintains the queue from
// then on: running consumers and tickers do, within seconds. It returns the number to
// cancel it by, for CancelScheduled; when the time has come already the event is sent
// at once, and its id returned. Middleware of sending sees the event now.
func (c *Client) SendAt(ctx context.Context, queue string, ev Event, at time.Time) (int64, error) {
	return sendOne(ctx, c.sendFunc(schedule(c.pool, at)), queue, ev)
}

// SendAt is Client.SendAt within the transaction.
func (s *TxSender) SendAt(ctx context.Context, queue string, ev Event, at time.Time) (int64, error) {
	return sendOne(ctx, s.client.sendFunc(schedule(s.tx, at)), queue, ev)
}

// CancelScheduled takes back what SendAt scheduled. It reports false when that was sent
// already, or cancelled.
func (c *Client) CancelScheduled(ctx context.Context, number int64) (bool, error) {
	return cancelScheduled(ctx, c.pool, number)
}

// CancelScheduled is Client.CancelScheduled within the transaction.
func (s *TxSender) CancelScheduled(ctx context.Context, number int64) (bool, error) {
	return cancelScheduled(ctx, s.tx, number)
}

// SendOnce sends an event unless one with this key was sent to the queue within the
// last ttl, and returns its id, or with first false the id of the one that was sent.
// So a request that is tried again has its event once. Of several senders of one key
// at once the first to commit sends.
func (c *Client) SendOnce(ctx context.Context, queue string, ev Event, key string, ttl time.Duration) (id int64, first bool, err error) {
	id, err = sendOne(ctx, c.sendFunc(sendOnce(c.pool, key, ttl, &first)), queue, ev)
	c.sent(queue, err)
	return id, first, err
}

// SendOnce is Client.SendOnce within the transaction, which has to be read committed.
// Others who send the key wait for the transaction's end.
func (s *TxSender) SendOnce(ctx context.Context, queue string, ev Event, key string, ttl time.Duration) (id int64, first bool, err error) {
	id, err = sendOne(ctx, s.client.sendFunc(sendOnce(s.tx, key, ttl, &first)), queue, ev)
	return id, first, err
}

func schedule(q querier, at time.Time) SendFunc {
	return eachAlone(func(ctx context.Context, queue string, ev Event, text string) (int64, error) {
		if !ev.hasExtras() {
			return queryInt(ctx, q, sqlSendAt, queue, ev.typeName(), text, at)
		}
		number, err := queryInt(ctx, q, sqlSendAtExtra, queue, ev.typeName(), text, at, ev.Extra1, ev.Extra2, ev.Extra3, ev.Extra4)
		return number, refusedExtras(err)
	})
}

// refusedExtras speaks for engines that have the function for events without extras only.
func refusedExtras(err error) error {
	if isUndefinedFunction(err) {
		return fmt.Errorf("%w: the engine takes no extras here", ErrInvalidArgument)
	}
	return err
}

func cancelScheduled(ctx context.Context, q querier, number int64) (cancelled bool, err error) {
	err = q.QueryRow(ctx, sqlCancelScheduled, number).Scan(&cancelled)
	return cancelled, wrap(err, "cancel scheduled event %d", number)
}

func sendOnce(q querier, key string, ttl time.Duration, first *bool) SendFunc {
	return eachAlone(func(ctx context.Context, queue string, ev Event, text string) (id int64, err error) {
		var deduped bool
		if ev.Extra2 == nil && ev.Extra3 == nil && ev.Extra4 == nil {
			err = q.QueryRow(ctx, sqlSendOnce, queue, ev.typeName(), text, key, ttl.Seconds(), ev.Extra1).Scan(&id, &deduped)
		} else {
			err = q.QueryRow(ctx, sqlSendOnceExtra, queue, ev.typeName(), text, key, ttl.Seconds(),
				ev.Extra1, ev.Extra2, ev.Extra3, ev.Extra4).Scan(&id, &deduped)
			err = refusedExtras(err)
		}
		*first = err == nil && !deduped
		return id, err
	})
}

// eachAlone sends the one event that sendOne passes through middleware.
func eachAlone(send func(ctx context.Context, queue string, ev Event, text string) (int64, error)) SendFunc {
	return func(ctx context.Context, queue string, events []Event) ([]int64, error) {
		ids := make([]int64, len(events))
		for i, ev := range events {
			text, err := ev.JSON()
			if err == nil {
				ids[i], err = send(ctx, queue, ev, text)
			}
			if err != nil {
				return nil, wrap(err, "send to %q", queue)
			}
		}
		return ids, nil
	}
}
