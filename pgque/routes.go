package pgque

import "maps"

// registration is a handler with its middleware around it.
type registration struct {
	bare    HandlerFunc
	handle  HandlerFunc
	wrapped bool // in middleware
	inTx    bool
	batch   *batchHandler // nil for handlers of one message
}

// handlers are registrations by event type. They are not written to once others can see
// them.
type handlers map[string]registration

// rewrite replaces the handlers by changed ones; c.mu is held.
func (c *Consumer) rewrite(change func(handlers)) {
	changed := maps.Clone(*c.handlers.Load())
	change(changed)
	c.handlers.Store(&changed)
}

// of finds the handler for a stored type; "" belongs to nobody.
func (h handlers) of(eventType string) (registration, bool) {
	if r, ok := h[eventType]; ok && eventType != "" {
		return r, true
	}
	r, ok := h[CatchAll]
	return r, ok
}

func (c *Consumer) registrationOf(eventType string) (registration, bool) {
	return c.handlers.Load().of(eventType)
}

// routes find the handler of one message after another, of which most have the type of
// the one before. They notice that a handler was set meanwhile. For one goroutine.
type routes struct {
	consumer *Consumer

	handlers  *handlers // in which the last one was found
	eventType string
	found     registration
	ok        bool
}

func (c *Consumer) routes() routes { return routes{consumer: c} }

func (r *routes) to(eventType string) (registration, bool) {
	if now := r.consumer.handlers.Load(); now != r.handlers || eventType != r.eventType {
		r.handlers, r.eventType = now, eventType
		r.found, r.ok = now.of(eventType)
	}
	return r.found, r.ok
}
