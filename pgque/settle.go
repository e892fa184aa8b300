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
	lease   *lease // of the slot that the page came from, if any
	failed  []Message
	delays  []float64 // seconds
	reasons []string
	dead    []bool
	buried  int // of the failed ones: dead by this

	finished []Message // what is done, put back or dead by this
	part     bool      // the page goes on behind last
	last     int64
	released []int64 // not finished, and not behind last either
	leaf     *leaf   // opened by this, if any
}

// isClean reports a page all of whose messages are done.
func (b settlement) isClean() bool { return b.isWhole() && len(b.failed) == 0 }
func (b settlement) isWhole() bool { return !b.part && len(b.released) == 0 }

// settle records the results: the failed messages are put back or dead-lettered and
// the page is acked, all in one transaction, or the page stays open. The results
// are kept and tried again while the server is away, so that handlers need not run
// twice. The messages that were not finished, because the consumer stops, come again
// as if they had never been received. It returns the error of a Halt.
func (s *session) settle(page []Message, results []result) error {
	books := s.book(page, results)
	if len(books.finished) == 0 || !books.isWhole() && !s.engine.cuts() {
		return withHalt(halting(results), errStopped)
	}
	return withHalt(halting(results), s.settleBooks(books))
}

// withHalt puts a Halt before what else went wrong. That a page stays open belongs to
// stopping.
func withHalt(halt, err error) error {
	if halt == nil || err != nil && !errors.Is(err, errStopped) {
		return errors.Join(halt, err)
	}
	return halt
}

func (s *session) settleBooks(books settlement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	retry := backoff{least: errorPauseLeast, most: 5 * time.Second}
	for try := 1; ; try++ {
		err := s.record(ctx, books, try == 1)
		switch {
		case err == nil:
			s.settled(books)
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

// partToSettle is the length of the part of a page that can be settled. It ends with
// a finished message, and before the first unfinished one that those behind it must
// not overtake.
func (s *session) partToSettle(page []Message, results []result) int {
	end := len(page)
	for i, r := range results {
		if !r.finished() && s.keepsPlace(page[i]) {
			end = i
			break
		}
	}
	for end > 0 && !results[end-1].finished() {
		end--
	}
	return end
}

// keepsPlace reports a message that cannot be put back and come later instead.
func (s *session) keepsPlace(msg Message) bool {
	_, ordered := s.keyOf(msg)
	return ordered || !s.engine.parts()
}

// book writes up the results of the part of a page that can be settled, and logs the
// failures.
func (s *session) book(page []Message, results []result) settlement {
	end := s.partToSettle(page, results)
	books := settlement{batchID: page[0].BatchID, lease: s.lease}
	if end > 0 && end < len(page) {
		books.part, books.last = true, page[end-1].MsgID
	}
	if allDone(results) {
		books.finished = page
		return books
	}
	for i, r := range results[:end] {
		if !r.finished() {
			books.released = append(books.released, page[i].MsgID)
			continue
		}
		books.finished = append(books.finished, page[i])
		if !r.failed() {
			continue
		}
		books.failed = append(books.failed, page[i])
		books.delays = append(books.delays, r.outcome.delay.Seconds())
		books.reasons = append(books.reasons, validText(r.outcome.Error()))
		books.dead = append(books.dead, r.outcome.verdict == verdictDead)
		buried := r.outcome.verdict == verdictDead || s.client.retryLimits.areUsedUp(s.queue, page[i])
		if buried {
			books.buried++
		}
		s.logFailure(page[i], r.outcome, buried)
	}
	return books
}

// allDone is the usual case.
func allDone(results []result) bool {
	for _, r := range results {
		if !r.done {
			return false
		}
	}
	return true
}

func (s *session) logFailure(msg Message, o *outcome, buried bool) {
	log := s.messageLog(msg).With("attempt", msg.Attempt(), "error", o.err)
	var panicked *panicError
	if errors.As(o.err, &panicked) {
		log = log.With("stack", string(panicked.stack))
	}
	if buried {
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
	s.noteSettled(batchID)
	s.log.Warn("pgque: results of a page were not recorded", "batch", batchID, "error", err)
	pause(s.taking, jitter(errorPauseLeast))
}

// settled does what follows a settlement: it moves on inside a batch that goes on,
// and makes maintenance run when the first of the messages put back is due.
func (s *session) settled(books settlement) {
	s.client.windows.passPage(books.batchID)
	s.noteSettled(books.batchID)
	if len(books.released) > 0 {
		s.pulse.retryIn(0, time.Now())
	}
	for i, delay := range books.delays {
		if !books.dead[i] {
			s.pulse.retryIn(time.Duration(delay*float64(time.Second)), time.Now())
		}
	}
	if len(books.failed) > 0 {
		s.refreshRetryLimit()
	}
	if s.pageHook != nil {
		s.pageHook(s.settledPage(books))
	}
}

func (s *session) refreshRetryLimit() {
	ctx, cancel := context.WithTimeout(s.taking, statementTimeout)
	defer cancel()
	s.client.learnRetryLimit(ctx, s.queue)
}

// SettledPage tells what became of the messages of a page, for metrics.
type SettledPage struct {
	Queue    string
	Consumer string
	Batch    int64
	Received int // Done + Retried + Dead; what a consumer that stops did not finish does not count
	Done     int // handled, or skipped on purpose
	Retried  int // put back
	Dead     int // sent to the dead letters, at once or with its last retry
	// Oldest is when the oldest of the messages was sent.
	Oldest time.Time
}

func (s *session) settledPage(books settlement) SettledPage {
	page := books.finished
	p := SettledPage{Queue: s.queue, Consumer: s.name, Batch: books.batchID, Received: len(page), Oldest: page[0].CreatedAt}
	for _, msg := range page {
		if msg.CreatedAt.Before(p.Oldest) {
			p.Oldest = msg.CreatedAt
		}
	}
	p.Dead = books.buried
	p.Retried = len(books.failed) - p.Dead
	p.Done = p.Received - len(books.failed)
	return p
}

// record settles in one round trip and one transaction. Where it can, the same round
// trip brings the next page, on the first try.
func (s *session) record(ctx context.Context, books settlement, first bool) error {
	ahead := first && s.fetches() && s.taking.Err() == nil
	switch {
	case books.leaf != nil:
		return s.recordTurn(ctx, books.leaf)
	case ahead && s.reader.known() && books.isClean():
		return s.advance(ctx, books)
	case s.engine.settle:
		return s.settleAhead(ctx, books, ahead)
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
	sql, args := books.statement()
	settled, err := queryInt(ctx, q, sql, args...)
	if err == nil && settled == 0 {
		return errTakenOver
	}
	return err
}

func (b settlement) statement() (sql string, args []any) {
	ids := make([]int64, len(b.failed))
	for i, msg := range b.failed {
		ids[i] = msg.MsgID
	}
	args = []any{b.batchID, ids, orEmpty(b.delays), orEmpty(b.reasons), orEmpty(b.dead)}
	if l := b.lease; l != nil {
		slot := []any{l.queue, l.consumer, l.slot, l.n, l.worker, b.batchID, b.cut(), orEmpty(b.released)}
		return sqlSettleSlot, append(slot, args[1:]...)
	}
	if b.isWhole() {
		return sqlSettle, args
	}
	return sqlSettlePart, append(args, b.cut(), orEmpty(b.released))
}

// cut is where the page ends early, or nil.
func (b settlement) cut() *int64 {
	if !b.part {
		return nil
	}
	return &b.last
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
	sql, args := books.statement()
	batch.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&settled) })
	if andFetch {
		s.queueFetch(batch, 0, &next)
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
