package pgque

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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

// handlePage runs the handlers of the first messages of a page, as many as limit
// says, and returns the results in the order of the page. After a Halt, or when the
// consumer is to stop, no further message is begun; behind one that cannot be begun in
// this page, none of its lane.
func (s *session) handlePage(page []Message, limit int) []result {
	results := make([]result, len(page))
	var halted atomic.Bool
	sideBySide(s.lanes(page[:limit]), s.concurrency, func(lanes iter.Seq[[]int]) {
		w := s.newWorker()
		defer w.rest()
		for lane := range lanes {
			for len(lane) > 0 {
				if halted.Load() || s.stopping(s.engine.cuts()) {
					return
				}
				n := w.together(page, lane)
				if w.handleCall(page, results, lane[:n]) {
					halted.Store(true)
				}
				if !results[lane[0]].begun() {
					return
				}
				lane = lane[n:]
			}
		}
	})
	return results
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

// sideBySide shares the lanes out to n workers, which begin them in their order.
func sideBySide(lanes [][]int, n int, work func(lanes iter.Seq[[]int])) {
	if n == 1 || len(lanes) == 1 {
		work(slices.Values(lanes))
		return
	}
	var next atomic.Int64
	rest := func(yield func(lane []int) bool) {
		for i := next.Add(1) - 1; int(i) < len(lanes) && yield(lanes[i]); i = next.Add(1) - 1 {
		}
	}
	var workers sync.WaitGroup
	for range min(n, len(lanes)) {
		workers.Go(func() { work(rest) })
	}
	workers.Wait()
}

// worker handles one message after another.
type worker struct {
	*session
	routes
	hang *hang
}

// newWorker makes one, to be used by one goroutine, until its rest.
func (s *session) newWorker() worker {
	return worker{session: s, routes: s.routes(), hang: s.takeHang()}
}

func (w *worker) rest() { w.putHang(w.hang) }

// handleCall makes the one call that the messages at the positions come as, and reports
// whether it asked for a Halt.
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

// handle is that of a worker for one message.
func (s *session) handle(ctx context.Context, msg Message) result {
	w := s.newWorker()
	defer w.rest()
	return w.handle(ctx, &msg)
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
