package pgque

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// HandlerFunc handles one message. nil is done; an error puts the message back
// after a delay, or does what Permanent, RetryAfter, Skip or Halt ask for. A panic
// is an error, and so is a handler that ends its goroutine, as t.Fatal does in a test;
// that one is not called again at once (RetryPolicy.Immediate), and middleware around it
// runs its deferred functions only.
type HandlerFunc func(ctx context.Context, msg Message) error

// TxHandlerFunc handles one message inside the transaction that also moves the
// consumer's cursor: its writes through tx and the move commit together or not at
// all. The consumer ends tx; Commit and Rollback of tx are refused. It may be
// called more than once for one message when others of its page fail, each time
// with the effects of the former call undone.
type TxHandlerFunc func(ctx context.Context, tx pgx.Tx, msg Message) error

// Middleware wraps handlers, those of HandleTx included. As a plain function it
// also wraps a single handler: c.Handle("x", middleware(handler)).
type Middleware func(next HandlerFunc) HandlerFunc

// Permanent asks for the dead letters at once, with err as the reason: trying
// again would not help. On an engine that cannot do that the message takes the way
// of an ordinary failure.
func Permanent(err error) error {
	return &outcome{verdict: verdictDead, err: orUnknown(err)}
}

// RetryAfter asks for another delivery after delay, whatever the retry policy
// says. A negative delay is 0.
func RetryAfter(delay time.Duration, err error) error {
	return &outcome{verdict: verdictRetry, delay: max(delay, 0), err: orUnknown(err)}
}

// Skip asks to count the message as done; the reason is logged.
func Skip(reason string) error {
	return &outcome{verdict: verdictSkip, err: errors.New(reason)}
}

// Skipped reports an error of Skip: the message is done. It is for middleware, to which
// every other error is a failure.
func Skipped(err error) bool {
	var asked *outcome
	return errors.As(err, &asked) && asked.verdict == verdictSkip
}

// Halt asks to stop the consumer: Start returns err. What was done before is recorded;
// this message and those that were not begun come again, with no attempt counted, to
// whoever starts next.
func Halt(err error) error {
	return &outcome{verdict: verdictHalt, err: orUnknown(err)}
}

type verdict int

const (
	verdictDone verdict = iota
	verdictRetry
	verdictDead
	verdictSkip
	verdictHalt
)

// outcome is an error that says what shall become of the message.
type outcome struct {
	verdict verdict
	delay   time.Duration
	err     error
}

func (o *outcome) Error() string { return o.err.Error() }
func (o *outcome) Unwrap() error { return o.err }

func orUnknown(err error) error {
	if err == nil {
		return errors.New("no reason given")
	}
	return err
}

type contextKey int

const (
	messageKey contextKey = iota
	txKey
	consumerKey
	seatKey
)

// MessageFromContext returns the message that the handler called with ctx, or with
// a context made from it, is handling.
func MessageFromContext(ctx context.Context) (Message, bool) {
	msg, ok := ctx.Value(messageKey).(*Message)
	if !ok {
		return Message{}, false
	}
	return *msg, true
}

// ConsumerFromContext returns the consumer that runs the handler called with ctx, or
// with a context made from it; middleware learns from it whose message it has.
func ConsumerFromContext(ctx context.Context) (*Consumer, bool) {
	c, ok := ctx.Value(consumerKey).(*Consumer)
	return c, ok
}

// ContextWithMessage is ctx as a handler of msg sees it; for tests of handlers.
func ContextWithMessage(ctx context.Context, msg Message) context.Context {
	return &messageContext{Context: ctx, msg: msg}
}

// messageContext is context.WithValue in one piece of memory. The message is a copy, so
// that a context that is kept keeps no page.
type messageContext struct {
	context.Context
	msg Message
}

func (c *messageContext) Value(key any) any {
	if key == messageKey {
		return &c.msg
	}
	return c.Context.Value(key)
}
