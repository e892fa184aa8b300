package pgque

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxEmptyWindows bounds the empty batches that one receive walks through.
const maxEmptyWindows = 1000

// windowCursors remembers how far the pages of open batches were handed out and
// acked, for engines that know whole batches only. The place is in memory: after a
// crash the batch is delivered again from its start.
type windowCursors struct {
	mu      sync.Mutex
	byBatch map[int64]*windowCursor
}

type windowCursor struct {
	after int64 // MsgID of the last acked message; 0 at the start
	last  int64 // MsgID of the last message of the page handed out; after when none is
	count int   // messages of the page handed out
	more  bool  // the batch goes on behind last
}

// receiveWindow returns the next page of the open batch, which next opens when
// there is none. Empty batches are finished on the way.
func (c *Client) receiveWindow(ctx context.Context, limit int, next func(context.Context) (int64, error)) ([]Message, error) {
	for range maxEmptyWindows {
		batchID, err := next(ctx)
		if err != nil || batchID == 0 {
			return nil, err
		}
		page, err := c.windowPage(ctx, batchID, limit)
		if errors.Is(sentinelOf(err), ErrBatchNotFound) {
			continue // finished by another worker since next_batch
		}
		if err != nil || len(page) > 0 {
			return page, err
		}
		if _, err := queryInt(ctx, c.pool, sqlFinishBatch, batchID); err != nil {
			return nil, err
		}
		c.windows.forget(batchID)
	}
	return nil, nil
}

// windowPage reads one message more than it returns, to know whether the batch
// goes on.
func (c *Client) windowPage(ctx context.Context, batchID int64, limit int) ([]Message, error) {
	after, limit := c.windows.nextPage(batchID, limit)
	page, err := queryMessages(ctx, c.pool, sqlBatchPage, batchID, after, int64(limit)+1)
	if err != nil {
		c.windows.forget(batchID)
		return nil, err
	}
	more := len(page) > limit
	if more {
		page = page[:limit]
	}
	c.windows.handOut(batchID, page, more)
	return page, nil
}

// nextPage tells where the page of batchID starts and how long it is at least.
func (w *windowCursors) nextPage(batchID int64, limit int) (after int64, atLeast int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	cursor, ok := w.byBatch[batchID]
	if !ok {
		return 0, limit
	}
	return cursor.after, max(limit, cursor.count)
}

func (w *windowCursors) handOut(batchID int64, page []Message, more bool) {
	if len(page) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byBatch == nil {
		w.byBatch = make(map[int64]*windowCursor)
	}
	cursor, ok := w.byBatch[batchID]
	if !ok {
		cursor = &windowCursor{}
		w.byBatch[batchID] = cursor
	}
	cursor.last, cursor.count, cursor.more = page[len(page)-1].MsgID, len(page), more
}

// passPage moves past the page that was handed out; a batch that ends with it is
// forgotten.
func (w *windowCursors) passPage(batchID int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	cursor, ok := w.byBatch[batchID]
	if !ok || !cursor.more {
		delete(w.byBatch, batchID)
		return
	}
	cursor.after, cursor.count = cursor.last, 0
}

// settleWindow puts the failed messages back and finishes the batch, or only the
// former when the batch goes on behind the page. What shall go to the dead letters
// at once takes the way of a retry: the documented API has no other.
func (c *Client) settleWindow(ctx context.Context, tx pgx.Tx, books settlement) error {
	if books.part {
		c.windows.cut(books.batchID, books.last)
	}
	batch := &pgx.Batch{}
	for i, msg := range books.failed {
		delay := time.Duration(books.delays[i] * float64(time.Second))
		batch.Queue(sqlNack, nackArguments(books.batchID, msg, delay, books.reasons[i])...)
	}
	finished := 1
	if !c.windows.goesOn(books.batchID) {
		batch.Queue(sqlFinishBatch, books.batchID).QueryRow(func(row pgx.Row) error { return row.Scan(&finished) })
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if finished == 0 {
		return errTakenOver
	}
	return nil
}

// cut ends the page that was handed out at the message last.
func (w *windowCursors) cut(batchID, last int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cursor, ok := w.byBatch[batchID]; ok {
		cursor.last, cursor.more = last, true
	}
}

// goesOn reports whether there is more behind the page handed out.
func (w *windowCursors) goesOn(batchID int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	cursor, ok := w.byBatch[batchID]
	return ok && cursor.more
}

func (w *windowCursors) forget(batchID int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byBatch, batchID)
}
