package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

// handled starts a consumer with pages of ten and returns how often each message was
// handled, once n of them were. before runs at each, with the count so far.
func handled(t *testing.T, b *bus, n int, before func(count int, msg pgque.Message)) map[int64]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	times := make(map[int64]int)
	consumer := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(10))
	consumer.Handle("order", func(_ context.Context, msg pgque.Message) error {
		before(len(times), msg)
		if times[msg.MsgID]++; len(times) == n {
			cancel()
		}
		return nil
	})
	if err := consumer.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return times
}

func checkOnce(t *testing.T, times map[int64]int, n int) {
	t.Helper()
	if len(times) != n {
		t.Errorf("%d messages were handled, want %d", len(times), n)
	}
	for id, count := range times {
		if count != 1 {
			t.Errorf("message %d was handled %d times", id, count)
		}
	}
}

func TestConsumer_PageThatSomebodyElseSettledCostsNoMessage(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 40)
	b.tick()
	times := handled(t, b, 40, func(count int, msg pgque.Message) {
		if count == 5 {
			b.must(b.Ack(t.Context(), msg.BatchID))
		}
	})
	checkOnce(t, times, 40)
}

func TestConsumer_PageIsSettledThoughTheNextOneCannotBeFetched(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 20)
	b.tick()
	mended := make(chan struct{})
	times := handled(t, b, 20, func(count int, _ pgque.Message) {
		if count != 5 {
			return
		}
		b.exec(`alter function pgque.next_page_1(text, integer, bigint, boolean) rename to next_page_away`)
		go func() {
			defer close(mended)
			until(t, "the page is settled", func() bool {
				return b.number(`select count(*) from pgque.subscription where sub_done_id is not null and sub_batch is null`) == 1
			})
			b.exec(`alter function pgque.next_page_away(text, integer, bigint, boolean) rename to next_page_1`)
		}()
	})
	<-mended
	checkOnce(t, times, 20)
}

func TestHandleTx_EffectsAreCommittedAsTheServerIsSetThoughCursorsAreNot(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("plain", 10)
	b.send("order", 1)
	b.tick()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	setting := ""
	consumer := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(10))
	consumer.Handle("plain", func(context.Context, pgque.Message) error { return nil })
	consumer.HandleTx("order", func(ctx context.Context, tx pgx.Tx, _ pgque.Message) error {
		defer cancel()
		return tx.QueryRow(ctx, `show synchronous_commit`).Scan(&setting)
	})
	if err := consumer.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if setting != "on" {
		t.Errorf("synchronous_commit is %q in a handler's transaction", setting)
	}
}

func TestFetch_ReadsEveryTableThatHoldsSomething(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	for table := range 3 {
		b.exec(`update pgque.queue set queue_cur_table = $1`, table)
		b.send(fmt.Sprint("in_", table), 1)
	}
	b.tick()
	got := b.receive("billing", 10)
	if len(got) != 3 {
		t.Fatalf("%d messages from three tables", len(got))
	}
	for i, msg := range got {
		if msg.Type != fmt.Sprint("in_", i) {
			t.Errorf("message %d is %q", i, msg.Type)
		}
	}
}
