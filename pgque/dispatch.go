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

// handlePage runs the handlers of the first messages of a page, as many as limit
// says, and returns the results in the order of the page. After a Halt, or when the
// consumer is to stop, no further message is begun.
func (s *session) handlePage(page []Message, limit int) []result {
	results := make([]result, len(page))
	lanes := s.lanes(page[:limit])
	var halted atomic.Bool
	work := func(lane []int) {
		for len(lane) > 0 {
			if halted.Load() || s.stopping(s.engine.cuts()) {
				return
			}
			n := s.together(page, lane)
			if s.handleCall(page, results, lane[:n]) {
				halted.Store(true)
			}
			lane = lane[n:]
		}
	}
	sideBySide(lanes, s.concurrency, work)
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
	if s.concurrency == 1 {
		return [][]int{upTo(len(page))}
	}
	var lanes [][]int
	laneOf := make(map[string]int)
	open := -1 // the lane of the message before, when that has no key
	for i, msg := range page {
		key, ordered := s.keyOf(msg)
		lane, known := laneOf[key]
		if !ordered {
			lane, known = open, open >= 0 && s.joins(page, lanes[open], i)
		}
		if !known {
			lane = len(lanes)
			lanes = append(lanes, nil)
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
func (s *session) joins(page []Message, lane []int, i int) bool {
	b := s.batchOf(page[lane[0]])
	return b != nil && len(lane) != b.limit && s.batchOf(page[i]) == b
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

// sideBySide works through the lanes, n at a time, begun in their order.
func sideBySide(lanes [][]int, n int, work func(lane []int)) {
	if n == 1 || len(lanes) == 1 {
		for _, lane := range lanes {
			work(lane)
		}
		return
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, len(lanes)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(lanes); i = next.Add(1) - 1 {
				work(lanes[i])
			}
		})
	}
	workers.Wait()
}

// handleCall makes the one call that the messages at the positions come as, and reports
// whether it asked for a Halt.
func (s *session) handleCall(page []Message, results []result, positions []int) (halted bool) {
	first := positions[0]
	if len(positions) == 1 {
		results[first] = s.handle(s.working, page[first])
		return isHalt(results[first].err())
	}
	for i, r := range s.handleBatch(s.working, pick(page, positions)) {
		results[positions[i]] = r
		halted = halted || isHalt(r.err())
	}
	return halted
}

// handle runs the handler of one message and judges what it returned.
func (s *session) handle(ctx context.Context, msg Message) result {
	r, ok := s.registrationOf(msg.Type)
	if !ok {
		return s.unhandled(msg)
	}
	ctx, cancel := s.handlerContext(ctx, msg)
	defer cancel()
	defer s.watch(msg).end()
	err := s.attempt(ctx, r, msg)
	if s.interrupted(err) {
		return result{}
	}
	return s.judge(msg, err)
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

func (s *session) handlerContext(ctx context.Context, msg Message) (context.Context, context.CancelFunc) {
	ctx = ContextWithMessage(ctx, msg)
	if s.handlerTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.handlerTimeout)
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
