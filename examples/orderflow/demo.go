package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque"
)

// demo runs the flow and shows it.
type demo struct {
	*flow
	screen *screen
	start  time.Time
}

// patience is how long the demo waits for events to come to their end while none
// does.
const patience = 15 * time.Second

// newDemo prepares a flow over queues that exist. Consumers are subscribed before
// anything is sent, so that each sees every event.
func newDemo(ctx context.Context, client *pgque.Client, screen *screen) (*demo, error) {
	for _, stop := range stops {
		for _, consumer := range stop.consumers {
			if err := client.Subscribe(ctx, stop.queue, consumer); err != nil {
				return nil, err
			}
		}
	}
	clock, err := clockDifference(ctx, client)
	if err != nil {
		return nil, err
	}
	f := &flow{client: client, book: newBook(), tally: newTally(clock), notes: &notes{}}
	return &demo{flow: f, screen: screen, start: time.Now()}, nil
}

// clockDifference is how far the server's clock is ahead of ours.
func clockDifference(ctx context.Context, client *pgque.Client) (time.Duration, error) {
	before := time.Now()
	var there time.Time
	err := client.Pool().QueryRow(ctx, "select clock_timestamp()").Scan(&there)
	here := before.Add(time.Since(before) / 2)
	return there.Sub(here), err
}

// run places orders for a while, or until ctx ends; lets all events come to their
// end; stops the consumers; and returns an error when the totals do not add up.
func (d *demo) run(ctx context.Context, duration time.Duration, rate float64) error {
	working, end := context.WithCancelCause(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, c := range d.consumers() {
		running.Go(func() { endUnlessCanceled(end, c.Start(working)) })
	}
	closed := make(chan struct{})
	running.Go(func() {
		defer close(closed)
		endUnlessCanceled(end, d.placeOrders(ctx, working, duration, rate))
	})
	err := d.watch(working, closed)
	end(nil)
	running.Wait()
	if err != nil {
		return err
	}
	return d.conclude(context.WithoutCancel(ctx))
}

func endUnlessCanceled(end context.CancelCauseFunc, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		end(err)
	}
}

// placeOrders returns when the duration is over, ctx was cancelled, or the work
// has come to an end for another reason.
func (d *demo) placeOrders(ctx, working context.Context, duration time.Duration, rate float64) error {
	open, closeShop := context.WithTimeout(working, duration)
	defer closeShop()
	defer context.AfterFunc(ctx, func() {
		d.notes.add("interrupted", "no more orders; events under way come to their end")
		closeShop()
	})()
	s := &shop{orders: events.NewOrdersProducer(d.client), book: d.book, notes: d.notes}
	return s.open(open, rate)
}

// lookInterval is the time between two looks at the totals.
const lookInterval = 200 * time.Millisecond

// watch shows the state until the shop is closed and the flow is over, or stuck:
// the totals will tell which.
func (d *demo) watch(working context.Context, shopClosed <-chan struct{}) error {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	var p progress
	for shopClosed != nil || !p.over() && !p.stuck() {
		select {
		case <-working.Done():
			return context.Cause(working)
		case <-shopClosed:
			shopClosed, p = nil, progress{}
		case <-look.C:
			t, err := d.totals(working)
			if err != nil {
				return err
			}
			d.screen.show(time.Since(d.start), t, d.notes)
			p.see(t)
		}
	}
	return nil
}

// progress is what the latest looks at the totals have shown.
type progress struct {
	settled  int // looks in a row
	finished int // messages
	moved    time.Time
}

func (p *progress) see(t totals) {
	p.settled++
	if !t.settled() {
		p.settled = 0
	}
	if n := t.finished(); n != p.finished || p.moved.IsZero() {
		p.finished, p.moved = n, time.Now()
	}
}

// over says that nothing is under way. One look is not enough: between a handler's
// return and the commit of what it sent, all looks settled, too.
func (p *progress) over() bool { return p.settled >= 3 }

func (p *progress) stuck() bool { return !p.moved.IsZero() && time.Since(p.moved) > patience }

// conclude prints the totals and checks them.
func (d *demo) conclude(ctx context.Context) error {
	t, err := d.totals(ctx)
	if err != nil {
		return err
	}
	d.screen.finish(t, d.notes)
	d.screen.print(t.balance()...)
	if t.refused > 0 {
		d.screen.print(fmt.Sprintf("%d invalid orders were refused before they were sent", t.refused))
	}
	if err := t.check(); err != nil {
		return err
	}
	d.screen.print("everything adds up")
	return nil
}
