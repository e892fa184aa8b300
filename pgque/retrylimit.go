package pgque

import (
	"context"
	"sync"
	"time"
)

// retryLimits remembers how often the messages of a queue are put back, its max_retries,
// to tell beforehand what the engine will make of a failure. A limit that is changed makes
// logs and metrics wrong for a moment, and nothing else.
type retryLimits struct {
	mu      sync.Mutex
	byQueue map[string]retryLimit
}

type retryLimit struct {
	most  int64
	asked time.Time
}

const retryLimitAge = 10 * time.Second

// learnRetryLimit asks the server now and then. Where the limit cannot be read it is not
// known.
func (c *Client) learnRetryLimit(ctx context.Context, queue string) {
	if limit, known := c.retryLimits.of(queue); known && time.Since(limit.asked) < retryLimitAge {
		return
	}
	if most, err := queryInt(ctx, c.pool, sqlMaxRetries, queue); err == nil {
		c.retryLimits.note(queue, retryLimit{most: most, asked: time.Now()})
	}
}

// areUsedUp tells of a message that failed.
func (l *retryLimits) areUsedUp(queue string, msg Message) bool {
	limit, known := l.of(queue)
	return known && int64(msg.Attempt()) > limit.most
}

func (l *retryLimits) of(queue string) (limit retryLimit, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, known = l.byQueue[queue]
	return limit, known
}

func (l *retryLimits) note(queue string, limit retryLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byQueue == nil {
		l.byQueue = make(map[string]retryLimit)
	}
	l.byQueue[queue] = limit
}
