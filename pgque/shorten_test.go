package pgque_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/pgque/pgque-go/pgque"
)

func ids(page []pgque.Message) []int64 {
	out := make([]int64, len(page))
	for i, m := range page {
		out[i] = m.MsgID
	}
	return out
}

func TestEngineShorten_TheRestComesWithTheNextPage(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 5)
	b.tick()
	page := b.receive("billing", 5)
	if n := b.number("select pgque.shorten($1, $2)", page[0].BatchID, page[1].MsgID); n != 1 {
		t.Fatalf("shorten returned %d", n)
	}
	b.must(b.Ack(t.Context(), page[0].BatchID))
	rest := b.receive("billing", 5)
	if !slices.Equal(ids(rest), sent[2:]) || rest[0].RetryCount != nil {
		t.Errorf("the rest is %+v, want %v", rest, sent[2:])
	}
	if n := b.number("select pgque.shorten($1, $2)", page[0].BatchID, page[1].MsgID); n != 0 {
		t.Errorf("shorten of a finished page returned %d", n)
	}
}

func TestEngineShorten_AnOpenPageStaysShort(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 5)
	b.tick()
	batch := b.receive("billing", 5)[0].BatchID
	b.exec("select pgque.shorten($1, $2)", batch, sent[1])
	again := b.receive("billing", 1)
	if !slices.Equal(ids(again), sent[:2]) || again[0].BatchID != batch {
		t.Errorf("the shortened page is %v", ids(again))
	}
}

func TestEngineShorten_StrangersAreRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 3)
	b.tick()
	batch := b.receive("billing", 2)[0].BatchID
	for _, sql := range []string{"select pgque.shorten($1, $2)", "select pgque.release($1, array[$2::bigint])"} {
		for _, id := range []int64{sent[0] - 1, sent[2], sent[2] + 1} {
			if _, err := b.Pool().Exec(t.Context(), sql, batch, id); sqlState(err) != "PQ004" {
				t.Errorf("%s of %d: %v", sql, id, err)
			}
		}
	}
}

func TestEngineRelease_ComesAgainUncounted(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0")) // one retry would be the end
	b.subscribe("billing")
	sent := b.send("a", 3)
	b.tick()
	page := b.receive("billing", 3)
	if n := b.number("select pgque.release($1, $2)", page[0].BatchID, sent[1:2]); n != 1 {
		t.Fatalf("release returned %d", n)
	}
	b.must(b.Ack(t.Context(), page[0].BatchID))
	b.retryNow()
	again := b.receive("billing", 3)
	if !slices.Equal(ids(again), sent[1:2]) || again[0].RetryCount != nil || !again[0].CreatedAt.Equal(page[1].CreatedAt) {
		t.Fatalf("released %+v", again)
	}
	if n := b.number("select pgque.release($1, $2)", page[0].BatchID, sent[:1]); n != 0 {
		t.Errorf("release into a finished page returned %d", n)
	}
}

func TestEngineBeginMessage_CountsUntilThePageIsFinished(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 3)
	b.tick()
	page := b.receive("billing", 3)
	begin := func(batch int64, id *int64) int64 { return b.number("select pgque.begin_message($1, $2)", batch, id) }
	first, second := &sent[0], &sent[1]
	for want := int64(1); want <= 3; want++ {
		if n := begin(page[0].BatchID, first); n != want {
			t.Errorf("begun %d times, want %d", n, want)
		}
	}
	if n := begin(page[0].BatchID, nil); n != 0 {
		t.Errorf("taken back: %d", n)
	}
	if n := begin(page[0].BatchID, first); n != 1 {
		t.Errorf("begun %d times after it was taken back", n)
	}
	b.exec("select pgque.shorten($1, $2)", page[0].BatchID, sent[0])
	b.must(b.Ack(t.Context(), page[0].BatchID))
	if n := begin(page[0].BatchID, first); n != 0 {
		t.Errorf("begun in a finished page: %d", n)
	}
	if n := begin(b.receive("billing", 3)[0].BatchID, second); n != 1 {
		t.Errorf("the next message was begun %d times", n)
	}
}

func TestEngineBeginMessage_CountsOnAfterATakeover(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.exec("select pgque.register_subconsumer('orders', 'billing', 'first')")
	sent := b.send("a", 2)
	b.tick()
	begin := func(member string) int64 {
		var batch int64
		b.must(b.Pool().QueryRow(t.Context(),
			"select batch_id from pgque.receive_coop('orders', 'billing', $1, 10, interval '0') limit 1", member).Scan(&batch))
		return b.number("select pgque.begin_message($1, $2)", batch, sent[0])
	}
	for i, member := range []string{"first", "second", "third"} {
		if n := begin(member); n != int64(i+1) {
			t.Errorf("%s has begun it %d times, want %d", member, n, i+1)
		}
	}
}

func sqlState(err error) string {
	var state interface{ SQLState() string }
	if !errors.As(err, &state) {
		return ""
	}
	return state.SQLState()
}
