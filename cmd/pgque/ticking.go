package main

import (
	"context"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// ticking is the answer to "is anybody ticking this queue?".
type ticking string

const (
	yes      ticking = "yes"
	nobody   ticking = "nobody"   // events wait for a consumer, and no tick comes
	idle     ticking = "idle"     // no event waits, or no consumer for it: a ticker would have nothing to do
	paused   ticking = "paused"   // somebody set ticker_paused
	external ticking = "external" // ticks are copied from elsewhere (external_ticker)
)

// grace is what a healthy ticker may be late on a busy server.
const grace = time.Second

// createdTick is the one that a queue is created with: it tells of no ticker.
const createdTick = 1

// longestLook bounds the second look, whatever ticker_max_lag is.
const longestLook = 5 * time.Second

// tickings looks once, and where an old tick and new events make it possible
// that nobody ticks, once more after a ticker should have acted: the events may
// be younger than a moment on a queue that was idle for hours.
//
// It is the rule of pgque.Client.Health, which has only one look and waits a minute.
func tickings(ctx context.Context, c *pgque.Client, queues []pgque.QueueInfo, consumers []pgque.ConsumerInfo) (map[string]ticking, error) {
	consumed := make(map[string]bool)
	for _, consumer := range consumers {
		consumed[consumer.Queue] = true
	}
	answers := make(map[string]ticking, len(queues))
	var look time.Duration
	for _, q := range queues {
		answers[q.Name] = firstLook(q, consumed[q.Name])
		if answers[q.Name] == nobody {
			look = max(look, min(q.TickerMaxLag+grace, longestLook))
		}
	}
	if look == 0 {
		return answers, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(look):
	}
	later, err := c.Queues(ctx)
	if err != nil {
		return nil, err
	}
	return secondLook(answers, queues, later), nil
}

func firstLook(q pgque.QueueInfo, consumed bool) ticking {
	switch {
	case q.TickerPaused:
		return paused
	case q.ExternalTicker:
		return external
	case q.NewEvents > 0 && consumed && q.SinceTick > q.TickerMaxLag+grace:
		return nobody
	case (q.NewEvents == 0 || !consumed) && (q.SinceTick > q.TickerIdle+grace || q.LastTick <= createdTick):
		return idle
	}
	return yes
}

// secondLook lets a tick that came meanwhile speak for its queue.
func secondLook(answers map[string]ticking, before, after []pgque.QueueInfo) map[string]ticking {
	ticks := make(map[string]int64, len(before))
	for _, q := range before {
		ticks[q.Name] = q.LastTick
	}
	for _, q := range after {
		if answers[q.Name] == nobody && q.LastTick != ticks[q.Name] {
			answers[q.Name] = yes
		}
	}
	return answers
}
