package pgque

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A consumer that is behind reads on while its handlers run. Reading changes nothing: it is a
// query of the event tables, bounded as the window is that the open page lies in. A page that
// was read so is opened when the one before is done, in the same change of the cursor, while
// its own handlers run already. So there are two pages at hand at most, and one that is done
// and not settled yet.

const (
	quick      = 5 * time.Millisecond // handlers that take less for a page may have a longer one
	meantShort = 100                  // maxMessages below it is meant to the letter
	manyTimes  = 16                   // maxMessages, but no more than
	mostTaken  = 5000
)

// pageWindow is what is left of a window behind the last page that was read.
type pageWindow struct {
	batchID   int64 // of the page that begins here
	end       int64 // the id behind which it begins
	low, high int64
	last      string // snapshots
	next      string
}

// leaf is a page that is done and not settled, and the page that is opened by that.
type leaf struct {
	done    []Message
	batchID int64 // of the page to open
	end     int64 // and its last id
	rows    int
}

func (l *leaf) settlement() settlement {
	return settlement{batchID: l.done[0].BatchID, finished: l.done, leaf: l}
}

func (l *leaf) arguments() []any { return []any{l.done[0].BatchID, l.batchID, l.end, l.rows} }

// portion is what came of reading on.
type portion struct {
	page    []Message
	settled bool // the page before the open one
	err     error
}

// readsOn reports a page behind which more messages wait, most likely, that may be handled
// together, since no process died over it.
func (s *session) readsOn(page []Message) bool {
	return s.engine.turn && s.reader.known() && s.alone == 0 && s.noted.batchID != page[0].BatchID &&
		2*len(page) > s.maxMessages && s.taking.Err() == nil
}

// handleReadingOn handles a page while the one behind it is read. That one comes with the
// next step, and this page is behind then.
func (s *session) handleReadingOn(page []Message) error {
	read, began := make(chan portion, 1), time.Now()
	go func() { read <- s.readOn(page) }()
	results := s.handleLong(page, len(page))
	took := time.Since(began)
	p := <-read
	s.suit(len(page), took)
	if p.settled {
		books := s.behind.settlement()
		s.behind = nil
		s.settled(books)
		s.spare = books.finished[:0]
	}
	switch {
	case sentinelOf(p.err) == ErrBatchNotFound:
		s.behind = nil
		s.overtaken(page[0].BatchID, errTakenOver)
		return nil
	case p.err != nil:
		s.cannotRead(p.err)
	case len(p.page) > 0 && allDone(results):
		s.behind = &leaf{done: page, batchID: p.page[0].BatchID, end: s.window.end, rows: len(p.page)}
		s.ahead, s.lookedAhead = p.page, true
		return nil
	}
	return s.settleBehind(page, results)
}

// handleLong is handlePage for the first messages, as many as limit says, of a page that may
// have grown: it is handled as pages of maxMessages, one after another. They end early when
// handlers are not quick any more: what was not begun comes with the next page, and nothing
// that failed waits for long before it is put back.
func (s *session) handleLong(page []Message, limit int) []result {
	results, began := make([]result, len(page)), time.Now()
	for from, to := 0, 0; from < limit; from = to {
		to = min(from+s.maxMessages, limit)
		copy(results[from:to], s.handlePage(page[from:to]))
		isSlow := time.Since(began) > 2*quick && s.engine.cuts()
		if isSlow || !allFinished(results[from:to]) {
			break
		}
	}
	return results
}

func allFinished(results []result) bool {
	for _, r := range results {
		if !r.finished() {
			return false
		}
	}
	return true
}

// suit makes pages longer while handlers are quick with them, and shorter again: what a page
// costs beside its messages is little then, and so is the work that a crash makes come again.
// Pages that are a transaction do not grow.
func (s *session) suit(handled int, took time.Duration) {
	switch {
	case s.maxMessages < meantShort || s.anyTx():
		s.take = s.maxMessages
	case took > 2*quick:
		s.take = max(s.take/2, s.maxMessages)
	case took < quick && 2*handled > s.take:
		s.take = max(min(2*s.take, manyTimes*s.maxMessages, mostTaken), s.maxMessages)
	}
}

// cannotRead gives reading on up where the role may not read the event tables.
func (s *session) cannotRead(err error) {
	if sentinelOf(err) == ErrPermission {
		s.engine.turn = false
	}
}

// readOn reads the page behind an open one. It opens that one itself if it was read so. The
// commit is lazy, as in settleAhead.
func (s *session) readOn(page []Message) (p portion) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	if s.behind == nil {
		if s.window, p.err = s.findWindow(ctx, page[0].BatchID); s.window == nil {
			return p
		}
	}
	w := s.window
	batch := &pgx.Batch{}
	batch.Queue(sqlReading)
	if s.behind != nil {
		batch.Queue(sqlTurnPage, s.behind.arguments()...).QueryRow(func(row pgx.Row) error { return row.Scan(&w.batchID) })
	}
	to := min(w.end+int64(s.take), w.high)
	if w.end < to {
		batch.Queue(s.reader.events, max(w.end, w.low), to, w.last, w.next).Query(func(rows pgx.Rows) (err error) {
			p.page, err = collectPage(rows, w.batchID, s.room())
			return err
		})
	}
	p.err = s.client.pool.SendBatch(ctx, batch).Close()
	p.settled = p.err == nil && s.behind != nil
	w.end = to
	return p
}

// room is an empty page for the messages to come: that of a page that is settled, if any.
func (s *session) room() []Message {
	room := slices.Grow(s.spare, s.take)
	s.spare = nil
	return room
}

// findWindow asks what bounds the window of an open page. It is nil when there is nothing to
// read by oneself.
func (s *session) findWindow(ctx context.Context, batchID int64) (*pageWindow, error) {
	w := &pageWindow{}
	err := s.client.pool.QueryRow(ctx, s.reader.window, batchID).Scan(&w.batchID, &w.end, &w.low, &w.high, &w.last, &w.next)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return w, nil
}

// settleBehind settles a page, after what is behind, if anything.
func (s *session) settleBehind(page []Message, results []result) error {
	if err := s.turnPage(); err != nil {
		return err
	}
	return s.settle(page, results)
}

// turnPage settles what is behind, if anything, and so opens the page at hand.
func (s *session) turnPage() error {
	if s.behind == nil {
		return nil
	}
	books := s.behind.settlement()
	s.behind = nil
	return s.settleBooks(books)
}

// recordTurn is record for a page behind. What was done already is not done again.
func (s *session) recordTurn(ctx context.Context, l *leaf) error {
	batch := &pgx.Batch{}
	batch.Queue(sqlLazy)
	batch.Queue(sqlTurnPage, l.arguments()...)
	err := s.client.pool.SendBatch(ctx, batch).Close()
	switch {
	case sentinelOf(err) == ErrBatchNotFound:
		return errTakenOver
	case isUndefinedFunction(err): // the engine is another one now
		s.engine.turn = false
	}
	return err
}

// dropAhead lets go of the page that came ahead, and settles what is behind.
func (s *session) dropAhead() {
	if s.behind != nil {
		books := s.behind.settlement()
		books.leaf, s.behind = nil, nil
		if err := s.settleBooks(books); err != nil {
			s.log.Warn("pgque: messages that are done come again", "error", err)
		}
	}
	s.ahead, s.lookedAhead, s.spare = nil, false, nil
}
