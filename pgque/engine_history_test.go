package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// history is a random concurrent run against one queue and what came of it.
type history struct {
	e         *engineTest
	seed      uint64
	mu        sync.Mutex
	committed map[string]bool           // payloads whose transaction committed
	handled   map[string]map[string]int // consumer -> payload -> times acked
}

// TestEngineHistory_EveryCommittedEventIsHandledOnceByEachConsumer runs producers
// (commits, rollbacks, savepoints, long and repeatable read transactions), four
// tickers, maintenance that rotates all the time, and consumers of different habits,
// all at once and with random steps. Nobody dies, so once means exactly once.
func TestEngineHistory_EveryCommittedEventIsHandledOnceByEachConsumer(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := &history{
		e: newEngineTest(t), seed: seed,
		committed: map[string]bool{}, handled: map[string]map[string]int{},
	}
	h.e.exec(`select pgque.set_queue_config('q', 'rotation_period', '1 microsecond'), pgque.set_queue_config('q', 'max_retries', '1000000')`)
	consumers := []string{"c", "pages", "joined", "primitive"}
	for _, consumer := range consumers {
		h.e.exec(`select pgque.subscribe('q', $1)`, consumer)
		h.handled[consumer] = map[string]int{}
	}

	producing, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	var producers, others sync.WaitGroup
	for i := range 5 {
		h.run(&producers, producing, fmt.Sprintf("p%d", i), h.produce)
	}
	serving, stopServing := context.WithCancel(t.Context())
	defer stopServing()
	for i := range 2 {
		h.run(&others, serving, fmt.Sprintf("t%d", i), h.keep)
	}
	for _, consumer := range consumers {
		h.run(&others, serving, consumer, h.consume)
	}
	producers.Wait()
	deadline := time.Now().Add(60 * time.Second)
	for !h.isComplete() && time.Now().Before(deadline) && !t.Failed() {
		h.e.exec(`select pgque.tick_queue('q')`)
		time.Sleep(20 * time.Millisecond)
	}
	stopServing()
	others.Wait()
	h.check(t)
}

type step func(ctx context.Context, name string, s *session, r *rand.Rand) error

// run repeats a step until ctx ends. Serialization failures and lock timeouts are what
// concurrent sessions have to expect.
func (h *history) run(group *sync.WaitGroup, ctx context.Context, name string, do step) {
	s := h.e.newSession()
	random := rand.New(rand.NewPCG(h.seed, uint64(len(name))<<8|uint64(name[len(name)-1])))
	group.Go(func() {
		for ctx.Err() == nil {
			err := do(ctx, name, s, random)
			if err == nil || ctx.Err() != nil {
				continue
			}
			if _, undone := s.conn.Exec(context.WithoutCancel(ctx), `rollback`); undone != nil || !isRetryable(err) {
				s.t.Errorf("%s: %v", name, err)
				return
			}
		}
	})
}

func isRetryable(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

// produce is one transaction of a producer.
func (h *history) produce(ctx context.Context, name string, s *session, r *rand.Rand) error {
	ctx = context.WithoutCancel(ctx)
	begin := []string{`begin`, `begin`, `begin`, `begin isolation level repeatable read`}[r.IntN(4)]
	if _, err := s.conn.Exec(ctx, begin); err != nil {
		return err
	}
	if r.IntN(4) == 0 { // a snapshot or a transaction id long before the first event
		before := []string{`select pg_current_xact_id()`, `select count(*) from pgque.queue`}[r.IntN(2)]
		if _, err := s.conn.Exec(ctx, before); err != nil {
			return err
		}
		time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
	}
	var sent []string
	for range 1 + r.IntN(3) {
		batch := make([]string, 1+r.IntN(8))
		for i := range batch {
			batch[i] = fmt.Sprintf("%s-%d", name, r.Uint64())
		}
		kept := r.IntN(5) > 0
		if _, err := s.conn.Exec(ctx, `savepoint s`); err != nil {
			return err
		}
		if _, err := s.conn.Exec(ctx, `select pgque.send_batch('q', $1::text[])`, batch); err != nil {
			return err
		}
		end := `release s`
		if kept {
			sent = append(sent, batch...)
		} else {
			end = `rollback to s`
		}
		if _, err := s.conn.Exec(ctx, end); err != nil {
			return err
		}
		if r.IntN(10) == 0 {
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		}
	}
	if r.IntN(6) == 0 {
		_, err := s.conn.Exec(ctx, `rollback`)
		return err
	}
	if _, err := s.conn.Exec(ctx, `commit`); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, payload := range sent {
		h.committed[payload] = true
	}
	return nil
}

// keep ticks and maintains in all the ways there are.
func (h *history) keep(ctx context.Context, _ string, s *session, r *rand.Rand) error {
	call := []string{
		`select pgque.tick_queue('q')`, `select pgque.tick_queues('{q}')`, `select pgque.ticker()`,
		`select pgque.force_next_tick('q'); select pgque.ticker('q')`,
		`begin; select pg_current_xact_id(); select pgque.tick_queue('q'); commit`,
		`select pgque.maint()`, `select pgque.maint_queue('q')`, `select pgque.maint_queues('{q}')`, `select pgque.maint_retry_events()`,
	}[r.IntN(9)]
	_, err := s.conn.Exec(context.WithoutCancel(ctx), call)
	time.Sleep(time.Duration(r.IntN(15)) * time.Millisecond)
	return err
}

// consume handles one page: most messages are done, some are put back, some pages are
// forgotten and come again.
func (h *history) consume(ctx context.Context, consumer string, s *session, r *rand.Rand) error {
	ctx = context.WithoutCancel(ctx)
	page, err := h.receive(ctx, consumer, s, r)
	if err != nil || len(page) == 0 || r.IntN(10) == 0 {
		return err
	}
	var back []int64
	var done []string
	for _, m := range page {
		if r.IntN(12) == 0 {
			back = append(back, m.ID)
		} else {
			done = append(done, *m.Payload)
		}
	}
	if err := finishPage(ctx, consumer, s, page[0].Batch, back); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, payload := range done {
		h.handled[consumer][payload]++
	}
	return nil
}

func (h *history) receive(ctx context.Context, consumer string, s *session, r *rand.Rand) ([]sqlMessage, error) {
	from := map[string]string{
		"c":      `pgque.receive('q', 'c', null)`,
		"pages":  fmt.Sprintf(`pgque.receive('q', 'pages', %d)`, 1+r.IntN(9)),
		"joined": fmt.Sprintf(`pgque.fetch('q', 'joined', %d)`, 1+r.IntN(50)),
		"primitive": `(select e.ev_id as msg_id, b as batch_id, e.ev_type as type, e.ev_data as payload, e.ev_retry as retry_count
			from pgque.next_batch('q', 'primitive') b, pgque.get_batch_events(b) e where b is not null) m`,
	}[consumer]
	rows, err := s.conn.Query(ctx, sqlMessages+from)
	if err != nil {
		return nil, err
	}
	page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sqlMessage])
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(page); i++ {
		if page[i].ID <= page[i-1].ID {
			return nil, fmt.Errorf("event %d after event %d in one batch", page[i].ID, page[i-1].ID)
		}
	}
	if consumer == "primitive" && len(page) == 0 {
		_, err = s.conn.Exec(ctx, `select pgque.finish_batch(sub_batch) from pgque.subscription
			join pgque.consumer on co_id = sub_consumer where co_name = 'primitive' and sub_batch is not null`)
	}
	return page, err
}

func finishPage(ctx context.Context, consumer string, s *session, batch int64, back []int64) error {
	if consumer == "joined" {
		secs, reasons, dead := make([]float64, len(back)), make([]string, len(back)), make([]bool, len(back))
		_, err := s.conn.Exec(ctx, `select pgque.settle($1, $2, $3, $4, $5)`, batch, back, secs, reasons, dead)
		return err
	}
	for _, id := range back {
		if _, err := s.conn.Exec(ctx, `select pgque.event_retry($1::bigint, $2::bigint, 0)`, batch, id); err != nil {
			return err
		}
	}
	finish := map[bool]string{true: `select pgque.finish_batch($1)`, false: `select pgque.ack($1)`}[consumer == "primitive"]
	_, err := s.conn.Exec(ctx, finish, batch)
	return err
}

func (h *history) isComplete() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, handled := range h.handled {
		if len(handled) < len(h.committed) {
			return false
		}
	}
	return true
}

func (h *history) check(t *testing.T) {
	t.Logf("%d events", len(h.committed))
	if len(h.committed) == 0 {
		t.Error("nothing was sent")
	}
	for consumer, handled := range h.handled {
		var lost, doubled, invented []string
		for payload := range h.committed {
			if handled[payload] == 0 {
				lost = append(lost, payload)
			}
		}
		for payload, times := range handled {
			if times > 1 {
				doubled = append(doubled, payload)
			}
			if !h.committed[payload] {
				invented = append(invented, payload)
			}
		}
		if len(lost)+len(doubled)+len(invented) > 0 {
			t.Errorf("%s: lost %d, doubled %d, of aborted transactions %d; seed %d: %s", consumer, len(lost), len(doubled), len(invented),
				h.seed, strings.Join(append(append(lost, doubled...), invented...)[:1], " "))
		}
	}
	if got := h.e.int(`select count(*) from (
		select tick_snapshot s, lag(tick_snapshot) over (order by tick_id) l from pgque.tick) t
		where pg_snapshot_xmax(s) < pg_snapshot_xmax(l)`); got != 0 {
		t.Errorf("%d ticks are out of order", got)
	}
	for _, table := range []string{"event_1_0", "event_1_1", "event_1_2"} {
		if dead := h.e.int(`select count(*) from pg_stat_user_tables where relname = $1 and n_tup_upd + n_tup_del > 0`, table); dead != 0 {
			t.Errorf("%s was updated or deleted from", table)
		}
	}
}
