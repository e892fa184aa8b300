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
	if p.due.After(now.Add(tickLeast)) {
		t.Errorf("the next look is %v away", p.due.Sub(now))
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
