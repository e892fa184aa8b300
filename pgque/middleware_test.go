package pgque_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func TestTimeout_EndsTheHandlersContext(t *testing.T) {
	t.Parallel()
	h := pgque.Timeout(time.Millisecond)(func(ctx context.Context, _ pgque.Message) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err := h(t.Context(), pgque.Message{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestLogging_NamesTheMessageAndPassesItsErrorOn(t *testing.T) {
	t.Parallel()
	log := &logBook{}
	broken, skip := errors.New("broken"), pgque.Skip("too old")
	for _, want := range []error{nil, broken, skip} {
		h := pgque.Logging(log.logger())(func(context.Context, pgque.Message) error { return want })
		if err := h(t.Context(), pgque.Message{Type: "order.created", MsgID: 42}); err != want {
			t.Errorf("error %v, want %v", err, want)
		}
	}
	lines := log.all()
	if len(lines) != 3 || !strings.Contains(lines[0], "msg=42") || !strings.Contains(lines[1], "error=broken") ||
		!strings.Contains(lines[2], "message handled") {
		t.Errorf("logged %q", lines)
	}
}

func TestRateLimit_HandlersBeginOneByOne(t *testing.T) {
	t.Parallel()
	const interval, n = 10 * time.Millisecond, 5
	h := pgque.RateLimit(interval)(func(context.Context, pgque.Message) error { return nil })
	begun := time.Now()
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			if err := h(t.Context(), pgque.Message{}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if took := time.Since(begun); took < (n-1)*interval {
		t.Errorf("%d handlers began within %v", n, took)
	}
}

func TestRateLimit_CancelledWaitHandlesNothing(t *testing.T) {
	t.Parallel()
	calls := 0
	h := pgque.RateLimit(time.Hour)(func(context.Context, pgque.Message) error { calls++; return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_ = h(ctx, pgque.Message{})
	if err := h(ctx, pgque.Message{}); !errors.Is(err, context.DeadlineExceeded) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}
