package pgque_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

func TestReceive_NothingReadyIsAnEmptySlice(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.send("a", 1) // no tick yet
		if page := b.receive("billing", 10); len(page) != 0 {
			t.Errorf("received %v", page)
		}
	})
}

func TestReceive_PagesCoverTheBatchOnceInOrder(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		ids := b.send("a", 25)
		b.tick()
		var got []int64
		for page := b.receive("billing", 10); len(page) > 0; page = b.receive("billing", 10) {
			if len(page) > 10 {
				t.Fatalf("a page of %d", len(page))
			}
			for _, m := range page {
				got = append(got, m.MsgID)
			}
			b.must(b.Ack(t.Context(), page[0].BatchID))
		}
		if len(got) != len(ids) {
			t.Fatalf("%d messages, want %d", len(got), len(ids))
		}
		for i := range ids {
			if got[i] != ids[i] {
				t.Fatalf("message %d is %d, want %d", i, got[i], ids[i])
			}
		}
	})
}

func TestReceive_PageStaysUntilItIsAcked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.send("a", 10)
		b.tick()
		first, again := b.receive("billing", 6), b.receive("billing", 3)
		if len(again) != 6 || again[0].BatchID != first[0].BatchID || again[0].MsgID != first[0].MsgID {
			t.Errorf("first %v, then %v", first, again)
		}
		b.must(b.Ack(t.Context(), first[0].BatchID))
		if rest := b.receive("billing", 6); len(rest) != 4 {
			t.Errorf("%d behind the page, want 4", len(rest))
		}
	})
}

func TestReceive_WalksThroughEmptyWindows(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		for range 20 {
			b.tick()
		}
		b.send("a", 1)
		b.tick()
		if page := b.receive("billing", 10); len(page) != 1 {
			t.Errorf("received %v", page)
		}
	})
}

func TestReceive_NullsAreEmptyStrings(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.exec("select pgque.insert_event('orders', null, null)")
		b.tick()
		page := b.receive("billing", 10)
		if len(page) != 1 || page[0].Type != "" || page[0].Payload != "" {
			t.Fatalf("received %+v", page)
		}
		b.must(b.Nack(t.Context(), page[0].BatchID, page[0], 0, "odd"))
		b.must(b.Ack(t.Context(), page[0].BatchID))
	})
}

func TestReceive_NonsenseIsRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	if _, err := b.Receive(t.Context(), "orders", "billing", 0); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("no messages: %v", err)
	}
	if _, err := b.Receive(t.Context(), "orders", "nobody", 1); !errors.Is(err, pgque.ErrConsumerNotFound) {
		t.Errorf("unknown consumer: %v", err)
	}
	if _, err := b.Receive(t.Context(), "nowhere", "billing", 1); err == nil {
		t.Error("unknown queue was taken")
	}
}

func TestAck_SecondTimeIsStale(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.send("a", 1)
		b.tick()
		page := b.receive("billing", 10)
		b.must(b.Ack(t.Context(), page[0].BatchID))
		b.send("b", 1)
		b.tick()
		b.must(b.Ack(t.Context(), page[0].BatchID))
		b.must(b.Ack(t.Context(), 123456789))
		if next := b.receive("billing", 10); len(next) != 1 || next[0].Type != "b" {
			t.Errorf("after stale acks received %v", next)
		}
	})
}

func TestNack_ReturnsWithItsRetryCounted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.subscribe("audit")
		ids := b.send("a", 3)
		b.tick()
		page := b.receive("billing", 10)
		b.must(b.Nack(t.Context(), page[1].BatchID, page[1], 0, "later"))
		b.must(b.Nack(t.Context(), page[1].BatchID, page[1], 0, "later"))
		b.must(b.Ack(t.Context(), page[1].BatchID))
		b.retryNow()
		again := b.receive("billing", 10)
		if len(again) != 1 || again[0].MsgID != ids[1] || again[0].RetryCount == nil || *again[0].RetryCount < 1 {
			t.Errorf("billing received %+v", again)
		}
		if others := b.receive("audit", 10); len(others) != 3 {
			t.Errorf("audit received %+v", others)
		}
	})
}

func TestNack_DelayIsKept(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 1)
	b.tick()
	page := b.receive("billing", 10)
	b.must(b.Nack(t.Context(), page[0].BatchID, page[0], 3600, "later"))
	b.must(b.Ack(t.Context(), page[0].BatchID))
	b.retryNow()
	if again := b.receive("billing", 10); len(again) != 0 {
		t.Errorf("received %v an hour early", again)
	}
}

func TestNack_UsedUpRetriesAreADeadLetterWithItsReason(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
		ids := b.send("a", 1)
		b.tick()
		page := b.receive("billing", 10)
		b.must(b.Nack(t.Context(), page[0].BatchID, page[0], 60, "no such customer"))
		b.must(b.Ack(t.Context(), page[0].BatchID))
		letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{Queue: "orders"})
		b.must(err)
		if len(letters) != 1 || letters[0].Message.MsgID != ids[0] || letters[0].Reason != "no such customer" {
			t.Errorf("dead letters %+v", letters)
		}
	})
}

func TestNack_StrangersAreRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 1)
	b.tick()
	page := b.receive("billing", 10)
	batch := page[0].BatchID
	if err := b.Nack(t.Context(), 987654321, page[0], 0, ""); !errors.Is(err, pgque.ErrBatchNotFound) {
		t.Errorf("unknown batch: %v", err)
	}
	if err := b.Nack(t.Context(), batch, pgque.Message{MsgID: 987654321}, 0, ""); !errors.Is(err, pgque.ErrMessageNotFound) {
		t.Errorf("unknown message: %v", err)
	}
	if err := b.Nack(t.Context(), batch, page[0], -1, ""); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("negative delay: %v", err)
	}
}

// unscannable are rows that can be read as they came only.
type unscannable struct{ pgx.Rows }

func (unscannable) Scan(...any) error { return errors.New("a row was scanned") }

func TestReceive_RowsAsTheyCameAreWhatScanMakesOfThem(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	extra := "beside"
	_, err := b.Send(t.Context(), "orders", pgque.Event{Type: "retried", Payload: "ä", Extra1: &extra, Extra4: new(string)})
	b.must(err)
	b.tick()
	first := b.receive("billing", 10)[0]
	b.must(b.Nack(t.Context(), first.BatchID, first, 0, "again"))
	b.must(b.Ack(t.Context(), first.BatchID))
	b.send("a", 2)
	b.send("b", 1)
	b.exec("select pgque.insert_event('orders', null, null)")
	b.retryNow()

	page := func(shown func(pgx.Rows) pgx.Rows, args ...any) []pgque.Message {
		rows, err := b.Pool().Query(t.Context(), pgque.SQLReceive, append(args, "orders", "billing", 10)...)
		b.must(err)
		page, err := pgque.ReadPage(shown(rows), 0)
		b.must(err)
		for i := range page {
			page[i].CreatedAt = page[i].CreatedAt.UTC()
		}
		return page
	}
	scanned := page(func(rows pgx.Rows) pgx.Rows { return rows }, pgx.QueryExecModeSimpleProtocol)
	read := page(func(rows pgx.Rows) pgx.Rows { return unscannable{rows} })
	if len(read) != 5 || !reflect.DeepEqual(read, scanned) {
		t.Errorf("read %+v\nscanned %+v", read, scanned)
	}
}
