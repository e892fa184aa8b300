package pgque_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// TestServerKilled lets producers and consumers run through two crashes of the
// server. What was sent, for certain, is handled; a plain handler may see a message
// twice, a transactional one leaves its effect once.
func TestServerKilled_NothingIsLostAndEffectsHappenOnce(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	b.effects()
	b.subscribe("billing")
	b.subscribe("audit")

	var audited ledger
	audit := b.NewConsumer("orders", "audit", pgque.WithMaxMessages(10), pgque.WithConcurrency(4))
	audit.Handle("*", func(_ context.Context, msg pgque.Message) error { audited.note(msg); return nil })
	b.start(audit)
	billing := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(10), pgque.WithRetryAfter(0))
	billing.HandleTx("*", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if err := leaveEffect(ctx, tx, msg); err != nil {
			return err
		}
		if msg.MsgID%7 == 0 && msg.RetryCount == nil {
			return errors.New("every seventh, once")
		}
		return nil
	})
	b.start(billing)

	var sent atomic.Int64
	var sentIDs ledger
	producing, stopProducing := context.WithCancel(t.Context())
	producerEnded := make(chan struct{})
	go func() {
		defer close(producerEnded)
		for producing.Err() == nil {
			id, err := b.Send(producing, "orders", pgque.Event{Type: "a"})
			if err == nil {
				sentIDs.note(pgque.Message{MsgID: id})
				sent.Add(1)
			}
		}
	}()
	for range 2 {
		goal := sent.Load() + 100
		until(t, "another hundred are sent", func() bool { return sent.Load() >= goal })
		s.Kill()
		s.Restart()
	}
	goal := sent.Load() + 100
	until(t, "another hundred are sent", func() bool { return sent.Load() >= goal })
	stopProducing()
	<-producerEnded

	stored := func() (n int64) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Pool().QueryRow(ctx, "select count(distinct ev_id) from pgque.event_1").Scan(&n); err != nil {
			return -1
		}
		return n
	}
	until(t, "every stored event has its effect", func() bool { return stored() == b.number("select count(*) from effect") })
	until(t, "every stored event is audited", func() bool { return stored() == int64(audited.messages()) })
	if twice := b.number("select count(*) - count(distinct msg_id) from effect"); twice != 0 {
		t.Errorf("%d effects happened twice", twice)
	}
	for id := range sentIDs.count {
		if b.number("select count(*) from effect where msg_id = $1", id) != 1 {
			t.Errorf("message %d was sent and has no effect", id)
		}
	}
}

// A page that was handled while the server went away is not handled again: its
// results wait for the server.
func TestServerAway_ResultsWaitForIt(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	b.subscribe("billing")
	b.send("a", 3)
	b.tick()
	var got ledger
	down := make(chan struct{})
	c := b.NewConsumer("orders", "billing")
	c.Handle("a", func(_ context.Context, msg pgque.Message) error {
		got.note(msg)
		if got.messages() == 3 {
			s.Kill()
			close(down)
		}
		return nil
	})
	b.start(c)
	within(t, "the server is down", down)
	s.Restart()
	until(t, "the page is acked", func() bool {
		var open int
		err := b.Pool().QueryRow(t.Context(), "select count(*) from pgque.subscription where sub_batch is not null").Scan(&open)
		return err == nil && open == 0
	})
	if n := len(got.deliveries()); n != 3 {
		t.Errorf("3 messages were handled %d times", n)
	}
}
