package pgque_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func TestSendAt_ComesWhenItIsTimeAndCanBeCancelled(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	later, err := b.SendAt(t.Context(), "orders", pgque.Event{Type: "later"}, time.Now().Add(time.Hour))
	b.must(err)
	soon, err := b.SendAt(t.Context(), "orders", pgque.Event{Type: "soon", Payload: 1}, time.Now().Add(time.Hour))
	b.must(err)
	_, err = b.SendAt(t.Context(), "orders", pgque.Event{Type: "now"}, time.Now().Add(-time.Hour))
	b.must(err)
	for _, want := range []bool{true, false} {
		if cancelled, err := b.CancelScheduled(t.Context(), later); err != nil || cancelled != want {
			t.Errorf("cancelled %t, %v, want %t", cancelled, err, want)
		}
	}
	b.exec("update pgque.delayed set de_deliver_at = now() where de_id = $1", soon)
	b.exec("select pgque.maint_deliver_delayed()")
	b.tick()
	page := b.receive("billing", 10)
	if len(page) != 2 || page[0].Type != "now" || page[1].Type != "soon" || page[1].Payload != "1" {
		t.Errorf("received %+v", page)
	}
	if _, err := b.SendAt(t.Context(), "nowhere", pgque.Event{}, time.Now().Add(time.Hour)); !errors.Is(err, pgque.ErrQueueNotFound) {
		t.Errorf("to no queue: %v", err)
	}
}

func TestSendOnce_SecondTimeIsTheFirstEvent(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	id, first, err := b.SendOnce(t.Context(), "orders", pgque.Event{Type: "a"}, "request 7", time.Hour)
	b.must(err)
	again, second, err := b.SendOnce(t.Context(), "orders", pgque.Event{Type: "a"}, "request 7", time.Hour)
	b.must(err)
	other, third, err := b.SendOnce(t.Context(), "orders", pgque.Event{Type: "a"}, "request 8", time.Hour)
	b.must(err)
	if !first || second || again != id || !third || other == id {
		t.Errorf("%d %t, %d %t, %d %t", id, first, again, second, other, third)
	}
	b.tick()
	if page := b.receive("billing", 10); len(page) != 2 {
		t.Errorf("received %+v", page)
	}
	if _, _, err := b.SendOnce(t.Context(), "orders", pgque.Event{}, "k", 0); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("without a time to live: %v", err)
	}
}

func TestSendAtAndSendOnce_ExtrasTravelAlong(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	texts := [4]string{"one", "two", "three", "four"}
	ev := pgque.Event{Type: "a", Extra1: &texts[0], Extra2: &texts[1], Extra3: &texts[2], Extra4: &texts[3]}
	_, err := b.SendAt(t.Context(), "orders", ev, time.Now().Add(-time.Hour))
	b.must(err)
	_, err = b.SendAt(t.Context(), "orders", ev, time.Now().Add(time.Hour))
	b.must(err)
	for range 2 {
		_, _, err = b.SendOnce(t.Context(), "orders", ev, "k", time.Hour)
		b.must(err)
	}
	_, _, err = b.SendOnce(t.Context(), "orders", pgque.Event{Type: "key", Extra1: &texts[0]}, "l", time.Hour)
	b.must(err)
	b.exec("update pgque.delayed set de_deliver_at = now()")
	b.exec("select pgque.maint_deliver_delayed()")
	b.tick()
	page := b.receive("billing", 10)
	if len(page) != 4 {
		t.Fatalf("received %+v", page)
	}
	for _, msg := range page {
		for i, extra := range []*string{msg.Extra1, msg.Extra2, msg.Extra3, msg.Extra4} {
			if i > 0 && msg.Type == "key" {
				continue
			}
			if extra == nil || *extra != texts[i] {
				t.Errorf("message %d of type %s: Extra%d is not %q", msg.MsgID, msg.Type, i+1, texts[i])
			}
		}
	}
}

func TestSendAtAndSendOnce_AnOlderEngineRefusesExtrasByName(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.exec("drop function pgque.send_at(text, text, text, timestamptz, text, text, text, text)")
	b.exec("drop function pgque.send_idem(text, text, text, text, interval, text, text, text, text)")
	extra := "x"
	if _, err := b.SendAt(t.Context(), "orders", pgque.Event{Extra2: &extra}, time.Now()); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("SendAt: %v", err)
	}
	if _, _, err := b.SendOnce(t.Context(), "orders", pgque.Event{Extra2: &extra}, "k", time.Hour); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("SendOnce: %v", err)
	}
}

func TestWithTx_WhatIsScheduledOrSentOnceGoesWithTheTransaction(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	tx, err := b.Pool().Begin(t.Context())
	b.must(err)
	_, err = b.WithTx(tx).SendAt(t.Context(), "orders", pgque.Event{}, time.Now().Add(time.Hour))
	b.must(err)
	_, first, err := b.WithTx(tx).SendOnce(t.Context(), "orders", pgque.Event{}, "k", time.Hour)
	b.must(err)
	b.must(tx.Rollback(t.Context()))
	_, again, err := b.SendOnce(t.Context(), "orders", pgque.Event{}, "k", time.Hour)
	b.must(err)
	if !first || !again || b.number("select count(*) from pgque.delayed") != 0 {
		t.Error("it outlived the rollback")
	}
}

func TestReplayAndSeek_ForOneConsumerAlone(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.subscribe("audit")
	sent := b.send("a", 3)
	b.send("b", 1)
	b.tick()
	for _, consumer := range []string{"billing", "audit"} {
		b.must(b.Ack(t.Context(), b.receive(consumer, 10)[0].BatchID))
	}
	n, err := b.Replay(t.Context(), "orders", "billing", pgque.ReplayFilter{Types: []string{"a"}, FromID: sent[1]})
	b.must(err)
	b.tick()
	page := b.receive("billing", 10)
	if n != 2 || len(page) != 2 || page[0].Payload != `{"n":2}` {
		t.Errorf("%d replayed, received %+v", n, page)
	}
	if page := b.receive("audit", 10); len(page) != 0 {
		t.Errorf("audit received %+v", page)
	}
	if _, err := b.Replay(t.Context(), "orders", "billing", pgque.ReplayFilter{}); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("without a filter: %v", err)
	}
	_, err = b.Seek(t.Context(), "orders", "audit", time.Now().Add(-time.Hour))
	b.must(err)
	if page := b.receive("audit", 10); len(page) != 4 {
		t.Errorf("after seeking back audit received %+v", page)
	}
}

func TestReplayEdited_IsValidatedAndReachesItsConsumer(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	b.bury("billing", "a", "no stock", 1)
	letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
	b.must(err)
	id := letters[0].ID
	invalid := errors.New("still invalid")
	if _, err := b.ReplayEdited(t.Context(), id, func(pgque.DeadLetter) (pgque.Event, error) { return pgque.Event{}, invalid }); !errors.Is(err, invalid) {
		t.Errorf("error %v", err)
	}
	if _, err := b.ReplayEdited(t.Context(), id, func(pgque.DeadLetter) (pgque.Event, error) {
		return pgque.Event{Payload: make(chan int)}, nil
	}); err == nil {
		t.Error("a payload that is none was replayed")
	}
	_, err = b.ReplayEdited(t.Context(), id, func(l pgque.DeadLetter) (pgque.Event, error) {
		return pgque.Event{Type: l.Message.Type, Payload: map[string]int{"n": 2}}, nil
	})
	b.must(err)
	b.tick()
	if page := b.receive("billing", 10); len(page) != 1 || page[0].Payload != `{"n":2}` || page[0].Type != "a" {
		t.Errorf("billing received %+v", page)
	}
	if _, err := b.DeadLetter(t.Context(), id); !errors.Is(err, pgque.ErrDeadLetterNotFound) {
		t.Errorf("the dead letter is still there: %v", err)
	}
}
