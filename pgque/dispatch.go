package pgque

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// result is what became of one message of a page. The zero value is a message that
// was not begun.
type result struct {
	done    bool // handled, or skipped on purpose
	outcome *outcome
}

func (r result) begun() bool  { return r.done || r.outcome != nil }
func (r result) failed() bool { return r.outcome != nil }

// finished reports a result that can be recorded; that of a Halt cannot.
func (r result) finished() bool { return r.begun() && !isHalt(r.err()) }

// stopping tells that no further message may be begun: the handlers have to end or,
// when a part of the page can be settled, the consumer takes nothing more.
func (s *session) stopping(parts bool) bool {
	return s.working.Err() != nil || parts && s.taking.Err() != nil
}

// pageRun is a page on its way through the handlers.
type pageRun struct {
	page    []Message
	results []result
	lanes   [][]int
	halted  atomic.Bool
	_       [64]byte     // what is only read shares no cache line with what is written
	taken   atomic.Int64 // of the lanes
}

// handlePage runs the handlers of the messages of a page and returns the results in the
// order of the page. After a Halt, or when the consumer is to stop, no further message is
// begun; behind one that cannot be begun in this page, none of its lane.
func (s *session) handlePage(page []Message) []result {
	p := &pageRun{page: page, results: make([]result, len(page)), lanes: s.lanes(page)}
	n := min(s.concurrency, len(p.lanes))
	if n == 1 {
		s.handleBeside(p)
		return p.results
	}
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() { s.handleBeside(p) })
	}
	workers.Wait()
	return p.results
}

// handleBeside handles lane after lane, beside others who do. A handler that ends its
// goroutine has failed; what is behind it goes on in another one.
func (s *session) handleBeside(p *pageRun) {
	w := s.newWorker()
	defer w.rest()
	for !apart(func() { w.handleLanes(p) }) {
		ended := w.lane[0]
		p.results[ended] = w.judge(p.page[ended], errGoexit)
		w.lane = w.lane[1:]
		w.hang.end()
	}
}

func (w *worker) handleLanes(p *pageRun) {
	for len(w.lane) > 0 || w.takeLane(p) {
		if p.halted.Load() || w.stopping(w.engine.cuts()) {
			return
		}
		n := w.together(p.page, w.lane)
		if w.handleCall(p.page, p.results, w.lane[:n]) {
			p.halted.Store(true)
		}
		if !p.results[w.lane[0]].begun() {
			return
		}
		w.lane = w.lane[n:]
	}
}

// takeLane begins with the next lane that nobody has.
func (w *worker) takeLane(p *pageRun) bool {
	next := int(p.taken.Add(1)) - 1
	if next >= len(p.lanes) {
		return false
	}
	w.lane = p.lanes[next]
	return true
}

func (r result) err() error {
	if r.outcome == nil {
		return nil
	}
	return r.outcome
}

// lanes are the positions of messages that have to follow one another: all of them
// without concurrency, else those of one key, and those of one call of a batch handler.
func (s *session) lanes(page []Message) [][]int {
	all := upTo(len(page))
	if s.concurrency == 1 {
		return [][]int{all}
	}
	lanes := make([][]int, 0, len(page))
	laneOf := make(map[string]int)
	open := -1 // the lane of the message before, when that has no key
	routes := s.routes()
	for i, msg := range page {
		key, ordered := s.keyOf(msg)
		lane, known := laneOf[key]
		if !ordered {
			lane, known = open, open >= 0 && routes.joins(page, lanes[open], i)
		}
		if !known {
			lane = len(lanes)
			lanes = append(lanes, all[i:i:i+1]) // room for what most lanes have, one message
		}
		if open = lane; ordered {
			laneOf[key], open = lane, -1
		}
		lanes[lane] = append(lanes[lane], i)
	}
	return lanes
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// joins reports that the message at position i belongs to the call that the lane is.
func (r *routes) joins(page []Message, lane []int, i int) bool {
	b := r.batchOf(&page[lane[0]])
	return b != nil && len(lane) != b.limit && r.batchOf(&page[i]) == b
}

func (s *session) keyOf(msg Message) (key string, ordered bool) {
	switch {
	case s.concurrency == 1:
		return "", true
	case s.orderKey == nil:
		return "", false
	}
	key = s.orderKey(msg)
	return key, key != ""
}

// errGoexit is what became of a handler that did not return.
var errGoexit = errors.New("it ended its goroutine (runtime.Goexit, as t.Fatal and t.FailNow do); return an error instead")

// apart calls fn on a goroutine of its own and waits for it. It reports false when fn
// ended that goroutine, which no deferred function can prevent, and so did not return.
func apart(fn func()) (returned bool) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fn()
		returned = true
	}()
	<-ended
	return returned
}

// worker handles one message after another.
type worker struct {
	*session
	routes
	hang *hang
	lane []int // positions that are not handled yet
}

// newWorker makes one, to be used by one goroutine, until its rest.
func (s *session) newWorker() worker {
	return worker{session: s, routes: s.routes(), hang: s.takeHang()}
}

func (w *worker) rest() { w.putHang(w.hang) }

// handleCall makes the one call that the messages at the positions come as, and reports
// whether it asked for a Halt. A handler may end its goroutine when it has one message.
func (w *worker) handleCall(page []Message, results []result, positions []int) (halted bool) {
	first := positions[0]
	if len(positions) == 1 {
		results[first] = w.handle(w.working, &page[first])
		return isHalt(results[first].err())
	}
	for i, r := range w.handleBatch(w.working, pick(page, positions)) {
		results[positions[i]] = r
		halted = halted || isHalt(r.err())
	}
	return halted
}

// handle is that of a worker for one message, whose handler may end its goroutine.
func (s *session) handle(ctx context.Context, msg Message) (r result) {
	w := s.newWorker()
	defer w.rest()
	if !apart(func() { r = w.handle(ctx, &msg) }) {
		return s.judge(msg, errGoexit)
	}
	return r
}

// handle runs the handler of one message and judges what it returned. It keeps no
// reference to the message.
func (w *worker) handle(ctx context.Context, msg *Message) result {
	r, ok := w.to(msg.Type)
	switch {
	case !ok:
		return w.unhandled(*msg)
	case r.inTx && !inTransaction(ctx): // set since the page was begun; the next one is in a transaction
		return result{}
	}
	call := &messageContext{Context: ctx, msg: *msg}
	w.hang.begin(call)
	err := w.callInTime(call, r)
	w.hang.end()
	switch {
	case err == nil:
		return result{done: true}
	case w.interrupted(err):
		return result{}
	}
	return w.judge(*msg, err)
}

// callInTime calls the handler within the time that it has.
func (s *session) callInTime(call *messageContext, r registration) error {
	if s.handlerTimeout == 0 {
		return s.attempt(call, r, call.msg)
	}
	ctx, cancel := context.WithTimeout(call, s.handlerTimeout)
	defer cancel()
	return s.attempt(ctx, r, call.msg)
}

// interrupted reports an error that comes from the stop, which is no failure of the
// message.
func (s *session) interrupted(err error) bool {
	return err != nil && s.working.Err() != nil && errors.Is(err, context.Canceled)
}

// attempt calls the handler, again at once as often as the policy says.
func (s *session) attempt(ctx context.Context, r registration, msg Message) error {
	if r.inTx {
		return r.handle(ctx, msg)
	}
	if s.retry.Immediate == 0 {
		return r.handle(ctx, msg)
	}
	return s.retry.again(ctx, func() error { return r.handle(ctx, msg) })
}

// judge turns a handler's error into what becomes of the message.
func (s *session) judge(msg Message, err error) result {
	if err == nil {
		return result{done: true}
	}
	var asked *outcome
	if !errors.As(err, &asked) {
		asked = s.retry.verdictOn(msg, err)
	}
	if asked.verdict == verdictSkip {
		s.messageLog(msg).Info("pgque: message skipped", "reason", asked.err)
		return result{done: true}
	}
	return result{outcome: &outcome{verdict: asked.verdict, delay: asked.delay, err: described(err)}}
}

// described is the error as it is recorded with the message.
func described(err error) error {
	var panicked *panicError
	if errors.As(err, &panicked) {
		return err
	}
	return fmt.Errorf("handler error: %w", err)
}

// unhandled is the result for a message whose type has no handler.
func (s *session) unhandled(msg Message) result {
	if s.declared[msg.Type] {
		return result{done: true}
	}
	if s.skipUnknown {
		s.messageLog(msg).Debug("pgque: message of unknown type skipped")
		return result{done: true}
	}
	return result{outcome: s.retry.verdictOn(msg, fmt.Errorf("unknown event type: %s", msg.Type))}
}
