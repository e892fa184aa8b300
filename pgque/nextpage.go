package pgque

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// reader holds the statements that call the functions of a queue, which bear its number.
type reader struct {
	next   string // page
	pull   string // a tick, and the next page
	window string // of an open page
	events string // behind an open page
}

func (r reader) known() bool { return r.next != "" }
func (r reader) pulls() bool { return r.pull != "" }

// findReader looks the number of the queue up. Groups and slots go other ways, and so does
// a role that may not look it up.
func (s *session) findReader(ctx context.Context) error {
	if !s.engine.next || !s.fetches() || s.partitions > 0 {
		return nil
	}
	id, err := queryInt(ctx, s.client.pool, sqlQueueID, s.queue)
	switch {
	case sentinelOf(err) == ErrPermission:
		s.engine.next = false
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return wrap(ErrQueueNotFound, "read %q", s.queue)
	case err == nil:
		s.reader = reader{next: fmt.Sprintf(sqlNextPage, id), window: fmt.Sprintf(sqlPageWindow, id), events: fmt.Sprintf(sqlEventsBehind, id)}
		if s.engine.pull {
			s.reader.pull = fmt.Sprintf(sqlPull, id)
		}
	}
	return err
}

// fetchBehind returns the page behind batchID, as queueFetch does. It ticks before when
// that is due, so that what was just sent is in the page.
//
// A tick that the server refuses must not keep the consumer from its messages: it is left
// out then. So it is while somebody else works at the cursor, since who makes a tick must
// not wait.
func (s *session) fetchBehind(ctx context.Context, batchID int64) ([]Message, error) {
	if !s.reader.known() {
		if err := s.findReader(ctx); err != nil {
			return nil, err
		}
	}
	if !s.reader.pulls() || !s.pulse.isDue(time.Now()) {
		return s.fetchOnce(ctx, batchID, false)
	}
	page, err := s.fetchOnce(ctx, batchID, true)
	var refused *pgconn.PgError
	if err == nil || isLost(err) || isUndefinedFunction(err) || !errors.As(err, &refused) || ctx.Err() != nil {
		return page, err
	}
	page, again := s.fetchOnce(ctx, batchID, false)
	if again == nil && refused.Code != sqlstateLocked {
		s.pulse.failed(ctx, "tick", err)
	}
	return page, again
}

const sqlstateLocked = "55P03"

// fetchOnce commits lazily. What a crash of the server undoes is a tick that nobody saw
// whose cursor survived, since cursors that point at it are behind it in the log, and the
// settlement of a page that will be delivered again.
func (s *session) fetchOnce(ctx context.Context, batchID int64, withTick bool) (page []Message, err error) {
	batch, began := &pgx.Batch{}, time.Now()
	var tick int64
	if withTick {
		s.queuePull(batch, batchID, &page, &tick)
	} else {
		batch.Queue(sqlLazy)
		s.queueFetch(batch, batchID, &page)
	}
	err = s.client.pool.SendBatch(ctx, batch).Close()
	if isUndefinedFunction(err) {
		s.reader = reader{} // the queue was dropped; another one of this name may be there
	}
	if withTick {
		s.pulse.looked(began, time.Now(), tick, len(page))
	}
	s.atHead = err == nil && tick != 0 && 2*len(page) <= s.maxMessages
	if err == nil && withTick && tick == 0 && len(page) == 0 {
		s.pulse.entrustWhenIdle(began)
	}
	return page, err
}

// linger waits with the settlement of a page until the next tick is due, when no messages
// wait behind the page: tick, settlement and next page then share a round trip.
func (s *session) linger() {
	for s.atHead && s.reader.pulls() {
		wait := time.Until(s.pulse.due)
		if wait <= 0 || wait > paceMost {
			return
		}
		timer, over := time.NewTimer(wait), false
		select {
		case <-timer.C:
		case <-s.sub.hint:
			s.pulse.hint(time.Now())
		case <-s.sub.woken:
			over = !s.pulse.sawTick(s.sub.tick.Load(), time.Now())
		case <-s.taking.Done():
			over = true
		}
		timer.Stop()
		if over {
			return
		}
	}
}

// advance settles a page all of whose messages are done, and keeps the next one for the
// next step, in one change of the cursor. The commit is lazy, as in settleAhead.
func (s *session) advance(ctx context.Context, books settlement) error {
	next, err := s.fetchBehind(ctx, books.batchID)
	if sentinelOf(err) == ErrBatchNotFound {
		return errTakenOver
	}
	if err == nil {
		s.ahead, s.lookedAhead = next, true
	}
	return err
}

// orNull makes 0 a null.
func orNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
