package pgque

import (
	"errors"
	"fmt"
	"time"
)

// Option changes a consumer while it is made. A value that makes no sense is an
// error of Start, which names the option.
type Option func(*Consumer)

// WithMaxMessages sets how many messages one page holds at most. A consumer that is behind
// reads the next page while its handlers run, so up to three pages are in memory, and the
// messages of two of them may come again after a crash of the process. Where n is 100 or more
// it reads and settles several pages as one while its handlers are done with them within some
// milliseconds, up to 16 pages and 5,000 messages. Defaults to 100.
func WithMaxMessages(n int) Option {
	return func(c *Consumer) {
		c.maxMessages = n
		c.require(n >= 1, "WithMaxMessages(%d): must be at least 1", n)
	}
}

// WithPollInterval sets how long an idle consumer waits for a notification before
// it asks anyway. Where notifications do not arrive it asks more often by itself.
// Defaults to 30 seconds.
func WithPollInterval(d time.Duration) Option {
	return func(c *Consumer) {
		c.pollInterval = d
		c.require(d > 0, "WithPollInterval(%v): must be positive", d)
	}
}

// WithRetryAfter sets the delay, in seconds, before a message whose handler failed
// returns. It is short for WithRetryPolicy(RetryPolicy{Delay: secs}). Defaults to 60.
func WithRetryAfter(secs int) Option {
	return func(c *Consumer) {
		c.retry = RetryPolicy{Delay: time.Duration(secs) * time.Second}
		c.require(secs >= 0, "WithRetryAfter(%d): must not be negative", secs)
	}
}

// WithRetryPolicy sets what happens to a message whose handler failed and did not
// say itself. Retry does the same for one handler. Defaults to a constant delay of
// 60 seconds and as many retries as the queue allows.
func WithRetryPolicy(p RetryPolicy) Option {
	return func(c *Consumer) {
		c.retry = p
		err := p.validate()
		c.require(err == nil, "WithRetryPolicy: %v", err)
	}
}

// WithDeclaredTypes names event types that are known to be on the queue. Those
// without a handler count as done, and are named once in the log at start; types
// that are neither declared nor handled are put back. Defaults to none.
func WithDeclaredTypes(types ...string) Option {
	return func(c *Consumer) { c.declared = append(c.declared, types...) }
}

// WithUnknownSkipped counts messages of types without a handler as done. Defaults
// to putting them back, so that a consumer which knows the type can be deployed.
func WithUnknownSkipped() Option {
	return func(c *Consumer) { c.skipUnknown = true }
}

// WithConcurrency runs up to n handlers of a page side by side, messages in no
// order but that of WithOrderKey. A page with HandleTx handlers runs one message
// after another, since they share one transaction. Defaults to 1.
func WithConcurrency(n int) Option {
	return func(c *Consumer) {
		c.concurrency = n
		c.require(n >= 1, "WithConcurrency(%d): must be at least 1", n)
	}
}

// WithOrderKey keeps messages of one key in order under WithConcurrency; "" means
// no order. A message that is put back comes after those behind it all the same.
// Defaults to no order.
func WithOrderKey(key func(Message) string) Option {
	return func(c *Consumer) { c.orderKey = key }
}

// WithHandlerTimeout cancels a handler's context after d. 0 means never. Defaults
// to 0.
func WithHandlerTimeout(d time.Duration) Option {
	return func(c *Consumer) {
		c.handlerTimeout = d
		c.require(d >= 0, "WithHandlerTimeout(%v): must not be negative", d)
	}
}

// WithHangWarning sets after which time a handler that still runs is named in the
// log, and again each time that the time has doubled. It may be named an eighth of that
// time later. Defaults to one minute.
func WithHangWarning(d time.Duration) Option {
	return func(c *Consumer) {
		c.hangWarning = d
		c.require(d > 0, "WithHangWarning(%v): must be positive", d)
	}
}

// WithDrainTimeout sets how long handlers may go on after Start's context was
// cancelled, before their own context is cancelled too. Defaults to 10 seconds.
func WithDrainTimeout(d time.Duration) Option {
	return func(c *Consumer) {
		c.drainTimeout = d
		c.require(d >= 0, "WithDrainTimeout(%v): must not be negative", d)
	}
}

// WithPageHook calls fn after each page that was settled, from the goroutine that
// runs the consumer; fn must be quick. Defaults to none.
func WithPageHook(fn func(SettledPage)) Option {
	return func(c *Consumer) { c.pageHook = fn }
}

// WithoutTicking leaves ticks and maintenance of the queue to others. Defaults to
// ticking while nobody else does.
func WithoutTicking() Option {
	return func(c *Consumer) { c.ticks = false }
}

// require notes a problem for Start unless ok.
func (c *Consumer) require(ok bool, format string, args ...any) {
	if !ok {
		c.problems = append(c.problems, fmt.Errorf(format, args...))
	}
}

func (c *Consumer) validate() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	problems := c.problems
	if c.queue == "" {
		problems = append(problems, errors.New("the queue name is empty"))
	}
	if c.name == "" {
		problems = append(problems, errors.New("the consumer name is empty"))
	}
	return errors.Join(problems...)
}
