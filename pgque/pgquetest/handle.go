package pgquetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

// Outcome is what became of one message at one consumer, after one delivery.
type Outcome struct {
	Done    bool          // handled, or skipped on purpose
	Retried bool          // put back
	RetryIn time.Duration // with Retried: how long it waits, 0 when it is due
	Dead    bool          // a dead letter
	Reason  string        // with Dead: what is recorded there
	Halted  error         // what Start returned, when the handler asked to stop

	// Sent are the events that were sent meanwhile, queue by queue, in order.
	Sent []Sent
}

const (
	sqlPauseTicker = `select pgque.set_queue_config($1::text, 'ticker_paused', $2::text)`
	sqlQueues      = `select queue_name, queue_data_pfx from pgque.queue order by queue_name`
	sqlLastEvent   = `select coalesce(max(ev_id), 0) from %s`
	sqlSentAfter   = `
		select ev_id, coalesce(ev_type, ''), coalesce(ev_data, '') from %s
		where ev_id > $1 and ev_owner is null order by ev_id`

	sqlPassed = `
		select s.sub_batch is null and pg_visible_in_snapshot(e.ev_txid, t.tick_snapshot)
		from pgque.subscription s
		join pgque.consumer c on c.co_id = s.sub_consumer
		join pgque.queue q on q.queue_id = s.sub_queue
		join pgque.tick t on t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick
		join %s e on e.ev_id = $3 and e.ev_owner is null
		where q.queue_name = $1 and c.co_name = $2`

	// A retry that is due may be back in the queue's table, for its owner only.
	sqlRetryIn = `
		select r.due from (
		    select ev_owner, greatest(extract(epoch from ev_retry_after - now()), 0)::float8 as due
		    from pgque.retry_queue where ev_id = $3
		    union all select ev_owner, 0 from %s where ev_id = $3 and ev_owner is not null) r
		join pgque.subscription s on s.sub_id = r.ev_owner
		join pgque.consumer c on c.co_id = s.sub_consumer
		join pgque.queue q on q.queue_id = s.sub_queue
		where q.queue_name = $1 and c.co_name = $2`
	sqlDeadReason = `
		select coalesce(d.dl_reason, '') from pgque.dead_letter d
		join pgque.consumer c on c.co_id = d.dl_consumer_id
		join pgque.queue q on q.queue_id = d.dl_queue_id
		where q.queue_name = $1 and c.co_name = $2 and d.ev_id = $3`
)

// Handle sends one event, delivers it to the consumer once, and tells what became
// of it and which events were sent meanwhile. It is the real thing: middleware,
// decoding, validation, retry policy and the transaction of HandleTx included.
//
// Messages that wait for the consumer already are delivered too, so use a fresh
// database, or Drain first. The consumer must not run; one of a group, or with
// partitions, is not supported. A consumer that does not finish within a minute fails
// the test.
func Handle(t testing.TB, c *pgque.Client, consumer *pgque.Consumer, ev pgque.Event) Outcome {
	t.Helper()
	d := newDelivery(t, c, consumer)
	check(t, c.Subscribe(d.ctx, d.queue, d.name))
	return d.send(ev)
}

// delivery is one consumer about to get one message.
type delivery struct {
	t        testing.TB
	ctx      context.Context
	client   *pgque.Client
	consumer *pgque.Consumer
	queue    string
	name     string
	id       int64
}

func newDelivery(t testing.TB, c *pgque.Client, consumer *pgque.Consumer) *delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), quietTimeout)
	t.Cleanup(cancel)
	return &delivery{t: t, ctx: ctx, client: c, consumer: consumer, queue: consumer.Queue(), name: consumer.Name()}
}

func (d *delivery) send(ev pgque.Event) Outcome {
	d.t.Helper()
	var err error
	d.id, err = d.client.Send(d.ctx, d.queue, ev)
	check(d.t, err)
	Tick(d.t, d.client, d.queue)
	return d.deliver()
}

// deliver runs the consumer until it is past the message. The queue is not ticked
// meanwhile, so that neither a retry nor what the handler sends is delivered too.
func (d *delivery) deliver() Outcome {
	d.t.Helper()
	before := d.lastEvents()
	d.exec(sqlPauseTicker, d.queue, "true")
	r := run(d.ctx, []*pgque.Consumer{d.consumer})
	err := until(d.ctx, func() (bool, error) {
		if err := r.failure(); err != nil {
			return true, nil
		}
		return d.passed()
	})
	ended := r.stop()
	d.exec(sqlPauseTicker, d.queue, "false")
	check(d.t, err)
	return d.outcome(ended, before)
}

func (d *delivery) exec(sql string, args ...any) {
	d.t.Helper()
	_, err := d.client.Pool().Exec(d.ctx, sql, args...)
	check(d.t, err)
}

// lastEvents is the last event of each queue.
func (d *delivery) lastEvents() map[string]int64 {
	d.t.Helper()
	last := make(map[string]int64)
	for _, q := range d.queues() {
		var id int64
		check(d.t, d.client.Pool().QueryRow(d.ctx, fmt.Sprintf(sqlLastEvent, q.table)).Scan(&id))
		last[q.name] = id
	}
	return last
}

type queueTable struct{ name, table string }

func (d *delivery) queues() []queueTable {
	d.t.Helper()
	rows, err := d.client.Pool().Query(d.ctx, sqlQueues)
	check(d.t, err)
	queues, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (q queueTable, err error) {
		return q, row.Scan(&q.name, &q.table)
	})
	check(d.t, err)
	return queues
}

func (d *delivery) table() string {
	d.t.Helper()
	var table string
	check(d.t, d.client.Pool().QueryRow(d.ctx, sqlQueueTable, d.queue).Scan(&table))
	return table
}

func (d *delivery) passed() (passed bool, err error) {
	d.t.Helper()
	err = d.client.Pool().QueryRow(d.ctx, fmt.Sprintf(sqlPassed, d.table()), d.queue, d.name, d.id).Scan(&passed)
	return passed, err
}

func (d *delivery) outcome(ended error, before map[string]int64) Outcome {
	d.t.Helper()
	o := Outcome{Halted: ended, Sent: d.sentAfter(before)}
	if ended != nil {
		return o
	}
	var seconds float64
	o.Retried = d.find(fmt.Sprintf(sqlRetryIn, d.table()), &seconds)
	o.RetryIn = time.Duration(seconds * float64(time.Second))
	o.Dead = d.find(sqlDeadReason, &o.Reason)
	o.Done = !o.Retried && !o.Dead
	return o
}

// find reports whether there is such a row for the message.
func (d *delivery) find(sql string, into any) bool {
	d.t.Helper()
	err := d.client.Pool().QueryRow(d.ctx, sql, d.queue, d.name, d.id).Scan(into)
	if errors.Is(err, pgx.ErrNoRows) {
		return false
	}
	check(d.t, err)
	return true
}

func (d *delivery) sentAfter(before map[string]int64) []Sent {
	d.t.Helper()
	var sent []Sent
	for _, q := range d.queues() {
		rows, err := d.client.Pool().Query(d.ctx, fmt.Sprintf(sqlSentAfter, q.table), before[q.name])
		check(d.t, err)
		some, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Sent, error) {
			s := Sent{Queue: q.name}
			return s, row.Scan(&s.ID, &s.Type, &s.Payload)
		})
		check(d.t, err)
		sent = append(sent, some...)
	}
	return sent
}
