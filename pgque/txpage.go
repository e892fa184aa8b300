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

	saveEvery = 500 * time.Millisecond // of work that an interrupted handler may cost
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
	if !s.anyTx() {
		return false
	}
	routes := s.routes()
	for i := range page {
		if r, ok := routes.to(page[i].Type); ok && r.inTx {
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
	for _, r := range *s.handlers.Load() {
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

	at      int       // the message that is handled, or was last
	end     int       // messages from here on are left for the next page
	halt    error     // asked for by the message at end
	saved   int       // the position of the savepoint, -1 when there is none
	savedAt time.Time // or when the transaction has begun
	saves   int
}

// handleTxPage commits the effects of the handlers of the page's first messages, as
// many as limit says, together with their settlement, or none of it. Handlers without
// a transaction run once, in their place between the others. A consumer that stops, or
// is halted, leaves the rest of the page for the next.
func (s *session) handleTxPage(page []Message, limit int) error {
	p := &txPage{session: s, page: page, end: limit, results: make([]result, len(page)), final: make([]bool, len(page))}
	err := p.run()
	return withHalt(p.halt, err)
}

func (p *txPage) run() error {
	for {
		err := p.try()
		switch {
		case errors.Is(err, errAgain):
			p.chunk = max(leastChunk, len(p.page)/mostChunks, 1)
		case isConflict(err) && p.conflicts < mostConflict:
			p.conflicts++
		case isConstraint(err) && !p.immediate:
			p.immediate = true
		case errors.Is(err, errTakenOver):
			p.overtaken(p.page[0].BatchID, err)
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
	p.saved, p.savedAt, p.saves = -1, time.Now(), 0
	if err := p.runAll(tx); err != nil {
		return err
	}
	if p.end == 0 {
		return errStopped
	}
	// No longer cancelled with the handlers: all of it is recorded, or none.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.working), settleDeadline)
	defer cancel()
	clear(p.results[p.end:])
	books := p.book(p.page, p.results)
	if err := p.recordIn(ctx, tx, books); err != nil {
		return fmt.Errorf("settle batch %d: %w", books.batchID, err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit batch %d: %w", books.batchID, err)
	}
	p.settled(books)
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
	for from := 0; from < p.end && err == nil; {
		from, err = p.runChunk(tx, from)
	}
	return err
}

// runChunk returns where the next chunk begins.
func (p *txPage) runChunk(tx pgx.Tx, from int) (next int, err error) {
	if p.chunk == 0 {
		failed, err := p.runRange(tx, from, p.end)
		return p.end, repeatIf(failed >= 0, err)
	}
	if err := p.save(tx, from, sqlSavepoint); err != nil {
		return from, err
	}
	to := min(from+p.chunk, p.end)
	failed, err := p.runRange(tx, from, to)
	switch {
	case err != nil || p.saved < 0: // undone already
		return to, err
	case failed < 0:
		return to, p.unsave(tx, sqlRelease)
	}
	if err := p.unsave(tx, sqlUndo); err != nil {
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

// save sets the savepoint before the message at position i.
func (p *txPage) save(tx pgx.Tx, i int, sql string) error {
	p.saved, p.savedAt = i, time.Now()
	p.saves++
	return p.exec(tx, sql)
}

// unsave releases the savepoint, or goes back to it, also when handlers have to end.
func (p *txPage) unsave(tx pgx.Tx, sql string) error {
	p.saved = -1
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.working), statementTimeout)
	defer cancel()
	_, err := tx.Exec(ctx, sql)
	return err
}

// saveNowAndThen bounds, on the first try, what an interrupted handler takes along.
func (p *txPage) saveNowAndThen(tx pgx.Tx, i int) error {
	switch {
	case p.chunk > 0 || i == 0 || p.saves == mostChunks || time.Since(p.savedAt) < saveEvery:
		return nil
	case p.saved < 0:
		return p.save(tx, i, sqlSavepoint)
	}
	return p.save(tx, i, sqlRenew)
}

func (p *txPage) exec(tx pgx.Tx, sql string) error {
	ctx, cancel := context.WithTimeout(p.working, statementTimeout)
	defer cancel()
	_, err := tx.Exec(ctx, sql)
	return err
}

// runRange runs messages from up to, not including, to. It returns the position of
// the first whose effects have to be undone, or -1. Handlers run on a goroutine of
// their own, since they may end it.
func (p *txPage) runRange(tx pgx.Tx, from, to int) (failed int, err error) {
	for !apart(func() { failed, err = p.runInside(tx, from, to) }) {
		if undo, err := p.conclude(tx, p.at, p.judge(p.page[p.at], errGoexit)); undo || err != nil {
			return p.at, err
		}
		from = p.at + 1
	}
	return failed, err
}

func (p *txPage) runInside(tx pgx.Tx, from, to int) (failed int, err error) {
	for i, next := from, from; i < min(to, p.end); i = next {
		if next = i + 1; p.final[i] {
			continue
		}
		if p.stopping(p.engine.parts() && !p.results[i].begun()) {
			p.end = i
			return -1, nil
		}
		if err := p.saveNowAndThen(tx, i); err != nil {
			return i, err
		}
		if n := p.callFrom(i, min(to, p.end)); n > 1 {
			if next, err = i+n, p.runBatch(tx, i, i+n); err != nil {
				return i, err
			}
			continue
		}
		if undo, err := p.runOne(tx, i); undo || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// callFrom is how many of the messages from, and not including to, come as one call.
func (p *txPage) callFrom(from, to int) int {
	routes := p.routes()
	b := routes.batchOf(&p.page[from])
	if b == nil {
		return 1
	}
	n := 1
	for from+n < to && n != b.limit && !p.final[from+n] && routes.batchOf(&p.page[from+n]) == b {
		n++
	}
	return n
}

// runBatch makes one call of a batch handler, which has no part in the transaction:
// what it did stands.
func (p *txPage) runBatch(tx pgx.Tx, from, to int) error {
	for i, r := range p.handleBatch(p.working, p.page[from:to]) {
		switch {
		case isHalt(r.err()):
			p.halt = r.err()
			return p.endAt(tx, from+i, false)
		case !r.begun():
			return p.endAt(tx, from+i, false)
		}
		p.results[from+i], p.final[from+i] = r, true
	}
	if tx.Conn().IsClosed() {
		return errAgain
	}
	return nil
}

// runOne runs one message and reports whether its effects have to be undone.
func (p *txPage) runOne(tx pgx.Tx, i int) (undo bool, err error) {
	p.at = i
	w := p.newWorker()
	defer w.rest()
	return p.conclude(tx, i, w.handle(contextWithTx(p.working, ownedTx{tx}), &p.page[i]))
}

// conclude says what follows from the result of message i.
func (p *txPage) conclude(tx pgx.Tx, i int, r result) (undo bool, err error) {
	msg := p.page[i]
	reg, _ := p.registrationOf(msg.Type)
	if isHalt(r.err()) {
		p.halt = r.err()
		return false, p.endAt(tx, i, reg.inTx)
	}
	if reg.inTx {
		r = p.inspect(tx, msg, r)
	}
	switch {
	case !r.begun() && p.working.Err() != nil:
		return false, p.endAt(tx, i, reg.inTx)
	case !r.begun():
		return false, fmt.Errorf("message %d: %w", msg.MsgID, errConnectionAt)
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
		if r.failed() {
			return r
		}
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

// endAt leaves the message at position i and those behind it for the next page. What i
// has done to the transaction is undone: back to the savepoint, or by running those
// before it again while handlers may run.
func (p *txPage) endAt(tx pgx.Tx, i int, inTx bool) error {
	switch stopped := p.working.Err() != nil; {
	case i == 0 || !p.engine.parts():
		return errStopped
	case !inTx:
		p.end = i
		return nil
	case p.saved >= 0 && (p.saved == i || stopped) && !tx.Conn().IsClosed() && !tx.Conn().PgConn().IsBusy():
		p.end = p.saved
		return p.unsave(tx, sqlUndo)
	case stopped:
		return errStopped
	}
	p.end = i
	return errAgain
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
