package pgque

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

// BatchHandlerFunc handles messages that follow one another in a page, at least one.
// nil is done, for all of them. Otherwise it returns one error for each, in their
// order, with the meaning that it has for HandlerFunc: nil, any error, or what
// Permanent, RetryAfter, Skip and Halt make. A slice of another length, an empty one
// included, a panic, and the end of its goroutine are a failure of all. The slice msgs
// is the handler's own.
type BatchHandlerFunc func(ctx context.Context, msgs []Message) []error

// HandlerOption changes one handler while it is set. A value that makes no sense is
// an error of Start, which names the option.
type HandlerOption func(*batchHandler) error

// WithBatchLimit sets how many messages one call of a batch handler gets at most.
// Defaults to as many as follow one another, up to the page (WithMaxMessages).
func WithBatchLimit(n int) HandlerOption {
	return func(b *batchHandler) error {
		b.limit = n
		if n < 1 {
			return fmt.Errorf("WithBatchLimit(%d): must be at least 1", n)
		}
		return nil
	}
}

// HandleBatch sets a handler that gets messages of one type together, for work that
// is cheaper so: those that follow one another in a page come as one call. The handler
// of "*" gets all types without a handler of their own together. Otherwise as Handle.
//
// Each message has an outcome of its own, and is settled by it. After a Halt that
// message and those behind it come again, whatever their outcomes are. The immediate
// retries of the policy call the handler with those that failed. WithHandlerTimeout,
// WithHangWarning and the drain time are for the call as a whole. Under WithConcurrency
// calls run side by side, and with WithOrderKey each has the messages of one key.
//
// Middleware goes around each message, as around other handlers: one after another they
// come through it, the call is made with what it let through, then one after another
// they go back. The call is made early, with those at hand, when the next one does not
// come through within a second, so that middleware may let few through at a time. ctx
// is that of the first message, and ends as soon as that of any other does.
func (c *Consumer) HandleBatch(eventType string, fn BatchHandlerFunc, opts ...HandlerOption) {
	b := &batchHandler{fn: fn, patience: gatherPatience}
	var problems []error
	for _, opt := range opts {
		problems = append(problems, opt(b))
	}
	c.register(eventType, registration{bare: b.join, batch: b}, fn == nil, problems...)
}

// batchHandler is what HandleBatch was given.
type batchHandler struct {
	fn       BatchHandlerFunc
	limit    int // 0 is no limit
	patience time.Duration
}

// gatherPatience is how long a call waits for the next of its messages to come
// through the middleware.
const gatherPatience = time.Second

// call returns one error for each message.
func (b *batchHandler) call(ctx context.Context, msgs []Message) []error {
	errs, failure := b.recovered(ctx, slices.Clone(msgs))
	switch {
	case failure != nil:
	case errs == nil:
		return make([]error, len(msgs))
	case len(errs) == len(msgs):
		return errs
	default:
		failure = fmt.Errorf("the batch handler returned %d outcomes for %d messages: nil for all, or one for each, is wanted",
			len(errs), len(msgs))
	}
	return slices.Repeat([]error{failure}, len(msgs))
}

func (b *batchHandler) recovered(ctx context.Context, msgs []Message) (errs []error, failure error) {
	returned := apart(func() {
		defer func() {
			if value := recover(); value != nil {
				failure = &panicError{value: value, stack: debug.Stack()}
			}
		}()
		errs = b.fn(ctx, msgs)
	})
	if !returned {
		failure = errGoexit
	}
	return errs, failure
}

// seat is the place of one message in a call to come.
type seat struct {
	taken   atomic.Bool   // by the message, or for good by its absence
	arrived chan struct{} // closed when the message has come through its middleware
	ctx     context.Context
	msg     Message // as the middleware passed it on

	answer chan error    // cap 1: the middleware may have gone without it
	left   chan struct{} // closed when the middleware has returned
	err    error         // what it returned
}

var errLeft = errors.New("the middleware returned before the handler was called")

// join is the innermost handler of one message: it waits for the call that the message
// is part of. Middleware that comes a second time, or has lost the context, gets a call
// for its message alone.
func (b *batchHandler) join(ctx context.Context, msg Message) error {
	s, ok := ctx.Value(seatKey).(*seat)
	if !ok || !s.taken.CompareAndSwap(false, true) {
		return b.call(ctx, []Message{msg})[0]
	}
	s.ctx, s.msg = ctx, msg
	close(s.arrived)
	return <-s.answer
}

// gather brings each message through its middleware and calls the handler with those
// that came. It returns what the middleware returned, for each.
func (r registration) gather(ctx context.Context, msgs []Message) []error {
	seats := make([]*seat, len(msgs))
	var waiting []*seat
	for i, msg := range msgs {
		seats[i] = r.enter(ctx, msg)
		if len(waiting) > 0 && !seats[i].comesWithin(r.batch.patience) {
			r.batch.serve(waiting)
			waiting = nil
		}
		if seats[i].comes() {
			waiting = append(waiting, seats[i])
		}
	}
	r.batch.serve(waiting)
	errs := make([]error, len(msgs))
	for i, s := range seats {
		errs[i] = s.err
	}
	return errs
}

// enter starts the middleware of one message.
func (r registration) enter(ctx context.Context, msg Message) *seat {
	s := &seat{arrived: make(chan struct{}), answer: make(chan error, 1), left: make(chan struct{}), err: errGoexit}
	ctx = context.WithValue(ContextWithMessage(ctx, msg), seatKey, s)
	go func() {
		defer close(s.left)
		s.err = r.handle(ctx, msg)
	}()
	return s
}

// comesWithin reports that the message came through its middleware, or never will.
func (s *seat) comesWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.arrived:
	case <-s.left:
	case <-timer.C:
		return false
	}
	return true
}

// comes waits for the message, and reports false when the middleware kept it.
func (s *seat) comes() bool {
	select {
	case <-s.arrived:
		return true
	case <-s.left:
	}
	if !s.taken.CompareAndSwap(false, true) {
		s.answer <- errLeft
	}
	return false
}

// serve calls the handler and lets the middleware of one message after another return.
func (b *batchHandler) serve(waiting []*seat) {
	if len(waiting) == 0 {
		return
	}
	msgs := make([]Message, len(waiting))
	ctx, cancel := context.WithCancelCause(waiting[0].ctx)
	defer cancel(nil)
	for i, s := range waiting {
		msgs[i] = s.msg
		defer context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })()
	}
	errs := b.call(ctx, msgs)
	for i, s := range waiting {
		s.answer <- errs[i]
		<-s.left
	}
}

// batchOf is nil for messages that go to no batch handler.
func (r *routes) batchOf(msg *Message) *batchHandler {
	found, _ := r.to(msg.Type)
	return found.batch
}

// together is how many of the messages at the positions, in their order, one call of
// a handler gets: one, unless it is a batch handler's.
func (r *routes) together(page []Message, positions []int) int {
	b := r.batchOf(&page[positions[0]])
	if b == nil {
		return 1
	}
	n := 1
	for n < len(positions) && n != b.limit && r.batchOf(&page[positions[n]]) == b {
		n++
	}
	return n
}

// handleBatch is that of a worker for one call.
func (s *session) handleBatch(ctx context.Context, msgs []Message) []result {
	w := s.newWorker()
	defer w.rest()
	return w.handleBatch(ctx, msgs)
}

// handleBatch runs a batch handler once and judges what it returned.
func (w *worker) handleBatch(ctx context.Context, msgs []Message) []result {
	results := make([]result, len(msgs))
	r, _ := w.to(msgs[0].Type)
	if r.batch == nil { // another handler was set a moment ago
		for i := range msgs {
			results[i] = w.session.handle(ctx, msgs[i])
		}
		return results
	}
	call := &messageContext{Context: ctx, msg: msgs[0]}
	w.hang.begin(call)
	errs := w.callBatchInTime(call, r, msgs)
	w.hang.end()
	for i, err := range errs {
		if !w.interrupted(err) {
			results[i] = w.judge(msgs[i], err)
		}
	}
	return results
}

// callBatchInTime is callInTime for a call with more than one message.
func (s *session) callBatchInTime(call *messageContext, r registration, msgs []Message) []error {
	if s.handlerTimeout == 0 {
		return s.attemptBatch(call, r, msgs)
	}
	ctx, cancel := context.WithTimeout(call, s.handlerTimeout)
	defer cancel()
	return s.attemptBatch(ctx, r, msgs)
}

// attemptBatch calls the handler, and again at once with those that failed as often as
// the policy says.
func (s *session) attemptBatch(ctx context.Context, r registration, msgs []Message) []error {
	errs := r.callBatch(ctx, msgs)
	for range s.retry.Immediate {
		var failed []int
		for i, err := range errs {
			var asked *outcome
			if err != nil && !errors.As(err, &asked) {
				failed = append(failed, i)
			}
		}
		if len(failed) == 0 || ctx.Err() != nil {
			break
		}
		for i, err := range r.callBatch(ctx, pick(msgs, failed)) {
			errs[failed[i]] = err
		}
	}
	return errs
}

func (r registration) callBatch(ctx context.Context, msgs []Message) []error {
	if r.wrapped {
		return r.gather(ctx, msgs)
	}
	return r.batch.call(ctx, msgs)
}

func pick(msgs []Message, positions []int) []Message {
	picked := make([]Message, len(positions))
	for i, position := range positions {
		picked[i] = msgs[position]
	}
	return picked
}
