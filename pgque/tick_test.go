package pgque

import (
	"context"
	"testing"
	"time"
)

// A pulse without a client panics when it asks the server for anything.
func newSilentPulse() *pulse {
	return &pulse{enabled: true, engine: capability{tick: true, maint: true}}
}

func TestPulse_LeavesTheQueueToAnotherTickerInSpiteOfTraffic(t *testing.T) {
	t.Parallel()
	p, now := newSilentPulse(), time.Now()
	if p.sawTick(7, now) {
		t.Error("another's tick was taken for its own")
	}
	for range 20 { // traffic, and a tick of the other one now and then
		now = now.Add(tickDeferral / 4)
		p.quicken(now)
		if p.beat(context.Background(), now) {
			t.Fatal("it ticked")
		}
		p.sawTick(8, now)
	}
}

func TestPulse_TakesOverWhenTheOtherOneIsSilent(t *testing.T) {
	t.Parallel()
	p, now := newSilentPulse(), time.Now()
	p.sawTick(7, now)
	if p.due.After(now.Add(tickDeferral)) {
		t.Errorf("the next look is %v away", p.due.Sub(now))
	}
	p.quicken(now.Add(2 * tickDeferral))
	if p.due.After(now.Add(2 * tickDeferral)) {
		t.Error("traffic does not bring the next look forward any more")
	}
}

func TestPulse_OwnTickIsNoReasonToWait(t *testing.T) {
	t.Parallel()
	p, now := newSilentPulse(), time.Now()
	p.ownTick, p.due = 7, now.Add(time.Second)
	if !p.sawTick(7, now) || !p.deferred.IsZero() {
		t.Error("its own tick was taken for another's")
	}
	p.quicken(now)
	if p.due.After(now.Add(paceMost)) {
		t.Errorf("the next look is %v away", p.due.Sub(now))
	}
}

// ticked makes a tick, in no time, and returns when the next look is due.
func (p *pulse) ticked(now time.Time, brought int) time.Duration {
	p.looked(now, now, p.ownTick+1, brought)
	return p.due.Sub(now)
}

func TestPulse_LooksWhenItIsToldAndLaterWhenItIsNot(t *testing.T) {
	t.Parallel()
	p, now := newSilentPulse(), time.Now()
	if due := p.ticked(now, 1); due != paceLeast {
		t.Errorf("events from elsewhere: the next look is %v away", due)
	}
	now = now.Add(time.Second)
	if p.hint(now); p.due.After(now) {
		t.Errorf("the first event after a pause is looked for in %v", p.due.Sub(now))
	}
	patience := p.ticked(now, 1)
	if patience <= 2*paceLeast {
		t.Errorf("events from here: the next look is %v away", patience)
	}
	p.quicken(now)
	if due := p.due.Sub(now); due != patience {
		t.Errorf("a page that is handled brings the next look to %v", due)
	}
	p.hint(now)
	if due := p.ticked(now, paceFew); due != paceLeast {
		t.Errorf("after a tick that brought many the next look is %v away", due)
	}
	p.hint(now)
	if due := p.due.Sub(now); due != paceLeast {
		t.Errorf("told of one event, after many, the next look is %v away", due)
	}
	p.ticked(now, 1)
	if due := p.ticked(now, 1); due != paceLeast {
		t.Errorf("nobody told of the last events: the next look is %v away", due)
	}
}

// At 500 events a second, one every two milliseconds.
func TestPulse_MostEventsAreTickedAtOnceThoughTicksAreFewer(t *testing.T) {
	t.Parallel()
	p, now := newSilentPulse(), time.Now()
	p.due = now.Add(time.Hour)
	const events, distance = 1000, 2 * time.Millisecond
	ticks, atOnce, longest, waiting := 0, 0, time.Duration(0), now
	for range events {
		sent := now.Add(distance)
		for p.isDue(p.due) && p.due.Before(sent) { // what waits is ticked before the next one is there
			longest = max(longest, p.due.Sub(waiting))
			p.ticked(p.due, 1)
			ticks++
		}
		now = sent
		if waiting = now; p.hinted {
			waiting = now.Add(-distance)
		}
		if p.hint(now); p.isDue(now) {
			longest = max(longest, now.Sub(waiting))
			p.ticked(now, 1)
			ticks, atOnce = ticks+1, atOnce+1
		}
	}
	if ticks > events*7/10 || atOnce < events*55/100 || longest > 2*distance {
		t.Errorf("%d events, %d ticks, %d at once, one after %v", events, ticks, atOnce, longest)
	}
}

func TestPulse_RetryBringsMaintenanceForward(t *testing.T) {
	t.Parallel()
	p, now := newSilentPulse(), time.Now()
	p.maintDue = now.Add(time.Hour)
	p.retryIn(time.Minute, now)
	if due := p.maintDue.Sub(now); due < time.Minute || due > time.Minute+time.Second {
		t.Errorf("maintenance is %v away", due)
	}
	p.retryIn(time.Hour, now)
	if due := p.maintDue.Sub(now); due > time.Minute+time.Second {
		t.Error("a later retry put maintenance off")
	}
}

// newWatchedPulse has entrusted its queue to a watch that does not run.
func newWatchedPulse(now time.Time) *pulse {
	p := newSilentPulse()
	p.ward = &ward{watch: &watch{changed: make(chan struct{}, 1)}, told: make(chan struct{}, 1)}
	p.ward.watch.wards = map[*ward]struct{}{p.ward: {}}
	p.engine.watch, p.interval, p.maintDue = true, tickMost, now.Add(time.Hour)
	p.entrustWhenIdle(now)
	return p
}

func (p *pulse) tell(n news) { p.ward.tell(n) }

func TestPulse_TickOfItsWatchIsItsOwn(t *testing.T) {
	t.Parallel()
	ctx, now := context.Background(), time.Now()
	for _, noticeFirst := range []bool{true, false} {
		p := newWatchedPulse(now)
		p.tell(news{tick: 7})
		first := func() bool { return !p.sawTick(7, now) }
		second := func() bool { return p.hear(ctx, now) }
		if !noticeFirst {
			first, second = second, first
		}
		if !first() || second() {
			t.Error("the tick was not reported, or twice")
		}
		p.quicken(now)
		if p.entrusted || p.due.After(now.Add(paceMost)) {
			t.Errorf("the next look is %v away", p.due.Sub(now))
		}
	}
}

// Somebody else ticks as well: the tick of the watch came late.
func TestPulse_LeavesTheQueueToAnotherTickerInSpiteOfItsWatch(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newWatchedPulse(now)
	p.tell(news{tick: 7})
	p.sawTick(8, now)
	p.hear(context.Background(), now)
	if !p.due.Equal(p.deferred) || !p.due.After(now) {
		t.Errorf("the next look is %v away", p.due.Sub(now))
	}
}

func TestPulse_TickIsNotForgottenOverAnError(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newWatchedPulse(now)
	p.tell(news{tick: 7})
	p.tell(news{odd: true})
	if !p.hear(context.Background(), now) || p.entrusted {
		t.Error("the tick is lost")
	}
}

func TestPulse_RetryBringsMaintenanceOfItsWatchForward(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newWatchedPulse(now)
	p.retryIn(time.Minute, now)
	p.entrustWhenIdle(now)
	if due := p.ward.maintDue.Sub(now); due < time.Minute || due > time.Minute+time.Second {
		t.Errorf("maintenance is %v away", due)
	}
	wards := p.ward.watch.toMaintain(context.Background(), p.ward.maintDue)
	if len(wards) != 1 || !p.ward.maintDue.After(now.Add(time.Minute)) {
		t.Error("maintenance was not due then")
	}
}

func TestWatch_LooksAtOnceAfterAPauseForErrors(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newWatchedPulse(now)
	w := p.ward.watch
	w.fail(context.Background(), []*ward{p.ward}, "tick", context.DeadlineExceeded)
	if due := w.due(); due.Before(now.Add(tickErrorPause)) {
		t.Errorf("the next look is %v away", due.Sub(now))
	}
	p.takeBack()
	p.entrustWhenIdle(now) // it asked for itself, and got an answer
	if due := w.due(); due.After(now.Add(tickMost)) {
		t.Errorf("the next look is %v away", due.Sub(now))
	}
}
