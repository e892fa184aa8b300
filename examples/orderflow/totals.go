package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/examples/orderflow/events"
)

// totals is what has happened: what was sent and dead-lettered according to the
// database, and what the handlers saw.
type totals struct {
	queues  []queueTotals
	placed  int // orders that the shop has sent
	refused int // orders that validation kept from being sent
}

type queueTotals struct {
	name      string
	sent      map[string]int // by event type
	consumers []consumerTotals
}

type consumerTotals struct {
	name string
	counts
	dead int
}

// totals at this moment. What was handled is asked before what was sent, so that
// nothing looks handled that was never sent.
func (d *demo) totals(ctx context.Context) (totals, error) {
	var t totals
	for _, stop := range stops {
		q, err := d.queueTotals(ctx, stop.queue, stop.consumers)
		if err != nil {
			return t, err
		}
		t.queues = append(t.queues, q)
	}
	t.placed, t.refused = d.book.counts()
	return t, nil
}

func (d *demo) queueTotals(ctx context.Context, queue string, consumers []string) (queueTotals, error) {
	pool := d.client.Pool()
	q := queueTotals{name: queue}
	for _, name := range consumers {
		q.consumers = append(q.consumers, consumerTotals{name: name, counts: d.tally.counts(name)})
	}
	dead, err := deadLetters(ctx, pool, queue)
	if err != nil {
		return q, err
	}
	for i, c := range q.consumers {
		q.consumers[i].dead = dead[c.name]
	}
	q.sent, err = sentEvents(ctx, pool, queue)
	return q, err
}

// sentEvents counts the events that were ever sent to a queue, by type. It reads
// the queue's own tables, so that the answer does not depend on what producers and
// consumers believe. Rows with an owner are repeated deliveries.
func sentEvents(ctx context.Context, pool *pgxpool.Pool, queue string) (map[string]int, error) {
	var table string
	err := pool.QueryRow(ctx, "select queue_data_pfx from pgque.queue where queue_name = $1", queue).Scan(&table)
	if err != nil {
		return nil, err
	}
	return countBy(ctx, pool, "select ev_type, count(*) from "+table+" where ev_owner is null group by ev_type")
}

// deadLetters counts the dead letters of a queue, by consumer.
func deadLetters(ctx context.Context, pool *pgxpool.Pool, queue string) (map[string]int, error) {
	return countBy(ctx, pool, `
		select co_name, count(*)
		from pgque.dead_letter
		join pgque.queue on queue_id = dl_queue_id
		join pgque.consumer on co_id = dl_consumer_id
		where queue_name = $1
		group by co_name`, queue)
}

// countBy returns the rows of a query for names and numbers.
func countBy(ctx context.Context, pool *pgxpool.Pool, sql string, args ...any) (map[string]int, error) {
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	var name string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		counts[name] = n
		return nil
	})
	return counts, err
}

// events is the number of events that were sent to the queue.
func (q queueTotals) events() int {
	sum := 0
	for _, n := range q.sent {
		sum += n
	}
	return sum
}

// settled is the number of messages that this consumer is done with.
func (c consumerTotals) settled() int { return c.handled + c.dead }

// finished is the number of messages that consumers are done with.
func (t totals) finished() int {
	sum := 0
	for _, q := range t.queues {
		for _, c := range q.consumers {
			sum += c.settled()
		}
	}
	return sum
}

// settled says that every consumer is done with every event of its queue.
func (t totals) settled() bool {
	for _, q := range t.queues {
		for _, c := range q.consumers {
			if c.settled() != q.events() {
				return false
			}
		}
	}
	return true
}

// balance says for each queue what was sent, to how many consumers, and what
// became of it.
func (t totals) balance() []string {
	var lines []string
	for _, q := range t.queues {
		handled, dead := 0, 0
		for _, c := range q.consumers {
			handled += c.handled
			dead += c.dead
		}
		lines = append(lines, fmt.Sprintf("%-10s %d sent x %d = %d handled + %d dead",
			q.name, q.events(), len(q.consumers), handled, dead))
	}
	return lines
}

// check names everything that does not add up; nil is a flow without loss and
// without doubles.
func (t totals) check() error {
	var wrong []string
	for _, q := range t.queues {
		for _, c := range q.consumers {
			if c.settled() != q.events() {
				wrong = append(wrong, fmt.Sprintf("%s: %d sent to %s, but %d handled and %d dead",
					c.name, q.events(), q.name, c.handled, c.dead))
			}
		}
		if q.name == events.QueueOrders && q.sent[events.TypeOrderCreated] != t.placed {
			wrong = append(wrong, fmt.Sprintf("%d orders placed, but %d in the queue", t.placed, q.sent[events.TypeOrderCreated]))
		}
	}
	if wrong == nil {
		return nil
	}
	return errors.New("the totals do not add up: " + strings.Join(wrong, "; "))
}
