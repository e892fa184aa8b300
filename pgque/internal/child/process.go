// Package child runs programs that do not outlive this process: throw-away servers, and
// what tests put in front of them.
package child

import (
	"context"
	"time"
)

// endTimeout is for a program that was told to end, on a machine busy with others.
const endTimeout = time.Minute

// PID is the number of the process, also after its end.
func (p *Process) PID() int { return p.pid }

// Wait returns when the process has ended, or with ctx's error.
func (p *Process) Wait(ctx context.Context) error {
	return WaitUntil(ctx, p.Exited)
}

func (p *Process) waitAtMost(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return p.Wait(ctx)
}

// WaitUntil returns as soon as done says so, or with ctx's error. Processes and
// servers tell their state in numbers and files, which can only be looked at again.
func WaitUntil(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
