package pgque

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// RetryPolicy says what becomes of a message whose handler failed. The zero value
// puts it back without delay, as often as the queue's max_retries allows.
type RetryPolicy struct {
	// Immediate is how often a handler is called again at once, in the process,
	// before the message is put back. It does not apply to HandleTx handlers.
	// Defaults to 0.
	Immediate int

	// Delay is the time before the first retry. The queue's maintenance, which
	// brings messages back, may add a moment.
	Delay time.Duration

	// Factor multiplies the delay from one retry to the next. Defaults to 1, a
	// constant delay.
	Factor float64

	// MaxDelay bounds the growing delay. Defaults to 24 hours.
	MaxDelay time.Duration

	// Jitter takes off up to this fraction of a delay at random, 0 to 1, so that
	// messages which failed together do not return together. Defaults to 0.
	Jitter float64

	// MaxAttempts sends a message to the dead letters when this many deliveries
	// have failed. 0 leaves that to the queue's max_retries.
	MaxAttempts int
}

const (
	defaultRetryDelay = 60 * time.Second
	defaultMaxDelay   = 24 * time.Hour
)

func (p RetryPolicy) validate() error {
	switch {
	case p.Immediate < 0:
		return fmt.Errorf("field Immediate is %d, must not be negative", p.Immediate)
	case p.Delay < 0 || p.MaxDelay < 0:
		return errors.New("a delay must not be negative")
	case p.Factor != 0 && !(p.Factor >= 1 && !math.IsInf(p.Factor, 1)):
		return fmt.Errorf("field Factor is %v, must be 0 or at least 1", p.Factor)
	case !(p.Jitter >= 0 && p.Jitter <= 1):
		return fmt.Errorf("field Jitter is %v, must be between 0 and 1", p.Jitter)
	case p.MaxAttempts < 0:
		return fmt.Errorf("field MaxAttempts is %d, must not be negative", p.MaxAttempts)
	}
	return nil
}

// delay is the time before the next delivery, after attempt deliveries failed.
func (p RetryPolicy) delay(attempt int) time.Duration {
	limit := p.MaxDelay
	if limit == 0 {
		limit = defaultMaxDelay
	}
	limit = max(limit, p.Delay)
	d := float64(p.Delay)
	if p.Factor > 1 {
		d *= math.Pow(p.Factor, float64(attempt-1))
	}
	d = min(d, float64(limit)) // also when the power overflowed
	return time.Duration(d * (1 - p.Jitter*rand.Float64()))
}

// verdictOn is the outcome that the policy gives a failure.
func (p RetryPolicy) verdictOn(msg Message, err error) *outcome {
	if p.MaxAttempts > 0 && msg.Attempt() >= p.MaxAttempts {
		return &outcome{verdict: verdictDead, err: err}
	}
	return &outcome{verdict: verdictRetry, delay: p.delay(msg.Attempt()), err: err}
}

// again calls handle until it succeeds, asks for an outcome, or the immediate
// retries are used up.
func (p RetryPolicy) again(ctx context.Context, handle func() error) error {
	err := handle()
	for range p.Immediate {
		var asked *outcome
		if err == nil || errors.As(err, &asked) || ctx.Err() != nil {
			break
		}
		err = handle()
	}
	return err
}

// Retry is middleware that gives one handler a retry policy of its own:
//
//	c.Handle("mail.send", pgque.Retry(policy)(sendMail))
//
// It panics when the policy makes no sense.
func Retry(p RetryPolicy) Middleware {
	if err := p.validate(); err != nil {
		panic("pgque: Retry: " + err.Error())
	}
	return func(next HandlerFunc) HandlerFunc {
		return func(ctx context.Context, msg Message) error {
			return p.decide(msg, p.attempts(ctx, func() error { return next(ctx, msg) }))
		}
	}
}

// attempts handles once where a transaction is at stake: after an error it takes
// no further statement.
func (p RetryPolicy) attempts(ctx context.Context, handle func() error) error {
	if _, inTx := txFromContext(ctx); inTx {
		return handle()
	}
	return p.again(ctx, handle)
}

// decide leaves success and what the handler asked for as they are.
func (p RetryPolicy) decide(msg Message, err error) error {
	var asked *outcome
	if err == nil || errors.As(err, &asked) {
		return err
	}
	return p.verdictOn(msg, err)
}
