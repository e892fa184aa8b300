package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// patience is how long a test waits for what must happen; it is spent only by a
// test that fails.
const patience = 90 * time.Second

// bus is a fresh database with a queue "orders".
type bus struct {
	*pgque.Client
	t   testing.TB
	log *logBook

	foreign bool     // the engine has the documented functions only
	gates   []func() // open what handlers wait for
}

func newBus(t testing.TB) *bus {
	t.Helper()
	return busOver(t, pgquetest.New(t))
}

// newForeignBus has an engine with the documented SQL functions only.
func newForeignBus(t testing.TB) *bus {
	t.Helper()
	c := pgquetest.New(t)
	for _, function := range []string{
		"settle(bigint,bigint[],double precision[],text[],boolean[])",
		"fetch(text,text,integer)", "next_page(text,text,integer,bigint,boolean)", "turn_page(bigint,bigint,bigint,integer)",
		"pull(text,text,integer,bigint)", "tick_queue(text)", "maint_queue(text)",
		"shorten(bigint,bigint)", "release(bigint,bigint[])", "begin_message(bigint,bigint)",
		"resign_subconsumer(text,text,text)", "insert_target(text)",
	} {
		if _, err := c.Pool().Exec(t.Context(), "drop function pgque."+function); err != nil {
			t.Fatal(err)
		}
	}
	b := busOver(t, c)
	b.foreign = true
	return b
}

func busOver(t testing.TB, c *pgque.Client) *bus {
	t.Helper()
	log := &logBook{}
	b := &bus{Client: pgque.New(c.Pool(), pgque.WithLogger(log.logger())), t: t, log: log}
	t.Cleanup(b.Close)
	if err := b.CreateQueue(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	return b
}

// onBothEngines runs a story on our engine and on one without our additions.
func onBothEngines(t *testing.T, story func(t *testing.T, b *bus)) {
	t.Parallel()
	t.Run("ours", func(t *testing.T) { t.Parallel(); story(t, newBus(t)) })
	t.Run("foreign", func(t *testing.T) { t.Parallel(); story(t, newForeignBus(t)) })
}

func (b *bus) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bus) exec(sql string, args ...any) {
	b.t.Helper()
	_, err := b.Pool().Exec(b.t.Context(), sql, args...)
	b.must(err)
}

// number asks again when its connection was ended, which some stories do.
func (b *bus) number(sql string, args ...any) (n int64) {
	b.t.Helper()
	err := b.Pool().QueryRow(b.t.Context(), sql, args...).Scan(&n)
	for range 10 {
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || pgErr.Code != "57P01" {
			break
		}
		err = b.Pool().QueryRow(b.t.Context(), sql, args...).Scan(&n)
	}
	b.must(err)
	return n
}

func (b *bus) subscribe(consumer string) {
	b.t.Helper()
	b.must(b.Subscribe(b.t.Context(), "orders", consumer))
}

// send sends n events {"n":1} ... {"n":n} of one type.
func (b *bus) send(eventType string, n int) []int64 {
	b.t.Helper()
	events := make([]pgque.Event, n)
	for i := range events {
		events[i] = pgque.Event{Type: eventType, Payload: map[string]int{"n": i + 1}}
	}
	ids, err := b.SendBatch(b.t.Context(), "orders", events)
	b.must(err)
	return ids
}

func (b *bus) tick() { b.t.Helper(); pgquetest.Tick(b.t, b.Client, "orders") }

func (b *bus) receive(consumer string, limit int) []pgque.Message {
	b.t.Helper()
	page, err := b.Receive(b.t.Context(), "orders", consumer, limit)
	b.must(err)
	return page
}

// retryNow brings back what was put back and is due.
func (b *bus) retryNow() {
	b.t.Helper()
	b.exec("select pgque.maint_retry_events()")
	b.tick()
}

// gate is what handlers of a consumer that is started later wait for. It is opened before
// that consumer is stopped, too: a test that has failed must not wait for its handlers.
func (b *bus) gate() (opened <-chan struct{}, open func()) {
	gate := make(chan struct{})
	open = sync.OnceFunc(func() { close(gate) })
	b.gates = append(b.gates, open)
	b.t.Cleanup(open)
	return gate, open
}

// start runs a consumer until the test ends, or until stop is called, which returns
// Start's error.
func (b *bus) start(c *pgque.Consumer) (stop func() error) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Start(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return fmt.Errorf("the consumer did not stop within %v", patience)
		}
	})
	b.t.Cleanup(func() {
		for _, open := range b.gates {
			open()
		}
		_ = stop()
	})
	return stop
}

// until waits for a fact.
func until(t testing.TB, fact string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, fact)
		}
	}
}

// within waits for a channel to yield.
func within[T any](t testing.TB, what string, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("not within %v: %s", patience, what)
	}
	return v
}

// ledger counts deliveries by message id.
type ledger struct {
	mu    sync.Mutex
	count map[int64]int
	order []int64
}

func (l *ledger) note(msg pgque.Message) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil {
		l.count = make(map[int64]int)
	}
	l.count[msg.MsgID]++
	l.order = append(l.order, msg.MsgID)
	return l.count[msg.MsgID]
}

func (l *ledger) messages() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.count)
}

func (l *ledger) deliveries() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]int64(nil), l.order...)
}

// logBook keeps what was logged.
type logBook struct {
	mu    sync.Mutex
	lines []string
}

func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logBook) WithGroup(string) slog.Handler            { return b }
func (b *logBook) WithAttrs(attrs []slog.Attr) slog.Handler { return pen{logBook: b, attrs: attrs} }

func (b *logBook) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
	return nil
}

// pen writes into a book what always goes with it.
type pen struct {
	*logBook
	attrs []slog.Attr
}

func (p pen) WithAttrs(attrs []slog.Attr) slog.Handler {
	return pen{logBook: p.logBook, attrs: slices.Concat(p.attrs, attrs)}
}

func (p pen) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	r.AddAttrs(p.attrs...)
	return p.logBook.Handle(ctx, r)
}

func (b *logBook) logger() *slog.Logger { return slog.New(b) }

func (b *logBook) text() string { return strings.Join(b.all(), "\n") }

func (b *logBook) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.lines...)
}
