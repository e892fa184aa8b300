package pgquetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// quietTimeout bounds the wait for consumers; it is spent only by a test that fails.
const quietTimeout = time.Minute

const (
	sqlQueueTable = `select queue_data_pfx from pgque.queue where queue_name = $1`

	// A partitioned consumer has one cursor for each slot.
	itsCursors = `c.co_name in (
		select co_name || '#' || slot from pgque.partition_slot where queue_id = q.queue_id and co_name = $2
		union all
		select $2 where not exists (select from pgque.partition_slot where queue_id = q.queue_id and co_name = $2))`

	// One statement, so one snapshot: what a handler sends is seen before, or with,
	// the end of the message that it handled.
	sqlQuiet = `
		select coalesce(bool_and(not exists (
		         select from pgque.subscription m join pgque.consumer mc on mc.co_id = m.sub_consumer
		         where m.sub_queue = s.sub_queue and m.sub_batch is not null
		           and (mc.co_name = c.co_name or starts_with(mc.co_name, c.co_name || '.')))
		   and not exists (select from pgque.retry_queue where ev_owner = s.sub_id)
		   and not exists (
		         select from %s e
		         where (e.ev_owner is null or e.ev_owner = s.sub_id)
		           and not pg_visible_in_snapshot(e.ev_txid, t.tick_snapshot))), false)
		from pgque.subscription s
		join pgque.consumer c on c.co_id = s.sub_consumer
		join pgque.queue q on q.queue_id = s.sub_queue
		join pgque.tick t on t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick
		where q.queue_name = $1 and ` + itsCursors

	sqlHurryRetries = `
		update pgque.retry_queue r set ev_retry_after = now()
		from pgque.subscription s
		join pgque.consumer c on c.co_id = s.sub_consumer
		join pgque.queue q on q.queue_id = s.sub_queue
		where r.ev_owner = s.sub_id and q.queue_name = $1 and r.ev_retry_after > now() and ` + itsCursors
	sqlMaintRetries = `select pgque.maint_retry_events()`
)

// Drain runs the consumers until all is quiet: everything that was sent to their
// queues, by the test or by their handlers meanwhile, is handled or a dead letter.
// Messages that were put back do not wait for their delay. Then it stops the
// consumers; those that the test started itself go on.
//
// The consumers have to be subscribed before the test sends, or they do not see
// the events; Drain subscribes those that are not. A handler's Halt fails the test,
// and so does a consumer that is not quiet within a minute.
func Drain(t testing.TB, c *pgque.Client, consumers ...*pgque.Consumer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), quietTimeout)
	defer cancel()
	for _, consumer := range consumers {
		check(t, consumer.Subscribe(ctx))
	}
	r := run(ctx, consumers)
	err := until(ctx, func() (bool, error) {
		if err := r.failure(); err != nil {
			return true, err
		}
		return allQuiet(ctx, c, consumers)
	})
	if err := errors.Join(err, r.stop()); err != nil {
		t.Fatalf("pgquetest: drain: %v", err)
	}
}

// allQuiet is false when it had to push something on.
func allQuiet(ctx context.Context, c *pgque.Client, consumers []*pgque.Consumer) (bool, error) {
	quiet := true
	for _, consumer := range consumers {
		still, err := isQuiet(ctx, c, consumer)
		if err == nil && !still {
			err = push(ctx, c, consumer)
		}
		if err != nil {
			return false, err
		}
		quiet = quiet && still
	}
	return quiet, nil
}

func isQuiet(ctx context.Context, c *pgque.Client, consumer *pgque.Consumer) (quiet bool, err error) {
	var table string
	if err := c.Pool().QueryRow(ctx, sqlQueueTable, consumer.Queue()).Scan(&table); err != nil {
		return false, err
	}
	err = c.Pool().QueryRow(ctx, fmt.Sprintf(sqlQuiet, table), consumer.Queue(), consumer.Name()).Scan(&quiet)
	return quiet, err
}

// push brings retries back now and makes a tick of what there is.
func push(ctx context.Context, c *pgque.Client, consumer *pgque.Consumer) error {
	if _, err := c.Pool().Exec(ctx, sqlHurryRetries, consumer.Queue(), consumer.Name()); err != nil {
		return err
	}
	if _, err := c.Pool().Exec(ctx, sqlMaintRetries); err != nil {
		return err
	}
	_, err := tick(ctx, c, consumer.Queue())
	return err
}

// runner has consumers running.
type runner struct {
	cancel  context.CancelFunc
	ended   chan error // one for each consumer
	running int
	failed  error
}

func run(ctx context.Context, consumers []*pgque.Consumer) *runner {
	ctx, cancel := context.WithCancel(ctx)
	r := &runner{cancel: cancel, ended: make(chan error, len(consumers)), running: len(consumers)}
	for _, consumer := range consumers {
		go func() { r.ended <- consumer.Start(ctx) }()
	}
	return r
}

// failure is why a consumer ended of itself. One that the test runs is no failure.
func (r *runner) failure() error {
	for {
		select {
		case err := <-r.ended:
			r.note(err)
		default:
			return r.failed
		}
	}
}

func (r *runner) note(err error) {
	r.running--
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, pgque.ErrRunning) {
		r.failed = errors.Join(r.failed, err)
	}
}

func (r *runner) stop() error {
	r.cancel()
	for r.running > 0 {
		r.note(<-r.ended)
	}
	return r.failed
}

// until asks again and again, with short pauses that leave the machine to others.
func until(ctx context.Context, done func() (bool, error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not quiet in time: %w", ctx.Err())
		case <-timer.C:
		}
		ok, err := done()
		if ctx.Err() != nil {
			continue
		}
		if err != nil || ok {
			return err
		}
		timer.Reset(5 * time.Millisecond)
	}
}
