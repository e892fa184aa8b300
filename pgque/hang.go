package pgque

import (
	"sync"
	"time"
)

// hang names a handler that hangs in the log, each time that the time has doubled. It
// serves one call after another; its timer runs on from one to the next, since setting
// one for each would cost more than many a handler.
type hang struct {
	session *session
	mu      sync.Mutex
	timer   *time.Timer
	armed   bool
	msg     Message
	begun   time.Time // zero between two calls
	said    int       // how often it was named
}

// watch begins to watch the call with msg; end of what it returns ends that.
func (s *session) watch(msg Message) *hang {
	h, ok := s.hangs.Get().(*hang)
	if !ok {
		h = &hang{session: s}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.msg, h.begun, h.said = msg, time.Now(), 0
	if !h.armed {
		h.arm(s.hangWarning)
	}
	return h
}

func (h *hang) end() {
	h.mu.Lock()
	h.msg, h.begun = Message{}, time.Time{}
	h.mu.Unlock()
	h.session.hangs.Put(h)
}

func (h *hang) arm(d time.Duration) {
	h.armed = true
	if h.timer == nil {
		h.timer = time.AfterFunc(d, h.look)
		return
	}
	h.timer.Reset(d)
}

func (h *hang) look() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun.IsZero() {
		h.armed = false
		return
	}
	took := time.Since(h.begun)
	if took >= h.patience() {
		h.session.messageLog(h.msg).Warn("pgque: handler still runs", "since", took.Round(time.Millisecond))
		h.said++
	}
	h.arm(h.patience() - took)
}

// patience is the age of the call at which it is named next.
func (h *hang) patience() time.Duration { return h.session.hangWarning << min(h.said, 30) }
