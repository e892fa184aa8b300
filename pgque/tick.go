package pgque

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	paceLeast      = 2 * time.Millisecond   // between two ticks of one consumer
	paceMost       = 20 * time.Millisecond  // the same, when ticks are slow
	paceFactor     = 3                      // times what a tick costs
	paceFew        = 4                      // messages that a tick brings: less are few
	tickMost       = 250 * time.Millisecond // between two looks at an idle queue
	tickDeferral   = 500 * time.Millisecond // after somebody else's tick
	maintInterval  = 2 * time.Second
	maintSoonest   = 20 * time.Millisecond
	foreignTick    = 100 * time.Millisecond // least interval on an engine without tick_queue
	tickLogPause   = time.Minute
	tickErrorPause = 5 * time.Second
)

// pulse keeps one queue ticking and maintained while nobody else does. Ticks are
// looked for often while there is traffic and seldom when idle; after somebody
// else's tick they are left to that one for a while. A queue that has been idle for a
// while is left to the client's watch.
type pulse struct {
	client    *Client
	queue     string
	engine    capability
	enabled   bool
	interval  time.Duration
	cost      time.Duration // of a tick, lately
	last      time.Time     // when the last tick was asked for
	due       time.Time     // of the next tick
	free      time.Time     // from then on an event that this client has sent is ticked at once
	deferred  time.Time     // not before: somebody else ticks
	hinted    bool          // this client has sent since the last look
	told      bool          // it had before the last tick, which brought few messages: it may tell of the next ones, too
	maintDue  time.Time
	ownTick   int64 // the last tick that was made here
	heard     int64 // the tick that deferred is for
	ward      *ward // of the watch; nil before the queue was idle for the first time
	entrusted bool  // to the watch
	loggedAt  time.Time
}

// least is the pace under load: ticks take a part of the time, so that a slow server makes
// few.
func (p *pulse) least() time.Duration {
	if p.engine.tick {
		return min(max(paceFactor*p.cost, paceLeast), paceMost)
	}
	return foreignTick
}

// gap is the time between two ticks under load, on the average.
func (p *pulse) gap() time.Duration {
	if p.told {
		return 5 * p.least() / 3
	}
	return p.least()
}

// patience is how long after a tick to look without a hint. With one it may be sooner.
func (p *pulse) patience() time.Duration {
	if p.told {
		return 2 * p.gap()
	}
	return p.gap()
}

// quicken expects traffic: the next look is soon.
func (p *pulse) quicken(now time.Time) { p.lookSoon(later(now, p.last.Add(p.patience()))) }

// hint tells that this client has sent: there is something to look for.
//
// Where ticks bring few messages that this client has told of, a tick is made the moment an
// event is there, if there were not too many of late. An event that comes too early for that
// shares the tick of the next one, most likely. So most of them wait for nothing, where ticks
// at fixed times, as many, would let each wait for half a gap.
func (p *pulse) hint(now time.Time) {
	p.hinted = true
	switch {
	case !p.told:
		p.quicken(now)
	case p.free.After(now):
		p.lookSoon(p.free.Add(p.gap() / 2))
	default:
		p.lookSoon(now)
	}
}

func (p *pulse) lookSoon(soon time.Time) {
	p.takeBack()
	p.interval = p.least()
	p.lookBy(soon)
}

// lookBy brings the next look forward, if not into somebody else's time.
func (p *pulse) lookBy(soon time.Time) {
	if soon = later(soon, p.deferred); p.due.After(soon) {
		p.due = soon
	}
}

// sawTick leaves ticking to whoever made that tick for a while, if it was not made
// here. While the other one ticks on, the while does not end. News that come late, of a
// tick before the last own one, count as own: what it covers was looked for since.
func (p *pulse) sawTick(tick int64, now time.Time) (own bool) {
	if tick != 0 && tick <= p.ownTick {
		return true
	}
	if tick != 0 {
		p.takeBack()
		p.heard = tick
		p.deferred = now.Add(jitter(tickDeferral))
		p.due = p.deferred
	}
	return false
}

// beat ticks when a tick is due and reports whether there is a new one.
func (p *pulse) beat(ctx context.Context, now time.Time) bool {
	if !p.isDue(now) {
		return false
	}
	tick, err := p.tick(ctx)
	p.looked(now, time.Now(), tick, 0)
	if err != nil {
		p.failed(ctx, "tick", err)
	} else if tick == 0 {
		p.entrustWhenIdle(now)
	}
	return err == nil && tick != 0
}

func (p *pulse) isDue(now time.Time) bool {
	return p.enabled && !p.entrusted && !now.Before(p.due)
}

// looked notes a look that began and ended then, and the tick that was made; 0 is none. It
// has brought some messages, if they came with it.
func (p *pulse) looked(began, ended time.Time, tick int64, brought int) {
	hinted := p.hinted
	p.last, p.cost, p.hinted = began, (3*p.cost+ended.Sub(began))/4, false
	p.free = later(p.free, began.Add(-p.gap())).Add(p.gap())
	if tick != 0 {
		p.told = hinted && brought < paceFew
		p.ownTick, p.interval = tick, p.least()
		p.due = began.Add(p.patience())
		return
	}
	p.interval = min(max(p.interval*2, p.least()), tickMost)
	p.due = began.Add(jitter(p.interval))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (p *pulse) entrustWhenIdle(now time.Time) {
	if p.interval < tickMost || !p.engine.watch {
		return
	}
	if p.ward == nil {
		p.ward = p.client.watch.open(p.queue)
	}
	p.ward.entrust(p.maintDue, now)
	p.entrusted = true
}

// takeBack takes the queue back from the watch.
func (p *pulse) takeBack() {
	if p.entrusted {
		p.maintDue = p.ward.takeBack()
		p.entrusted = false
	}
}

// end leaves the watch.
func (p *pulse) end() {
	if p.ward != nil {
		p.ward.close()
	}
}

// news is signalled when the watch has something to tell.
func (p *pulse) news() <-chan struct{} {
	if p.ward == nil {
		return nil
	}
	return p.ward.told
}

// hear reports a tick that the watch made, unless the notification was here first. That
// took it for somebody else's, and was no reason to leave the queue to anybody.
func (p *pulse) hear(ctx context.Context, now time.Time) (ticked bool) {
	news := p.ward.take()
	if p.entrusted && (news.err != nil || news.odd) {
		p.takeBack()
		p.due = now
		if news.err != nil {
			p.failed(ctx, news.what, news.err)
		}
	}
	if news.tick == 0 {
		return false
	}
	known := p.heard == news.tick && now.Before(p.deferred)
	if known {
		p.deferred = time.Time{}
	}
	p.takeBack()
	p.ownTick, p.interval = news.tick, p.least()
	p.due = later(now.Add(p.interval), p.deferred)
	return !known
}

func (p *pulse) tick(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	if p.engine.tick {
		return queryInt(ctx, p.client.pool, sqlTickQueue, p.queue)
	}
	var tick int64
	err := alone(ctx, p.client.pool, "tick "+p.queue, func(tx pgx.Tx) (err error) {
		tick, err = queryInt(ctx, tx, sqlTicker, p.queue)
		return err
	})
	return tick, err
}

// maintain runs maintenance when it is due: retries come back, tables rotate.
func (p *pulse) maintain(ctx context.Context, now time.Time) {
	if !p.enabled || p.entrusted || now.Before(p.maintDue) {
		return
	}
	p.maintDue = maintAfter(now)
	moved, err := p.maintainNow(ctx)
	if err != nil {
		p.failed(ctx, "maintain", err)
		return
	}
	if moved > 0 {
		p.lookBy(now)
	}
}

func (p *pulse) maintainNow(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	if p.engine.maint {
		return queryInt(ctx, p.client.pool, sqlMaintQueue, p.queue)
	}
	return maintainAll(ctx, p.client.pool)
}

// maintAfter is when maintenance is due again.
func maintAfter(now time.Time) time.Time { return now.Add(jitter(maintInterval) + maintInterval/2) }

// retryIn makes maintenance run when a message that was put back is due.
func (p *pulse) retryIn(delay time.Duration, now time.Time) {
	p.takeBack()
	if due := now.Add(delay + maintSoonest); p.maintDue.After(due) {
		p.maintDue = due
	}
}

// failed logs now and then. Without the right to tick it gives up: somebody with
// that right has to.
func (p *pulse) failed(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	switch sentinel := sentinelOf(err); {
	case sentinel == ErrTicker: // paused on purpose, or somebody else's business
		p.due = now.Add(tickLogPause)
		return
	case sentinel == ErrPermission || isUndefinedFunction(err):
		p.enabled = false
		p.client.log.Info("pgque: this role may not tick: run a Ticker, \"pgque ticker\" or pg_cron", "queue", p.queue)
		return
	}
	p.due, p.maintDue = now.Add(tickErrorPause), now.Add(tickErrorPause)
	if now.Sub(p.loggedAt) >= tickLogPause {
		p.loggedAt = now
		p.client.log.Warn("pgque: cannot "+what+" the queue", "queue", p.queue, "error", err)
	}
}

// maintainAll does on a foreign engine what maint_queue does on ours, for all
// queues. Finishing a rotation and starting one are transactions of their own: the
// first makes sure that everybody sees the switch before the next one begins.
func maintainAll(ctx context.Context, q beginner) (moved int64, err error) {
	err = alone(ctx, q, "maintain", func(tx pgx.Tx) error {
		for {
			n, err := queryInt(ctx, tx, sqlMaintRetry)
			if err != nil || n == 0 {
				return err
			}
			moved += n
		}
	})
	for _, sql := range []string{sqlRotateStep2, sqlMaint} {
		if err != nil {
			return moved, err
		}
		err = alone(ctx, q, "maintain", func(tx pgx.Tx) error {
			_, err := queryInt(ctx, tx, sql)
			return err
		})
	}
	return moved, err
}

type beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// alone runs fn in a transaction unless another client of this package runs the
// same task just now. The lock is taken in a statement before those of fn, whose
// snapshots are therefore later than the last holder's commit.
func alone(ctx context.Context, q beginner, task string, fn func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, q, func(tx pgx.Tx) error {
		var free bool
		if err := tx.QueryRow(ctx, sqlTryLock, "pgque "+task).Scan(&free); err != nil || !free {
			return err
		}
		return fn(tx)
	})
}
