package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// pageOf has n messages of type "a", numbered from 1.
func pageOf(n int) []pgque.Message {
	page := make([]pgque.Message, n)
	for i := range page {
		page[i] = pgque.Message{MsgID: int64(i + 1), BatchID: 1, Type: "a", Payload: fmt.Sprint(i + 1)}
	}
	return page
}

func offline(opts ...pgque.Option) *pgque.Consumer {
	return pgque.NewOffline().NewConsumer("orders", "billing", opts...)
}

func TestMessageFromContext_StaysWithAContextThatIsKept(t *testing.T) {
	t.Parallel()
	c := offline()
	var kept []context.Context
	c.Handle("a", func(ctx context.Context, _ pgque.Message) error {
		kept = append(kept, context.WithoutCancel(ctx))
		return nil
	})
	page := pageOf(20)
	if err := pgque.DrivePages(t.Context(), c).Handle(page); err != nil {
		t.Fatal(err)
	}
	clear(page)
	for i, want := range pageOf(20) {
		if got, ok := pgque.MessageFromContext(kept[i]); !ok || got != want {
			t.Errorf("%t, %+v, want %+v", ok, got, want)
		}
		if consumer, ok := pgque.ConsumerFromContext(kept[i]); !ok || consumer != c {
			t.Errorf("consumer %v", consumer)
		}
	}
}

func TestMessageFromContext_IsTheHandlersOwn(t *testing.T) {
	t.Parallel()
	ctx := pgque.ContextWithMessage(t.Context(), pgque.Message{MsgID: 1})
	msg, _ := pgque.MessageFromContext(ctx)
	msg.MsgID = 2
	if again, ok := pgque.MessageFromContext(ctx); !ok || again.MsgID != 1 {
		t.Errorf("message %d", again.MsgID)
	}
	if _, ok := pgque.MessageFromContext(t.Context()); ok {
		t.Error("a message in a context without one")
	}
}

func TestHandle_CountsFromTheNextMessageOfThePage(t *testing.T) {
	t.Parallel()
	c := offline()
	var by []string
	noting := func(name string) pgque.HandlerFunc {
		return func(context.Context, pgque.Message) error { by = append(by, name); return nil }
	}
	c.Handle(pgque.CatchAll, func(_ context.Context, msg pgque.Message) error {
		switch by = append(by, "first"); msg.MsgID {
		case 2:
			c.Handle(pgque.CatchAll, noting("second"))
		}
		return nil
	})
	middle := func(next pgque.HandlerFunc) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			if msg.MsgID == 4 {
				c.Handle("a", noting("third"))
			}
			return next(ctx, msg)
		}
	}
	c.Use(middle)
	if err := pgque.DrivePages(t.Context(), c).Handle(pageOf(6)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", "first", "second", "second", "third", "third"}; !slices.Equal(by, want) {
		t.Errorf("handled by %q, want %q", by, want)
	}
}

func TestHandle_MayBeCalledWhileManyAreHandled(t *testing.T) {
	t.Parallel()
	c := offline(pgque.WithConcurrency(4))
	var handled ledger
	note := func(_ context.Context, msg pgque.Message) error { handled.note(msg); return nil }
	c.Handle("a", note)
	page, done := pageOf(2000), make(chan error)
	go func() { done <- pgque.DrivePages(t.Context(), c).Handle(page) }()
	for {
		c.Handle("a", note)
		c.Handle("b", note)
		c.Use(func(next pgque.HandlerFunc) pgque.HandlerFunc {
			return func(ctx context.Context, msg pgque.Message) error { return next(ctx, msg) }
		})
		select {
		case err := <-done:
			if err != nil || handled.messages() != len(page) || len(handled.deliveries()) != len(page) {
				t.Errorf("%d messages in %d calls: %v", handled.messages(), len(handled.deliveries()), err)
			}
			return
		default:
		}
	}
}

func TestHandle_APanicOfHandlerOrMiddlewareIsTheMessagesFailure(t *testing.T) {
	t.Parallel()
	for _, wrapped := range []bool{false, true} {
		c := offline()
		var handled ledger
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			if handled.note(msg); msg.MsgID == 2 {
				panic(errors.New("oops in the handler"))
			}
			return nil
		})
		if wrapped {
			c.Use(func(next pgque.HandlerFunc) pgque.HandlerFunc {
				return func(ctx context.Context, msg pgque.Message) error {
					err := next(ctx, msg)
					if msg.MsgID == 3 {
						panic("oops in the middleware")
					}
					return err
				}
			})
		}
		want := "message 2: handler panic: oops in the handler"
		if wrapped {
			want += "\nmessage 3: handler panic: oops in the middleware"
		}
		if err := pgque.DrivePages(t.Context(), c).Handle(pageOf(4)); err == nil || err.Error() != want {
			t.Errorf("error %v, want %v", err, want)
		}
		if handled.messages() != 4 {
			t.Errorf("%d messages handled", handled.messages())
		}
	}
}

// The message at which a handler or middleware ends its goroutine is a failed one, beside
// others and alone.
func TestHandle_AHandlerThatEndsItsGoroutineHasFailed(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 3} {
		c := offline(pgque.WithConcurrency(concurrency), pgque.WithHandlerTimeout(time.Hour))
		var handled ledger
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			if handled.note(msg); msg.MsgID%3 == 1 {
				runtime.Goexit()
			}
			return nil
		})
		c.Use(func(next pgque.HandlerFunc) pgque.HandlerFunc {
			return func(ctx context.Context, msg pgque.Message) error {
				if err := next(ctx, msg); err != nil || msg.MsgID%3 != 2 {
					return err
				}
				runtime.Goexit()
				return nil
			}
		})
		var want []string
		for i := range 20 {
			if i%3 != 2 {
				want = append(want, fmt.Sprintf("message %d: handler error: it ended its goroutine "+
					"(runtime.Goexit, as t.Fatal and t.FailNow do); return an error instead", i+1))
			}
		}
		err := pgque.DrivePages(t.Context(), c).Handle(pageOf(20))
		if err == nil || err.Error() != strings.Join(want, "\n") {
			t.Errorf("%d at once: error %v", concurrency, err)
		}
		if handled.messages() != 20 || len(handled.deliveries()) != 20 {
			t.Errorf("%d at once: %d messages handled in %d calls", concurrency, handled.messages(), len(handled.deliveries()))
		}
	}
}

// journal is the text of a log.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) count(part string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), part)
}

func TestWithHangWarning_NamesTheMessageThatHangs(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 3} {
		log := &journal{}
		client := pgque.NewOffline(pgque.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
		c := client.NewConsumer("orders", "billing", pgque.WithHangWarning(time.Millisecond), pgque.WithConcurrency(concurrency))
		c.Handle("a", func(_ context.Context, msg pgque.Message) error {
			if msg.MsgID%50 == 0 {
				line := fmt.Sprintf(`"pgque: handler still runs" queue=orders consumer=billing batch=1 msg=%d type=a`, msg.MsgID)
				until(t, "it is named twice", func() bool { return log.count(line) >= 2 })
			}
			return nil
		})
		driver := pgque.DrivePages(t.Context(), c)
		for range 2 {
			if err := driver.Handle(pageOf(200)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
