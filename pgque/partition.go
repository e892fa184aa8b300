package pgque

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	mostPartitions = 256
	tendMost       = 2 * time.Second // between two looks at the leases
	tends          = 8               // looks, at least, within the time of a lease
)

// WithPartitions spreads the messages over n slots by their key, which is Extra1, and
// hands each slot to one process at a time: the messages of one key come in order, one
// after another, in whatever process they are handled. Processes that run the consumer
// with the same n share the slots evenly, and hand some over when others come. Messages
// without a key are in the first slot. n is fixed with the first Start of the consumer's
// life, 1 to 256; every slot reads the whole queue, so it should not be much larger than
// the number of handlers that are to run at once, in all processes.
//
// WithConcurrency sets how many slots this process works on side by side. A message that
// is put back comes after those of its key that are behind it; immediate retries
// (RetryPolicy.Immediate) keep the order.
//
// A slot is leased for the time of WithTakeover, and the lease renewed while the process
// lives. When it cannot be, handlers of the slot are told to stop by their context before
// the next holder begins. One that goes on all the same settles nothing any more, and the
// transaction of a HandleTx handler is not committed. Dead letters are those of
// NAME#SLOT. Needs this package's engine; not together with WithSubconsumer or
// WithOrderKey. Defaults to no partitions.
func WithPartitions(n int) Option {
	return func(c *Consumer) {
		c.partitions = n
		c.require(n >= 1 && n <= mostPartitions, "WithPartitions(%d): must be between 1 and %d", n, mostPartitions)
	}
}

// partition makes sense of options that mean something else with WithPartitions.
func (c *Consumer) partition() {
	if c.partitions == 0 {
		return
	}
	c.require(c.member == "", "WithPartitions: not together with WithSubconsumer")
	c.require(c.orderKey == nil, "WithPartitions: not together with WithOrderKey; the key is Extra1")
	c.slotsAtOnce, c.concurrency = c.concurrency, 1
	if hook := c.pageHook; hook != nil {
		var mu sync.Mutex
		c.pageHook = func(page SettledPage) {
			mu.Lock()
			defer mu.Unlock()
			hook(page)
		}
	}
}

// subscribePartitioned subscribes all slots, once in the consumer's life.
func (c *Consumer) subscribePartitioned(ctx context.Context) error {
	var leases bool
	err := c.client.pool.QueryRow(ctx, sqlHasLeases).Scan(&leases)
	if err == nil && !leases {
		err = fmt.Errorf("%w: the engine in this database has no leases for WithPartitions", ErrInvalidArgument)
	}
	if err == nil {
		_, err = queryInt(ctx, c.client.pool, sqlSubscribePartitioned, c.queue, c.name, c.partitions)
	}
	if err == nil {
		c.warnOfNamesake(ctx)
	}
	return wrap(err, "subscribe %q to %q in %d partitions", c.name, c.queue, c.partitions)
}

// warnOfNamesake tells of a consumer that somebody has subscribed by its name alone, which
// nobody will run.
func (c *Consumer) warnOfNamesake(ctx context.Context) {
	consumers, err := c.client.Consumers(ctx, c.queue)
	if err == nil && slices.ContainsFunc(consumers, func(i ConsumerInfo) bool { return i.Consumer == c.name }) {
		c.log.Warn("pgque: a consumer without partitions is subscribed by this name too, and holds all events while nobody runs it: Client.Unsubscribe removes it")
	}
}

// lease is a slot that this process holds.
type lease struct {
	slot     int
	n        int // of how many
	consumer string
	queue    string
	worker   string
	orphaned bool // the holder before was never heard of again

	wake   chan struct{}      // cap 1: there may be messages
	giveUp context.CancelFunc // begin no further message
	lose   context.CancelFunc // somebody else may hold it
	until  *time.Timer        // loses it, when it is not renewed
}

// leaseholder keeps the leases of one Start and works on their slots.
type leaseholder struct {
	*session // of the whole consumer: it ticks, waits, and handles nothing itself
	worker   string
	stop     context.CancelFunc
	turns    chan struct{} // as many as slots are worked on side by side
	workers  sync.WaitGroup
	tendDue  time.Time
	trouble  backoff // in tending, which has a pace of its own
	pollDue  time.Time

	mu       sync.Mutex
	held     map[int]*lease
	halt     error
	handled  bool      // since the last look
	retryDue time.Time // the earliest that is not known to the pulse; zero for none
}

// runSlots works on slots until the consumer stops.
func (s *session) runSlots() error {
	h := &leaseholder{session: s, worker: rand.Text(), turns: make(chan struct{}, s.slotsAtOnce), held: make(map[int]*lease),
		trouble: backoff{over: "pgque: the leases are tended to again"}}
	outer := s.taking
	s.taking, h.stop = context.WithCancel(s.taking)
	defer h.stop()
	s.nudge = make(chan struct{}, 1)
	for s.taking.Err() == nil {
		h.look()
		due := h.pollDue
		if h.tendDue.Before(due) {
			due = h.tendDue
		}
		if s.idleUntil(due) {
			h.pollDue = time.Time{}
		}
		s.pulse.maintain(s.taking, time.Now())
	}
	h.finish()
	if h.halt != nil {
		return wrap(h.halt, "consumer %q on %q halted", s.name, s.queue)
	}
	return stopReason(outer)
}

// look tends to the leases and wakes the slots, each when it is time.
func (h *leaseholder) look() {
	select {
	case <-h.sub.handover:
		h.tendDue = time.Time{}
	default:
	}
	if !time.Now().Before(h.tendDue) {
		h.tendDue = time.Now().Add(h.tendEvery())
		switch err := h.tend(); {
		case err == nil:
			h.trouble.reset()
		case h.taking.Err() == nil:
			h.trouble.warn(h.log, "pgque: cannot tend to the leases", "error", err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handled {
		h.handled = false
		h.deaf.reset()
	}
	if !h.retryDue.IsZero() {
		h.pulse.retryIn(time.Until(h.retryDue), time.Now())
		h.retryDue = time.Time{}
	}
	if !time.Now().Before(h.pollDue) {
		h.pollDue = time.Now().Add(h.pollAfter())
		for _, l := range h.held {
			signal(l.wake)
		}
	}
}

func (h *leaseholder) tendEvery() time.Duration { return min(h.takeover/tends, tendMost) }

// tended is a slot as tend_slots tells of it.
type tended struct {
	Slot     int
	Seconds  float64
	Orphaned bool
	Wanted   bool
}

// tend renews, takes and gives up leases. Their time counts from before the question, by
// a clock that nobody sets: so it has run out here before it has in the database. It is
// not cut short by a stop: the server might lease slots to a request that nobody waits for.
func (h *leaseholder) tend() error {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(h.working, statementTimeout)
	defer cancel()
	rows, err := h.client.pool.Query(ctx, sqlTendSlots, h.queue, h.name, h.partitions, h.worker, h.takeover.Seconds())
	if err != nil {
		return err
	}
	mine, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tended])
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	lost := make(map[int]*lease, len(h.held))
	for slot, l := range h.held {
		lost[slot] = l
	}
	for _, t := range mine {
		left := time.Until(asked.Add(time.Duration(t.Seconds * float64(time.Second))))
		l, ok := h.held[t.Slot]
		if delete(lost, t.Slot); !ok {
			l = h.begin(t, left)
		}
		l.until.Reset(left)
		if t.Wanted {
			l.giveUp()
		}
	}
	for _, l := range lost {
		l.lose()
	}
	return nil
}

// begin starts the work on a slot.
func (h *leaseholder) begin(t tended, left time.Duration) *lease {
	l := &lease{slot: t.Slot, n: h.partitions, consumer: h.name, queue: h.queue, worker: h.worker, orphaned: t.Orphaned,
		wake: make(chan struct{}, 1)}
	s := &session{Consumer: h.Consumer, engine: h.engine, sub: h.sub, declared: h.declared, lost: make(map[int64]int), lease: l}
	s.taking, l.giveUp = context.WithCancel(h.taking)
	s.working, l.lose = context.WithCancel(h.working)
	context.AfterFunc(s.working, l.giveUp)
	l.until = time.AfterFunc(left, l.lose)
	h.held[t.Slot] = l
	h.workers.Go(func() {
		defer h.forget(l)
		if err := h.work(s); isHalt(err) {
			h.halted(err)
		}
		s.resign()
	})
	return l
}

func (h *leaseholder) forget(l *lease) {
	l.until.Stop()
	l.lose()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, l.slot)
}

func (h *leaseholder) halted(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.halt == nil {
		h.halt = err
	}
	h.stop()
}

// work takes page after page of one slot.
func (h *leaseholder) work(s *session) error {
	retry := backoff{least: errorPauseLeast, most: errorPauseMost, over: "pgque: consumer goes on"}
	for s.taking.Err() == nil {
		handled, err := h.stepInTurn(s)
		switch {
		case isHalt(err):
			return err
		case isFenced(err):
			s.log.Warn("pgque: a slot was lost to another worker", "slot", s.lease.slot)
			return nil
		case err != nil && s.taking.Err() == nil:
			retry.warn(s.log.With("slot", s.lease.slot), "pgque: consumer goes on after a pause", "error", err)
			pause(s.taking, retry.next())
		case err == nil && handled:
			retry.reset()
			signal(h.sub.hint)
		case err == nil:
			retry.reset()
			select {
			case <-s.lease.wake:
			case <-s.taking.Done():
			}
		}
	}
	return nil
}

// stepInTurn waits until fewer slots are worked on than may be.
func (h *leaseholder) stepInTurn(s *session) (handled bool, err error) {
	select {
	case h.turns <- struct{}{}:
	case <-s.taking.Done():
		return false, nil
	}
	defer func() { <-h.turns }()
	never := time.Now().Add(24 * time.Hour)
	s.pulse.maintDue = never
	handled, err = s.step()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handled = h.handled || handled
	if due := s.pulse.maintDue; due.Before(never) && (h.retryDue.IsZero() || due.Before(h.retryDue)) {
		h.retryDue = due
		signal(h.nudge)
	}
	return handled, err
}

// resign gives the slot up, with what was not begun of its page.
func (s *session) resign() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	l := s.lease
	if _, err := s.client.pool.Exec(ctx, sqlResignSlot, l.queue, l.consumer, l.slot, l.worker); err != nil {
		s.log.Info("pgque: a slot stays leased until its time is over", "slot", l.slot, "after", s.takeover, "reason", err)
	}
}

// finish keeps the leases while slots finish what they are at.
func (h *leaseholder) finish() {
	finished := make(chan struct{})
	go func() { h.workers.Wait(); close(finished) }()
	renew := time.NewTicker(h.tendEvery())
	defer renew.Stop()
	for {
		select {
		case <-finished:
			return
		case <-renew.C:
			h.renew()
		}
	}
}

func (h *leaseholder) renew() {
	h.mu.Lock()
	held := make([]*lease, 0, len(h.held))
	for _, l := range h.held {
		held = append(held, l)
	}
	h.mu.Unlock()
	for _, l := range held {
		asked := time.Now()
		ctx, cancel := context.WithTimeout(h.working, statementTimeout)
		epoch, err := queryInt(ctx, h.client.pool, sqlClaimSlot, l.queue, l.consumer, l.slot, l.worker, h.takeover.Seconds())
		cancel()
		if err == nil && epoch != 0 {
			l.until.Reset(time.Until(asked.Add(h.takeover)))
		}
	}
}

// isFenced reports that the lease of a slot is lost.
func isFenced(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "PQ017"
}
