package pgque

import (
	"context"
	"sync"
)

// capability says which functions beyond the documented SQL API the engine has. On
// an engine without them the client does the same work with the documented ones.
type capability struct {
	installed bool
	settle    bool // settle(): ack and all nacks of a page at once
	fetch     bool // fetch(): receive() that merges waiting ticks
	tick      bool // tick_queue(): tick when there is anything new
	maint     bool // maint_queue(): maintenance of one queue
	watch     bool // tick_queues() and maint_queues(): the same for many queues at once
	shorten   bool // shorten() and release(): a part of a page can be settled
	begin     bool // begin_message(): deaths of the process are counted
	next      bool // next_page(): settlement of a page and the next page in one, and a reader for each queue
	pull      bool // pull(): tick, settlement of a page and the next page in one
	turn      bool // turn_page() and a page_window for each queue: pages that the client read by itself
	resign    bool // resign_subconsumer(): a member that stops leaves its batch to the others
	insert    bool // insert_target(): events may be inserted directly
}

// parts reports an engine that settles a part of a page for good.
func (e capability) parts() bool { return e.settle && e.shorten }

// cuts reports that a part of a page can be settled by this client at least, which
// keeps the place inside the batch where the engine does not.
func (e capability) cuts() bool { return e.parts() || !e.settle }

// pages reports an engine whose receive hands out pages and whose ack moves past
// one page only; elsewhere ack ends the whole batch, whatever was received.
func (e capability) pages() bool { return e.settle }

// engineCache asks the server once.
type engineCache struct {
	mu    sync.Mutex
	known *capability
}

// capability asks the server on the first call. The answer is kept once an engine
// is installed.
func (c *Client) capability(ctx context.Context) (capability, error) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if c.engine.known != nil {
		return *c.engine.known, nil
	}
	var e capability
	err := c.pool.QueryRow(ctx, sqlCapabilities).Scan(&e.installed, &e.settle, &e.fetch, &e.tick, &e.maint, &e.watch, &e.shorten,
		&e.begin, &e.resign, &e.insert, &e.next, &e.turn, &e.pull)
	e.watch = e.watch && e.tick && e.maint
	if err == nil && e.installed {
		c.engine.known = &e
	}
	return e, err
}

// Install installs the engine, or brings it up to this package's version: see the
// function Install.
func (c *Client) Install(ctx context.Context) error {
	if err := Install(ctx, c.pool); err != nil {
		return err
	}
	c.engine.forget()
	c.tables.forgetAll()
	return nil
}

// Uninstall removes the engine with all that is in it: see the function Uninstall.
func (c *Client) Uninstall(ctx context.Context) error {
	if err := Uninstall(ctx, c.pool); err != nil {
		return err
	}
	c.engine.forget()
	c.tables.forgetAll()
	return nil
}

// forget makes the next use ask the server again.
func (e *engineCache) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = nil
}
