package pgque

import (
	"sync/atomic"
	"time"
)

const (
	hangLooks = 8                // within the time of a warning, which is so much later at most
	hangLeast = time.Millisecond // between two looks
)

// hang names a handler that hangs in the log, each time that the time has doubled. It
// serves one call after another. A timer looks at it now and then, which tells a call
// that goes on by its context: so a call costs no clock, no lock and no timer. The timer
// runs on from one call to the next, and stops when it finds none.
type hang struct {
	session *session
	timer   *time.Timer
	call    atomic.Pointer[messageContext] // nil between two calls
	armed   atomic.Bool

	// What the timer saw last; whoever armed it may write as well, before it runs.
	seen  *messageContext
	since time.Time
	said  int // how often it was named
}

// takeHang returns one that watches over nothing yet, putHang takes it back.
func (s *session) takeHang() *hang {
	if h, ok := s.hangs.Get().(*hang); ok {
		return h
	}
	h := &hang{session: s}
	h.timer = time.AfterFunc(time.Hour, h.look)
	h.timer.Stop()
	return h
}

func (s *session) putHang(h *hang) {
	h.end()
	s.hangs.Put(h)
}

func (h *hang) begin(call *messageContext) {
	h.call.Store(call)
	if !h.armed.Load() {
		h.arm()
	}
}

func (h *hang) end() { h.call.Store(nil) }

func (h *hang) arm() {
	if h.armed.CompareAndSwap(false, true) {
		h.see(h.call.Load())
		h.timer.Reset(h.next(0))
	}
}

func (h *hang) see(call *messageContext) { h.seen, h.since, h.said = call, time.Now(), 0 }

func (h *hang) look() {
	call := h.call.Load()
	switch {
	case call == nil:
		h.disarm()
		return
	case call != h.seen:
		h.see(call)
	}
	took := time.Since(h.since)
	if took >= h.patience() {
		h.session.messageLog(call.msg).Warn("pgque: handler still runs", "since", took.Round(time.Millisecond))
		h.said++
	}
	h.timer.Reset(h.next(took))
}

// disarm looks again afterwards: a call that has begun meanwhile may have found the
// timer armed.
func (h *hang) disarm() {
	h.seen = nil
	h.armed.Store(false)
	if h.call.Load() != nil {
		h.arm()
	}
}

// patience is the age of the call at which it is named next.
func (h *hang) patience() time.Duration { return h.session.hangWarning << min(h.said, 30) }

// next is the time to the next look at a call of that age.
func (h *hang) next(took time.Duration) time.Duration {
	return max(min(h.patience()-took, h.session.hangWarning/hangLooks), hangLeast)
}
