package pgque

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	errorPauseLeast = 50 * time.Millisecond
	errorPauseMost  = 15 * time.Second
	deafPollLeast   = 5 * time.Millisecond
	deafPollMost    = 500 * time.Millisecond // between two looks without notifications
	mostExpected    = 10_000                 // messages that room is made for in advance
)

// session is one Start of a consumer.
type session struct {
	*Consumer
	taking   context.Context // ends: no further message is begun
	working  context.Context // ends: handlers are to stop
	engine   capability
	reader   reader
	hadTurn  bool // at least once since Start
	pulse    pulse
	sub      *subscription
	deaf     backoff // between two looks without notifications
	declared map[string]bool
	lost     map[int64]int // connections lost while a message was handled, by its id

	usual int // messages of a page, as many as the last one had
	take  int // messages to ask for

	ahead       []Message   // the next page, which came with the last settlement
	lookedAhead bool        // the last settlement asked for the next page, whether or not there was one
	atHead      bool        // the last page ended with a tick that was made for it
	behind      *leaf       // the page before ahead; nil when there is nothing to settle
	window      *pageWindow // in which ahead lies, if it was read there
	spare       []Message   // empty: room for the next page to read

	noted note // that the engine has
	alone int  // messages to handle one by one, since one of them may kill the process

	hangs sync.Pool // of *hang

	lease *lease        // of the slot that the session works on; nil for all others
	nudge chan struct{} // cap 1: ends a wait; nil for most

	saidStandby bool
}

func (c *Consumer) run(taking, working context.Context) error {
	s := &session{Consumer: c, taking: taking, working: working, declared: c.declaredSet(), lost: make(map[int64]int),
		take: c.maxMessages, deaf: backoff{least: deafPollLeast, most: deafPollMost}}
	if err := s.prepare(); err != nil {
		return err
	}
	defer s.leave()
	defer s.takeNoteBack()
	defer s.keepAlive()()
	defer s.pulse.end()
	c.logSkippedTypes()
	s.sub = c.client.listener.subscribe(c.queue, s.exclusiveName())
	defer c.client.listener.unsubscribe(s.sub)
	if s.partitions > 0 {
		return s.runSlots()
	}
	return s.loop()
}

// exclusiveName names what one process at a time does; members of a group and holders of
// slots share.
func (s *session) exclusiveName() string {
	if s.member != "" || s.partitions > 0 {
		return ""
	}
	return strconv.Quote(s.queue) + " " + s.name
}

// prepare asks what the engine can do and subscribes, again and again while the
// server is away.
func (s *session) prepare() error {
	retry := backoff{least: errorPauseLeast, most: errorPauseMost, over: "pgque: consumer starts"}
	for s.taking.Err() == nil {
		err := s.tryPrepare()
		if err == nil {
			retry.reset()
			return nil
		}
		if isLasting(err) && !s.isConversion(err) {
			return err
		}
		if s.taking.Err() == nil {
			retry.warn(s.log, "pgque: cannot start yet", "error", err)
		}
		pause(s.taking, retry.next())
	}
	return stopReason(s.taking)
}

// isConversion reports a consumer that cannot become a group just now: another
// process still reads it alone.
func (s *session) isConversion(err error) bool {
	return s.member != "" && errors.Is(err, ErrCooperative)
}

func (s *session) tryPrepare() (err error) {
	ctx, cancel := context.WithTimeout(s.taking, statementTimeout)
	defer cancel()
	if s.engine, err = s.client.capability(ctx); err != nil {
		return wrap(err, "consumer %q on %q", s.name, s.queue)
	}
	s.pulse = pulse{client: s.client, queue: s.queue, engine: s.engine, enabled: s.ticks}
	if err = s.subscribe(ctx); err != nil {
		return err
	}
	return s.findReader(ctx)
}

// loop takes page after page; it waits only when there is none, and after errors.
func (s *session) loop() error {
	retry := backoff{least: errorPauseLeast, most: errorPauseMost, over: "pgque: consumer goes on"}
	for s.taking.Err() == nil {
		if s.awaitTurn(); s.taking.Err() != nil {
			break
		}
		s.hadTurn = s.hadTurn || turn(s.sub.turn.Load()) == turnMine
		handled, err := s.step()
		switch {
		case isHalt(err):
			return wrap(err, "consumer %q on %q halted", s.name, s.queue)
		case err != nil && s.taking.Err() == nil:
			retry.warn(s.log, "pgque: consumer goes on after a pause", "error", err)
			pause(s.taking, retry.next())
		case err == nil && handled:
			retry.reset()
			s.deaf.reset()
			s.pulse.quicken(time.Now())
		case err == nil:
			retry.reset()
			s.idle()
		}
		s.pulse.maintain(s.taking, time.Now())
	}
	s.dropAhead()
	return stopReason(s.taking)
}

// step fetches one page, handles it and settles it. It reports false when there is
// no page.
func (s *session) step() (handled bool, err error) {
	page, err := s.fetch()
	if err != nil || len(page) == 0 {
		return false, err
	}
	limit, deadly, err := s.beware(page)
	switch {
	case err != nil:
		return false, err
	case deadly.failed():
		return true, s.settle(page, append([]result{deadly}, make([]result, len(page)-1)...))
	case s.hasTx(page[:limit]):
		if err := s.turnPage(); err != nil {
			return true, err
		}
		return true, s.handleTxPage(page, limit)
	}
	if s.readsOn(page) {
		return true, s.handleReadingOn(page)
	}
	results := s.handleLong(page, limit)
	s.linger()
	return true, s.settleBehind(page, results)
}

func (s *session) fetch() ([]Message, error) {
	if s.lookedAhead {
		page := s.ahead
		s.ahead, s.lookedAhead = nil, false
		return page, nil
	}
	s.dropAhead()
	if s.member != "" {
		return s.fetchAsMember()
	}
	ctx, cancel := context.WithTimeout(s.taking, statementTimeout)
	defer cancel()
	if s.fetches() {
		return s.fetchBehind(ctx, 0)
	}
	return s.client.receive(ctx, s.queue, s.name, s.pageLimit())
}

// fetches reports a consumer of its own on an engine that has fetch.
func (s *session) fetches() bool { return s.member == "" && s.engine.fetch && s.engine.pages() }

// queueFetch asks for the page behind batchID, which must be settled by then; with a
// reader it is settled by this, all of it as done. 0 is no page.
func (s *session) queueFetch(batch *pgx.Batch, batchID int64, page *[]Message) {
	sql, args := sqlFetch, []any{s.queue, s.name, s.maxMessages}
	switch l := s.lease; {
	case l != nil:
		sql, args = sqlFetchSlot, []any{l.queue, l.consumer, l.slot, l.n, l.worker, s.maxMessages}
	case s.reader.known():
		sql, args = s.reader.next, []any{s.name, s.take, orNull(batchID), true}
	}
	s.queuePage(batch, page, nil, sql, args...)
}

// queuePull is queueFetch with a tick before it. It fails with 55P03 while somebody else
// works at the cursor.
func (s *session) queuePull(batch *pgx.Batch, batchID int64, page *[]Message, tick *int64) {
	s.queuePage(batch, page, tick, s.reader.pull, s.name, s.take, orNull(batchID))
}

func (s *session) queuePage(batch *pgx.Batch, page *[]Message, tick *int64, sql string, args ...any) {
	batch.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		reader := messageReader{tick: tick}
		*page, err = reader.collect(rows, 0, make([]Message, 0, s.usual))
		s.usual = min(len(*page), mostExpected)
		return err
	})
}

// idle waits until there may be a page.
func (s *session) idle() { s.idleUntil(time.Now().Add(s.pollAfter())) }

// idleUntil waits until a tick is announced or made here, which it reports, or until the
// time to ask anyway. It is the only place where a healthy consumer waits.
func (s *session) idleUntil(ask time.Time) (ticked bool) {
	for s.taking.Err() == nil {
		if s.reader.pulls() {
			if s.pulse.isDue(time.Now()) {
				return true // the next page comes with the tick
			}
		} else if s.pulse.beat(s.taking, time.Now()) {
			return true
		}
		timer := time.NewTimer(time.Until(s.pulse.next(ask)))
		select {
		case <-s.taking.Done():
		case <-s.sub.woken:
			if !s.pulse.sawTick(s.sub.tick.Load(), time.Now()) {
				timer.Stop()
				return true
			}
		case <-s.pulse.news():
			if s.pulse.hear(s.taking, time.Now()) {
				timer.Stop()
				return true
			}
		case <-s.sub.hint:
			s.pulse.hint(time.Now())
		case <-s.nudge:
			timer.Stop()
			return false
		case <-timer.C:
		}
		timer.Stop()
		s.pulse.maintain(s.taking, time.Now())
		if !time.Now().Before(ask) {
			return false
		}
	}
	return false
}

// pollAfter is how long to wait before asking without being told to.
func (s *session) pollAfter() time.Duration {
	if s.client.listener.hearing.Load() {
		return s.pollInterval
	}
	return min(s.pollInterval, s.deaf.next())
}

// next is when the pulse or the caller has something to do.
func (p *pulse) next(ask time.Time) time.Time {
	if !p.enabled || p.entrusted {
		return ask
	}
	for _, due := range []time.Time{p.due, p.maintDue} {
		if due.Before(ask) {
			ask = due
		}
	}
	return ask
}

func isHalt(err error) bool {
	if err == nil {
		return false
	}
	var o *outcome
	return errors.As(err, &o) && o.verdict == verdictHalt
}
