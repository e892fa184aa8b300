package pgque

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Several processes may run one consumer, as they do for a moment while a new version
// is rolled out. One of them has the turn, the others stand by; it is an advisory lock
// of the listening connection, so it ends with the process. Without a listening
// connection nobody knows whose turn it is and all go on: they receive the same pages
// then, of which one of them can settle each.
type turn int32

const (
	turnUnknown turn = iota // soon decided
	turnOpen                // cannot be decided now
	turnMine
	turnTaken
)

const (
	turnGrace  = time.Second // to wait for a decision
	turnLeast  = 50 * time.Millisecond
	turnMost   = time.Second // between two tries of one who stands by
	turnPrefix = "pgque consumer "
)

const (
	saysStandby = "pgque: another process consumes under this name; this one stands by until that one ends. WithSubconsumer lets them share the work"
	saysNoSeat  = "pgque: another process is this member of the group; this one stands by until that one ends. Each needs a WithSubconsumer name of its own"
)

// awaitTurn waits while another process consumes under the same name. It says so once.
func (s *session) awaitTurn() { s.awaitTurnOf(s.sub, saysStandby) }

func (s *session) awaitTurnOf(sub *subscription, standby string) {
	again := backoff{least: turnLeast, most: turnMost}
	grace := time.Now().Add(turnGrace)
	since := time.Now()
	for s.taking.Err() == nil {
		switch turn(sub.turn.Load()) {
		case turnMine, turnOpen:
			return
		case turnTaken:
			grace = time.Now().Add(turnGrace)
			s.dropAhead()
			s.client.listener.tryAgain()
			if !s.saidStandby && time.Since(since) > turnGrace {
				s.saidStandby = true
				s.log.Warn(standby)
			}
		case turnUnknown:
			if time.Now().After(grace) {
				sub.turn.CompareAndSwap(int32(turnUnknown), int32(turnOpen))
				continue
			}
		}
		sub.awaitTurnChange(s.taking, again.next())
	}
}

func (s *subscription) awaitTurnChange(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-s.turned:
	case <-s.handover:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *subscription) setTurn(t turn) {
	if turn(s.turn.Swap(int32(t))) != t {
		signal(s.turned)
	}
}

// tryAgain makes the connection ask again whose turn it is.
func (l *listener) tryAgain() { signal(l.changed) }

// turnsLost follows the end of the connection: who had the turn goes on, who stood by
// waits for the next connection to tell.
func (l *listener) turnsLost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for sub := range l.subs {
		if turn(sub.turn.Load()) == turnTaken {
			sub.setTurn(turnUnknown)
		} else {
			sub.setTurn(turnOpen)
		}
	}
}

// takeTurns asks for the turn of every subscription that has a name and does not have
// it, and gives up the turns of those that are gone.
func (e *ears) takeTurns(ctx context.Context) error {
	wanted := e.listener.named()
	for name := range e.turns {
		if wanted[name] == nil {
			if err := e.giveTurnUp(ctx, name); err != nil {
				return err
			}
		}
	}
	for name, sub := range wanted {
		if _, held := e.turns[name]; !held {
			mine, err := e.tryTurn(ctx, name)
			switch {
			case err != nil:
				return err
			case !mine:
				sub.setTurn(turnTaken)
				continue
			}
			e.turns[name] = sub.queue
		}
		sub.setTurn(turnMine)
	}
	return nil
}

// tryTurn lets everybody go on where the lock is refused to the role.
func (e *ears) tryTurn(ctx context.Context, name string) (mine bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	err = e.conn.QueryRow(ctx, sqlTryTurn, turnPrefix+name).Scan(&mine)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42501" {
		return true, nil
	}
	return mine, err
}

// giveTurnUp lets those who stand by know.
func (e *ears) giveTurnUp(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	_, err := e.conn.Exec(ctx, sqlGiveTurnUp, turnPrefix+name, channelPrefix+e.turns[name])
	delete(e.turns, name)
	return err
}

// giveTurnsUp is the farewell of a connection that ends in peace.
func (e *ears) giveTurnsUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for name := range e.turns {
		if e.giveTurnUp(ctx, name) != nil {
			return // the connection is gone, and the turns with it
		}
	}
}

// named maps names to one subscription each; a second one of this client stands by.
func (l *listener) named() map[string]*subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	named := make(map[string]*subscription)
	for sub := range l.subs {
		first := named[sub.name]
		if sub.name == "" {
			sub.setTurn(turnOpen)
		} else if first == nil || sub.no < first.no {
			named[sub.name] = sub
		}
	}
	for sub := range l.subs {
		if first := named[sub.name]; first != nil && first != sub {
			sub.setTurn(turnTaken)
		}
	}
	return named
}
