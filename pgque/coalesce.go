package pgque

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// How many Sends to one queue are on their way at once. Those that come meanwhile wait
// and then go together: few callers in one flight, which costs least; a crowd in two,
// of which the server stores one while the client readies the other.
const (
	sendFlights = 2
	crowd       = 16 // callers that wait while a flight is on its way
)

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
	text  []byte
	reply chan sendReply // cap 1: nobody need be listening any more
}

type sendReply struct {
	id  int64
	err error
}

// waitingLoad is the events of a flight.
type waitingLoad []*waitingSend

func (l waitingLoad) len() int           { return len(l) }
func (l waitingLoad) event(i int) *Event { return &l[i].ev }

func (l waitingLoad) appendText(buf []byte, i int) ([]byte, error) {
	return append(buf, l[i].text...), nil
}

// sendGrouped sends one event, alone when nobody else is sending, else together with
// others. A caller that gives up takes nobody along: its event is withdrawn while it
// waits, and may or may not have been sent when it was on its way.
func (c *Client) sendGrouped(ctx context.Context, queue string, ev *Event) (int64, error) {
	text, err := ev.appendJSON(nil)
	if err != nil {
		return 0, err
	}
	w := &waitingSend{ev: *ev, text: text}
	switch c.groups.join(queue, w) {
	case flightAlone:
		defer c.depart(queue)
		return c.insertOne(ctx, queue, w)
	case flightNew:
		go c.fly(queue)
	}
	select {
	case reply := <-w.reply:
		return reply.id, reply.err
	case <-ctx.Done():
		c.groups.withdraw(queue, w)
		return 0, ctx.Err()
	}
}

// joined is what a caller of Send finds.
type joined int

const (
	flightFull  joined = iota // others will take the event along
	flightNew                 // the caller has to start another flight, for all who wait
	flightAlone               // the caller may send at once; then depart must follow
)

func (g *sendGroups) join(queue string, w *waitingSend) joined {
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
	if group.flights == 0 {
		group.flights = 1
		return flightAlone
	}
	w.reply = make(chan sendReply, 1)
	group.waiting = append(group.waiting, w)
	if group.flights < sendFlights && len(group.waiting) >= crowd {
		group.flights++
		return flightNew
	}
	return flightFull
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

// depart ends the flight of a caller that was alone.
func (c *Client) depart(queue string) {
	if c.groups.land(queue) {
		go c.fly(queue)
	}
}

// fly sends for those who wait until nobody does.
func (c *Client) fly(queue string) {
	for next := c.groups.next(queue); next != nil; next = c.groups.next(queue) {
		c.sendTogether(queue, next)
		// Those who have got their answer may send again at once. Letting them run first
		// makes the next flight a full one.
		runtime.Gosched()
	}
}

// land gives the flight's place up when nobody waits.
func (g *sendGroups) land(queue string) (goesOn bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.byQueue[queue]
	if len(group.waiting) > 0 {
		return true
	}
	g.end(queue, group)
	return false
}

func (g *sendGroups) end(queue string, group *sendGroup) {
	group.flights--
	if group.flights == 0 {
		delete(g.byQueue, queue)
	}
}

// next takes those who wait, as many as fit a statement. It gives the flight's place up
// when nobody does, and when the few who do can go with the other flight.
func (g *sendGroups) next(queue string) waitingLoad {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.byQueue[queue]
	if len(group.waiting) == 0 || group.flights > 1 && len(group.waiting) < crowd {
		g.end(queue, group)
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
func (c *Client) sendTogether(queue string, waiting waitingLoad) {
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	ids, err := c.insertAll(ctx, queue, waiting)
	alone := err != nil && len(waiting) > 1 && isOneEvent(err)
	for i, w := range waiting {
		switch {
		case alone:
			id, err := c.insertOne(ctx, queue, w)
			w.reply <- sendReply{id: id, err: err}
		case err != nil:
			w.reply <- sendReply{err: err}
		default:
			w.reply <- sendReply{id: ids[i]}
		}
	}
}

func (c *Client) insertOne(ctx context.Context, queue string, w *waitingSend) (int64, error) {
	ids, err := c.insertAll(ctx, queue, waitingLoad{w})
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// isOneEvent reports a refusal that may come from a single event. The statement was
// then undone as a whole.
func isOneEvent(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Severity == "ERROR" && !isLasting(err) &&
		!errors.Is(sentinelOf(err), ErrInsertDisallowed)
}
