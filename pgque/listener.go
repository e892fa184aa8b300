package pgque

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	channelPrefix     = "pgque_"
	selfTestWait      = 5 * time.Second  // for a notification to come back
	selfTestInterval  = 60 * time.Second // of silence, before the connection is tested again
	listenerRetryMost = 60 * time.Second
	connectTimeout    = 15 * time.Second
)

// listener holds one connection, outside the pool, that hears the ticks of all
// queues that the client's consumers read. It lives while there is a subscription.
//
// Notifications can get lost without any error: a pooler in transaction mode takes
// LISTEN and delivers nothing. So the listener sends itself a notification, and
// counts as hearing only once it came back.
type listener struct {
	client  *Client
	silence time.Duration // after which the connection is tested again
	wait    time.Duration // for the notification of the test to come back

	mu      sync.Mutex
	subs    map[*subscription]struct{}
	changed chan struct{} // cap 1: the set of subscriptions changed
	stop    context.CancelFunc
	done    chan struct{} // of the last run
	count   int           // subscriptions so far

	hearing atomic.Bool
}

// subscription is one consumer's interest in one queue.
type subscription struct {
	queue string
	name  string        // of a consumer that only one process runs at a time; "" is none
	no    int           // in the order of their beginnings
	tick  atomic.Int64  // the last tick heard of; 0 when the message had none
	woken chan struct{} // cap 1: a tick was announced, or hearing has changed
	hint  chan struct{} // cap 1: this client has sent to the queue

	turn     atomic.Int32
	turned   chan struct{} // cap 1: turn has changed
	handover chan struct{} // cap 1: a turn on the queue was given up
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// subscribe starts the connection with the first subscription.
func (l *listener) subscribe(queue, name string) *subscription {
	sub := &subscription{queue: queue, name: name, woken: make(chan struct{}, 1), hint: make(chan struct{}, 1),
		turned: make(chan struct{}, 1), handover: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	sub.no = l.count
	if l.subs == nil {
		l.subs = make(map[*subscription]struct{})
		l.changed = make(chan struct{}, 1)
	}
	l.subs[sub] = struct{}{}
	signal(l.changed)
	if l.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		before, done := l.done, make(chan struct{})
		l.stop, l.done = stop, done
		go func() {
			defer close(done)
			if before != nil {
				<-before
			}
			l.run(ctx)
		}()
	}
	return sub
}

// unsubscribe ends the connection with the last subscription, and waits for its end.
func (l *listener) unsubscribe(sub *subscription) {
	if done := l.remove(sub); done != nil {
		<-done
	}
}

// remove returns what to wait for when sub was the last one.
func (l *listener) remove(sub *subscription) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.subs, sub)
	signal(l.changed)
	if len(l.subs) > 0 || l.stop == nil {
		return nil
	}
	l.stop()
	l.stop = nil
	return l.done
}

// hintSent tells the consumers of queue in this process that there is something to
// tick.
func (l *listener) hintSent(queue string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for sub := range l.subs {
		if sub.queue == queue {
			signal(sub.hint)
		}
	}
}

// run keeps the connection up until ctx ends. It reports once when notifications
// do not arrive, and once when they do again.
func (l *listener) run(ctx context.Context) {
	retry := backoff{least: 100 * time.Millisecond, most: listenerRetryMost}
	reported := false
	for {
		err := l.session(ctx, func() {
			retry.reset()
			if reported {
				l.client.log.Info("pgque: notifications arrive again")
				reported = false
			}
		})
		l.setHearing(false)
		l.turnsLost()
		if ctx.Err() != nil {
			return
		}
		if !reported {
			l.client.log.Warn("pgque: notifications do not arrive; polling instead", "error", err)
			reported = true
		}
		pause(ctx, retry.next())
	}
}

// session is the life of one connection. It calls heard when the first self-test
// has passed.
func (l *listener) session(ctx context.Context, heard func()) error {
	conn, err := l.connect(ctx, " listener")
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	ears := &ears{listener: l, conn: conn, own: channelPrefix + "self_" + strings.ToLower(rand.Text()),
		turns: make(map[string]string)}
	if err := ears.selfTest(ctx); err != nil {
		return err
	}
	// The turns are the session's. Where the server does not know these settings, they are
	// free as soon as it finds out by itself.
	_ = ears.exec(ctx, sqlKeepAlive)
	heard()
	l.setHearing(true)
	defer ears.giveTurnsUp(ctx)
	for {
		if err := ears.follow(ctx); err != nil {
			return err
		}
		if err := ears.wait(ctx); err != nil {
			return err
		}
	}
}

// connect opens a connection as the pool would, beside it. The role is what it adds to
// the name that operators see in pg_stat_activity.
func (l *listener) connect(ctx context.Context, role string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	config := l.client.pool.Config()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, err
		}
	}
	name := cmp.Or(config.ConnConfig.RuntimeParams["application_name"], "pgque")
	config.ConnConfig.RuntimeParams["application_name"] = name + role
	return pgx.ConnectConfig(ctx, config.ConnConfig)
}

func (l *listener) notify(ctx context.Context, channel, word string) error {
	conn, err := l.connect(ctx, " self-test")
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	_, err = conn.Exec(ctx, sqlNotify, channel, word)
	return err
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the connection is gone either way
}

// setHearing wakes every consumer on a change: what was announced before the
// connection stood went unheard, and without one they wait differently.
func (l *listener) setHearing(hearing bool) {
	if l.hearing.Swap(hearing) == hearing {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for sub := range l.subs {
		sub.tick.Store(0)
		signal(sub.woken)
	}
}

// announce wakes the consumers of the channel's queue.
func (l *listener) announce(channel, payload string) {
	tick, _ := strconv.ParseInt(payload, 10, 64) // 0 when it is no tick id
	l.mu.Lock()
	defer l.mu.Unlock()
	for sub := range l.subs {
		if channelPrefix+sub.queue == channel {
			sub.tick.Store(tick)
			signal(sub.woken)
			if payload == "" {
				signal(sub.handover)
			}
		}
	}
}

func (l *listener) channels() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	channels := make(map[string]bool)
	for sub := range l.subs {
		channels[channelPrefix+sub.queue] = true
	}
	return channels
}

// ears is the state of one listening connection.
type ears struct {
	listener *listener
	conn     *pgx.Conn
	own      string            // channel of the self-test
	heard    map[string]bool   // channels that the connection listens to
	turns    map[string]string // names whose turn the connection holds, with their queues
}

// follow makes the connection listen to the channels of the current subscriptions,
// and wakes the consumers of those that are new. Then it asks whose turn it is.
func (e *ears) follow(ctx context.Context) error {
	wanted := e.listener.channels()
	for channel := range wanted {
		if e.heard[channel] {
			continue
		}
		if err := e.exec(ctx, "listen "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
		e.listener.announce(channel, "")
	}
	for channel := range e.heard {
		if wanted[channel] {
			continue
		}
		if err := e.exec(ctx, "unlisten "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
	}
	e.heard = wanted
	return e.takeTurns(ctx)
}

func (e *ears) exec(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	_, err := e.conn.Exec(ctx, sql)
	return err
}

// wait passes notifications on until the subscriptions change; after a long
// silence it tests the connection.
func (e *ears) wait(ctx context.Context) error {
	for {
		err := e.next(ctx, e.listener.silence)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errSubscriptionsChanged):
			return nil
		case errors.Is(err, errSilence):
			err = e.selfTest(ctx)
		}
		if err != nil {
			return err
		}
	}
}

var (
	errSubscriptionsChanged = errors.New("subscriptions changed")
	errSilence              = errors.New("no notification for a while")
)

// next passes one notification on. A wait that was cut short leaves the connection
// usable.
func (e *ears) next(ctx context.Context, patience time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, patience)
	changed := false
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-e.listener.changed:
			changed = true
			cancel()
		case <-waiting.Done():
		}
	}()
	n, err := e.conn.WaitForNotification(waiting)
	timedOut := errors.Is(waiting.Err(), context.DeadlineExceeded)
	cancel()
	<-watched
	switch {
	case err == nil:
		e.listener.announce(n.Channel, n.Payload)
	case !changed && !timedOut:
		return err
	}
	if changed {
		return errSubscriptionsChanged
	}
	if err != nil {
		return errSilence
	}
	return nil
}

// selfTest sends a notification through another connection and waits until it
// arrives here. The pool stays out of it: handlers may hold all of its connections.
func (e *ears) selfTest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.listener.wait)
	defer cancel()
	if err := e.exec(ctx, "listen "+pgx.Identifier{e.own}.Sanitize()); err != nil {
		return err
	}
	word := rand.Text()
	if err := e.listener.notify(ctx, e.own, word); err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	for {
		n, err := e.conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("self-test: %w", err)
		}
		if n.Channel == e.own && n.Payload == word {
			return nil
		}
		e.listener.announce(n.Channel, n.Payload)
	}
}
