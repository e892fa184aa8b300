package pgque

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is a delay that doubles from least to most, with jitter.
type backoff struct {
	least, most time.Duration
	current     time.Duration
}

// next is the delay to wait now: between half of the current one and all of it.
func (b *backoff) next() time.Duration {
	b.current = min(max(b.current*2, b.least), b.most)
	return jitter(b.current)
}

func (b *backoff) reset() { b.current = 0 }

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
