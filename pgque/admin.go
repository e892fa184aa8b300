package pgque

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// createdQueueLag lets new queues deliver at once: the engine's own default waits
// up to three seconds before it closes a batch window.
const createdQueueLag = "50 milliseconds"

// CreateQueue creates a queue with a ticker_max_lag of 50 ms. A queue that exists
// stays as it is and is no error.
func (c *Client) CreateQueue(ctx context.Context, queue string) error {
	err := pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		created, err := queryInt(ctx, tx, sqlCreateQueue, queue)
		if err != nil || created == 0 {
			return err
		}
		_, err = queryInt(ctx, tx, sqlSetQueueConfig, queue, "ticker_max_lag", createdQueueLag)
		return err
	})
	return wrap(err, "create queue %q", queue)
}

// DropQueue removes a queue and its events. A queue with consumers is an error
// (ErrQueueHasConsumers with our engine); ForceDropQueue removes those too.
func (c *Client) DropQueue(ctx context.Context, queue string) error {
	_, err := queryInt(ctx, c.pool, sqlDropQueue, queue, false)
	return wrap(err, "drop queue %q", queue)
}

// ForceDropQueue removes a queue with its events, subscriptions and dead letters.
func (c *Client) ForceDropQueue(ctx context.Context, queue string) error {
	_, err := queryInt(ctx, c.pool, sqlDropQueue, queue, true)
	return wrap(err, "drop queue %q", queue)
}

// SetQueueConfig sets one parameter of a queue: ticker_max_count, ticker_max_lag,
// ticker_idle_period, ticker_paused, rotation_period, external_ticker, max_retries.
// The value is PostgreSQL text of the parameter's type, such as "5 minutes".
func (c *Client) SetQueueConfig(ctx context.Context, queue, parameter, value string) error {
	_, err := queryInt(ctx, c.pool, sqlSetQueueConfig, queue, parameter, value)
	return wrap(err, "set %s of queue %q", parameter, queue)
}

// Subscribe registers a consumer at the end of a queue: it sees what is sent from
// now on. A consumer that is subscribed keeps its place and is no error.
func (c *Client) Subscribe(ctx context.Context, queue, consumer string) error {
	_, err := queryInt(ctx, c.pool, sqlSubscribe, queue, consumer)
	return wrap(err, "subscribe %q to %q", consumer, queue)
}

// Unsubscribe removes a consumer with its waiting retries, one of WithPartitions with
// all its slots. One that is not subscribed is no error. ErrCooperative while it has
// members or holders of slots: stop them first.
func (c *Client) Unsubscribe(ctx context.Context, queue, consumer string) error {
	removed, err := queryInt(ctx, c.pool, sqlUnsubscribe, queue, consumer)
	if err == nil && removed == 0 {
		err = c.unsubscribeSlots(ctx, queue, consumer)
	}
	return wrap(err, "unsubscribe %q from %q", consumer, queue)
}

// unsubscribeSlots does nothing where there are none.
func (c *Client) unsubscribeSlots(ctx context.Context, queue, consumer string) error {
	_, err := queryInt(ctx, c.pool, sqlUnsubscribePartitioned, queue, consumer)
	if isUndefinedFunction(err) {
		return nil
	}
	return err
}

// Version is the engine's version.
func (c *Client) Version(ctx context.Context) (string, error) {
	var version string
	err := c.pool.QueryRow(ctx, sqlVersion).Scan(&version)
	return version, wrap(err, "version")
}

// QueueInfo is the state of one queue.
type QueueInfo struct {
	Name           string        `json:"name"`
	Tables         int           `json:"tables"`
	CurrentTable   int           `json:"current_table"`
	RotationPeriod time.Duration `json:"rotation_period"`
	RotatedAt      time.Time     `json:"rotated_at"`
	ExternalTicker bool          `json:"external_ticker"`
	TickerPaused   bool          `json:"ticker_paused"`
	TickerMaxCount int           `json:"ticker_max_count"`
	TickerMaxLag   time.Duration `json:"ticker_max_lag"`
	TickerIdle     time.Duration `json:"ticker_idle"`
	// SinceTick is the age of the last tick.
	SinceTick       time.Duration `json:"since_tick"`
	EventsPerSecond float64       `json:"events_per_second"`
	// NewEvents estimates the events since the last tick: ids that were drawn,
	// those of open and of failed transactions included.
	NewEvents int64 `json:"new_events"`
	LastTick  int64 `json:"last_tick"`
}

// ConsumerInfo is the state of one consumer on one queue.
type ConsumerInfo struct {
	Queue    string `json:"queue"`
	Consumer string `json:"consumer"`
	// Lag is the age of the last tick that the consumer has finished.
	Lag time.Duration `json:"lag"`
	// LastSeen is the time since the consumer last asked for or finished a batch.
	LastSeen time.Duration `json:"last_seen"`
	LastTick int64         `json:"last_tick"`
	// Batch and NextTick are 0 unless a batch is open.
	Batch    int64 `json:"batch"`
	NextTick int64 `json:"next_tick"`
	// Pending estimates the events before the consumer, up to the last tick.
	Pending int64 `json:"pending"`
}

// Queues lists all queues by name.
func (c *Client) Queues(ctx context.Context) ([]QueueInfo, error) {
	queues, err := queueInfos(ctx, c.pool, nil)
	return queues, wrap(err, "list queues")
}

// QueueInfo returns the state of one queue, or ErrQueueNotFound.
func (c *Client) QueueInfo(ctx context.Context, queue string) (QueueInfo, error) {
	queues, err := queueInfos(ctx, c.pool, &queue)
	if err == nil && len(queues) == 0 {
		err = ErrQueueNotFound
	}
	if err != nil {
		return QueueInfo{}, wrap(err, "info of queue %q", queue)
	}
	return queues[0], nil
}

// Consumers lists the consumers of one queue by name, or of all queues when queue
// is "". A queue that does not exist has none.
func (c *Client) Consumers(ctx context.Context, queue string) ([]ConsumerInfo, error) {
	var only *string
	if queue != "" {
		only = &queue
	}
	rows, err := c.pool.Query(ctx, sqlConsumerInfo, only)
	if err != nil {
		return nil, wrap(err, "list consumers")
	}
	infos, err := pgx.CollectRows(rows, scanConsumerInfo)
	return infos, wrap(err, "list consumers")
}

func queueInfos(ctx context.Context, q querier, queue *string) ([]QueueInfo, error) {
	rows, err := q.Query(ctx, sqlQueueInfo, queue)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanQueueInfo)
}

func scanQueueInfo(row pgx.CollectableRow) (QueueInfo, error) {
	var q QueueInfo
	err := row.Scan(&q.Name, &q.Tables, &q.CurrentTable, (*seconds)(&q.RotationPeriod), &q.RotatedAt,
		&q.ExternalTicker, &q.TickerPaused, &q.TickerMaxCount, (*seconds)(&q.TickerMaxLag), (*seconds)(&q.TickerIdle),
		(*seconds)(&q.SinceTick), &q.EventsPerSecond, &q.NewEvents, &q.LastTick)
	return q, err
}

func scanConsumerInfo(row pgx.CollectableRow) (ConsumerInfo, error) {
	var i ConsumerInfo
	err := row.Scan(&i.Queue, &i.Consumer, (*seconds)(&i.Lag), (*seconds)(&i.LastSeen),
		&i.LastTick, &i.Batch, &i.NextTick, &i.Pending)
	return i, err
}

// seconds scans a float8 number of seconds into a time.Duration.
type seconds time.Duration

// ScanFloat64 implements pgtype.Float64Scanner.
func (s *seconds) ScanFloat64(v pgtype.Float8) error {
	*s = seconds(v.Float64 * float64(time.Second))
	return nil
}
