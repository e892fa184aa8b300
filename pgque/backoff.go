package pgque

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// backoff is a delay that doubles from least to most, with jitter. What fails again and
// again while it lasts is not logged each time (warn).
type backoff struct {
	least, most time.Duration
	over        string // what the log says when it was reset after a warning
	current     time.Duration

	failures int // since it was reset
	first    time.Time
	warned   *slog.Logger // nil when nobody was
}

// next is the delay to wait now: between half of the current one and all of it.
func (b *backoff) next() time.Duration {
	b.current = min(max(b.current*2, b.least), b.most)
	return jitter(b.current)
}

func (b *backoff) reset() {
	if b.warned != nil {
		b.warned.Info(b.over, "failures", b.failures, "after", time.Since(b.first).Round(time.Millisecond))
	}
	b.current, b.failures, b.warned = 0, 0, nil
}

// warn logs the first failure, and again each time that their number has doubled.
func (b *backoff) warn(log *slog.Logger, text string, args ...any) {
	if b.failures++; b.failures == 1 {
		b.first = time.Now()
	}
	if b.failures&(b.failures-1) == 0 {
		log.Warn(text, args...)
		b.warned = log
	}
}

func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}

// pause waits for d, or until ctx ends, whichever is first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
