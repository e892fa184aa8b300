package pgque

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A server keeps the ids of 64 open subtransactions of a session in shared memory;
// beyond that, snapshots of all sessions get slower. A page takes about half as
// many savepoints, whatever its length.
const (
	leastChunk   = 8
	mostChunks   = 32
	mostLost     = 3 // connections lost at one message, before that one is blamed
	mostConflict = 3 // tries of a page that lost against other transactions
)

var (
	errAgain        = errors.New("the page has to be tried again")
	errStopped      = errors.New("stopped inside a page: it will be delivered again")
	errTxBroken     = errors.New("a statement failed and the handler went on: its effects are undone")
	errRowsOpen     = errors.New("the handler left rows of its transaction open")
	errTxOwned      = errors.New("pgque: the consumer ends the transaction of a handler")
	errConnectionAt = errors.New("the connection was lost while this message was handled")
)

func (s *session) hasTx(page []Message) bool {
	for _, msg := range page {
		if r, ok := s.registrationOf(msg.Type); ok && r.inTx {
			return true
		}
	}
	return false
}

// pageLimit is the whole batch where pages cannot be settled one by one and effects
// have to happen exactly once.
func (s *session) pageLimit() int {
	if s.engine.pages() || !s.anyTx() {
		return s.maxMessages
	}
	return math.MaxInt32
}

func (s *session) anyTx() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.handlers {
		if r.inTx {
			return true
		}
	}
	return false
}

// txPage is a page on its way through one transaction.
//
// The first try uses no savepoints. When a message fails, all is undone and the
// page is tried again in chunks with a savepoint each; a chunk in which a message
// fails is undone, what stood before the failure is repeated, and the next chunk
// begins behind it. A message that failed is not run again.
type txPage struct {
	*session
	page      []Message
	results   []result
	final     []bool // the result stands, whatever is undone
	chunk     int    // messages between two savepoints; 0 is one try without any
	immediate bool   // check deferred constraints after each message
	conflicts int
}

// handleTxPage commits the effects of the page's handlers together with its
// settlement, or none of it. Handlers without a transaction run once, in their
// place between the others.
func (s *session) handleTxPage(page []Message) error {
	p := &txPage{session: s, page: page, results: make([]result, len(page)), final: make([]bool, len(page))}
	for {
		err := p.try()
		switch {
		case errors.Is(err, errAgain):
			p.chunk = max(leastChunk, len(page)/mostChunks, 1)
		case isConflict(err) && p.conflicts < mostConflict:
			p.conflicts++
		case isConstraint(err) && !p.immediate:
			p.immediate = true
		case errors.Is(err, errTakenOver):
			s.overtaken(page[0].BatchID, err)
			return nil
		default:
			return err
		}
		if p.immediate {
			p.chunk = 1
		}
	}
}

func (p *txPage) try() error {
	tx, err := p.begin()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer rollback(tx)
	if err := p.runAll(tx); err != nil {
		return err
	}
	// No longer cancelled with the handlers: all of it is recorded, or none.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.working), settleDeadline)
	defer cancel()
	books := p.book(p.page, p.results)
	if err := p.recordIn(ctx, tx, books); err != nil {
		return fmt.Errorf("settle batch %d: %w", books.batchID, err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit batch %d: %w", books.batchID, err)
	}
	p.settled(p.page, books)
	clear(p.lost)
	return nil
}

// begin gives a transaction that later statements may extend beyond ctx.
func (p *txPage) begin() (pgx.Tx, error) {
	ctx, cancel := context.WithTimeout(p.working, statementTimeout)
	defer cancel()
	return p.client.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
}

func rollback(tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = tx.Rollback(ctx) // after a commit it does nothing; else the connection goes
}

func (p *txPage) runAll(tx pgx.Tx) (err error) {
	for from := 0; from < len(p.page) && err == nil; {
		from, err = p.runChunk(tx, from)
	}
	return err
}

// runChunk returns where the next chunk begins.
func (p *txPage) runChunk(tx pgx.Tx, from int) (next int, err error) {
	if p.chunk == 0 {
		failed, err := p.runRange(tx, from, len(p.page))
		return len(p.page), repeatIf(failed >= 0, err)
	}
	if err := p.exec(tx, sqlSavepoint); err != nil {
		return from, err
	}
	to := min(from+p.chunk, len(p.page))
	failed, err := p.runRange(tx, from, to)
	if err != nil {
		return from, err
	}
	if failed < 0 {
		return to, p.exec(tx, sqlRelease)
	}
	if err := p.exec(tx, sqlUndo); err != nil {
		return from, err
	}
	// Without a savepoint, which would stay open: what succeeded a moment ago.
	again, err := p.runRange(tx, from, failed)
	return failed + 1, repeatIf(again >= 0, err)
}

func repeatIf(failed bool, err error) error {
	if err == nil && failed {
		return errAgain
	}
	return err
}

func (p *txPage) exec(tx pgx.Tx, sql string) error {
	ctx, cancel := context.WithTimeout(p.working, statementTimeout)
	defer cancel()
	_, err := tx.Exec(ctx, sql)
	return err
}

// runRange runs messages from up to, not including, to. It returns the position of
// the first whose effects have to be undone, or -1.
func (p *txPage) runRange(tx pgx.Tx, from, to int) (failed int, err error) {
	for i := from; i < to; i++ {
		if p.final[i] {
			continue
		}
		if undo, err := p.runOne(tx, i); undo || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// runOne runs one message and reports whether its effects have to be undone.
func (p *txPage) runOne(tx pgx.Tx, i int) (undo bool, err error) {
	msg := p.page[i]
	if p.working.Err() != nil {
		return false, errStopped
	}
	r := p.handle(contextWithTx(p.working, ownedTx{tx}), msg)
	if isHalt(r.err()) {
		return false, r.err()
	}
	reg, _ := p.registrationOf(msg.Type)
	if reg.inTx {
		r = p.inspect(tx, msg, r)
	}
	switch {
	case !r.begun():
		return false, p.lostOrStopped(msg)
	case isConflict(r.err()) && p.conflicts < mostConflict:
		p.conflicts++
		return false, errAgain
	}
	p.results[i] = r
	p.final[i] = !reg.inTx || r.failed()
	if tx.Conn().IsClosed() {
		return false, errAgain
	}
	return reg.inTx && r.failed(), nil
}

// inspect looks at the state that a handler left its transaction in.
func (p *txPage) inspect(tx pgx.Tx, msg Message, r result) result {
	conn := tx.Conn()
	switch {
	case conn.IsClosed():
		return p.blameForConnection(msg, r)
	case conn.PgConn().IsBusy():
		rollback(tx)
		return p.judge(msg, errRowsOpen)
	case r.failed():
		return r
	case conn.PgConn().TxStatus() == 'E':
		return p.judge(msg, errTxBroken)
	case p.immediate && r.done:
		return p.checkConstraints(tx, msg, r)
	}
	return r
}

func (p *txPage) checkConstraints(tx pgx.Tx, msg Message, r result) result {
	for _, sql := range []string{sqlCheckConstraints, sqlDeferConstraints} {
		if err := p.exec(tx, sql); err != nil {
			return p.judge(msg, err)
		}
	}
	return r
}

// blameForConnection makes the loss of the connection a failure of the message when
// its own timeout caused it (a cancelled query takes its connection along), or when
// it happens there again and again. Otherwise the message counts as not begun.
func (p *txPage) blameForConnection(msg Message, r result) result {
	if p.working.Err() != nil {
		return result{}
	}
	if r.failed() && isContextError(r.err()) {
		return r
	}
	p.lost[msg.MsgID]++
	if p.lost[msg.MsgID] < mostLost {
		return result{}
	}
	return p.judge(msg, errConnectionAt)
}

func (p *txPage) lostOrStopped(msg Message) error {
	if p.working.Err() != nil {
		return errStopped
	}
	return fmt.Errorf("message %d: %w", msg.MsgID, errConnectionAt)
}

// ownedTx is a transaction that its user cannot end.
type ownedTx struct{ pgx.Tx }

func (ownedTx) Commit(context.Context) error   { return errTxOwned }
func (ownedTx) Rollback(context.Context) error { return errTxOwned }

// isConflict reports serialization failures and deadlocks.
func isConflict(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

// isConstraint reports the class of violated constraints.
func isConstraint(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && strings.HasPrefix(pgErr.Code, "23")
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
