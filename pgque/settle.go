package pgque

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	settleTries    = 6                // of a settlement that the server refuses; while it is away, until the deadline
	settleDeadline = 20 * time.Second // also when the consumer was told to stop
)

var errTakenOver = errors.New("the page is settled already or was taken over by another worker")

// settlement is what has to be told to the database about a page.
type settlement struct {
	batchID int64
	failed  []Message
	delays  []float64 // seconds
	reasons []string
	dead    []bool
}

// settle records the results: the failed messages are put back or dead-lettered and
// the page is acked, all in one transaction, or the page stays open. The results
// are kept and tried again while the server is away, so that handlers need not run
// twice. A page with messages that were not begun stays open.
func (s *session) settle(page []Message, results []result) error {
	if err := halting(results); err != nil {
		return err
	}
	if unbegun(results) {
		return errStopped
	}
	books := s.book(page, results)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	retry := backoff{least: errorPauseLeast, most: 5 * time.Second}
	for try := 1; ; try++ {
		err := s.record(ctx, books, try == 1)
		switch {
		case err == nil:
			s.settled(page, books)
			return nil
		case errors.Is(err, errTakenOver):
			s.overtaken(books.batchID, err)
			return nil
		case ctx.Err() != nil || isLost(err) || try >= settleTries && !isAway(err):
			return fmt.Errorf("settle batch %d: %w", books.batchID, err)
		}
		pause(ctx, retry.next())
	}
}

// isLost reports that trying again is useless: the engine does not know the page,
// or one of its messages.
func isLost(err error) bool {
	sentinel := sentinelOf(err)
	return sentinel == ErrBatchNotFound || sentinel == ErrMessageNotFound
}

// isAway reports that the server did not answer, or is on its way down or up.
func isAway(err error) bool {
	var pgErr *pgconn.PgError
	return !errors.As(err, &pgErr) || strings.HasPrefix(pgErr.Code, "57P") || strings.HasPrefix(pgErr.Code, "08")
}

func halting(results []result) error {
	for _, r := range results {
		if isHalt(r.err()) {
			return r.outcome
		}
	}
	return nil
}

func unbegun(results []result) bool {
	for _, r := range results {
		if !r.begun() {
			return true
		}
	}
	return false
}

// book writes the results up and logs the failures.
func (s *session) book(page []Message, results []result) settlement {
	books := settlement{batchID: page[0].BatchID}
	for i, r := range results {
		if !r.failed() {
			continue
		}
		books.failed = append(books.failed, page[i])
		books.delays = append(books.delays, r.outcome.delay.Seconds())
		books.reasons = append(books.reasons, validText(r.outcome.Error()))
		books.dead = append(books.dead, r.outcome.verdict == verdictDead)
		s.logFailure(page[i], r.outcome)
	}
	return books
}

func (s *session) logFailure(msg Message, o *outcome) {
	log := s.messageLog(msg).With("attempt", msg.Attempt(), "error", o.err)
	var panicked *panicError
	if errors.As(o.err, &panicked) {
		log = log.With("stack", string(panicked.stack))
	}
	if o.verdict == verdictDead {
		log.Error("pgque: message goes to the dead letters")
		return
	}
	log.Warn("pgque: message put back", "delay", o.delay)
}

func (s *session) messageLog(msg Message) *slog.Logger {
	return s.log.With("batch", msg.BatchID, "msg", msg.MsgID, "type", msg.Type)
}

// overtaken steps aside for a moment: whoever took the page is at the next one.
func (s *session) overtaken(batchID int64, err error) {
	s.log.Warn("pgque: results of a page were not recorded", "batch", batchID, "error", err)
	pause(s.taking, jitter(errorPauseLeast))
}

// settled does what follows a settlement: it moves on inside a batch that goes on,
// and makes maintenance run when the first of the messages put back is due.
func (s *session) settled(page []Message, books settlement) {
	s.client.windows.passPage(books.batchID)
	for i, delay := range books.delays {
		if !books.dead[i] {
			s.pulse.retryIn(time.Duration(delay*float64(time.Second)), time.Now())
		}
	}
	if s.pageHook != nil {
		s.pageHook(s.settledPage(page, books))
	}
}

// SettledPage tells what became of the messages of a page, for metrics.
type SettledPage struct {
	Queue    string
	Consumer string
	Batch    int64
	Received int // Done + Retried + Dead
	Done     int // handled, or skipped on purpose
	Retried  int // put back; the engine makes it a dead letter when retries are used up
	Dead     int // sent to the dead letters at once
	// Oldest is when the oldest of the messages was sent.
	Oldest time.Time
}

func (s *session) settledPage(page []Message, books settlement) SettledPage {
	p := SettledPage{Queue: s.queue, Consumer: s.name, Batch: books.batchID, Received: len(page), Oldest: page[0].CreatedAt}
	for _, msg := range page {
		if msg.CreatedAt.Before(p.Oldest) {
			p.Oldest = msg.CreatedAt
		}
	}
	for _, dead := range books.dead {
		if dead {
			p.Dead++
		}
	}
	p.Retried = len(books.failed) - p.Dead
	p.Done = p.Received - len(books.failed)
	return p
}

// record settles in one round trip and one transaction. Where it can, the same round
// trip brings the next page, on the first try.
func (s *session) record(ctx context.Context, books settlement, first bool) error {
	if s.engine.settle {
		return s.settleAhead(ctx, books, first && s.fetches() && s.taking.Err() == nil)
	}
	return pgx.BeginFunc(ctx, s.client.pool, func(tx pgx.Tx) error {
		return s.client.settleWindow(ctx, tx, books)
	})
}

func (s *session) recordIn(ctx context.Context, tx pgx.Tx, books settlement) error {
	if s.engine.settle {
		return settleNow(ctx, tx, books)
	}
	return s.client.settleWindow(ctx, tx, books)
}

func settleNow(ctx context.Context, q querier, books settlement) error {
	settled, err := queryInt(ctx, q, sqlSettle, books.arguments()...)
	if err == nil && settled == 0 {
		return errTakenOver
	}
	return err
}

func (b settlement) arguments() []any {
	ids := make([]int64, len(b.failed))
	for i, msg := range b.failed {
		ids[i] = msg.MsgID
	}
	return []any{b.batchID, ids, orEmpty(b.delays), orEmpty(b.reasons), orEmpty(b.dead)}
}

// settleAhead settles outside of any handler's transaction, and with andFetch keeps
// the next page for the next step. When the page was taken over the other one is not
// kept: it is the worker's who took over.
//
// The commit is lazy. A settlement that a crash of the server undoes is that of a page
// which will be delivered again, as after a crash of this process.
func (s *session) settleAhead(ctx context.Context, books settlement, andFetch bool) error {
	var settled *int64
	var next []Message
	batch := &pgx.Batch{}
	batch.Queue(sqlLazy)
	batch.Queue(sqlSettle, books.arguments()...).QueryRow(func(row pgx.Row) error { return row.Scan(&settled) })
	if andFetch {
		s.queueFetch(batch, &next)
	}
	if err := s.client.pool.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if settled == nil || *settled == 0 {
		return errTakenOver
	}
	s.ahead, s.lookedAhead = next, andFetch
	return nil
}

// orEmpty makes a nil slice an empty array, which nil is not.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// maxReason bounds the bytes of a reason that is stored with a message.
const maxReason = 8 << 10

// validText makes any error text storable: PostgreSQL takes valid UTF-8 without
// zero bytes.
func validText(text string) string {
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
