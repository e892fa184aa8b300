package pgque

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// CatchAll is the event type of the handler for every type without one of its own.
const CatchAll = "*"

// Consumer receives the messages of one queue under one name and gives each to the
// handler of its type. Messages come at least once; those of HandleTx handlers have
// their effects exactly once.
//
// A message without a handler is put back like one whose handler failed, unless
// WithDeclaredTypes or WithUnknownSkipped say otherwise. A message whose type is
// NULL or empty has no handler but the catch-all.
type Consumer struct {
	client *Client
	queue  string
	name   string
	log    *slog.Logger

	maxMessages    int
	pollInterval   time.Duration
	retry          RetryPolicy
	declared       []string
	skipUnknown    bool
	concurrency    int
	orderKey       func(Message) string
	handlerTimeout time.Duration
	hangWarning    time.Duration
	drainTimeout   time.Duration
	ticks          bool
	pageHook       func(SettledPage)
	member         string // of a group; "" is none
	takeover       time.Duration
	partitions     int // slots; 0 is none
	slotsAtOnce    int // that are worked on side by side
	quarantine     int // deaths of the process at one message; 0 is no limit
	problems       []error

	mu         sync.RWMutex
	middleware []Middleware
	handlers   atomic.Pointer[handlers] // with mu held another takes its place
	abort      context.CancelFunc       // nil unless Start runs
	seat       *subscription            // for the turn to be the member; of Start alone
}

// NewConsumer makes a consumer called name on queue; it does nothing before Start.
// The client's middleware (Use) goes around its own.
func (c *Client) NewConsumer(queue, name string, opts ...Option) *Consumer {
	consumer := &Consumer{
		client:       c,
		queue:        queue,
		name:         name,
		log:          c.log.With("queue", queue, "consumer", name),
		maxMessages:  100,
		pollInterval: 30 * time.Second,
		retry:        RetryPolicy{Delay: defaultRetryDelay},
		concurrency:  1,
		hangWarning:  time.Minute,
		drainTimeout: 10 * time.Second,
		ticks:        true,
		takeover:     defaultTakeover,
		quarantine:   defaultQuarantine,
		middleware:   slices.Clone(c.middleware),
	}
	consumer.handlers.Store(&handlers{})
	for _, opt := range opts {
		opt(consumer)
	}
	consumer.partition()
	return consumer
}

// Queue is the name of the queue that the consumer reads.
func (c *Consumer) Queue() string { return c.queue }

// Name is the name under which the consumer reads it.
func (c *Consumer) Name() string { return c.name }

// Subscribe registers the consumer at the end of its queue, as Start does: it sees what
// is sent from now on. One that is subscribed keeps its place and is no error. For a
// consumer WithPartitions it has to be this one: Client.Subscribe knows no slots.
func (c *Consumer) Subscribe(ctx context.Context) error {
	if err := c.validate(); err != nil {
		return wrap(err, "consumer %q on %q", c.name, c.queue)
	}
	if c.partitions > 0 {
		return c.subscribePartitioned(ctx)
	}
	return c.client.Subscribe(ctx, c.queue, c.name)
}

// Handle sets the handler of one event type, or of all types without one when
// eventType is "*". "" is "default", the type of events that are sent without one. The
// last one set counts. It may be called while Start runs and then counts from the next
// message on.
//
//go:noinline
func (c *Consumer) Handle(eventType string, fn HandlerFunc) {
	c.register(eventType, registration{bare: fn}, fn == nil)
}

// HandleTx sets a handler whose writes and whose message are settled in one
// transaction: its effects happen exactly once. Otherwise as Handle.
//
// All HandleTx messages of a page share one transaction; one that fails is undone
// and settled by itself and does not cost the others. Further events sent through
// Client.WithTx(tx) appear with the rest.
//
//go:noinline
func (c *Consumer) HandleTx(eventType string, fn TxHandlerFunc) {
	c.register(eventType, registration{bare: inTx(fn), inTx: true}, fn == nil)
}

func (c *Consumer) register(eventType string, r registration, missing bool, problems ...error) {
	eventType = cmp.Or(eventType, DefaultType)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.require(!missing, "the handler of %q is nil", eventType)
	for _, problem := range problems {
		c.require(problem == nil, "the handler of %q: %w", eventType, problem)
	}
	c.rewrite(func(h handlers) { h[eventType] = c.wrapped(r) })
}

// Use adds middleware around all handlers of this consumer, those set before
// included; what is added first is outermost. It may be called while Start runs.
func (c *Consumer) Use(middleware ...Middleware) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.middleware = append(c.middleware, middleware...)
	c.rewrite(func(h handlers) {
		for eventType, r := range h {
			h[eventType] = c.wrapped(r)
		}
	})
}

// wrapped recovers inside, so that middleware sees a panic as an error, and
// outside, for the middleware itself.
func (c *Consumer) wrapped(r registration) registration {
	r.handle = recovering(chain(recovering(r.bare), c.middleware))
	r.wrapped = len(c.middleware) > 0
	return r
}

// Start subscribes the consumer if it is not yet, then receives and handles until
// ctx is cancelled, and returns ctx.Err(); ErrClosed when the client was closed; the
// handler's error after Halt. A wrong option, an unknown queue, a missing engine or
// a missing right is returned at once. When the server is away it waits, with
// growing pauses, and goes on.
//
// Cancelling ctx begins no further message. Handlers that run may finish within the
// drain time (WithDrainTimeout), what is done is recorded, then Start returns. What
// was not begun, or was interrupted, comes again at once to whoever starts next, and
// counts no attempt. Abort ends the drain time early. A handler that ignores its
// context holds Start until it returns; it is named in the log.
//
// HandleTx messages of the page at hand are committed as far as they are done, but
// for those of the last half second before a handler that had to be interrupted. When
// it was interrupted inside a statement its connection is lost, and all are undone.
//
// When several processes run the same consumer one of them works and the others stand
// by, say so in the log, and take over when that one ends: a rolling deployment needs
// no care. To share the work use WithSubconsumer or WithPartitions. This needs the
// listening connection; where a pooler stands in between, all of them receive the same
// pages, and one of them can settle each.
//
// Start may be called again after it has returned.
func (c *Consumer) Start(ctx context.Context) error {
	if err := c.validate(); err != nil {
		return wrap(err, "consumer %q on %q", c.name, c.queue)
	}
	taking, leave, err := c.client.enter(ctx)
	if err != nil {
		return wrap(err, "consumer %q on %q", c.name, c.queue)
	}
	defer leave()
	taking, stop := context.WithCancelCause(taking)
	working, release := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), consumerKey, c))
	abort := func() { stop(ErrAborted); release() }
	defer abort()
	if err := c.begin(abort); err != nil {
		return err
	}
	defer c.end()
	defer context.AfterFunc(taking, func() { pause(working, c.drainTimeout); release() })()
	return c.run(taking, working)
}

// Abort is the harder stop: it ends Start without drain time, and the drain time
// that has begun. The contexts of running handlers are cancelled; what they did not
// finish is delivered again. Start returns ErrAborted unless its context was
// cancelled before. It does nothing when Start does not run.
func (c *Consumer) Abort() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.abort != nil {
		c.abort()
	}
}

func (c *Consumer) begin(abort context.CancelFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.abort != nil {
		return fmt.Errorf("pgque: consumer %q on %q: %w", c.name, c.queue, ErrRunning)
	}
	c.abort = abort
	return nil
}

func (c *Consumer) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort = nil
}

// logSkippedTypes names, once, declared types that nobody handles here.
func (c *Consumer) logSkippedTypes() {
	var skipped []string
	for eventType := range maps.Keys(c.declaredSet()) {
		if _, ok := c.registrationOf(eventType); !ok {
			skipped = append(skipped, eventType)
		}
	}
	if len(skipped) > 0 {
		slices.Sort(skipped)
		c.log.Info("pgque: these declared types have no handler and are skipped", "types", skipped)
	}
}

func (c *Consumer) declaredSet() map[string]bool {
	set := make(map[string]bool, len(c.declared))
	for _, eventType := range c.declared {
		set[eventType] = true
	}
	return set
}
