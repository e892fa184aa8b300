package pgque

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// chain puts middleware around a handler; the first is outermost.
func chain(handler HandlerFunc, middleware []Middleware) HandlerFunc {
	for i := len(middleware) - 1; i >= 0; i-- {
		handler = middleware[i](handler)
	}
	return handler
}

// Timeout is middleware that cancels the handler's context after d. A handler that
// does not watch its context is not interrupted.
func Timeout(d time.Duration) Middleware {
	return func(next HandlerFunc) HandlerFunc {
		return func(ctx context.Context, msg Message) error {
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			return next(ctx, msg)
		}
	}
}

// Logging is middleware that logs every handled message: at debug level when it is
// done or skipped, at warn level with the error when it is not.
func Logging(log *slog.Logger) Middleware {
	return func(next HandlerFunc) HandlerFunc {
		return func(ctx context.Context, msg Message) error {
			start := time.Now()
			err := next(ctx, msg)
			attrs := []any{"type", msg.Type, "msg", msg.MsgID, "batch", msg.BatchID,
				"attempt", msg.Attempt(), "took", time.Since(start)}
			if err != nil && !Skipped(err) {
				log.WarnContext(ctx, "pgque: message not handled", append(attrs, "error", err)...)
				return err
			}
			log.DebugContext(ctx, "pgque: message handled", attrs...)
			return err
		}
	}
}

// RateLimit is middleware that begins no more than one handler per interval, over
// all consumers that it is given to. Waiting counts towards handler timeouts.
func RateLimit(interval time.Duration) Middleware {
	var mu sync.Mutex
	var free time.Time // when the next handler may begin
	reserve := func() (wait time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		wait = free.Sub(now)
		free = free.Add(interval)
		return wait
	}
	return func(next HandlerFunc) HandlerFunc {
		return func(ctx context.Context, msg Message) error {
			if wait := reserve(); wait > 0 {
				pause(ctx, wait)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return next(ctx, msg)
		}
	}
}

// recovering makes a panic an error.
func recovering(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, msg Message) (err error) {
		defer func() {
			if value := recover(); value != nil {
				err = &panicError{value: value, stack: debug.Stack()}
			}
		}()
		return next(ctx, msg)
	}
}

// panicError is what became of a handler's panic.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("handler panic: %v", e.value) }

// Unwrap gives the error that was panicked with, if it was one.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// inTx makes a handler of a TxHandlerFunc, for contexts that carry a transaction.
func inTx(fn TxHandlerFunc) HandlerFunc {
	return func(ctx context.Context, msg Message) error {
		tx, _ := txFromContext(ctx)
		return fn(ctx, tx, msg)
	}
}

func contextWithTx(ctx context.Context, tx pgx.Tx) context.Context {
	return context.WithValue(ctx, txKey, tx)
}

func txFromContext(ctx context.Context) (pgx.Tx, bool) {
	tx, ok := ctx.Value(txKey).(pgx.Tx)
	return tx, ok
}

func inTransaction(ctx context.Context) bool {
	_, ok := txFromContext(ctx)
	return ok
}
