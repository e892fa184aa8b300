package server

import (
	"context"
	"time"
)

// wait returns when the process has ended, or with ctx's error.
func (p *process) wait(ctx context.Context) error {
	return waitUntil(ctx, p.exited)
}

func (p *process) waitAtMost(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return p.wait(ctx)
}

// waitUntil returns as soon as done says so, or with ctx's error. PostgreSQL
// tells its state in files and process ids, which can only be looked at again.
func waitUntil(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
