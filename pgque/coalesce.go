package pgque

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// sendFlights is how many Sends to one queue are on their way at once; those that
// come meanwhile wait and then go together. Two keep the server busy while one
// commits, and a single sender never waits.
const sendFlights = 2

// sendGroups lets concurrent Sends to one queue share round trips and commits.
type sendGroups struct {
	mu      sync.Mutex
	byQueue map[string]*sendGroup
}

type sendGroup struct {
	flights int
	waiting []*waitingSend
}

// waitingSend is one caller of Send.
type waitingSend struct {
	ev    Event
	text  string
	reply chan sendReply // cap 1: nobody need be listening any more
}

type sendReply struct {
	id  int64
	err error
}

// sendGrouped sends one event, alone when there is room for it, else together with
// others. A caller that gives up takes nobody along: its event is withdrawn while it
// waits, and may or may not have been sent when it was on its way.
func (c *Client) sendGrouped(ctx context.Context, queue string, ev Event, text string) (int64, error) {
	w := c.groups.join(queue, ev, text)
	if w == nil {
		defer c.depart(queue)
		return insertOne(ctx, c.pool, queue, ev, text)
	}
	select {
	case reply := <-w.reply:
		return reply.id, reply.err
	case <-ctx.Done():
		c.groups.withdraw(queue, w)
		return 0, ctx.Err()
	}
}

// join returns nil when the caller may send at once; then depart must follow.
func (g *sendGroups) join(queue string, ev Event, text string) *waitingSend {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.byQueue[queue]
	if group == nil {
		group = &sendGroup{}
		if g.byQueue == nil {
			g.byQueue = make(map[string]*sendGroup)
		}
		g.byQueue[queue] = group
	}
	if group.flights < sendFlights {
		group.flights++
		return nil
	}
	w := &waitingSend{ev: ev, text: text, reply: make(chan sendReply, 1)}
	group.waiting = append(group.waiting, w)
	return w
}

func (g *sendGroups) withdraw(queue string, w *waitingSend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.byQueue[queue]
	if group == nil {
		return
	}
	for i, other := range group.waiting {
		if other == w {
			group.waiting = append(group.waiting[:i:i], group.waiting[i+1:]...)
			return
		}
	}
}

// depart ends a flight and starts the next one with those who wait.
func (c *Client) depart(queue string) {
	if next := c.groups.next(queue); next != nil {
		go func() {
			defer c.depart(queue)
			c.sendTogether(queue, next)
		}()
	}
}

// next takes the flight's place for those who wait, as many as fit a statement, or
// gives it up when nobody does.
func (g *sendGroups) next(queue string) []*waitingSend {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.byQueue[queue]
	if len(group.waiting) == 0 {
		group.flights--
		if group.flights == 0 {
			delete(g.byQueue, queue)
		}
		return nil
	}
	size, n := 0, 0
	for n < len(group.waiting) && n < maxStatementEvents && size <= maxStatementBytes {
		size += len(group.waiting[n].text)
		n++
	}
	next := group.waiting[:n:n]
	group.waiting = group.waiting[n:]
	return next
}

// sendTogether sends for all, in one transaction. When the server refuses, each
// goes alone, so that a bad event fails for its own sender only; not so when the
// reason is nobody's event, or when it is unknown what happened.
func (c *Client) sendTogether(queue string, waiting []*waitingSend) {
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	events, texts := make([]Event, len(waiting)), make([]string, len(waiting))
	for i, w := range waiting {
		events[i], texts[i] = w.ev, w.text
	}
	ids, err := insertAll(ctx, c.pool, queue, events, texts)
	alone := err != nil && isOneEvent(err)
	for i, w := range waiting {
		switch {
		case alone:
			id, err := insertOne(ctx, c.pool, queue, w.ev, w.text)
			w.reply <- sendReply{id: id, err: err}
		case err != nil:
			w.reply <- sendReply{err: err}
		default:
			w.reply <- sendReply{id: ids[i]}
		}
	}
}

// isOneEvent reports a refusal that may come from a single event. The statement was
// then undone as a whole.
func isOneEvent(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Severity == "ERROR" && !isLasting(err) &&
		!errors.Is(sentinelOf(err), ErrInsertDisallowed)
}
