package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
)

// rivalDuels are rows against other queues, each used as its documentation
// recommends for throughput and with the same events. They are part of the long run
// only.
func rivalDuels() []duel {
	const batch, page = 1000, 500
	return []duel{
		{what: "SendBatch of 1,000 : River InsertManyFast", goal: ">= 3", arrange: against(riverSends(batch), batches(batch))},
		{what: "SendBatch of 1,000 : Watermill Publish", goal: "-", arrange: against(watermillSends(batch), batches(batch))},
		{what: "SendBatch of 1,000 : SKIP LOCKED table", goal: "-", arrange: against(tableSends(batch), batches(batch))},
		{what: "consume : River", goal: ">= 20", conns: 16, arrange: against(riverConsumes, consuming(page, page))},
		{what: "consume : Watermill", goal: "-", arrange: against(watermillConsumes(page), consuming(page, page))},
		{what: "consume : SKIP LOCKED table", goal: "-", arrange: against(tableConsumes(page), consuming(page, page))},
	}
}

type arrangement func(ctx context.Context, b *bench, p plan) (limit, ours work, err error)

// rival arranges the work of another queue.
type rival func(ctx context.Context, b *bench, p plan) (work, error)

// against puts a rival in the place of the limit.
func against(r rival, own arrangement) arrangement {
	return func(ctx context.Context, b *bench, p plan) (limit, ours work, err error) {
		if limit, err = r(ctx, b, p); err != nil {
			return nil, nil, err
		}
		_, ours, err = own(ctx, b, p)
		return limit, ours, err
	}
}

// rounds gives each round, the one that does not count included, something of its
// own that was prepared before the clock runs.
func rounds[T any](p plan, prepare func(round int) (T, error)) (next func() T, err error) {
	prepared := make(chan T, p.rounds+1)
	for i := range p.rounds + 1 {
		v, err := prepare(i)
		if err != nil {
			return nil, err
		}
		prepared <- v
	}
	return func() T { return <-prepared }, nil
}

// until counts how often got is called and cancels the context at the n-th time.
// Done says how often it was; less than n is an error.
func until(ctx context.Context, n int) (running context.Context, got func(), done func() (int, error)) {
	running, cancel := context.WithTimeout(ctx, time.Minute)
	var count atomic.Int64
	got = func() {
		if count.Add(1) == int64(n) {
			cancel()
		}
	}
	done = func() (int, error) {
		cancel()
		if c := count.Load(); c < int64(n) {
			return 0, fmt.Errorf("%d of %d events arrived in a minute", c, n)
		}
		return n, nil
	}
	return running, got, done
}

// paidJob is the event as River's and Watermill's documentation would have it: a
// struct for encoding/json.
type paidJob struct {
	OrderID    string    `json:"order_id"`
	CustomerID string    `json:"customer_id"`
	Currency   string    `json:"currency"`
	Amount     int64     `json:"amount"`
	Method     string    `json:"method"`
	PaidAt     time.Time `json:"paid_at"`
	Reference  string    `json:"reference"`
	Items      int64     `json:"items"`
	Express    bool      `json:"express"`
}

func (paidJob) Kind() string { return events.TypeOrderPaid }

func paidJobs(n int) ([]paidJob, error) {
	jobs := make([]paidJob, n)
	for i, text := range paidTexts(n) {
		if err := json.Unmarshal([]byte(text), &jobs[i]); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// riverBatch are n jobs for one of River's queues.
func riverBatch(n int, queue string) ([]river.InsertManyParams, error) {
	jobs, err := paidJobs(n)
	if err != nil {
		return nil, err
	}
	batch := make([]river.InsertManyParams, n)
	for i := range batch {
		batch[i] = river.InsertManyParams{Args: jobs[i], InsertOpts: &river.InsertOpts{Queue: queue}}
	}
	return batch, nil
}

// newRiver makes a client of River. Without workers it only inserts.
func newRiver(ctx context.Context, b *bench, config *river.Config) (*river.Client[pgx.Tx], error) {
	driver := riverpgxv5.New(b.pool)
	config.Logger = slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: config.Logger})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	return river.NewClient(driver, config)
}

func riverSends(size int) rival {
	return func(ctx context.Context, b *bench, p plan) (work, error) {
		client, err := newRiver(ctx, b, &river.Config{})
		if err != nil {
			return nil, err
		}
		batch, err := riverBatch(size, river.QueueDefault)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (int, error) {
			return forAWhile(ctx, 1, p.slice, func(ctx context.Context, _ int) (int, error) {
				return client.InsertManyFast(ctx, batch)
			})
		}, nil
	}
}

// riverWorker is a no-op.
type riverWorker struct {
	river.WorkerDefaults[paidJob]
	got func()
}

func (w *riverWorker) Work(context.Context, *river.Job[paidJob]) error {
	w.got()
	return nil
}

// riverConsumes works the jobs of one queue off in each round. Throughput is limited
// by FetchCooldown, says River's documentation; its default of 100 ms is far slower.
// Jobs are fewer than our events, since each takes much longer.
func riverConsumes(ctx context.Context, b *bench, p plan) (work, error) {
	n := p.scale * 250
	inserter, err := newRiver(ctx, b, &river.Config{})
	if err != nil {
		return nil, err
	}
	next, err := rounds(p, func(round int) (string, error) {
		queue := fmt.Sprintf("round_%d", round)
		batch, err := riverBatch(n, queue)
		if err == nil {
			_, err = inserter.InsertManyFast(ctx, batch)
		}
		return queue, err
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		running, got, done := until(ctx, n)
		workers := river.NewWorkers()
		river.AddWorker(workers, &riverWorker{got: got})
		client, err := newRiver(ctx, b, &river.Config{
			FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 20 * time.Millisecond, JobTimeout: -1,
			Queues: map[string]river.QueueConfig{next(): {MaxWorkers: 2000}}, Workers: workers,
		})
		if err != nil {
			return 0, err
		}
		if err := client.Start(context.WithoutCancel(ctx)); err != nil {
			return 0, err
		}
		<-running.Done()
		if err := client.Stop(ctx); err != nil { // waits until all is recorded
			return 0, err
		}
		return done()
	}, nil
}

const watermillTopic = "orders"

func watermillBatch(n int) []*message.Message {
	batch := make([]*message.Message, n)
	for i, text := range paidTexts(n) {
		batch[i] = message.NewMessage(watermill.NewUUID(), message.Payload(text))
	}
	return batch
}

func newPublisher(b *bench) (*sql.Publisher, error) {
	return sql.NewPublisher(sql.BeginnerFromPgx(b.pool), sql.PublisherConfig{
		SchemaAdapter: sql.DefaultPostgreSQLSchema{}, AutoInitializeSchema: true,
	}, watermill.NopLogger{})
}

func watermillSends(size int) rival {
	return func(_ context.Context, b *bench, p plan) (work, error) {
		publisher, err := newPublisher(b)
		if err != nil {
			return nil, err
		}
		batch := watermillBatch(size)
		return func(ctx context.Context) (int, error) {
			return forAWhile(ctx, 1, p.slice, func(context.Context, int) (int, error) {
				return size, publisher.Publish(watermillTopic, batch...)
			})
		}, nil
	}
}

// watermillConsumes reads a topic in each round with another consumer group, in
// pages of our size instead of its default of 100.
func watermillConsumes(page int) rival {
	return func(ctx context.Context, b *bench, p plan) (work, error) {
		n := p.scale * 250
		publisher, err := newPublisher(b)
		if err != nil {
			return nil, err
		}
		batch := watermillBatch(page)
		for range n / page {
			if err := publisher.Publish(watermillTopic, batch...); err != nil {
				return nil, err
			}
		}
		group := 0
		return func(ctx context.Context) (int, error) {
			group++
			return watermillRound(ctx, b, sql.SubscriberConfig{
				ConsumerGroup: fmt.Sprintf("group_%d", group),
				SchemaAdapter: sql.DefaultPostgreSQLSchema{SubscribeBatchSize: page}, OffsetsAdapter: sql.DefaultPostgreSQLOffsetsAdapter{},
				InitializeSchema: true,
			}, n/page*page)
		}, nil
	}
}

// watermillRound reads n messages into structs and acks them.
func watermillRound(ctx context.Context, b *bench, config sql.SubscriberConfig, n int) (int, error) {
	subscriber, err := sql.NewSubscriber(sql.BeginnerFromPgx(b.pool), config, watermill.NopLogger{})
	if err != nil {
		return 0, err
	}
	running, got, done := until(ctx, n)
	messages, err := subscriber.Subscribe(context.WithoutCancel(ctx), watermillTopic)
	if err != nil {
		return 0, err
	}
	for running.Err() == nil {
		select {
		case m := <-messages:
			var job paidJob
			if err := json.Unmarshal(m.Payload, &job); err != nil {
				return 0, err
			}
			m.Ack()
			got()
		case <-running.Done():
		}
	}
	if err := subscriber.Close(); err != nil {
		return 0, err
	}
	return done()
}

// A lockingTable is a queue in one table, in the style of pgmq: reading makes a row
// invisible for a while and skips rows that others are reading; done rows are
// deleted.
type lockingTable struct {
	bench *bench
	name  string
}

func newLockingTable(ctx context.Context, b *bench, name string) (lockingTable, error) {
	_, err := b.pool.Exec(ctx, fmt.Sprintf(`create table %[1]s (
			msg_id bigint primary key generated always as identity, read_ct int not null default 0,
			enqueued_at timestamptz not null default now(), vt timestamptz not null, message jsonb);
		create index on %[1]s (vt)`, name))
	return lockingTable{b, name}, err
}

// send inserts all texts in one statement and returns how many ids came back.
func (t lockingTable) send(ctx context.Context, texts []string) (int, error) {
	rows, err := t.bench.pool.Query(ctx, fmt.Sprintf(
		`insert into %s (vt, message) select clock_timestamp(), unnest($1::jsonb[]) returning msg_id`, t.name), texts)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return len(ids), err
}

// lockedRow is a row that nobody else sees for half a minute.
type lockedRow struct {
	ID      int64
	Message []byte
}

func (t lockingTable) read(ctx context.Context, n int) ([]lockedRow, error) {
	rows, err := t.bench.pool.Query(ctx, fmt.Sprintf(`
		with page as (
			select msg_id from %[1]s where vt <= clock_timestamp() order by msg_id limit $1 for update skip locked
		)
		update %[1]s m set vt = clock_timestamp() + interval '30 seconds', read_ct = read_ct + 1
		from page where m.msg_id = page.msg_id returning m.msg_id, m.message`, t.name), n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[lockedRow])
}

func (t lockingTable) delete(ctx context.Context, page []lockedRow) error {
	ids := make([]int64, len(page))
	for i, row := range page {
		ids[i] = row.ID
	}
	_, err := t.bench.pool.Exec(ctx, fmt.Sprintf(`delete from %s where msg_id = any($1)`, t.name), ids)
	return err
}

func tableSends(size int) rival {
	return func(ctx context.Context, b *bench, p plan) (work, error) {
		table, err := newLockingTable(ctx, b, "skip_locked")
		if err != nil {
			return nil, err
		}
		texts := paidTexts(size)
		return func(ctx context.Context) (int, error) {
			return forAWhile(ctx, 1, p.slice, func(ctx context.Context, _ int) (int, error) {
				return table.send(ctx, texts)
			})
		}, nil
	}
}

// tableConsumes works a table off in each round.
func tableConsumes(page int) rival {
	return func(ctx context.Context, b *bench, p plan) (work, error) {
		n, texts := p.scale*250, paidTexts(page)
		next, err := rounds(p, func(round int) (lockingTable, error) {
			table, err := newLockingTable(ctx, b, fmt.Sprintf("round_%d", round))
			for sent := 0; err == nil && sent < n; sent += page {
				_, err = table.send(ctx, texts)
			}
			return table, err
		})
		if err != nil {
			return nil, err
		}
		if _, err := b.pool.Exec(ctx, `vacuum analyze`); err != nil {
			return nil, err
		}
		return func(ctx context.Context) (int, error) { return next().workOff(ctx, page) }, nil
	}
}

// workOff reads pages into structs and deletes them until there are no more.
func (t lockingTable) workOff(ctx context.Context, page int) (int, error) {
	for done := 0; ; {
		rows, err := t.read(ctx, page)
		if err != nil || len(rows) == 0 {
			return done, err
		}
		for _, row := range rows {
			var job paidJob
			if err := json.Unmarshal(row.Message, &job); err != nil {
				return done, err
			}
		}
		if err := t.delete(ctx, rows); err != nil {
			return done, err
		}
		done += len(rows)
	}
}
