package pgque

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// defaultTakeover is how long a member may be silent before others take its batch.
const defaultTakeover = time.Minute

// heartbeats is how often a member is heard of within that time.
const heartbeats = 4

// WithSubconsumer makes the consumer one member of a group that shares one cursor:
// each batch goes to one member, so that members spread over processes divide the
// work. The name should be stable, such as that of the pod or host, and of one process
// alone: a second one of the same name stands by, as Start describes. A consumer that
// is subscribed already becomes a group, unless it is in the middle of a batch. The
// member leaves the group when Start ends.
//
// Batches of different members are handled side by side, so order holds within a
// batch only. Defaults to no group.
func WithSubconsumer(name string) Option {
	return func(c *Consumer) {
		c.member = name
		c.require(name != "" && !strings.Contains(name, "."), "WithSubconsumer(%q): must not be empty or contain a dot", name)
	}
}

// WithTakeover sets after which time without a sign of life another member's batch
// is taken over; the silent one can settle nothing of it any more. Only for
// WithSubconsumer and, up to a day, WithPartitions. Defaults to one minute.
func WithTakeover(d time.Duration) Option {
	return func(c *Consumer) {
		c.takeover = d
		c.require(d > 0, "WithTakeover(%v): must be positive", d)
	}
}

// seatName is that of the turn of a member.
func (s *session) seatName() string {
	return strconv.Quote(s.queue) + " " + strconv.Quote(s.name) + " " + s.member
}

// hasSeat is false while another process is this member.
func (s *session) hasSeat() bool { return turn(s.seat.turn.Load()) != turnTaken }

// subscribe registers the consumer, or the member and with it the group.
func (s *session) subscribe(ctx context.Context) error {
	s.client.learnRetryLimit(ctx, s.queue)
	if s.member == "" {
		return s.Subscribe(ctx)
	}
	_, err := queryInt(ctx, s.client.pool, sqlJoin, s.queue, s.name, s.member)
	return wrap(err, "join %q as %q on %q", s.name, s.member, s.queue)
}

// fetchAsMember asks for a batch of its own, or for one of a silent member. It is not cut
// short by a stop: the server might come to a request that nobody waits for after the
// member has left, and would make it a member again.
func (s *session) fetchAsMember() ([]Message, error) {
	if s.awaitTurnOf(s.seat, saysNoSeat); s.taking.Err() != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(s.working, statementTimeout)
	defer cancel()
	silence := s.takeover.Seconds()
	if s.engine.pages() {
		return queryMessages(ctx, s.client.pool, sqlReceiveCoop, s.queue, s.name, s.member, s.maxMessages, silence)
	}
	return s.client.receiveWindow(ctx, s.pageLimit(), func(ctx context.Context) (int64, error) {
		return queryInt(ctx, s.client.pool, sqlNextBatchCoop, s.queue, s.name, s.member, silence)
	})
}

// keepAlive takes the seat of the member, which leave gives up, and tells the group that
// the member lives, until stop is called. The first sign comes with the batch itself.
func (s *session) keepAlive() (stop func()) {
	if s.member == "" {
		return func() {}
	}
	s.seat = s.client.listener.subscribe(s.queue, s.seatName())
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.working))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, s.takeover/heartbeats); ctx.Err() == nil; pause(ctx, s.takeover/heartbeats) {
			if !s.hasSeat() {
				continue
			}
			if err := s.touch(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("pgque: cannot give a sign of life; the batch may be taken over", "member", s.member, "error", err)
			}
		}
	}()
	return func() { cancel(); <-ended }
}

func (s *session) touch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	_, err := queryInt(ctx, s.client.pool, sqlTouch, s.queue, s.name, s.member)
	return err
}

// leave takes the member out of the group, unless another process is this member. A batch
// that is not finished is left to the others, from where it stands. On an engine that can
// only put back what was never begun, and count a retry for it, the member stays in until
// the batch is taken over. Whoever waits for the seat gets it afterwards.
func (s *session) leave() {
	if s.member == "" {
		return
	}
	defer s.client.listener.unsubscribe(s.seat)
	if !s.hasSeat() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	leave := sqlLeave
	if s.engine.resign {
		leave = sqlResign
	}
	if _, err := queryInt(ctx, s.client.pool, leave, s.queue, s.name, s.member); err != nil {
		s.log.Info("pgque: the member stays in its group until its batch is taken over",
			"member", s.member, "after", s.takeover, "reason", fmt.Sprint(err))
	}
}
