package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// tally counts what the handlers see. It is safe for concurrent use.
type tally struct {
	// clock is how far the server's clock is ahead of ours: latencies compare
	// the two.
	clock time.Duration

	mu       sync.Mutex
	accounts map[string]*account
}

// account is one consumer's part of a tally. Messages are told apart by their id,
// because the handler of one that shares a transaction with a failing one runs
// more than once for one delivery.
type account struct {
	attempts  map[int64]int  // deliveries of each message
	handled   map[int64]bool // messages whose handler succeeded
	latencies []time.Duration
}

func newTally(clock time.Duration) *tally {
	return &tally{clock: clock, accounts: map[string]*account{}}
}

// watch is middleware that counts for one consumer.
func (t *tally) watch(consumer string) pgque.Middleware {
	return func(next pgque.HandlerFunc) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			t.arrived(consumer, msg)
			err := next(ctx, msg)
			if err == nil {
				t.handled(consumer, msg)
			}
			return err
		}
	}
}

func (t *tally) arrived(consumer string, msg pgque.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(consumer)
	if a.attempts[msg.MsgID] == 0 {
		a.latencies = append(a.latencies, time.Since(msg.CreatedAt)+t.clock)
	}
	a.attempts[msg.MsgID] = msg.Attempt()
}

func (t *tally) handled(consumer string, msg pgque.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.account(consumer).handled[msg.MsgID] = true
}

func (t *tally) account(consumer string) *account {
	a := t.accounts[consumer]
	if a == nil {
		a = &account{attempts: map[int64]int{}, handled: map[int64]bool{}}
		t.accounts[consumer] = a
	}
	return a
}

// counts is an account at one moment.
type counts struct {
	received int // deliveries
	retried  int // deliveries beyond the first of a message
	handled  int
	p50, p99 time.Duration // from sending to the first delivery
}

func (t *tally) counts(consumer string) counts {
	t.mu.Lock()
	a := t.account(consumer)
	c := counts{handled: len(a.handled)}
	for _, attempts := range a.attempts {
		c.received += attempts
		c.retried += attempts - 1
	}
	latencies := slices.Clone(a.latencies)
	t.mu.Unlock()

	slices.Sort(latencies)
	c.p50, c.p99 = percentile(latencies, 50), percentile(latencies, 99)
	return c
}

// percentile of sorted values is the smallest that p percent do not exceed; 0
// without values.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
