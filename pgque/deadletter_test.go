package pgque_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// bury makes dead letters of n events of a type.
func (b *bus) bury(consumer, eventType, reason string, n int) []int64 {
	b.t.Helper()
	ids := b.send(eventType, n)
	b.tick()
	page := b.receive(consumer, 1000)
	for _, m := range page {
		if m.Type == eventType {
			b.must(b.Nack(b.t.Context(), m.BatchID, m, 0, reason))
		}
	}
	b.must(b.Ack(b.t.Context(), page[0].BatchID))
	return ids
}

func newGraveyard(t *testing.T) *bus {
	b := newBus(t)
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
	b.subscribe("billing")
	b.subscribe("audit")
	return b
}

func TestDeadLetters_FilterAndPageNewestFirst(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	first := b.bury("billing", "a", "no stock", 3)
	second := b.bury("billing", "b", "no customer", 2)
	cases := map[string]struct {
		filter pgque.DeadLetterFilter
		want   int
	}{
		"all":           {pgque.DeadLetterFilter{}, 5},
		"queue":         {pgque.DeadLetterFilter{Queue: "orders"}, 5},
		"another queue": {pgque.DeadLetterFilter{Queue: "invoices"}, 0},
		"consumer":      {pgque.DeadLetterFilter{Consumer: "audit"}, 0},
		"type":          {pgque.DeadLetterFilter{Type: "a"}, 3},
		"reason":        {pgque.DeadLetterFilter{Reason: "no customer"}, 2},
		"since":         {pgque.DeadLetterFilter{Since: time.Now().Add(time.Hour)}, 0},
		"until":         {pgque.DeadLetterFilter{Until: time.Now().Add(time.Hour)}, 5},
		"limit":         {pgque.DeadLetterFilter{Limit: 4}, 4},
	}
	for name, c := range cases {
		letters, err := b.DeadLetters(t.Context(), c.filter)
		b.must(err)
		if len(letters) != c.want {
			t.Errorf("%s: %d, want %d", name, len(letters), c.want)
		}
	}
	var paged []int64
	filter := pgque.DeadLetterFilter{Limit: 2}
	for {
		letters, err := b.DeadLetters(t.Context(), filter)
		b.must(err)
		if len(letters) == 0 {
			break
		}
		for _, l := range letters {
			paged = append(paged, l.ID)
		}
		filter.Before = letters[len(letters)-1].ID
	}
	for i := 1; i < len(paged); i++ {
		if paged[i] >= paged[i-1] {
			t.Errorf("pages are not newest first: %v", paged)
		}
	}
	if len(paged) != len(first)+len(second) {
		t.Errorf("pages hold %v", paged)
	}
	if _, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{Limit: -1}); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("negative limit: %v", err)
	}
}

func TestDeadLetter_ShowsTheMessageAndItsReason(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	ids := b.bury("billing", "a", "no stock", 1)
	letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
	b.must(err)
	l, err := b.DeadLetter(t.Context(), letters[0].ID)
	b.must(err)
	if l.Queue != "orders" || l.Consumer != "billing" || l.Reason != "no stock" || l.Message.MsgID != ids[0] ||
		l.Message.Payload != `{"n":1}` || l.DiedAt.IsZero() {
		t.Errorf("shown %+v", l)
	}
	if _, err := b.DeadLetter(t.Context(), l.ID+1); !errors.Is(err, pgque.ErrDeadLetterNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestReplayDeadLetter_ReachesItsConsumerOnlyAndOnce(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	b.bury("billing", "a", "no stock", 1)
	for _, m := range b.receive("audit", 10) {
		b.must(b.Ack(t.Context(), m.BatchID))
	}
	letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
	b.must(err)
	id, err := b.ReplayDeadLetter(t.Context(), letters[0].ID)
	b.must(err)
	if _, err := b.ReplayDeadLetter(t.Context(), letters[0].ID); !errors.Is(err, pgque.ErrDeadLetterNotFound) {
		t.Errorf("second replay: %v", err)
	}
	b.tick()
	if page := b.receive("billing", 10); len(page) != 1 || page[0].MsgID != id || page[0].Payload != `{"n":1}` || page[0].RetryCount != nil {
		t.Errorf("billing received %+v", page)
	}
	if page := b.receive("audit", 10); len(page) != 0 {
		t.Errorf("audit received %+v", page)
	}
}

func TestReplayDeadLetters_ByGroup(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	b.bury("billing", "a", "no stock", 120)
	b.bury("billing", "a", "no customer", 2)
	groups, err := b.DeadLetterGroups(t.Context(), pgque.DeadLetterFilter{Queue: "orders"})
	b.must(err)
	if len(groups) != 2 || groups[0].Count != 120 || groups[0].Reason != "no stock" || groups[1].Count != 2 {
		t.Fatalf("groups %+v", groups)
	}
	n, err := b.ReplayDeadLetters(t.Context(), groups[0].Filter())
	b.must(err)
	left, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
	b.must(err)
	if n != 120 || len(left) != 2 || left[0].Reason != "no customer" {
		t.Errorf("%d replayed, left %+v", n, left)
	}
}

func TestPurgeDeadLetters_ByAge(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	b.bury("billing", "a", "no stock", 3)
	young, err := b.PurgeDeadLetters(t.Context(), "orders", time.Hour)
	b.must(err)
	all, err := b.PurgeDeadLetters(t.Context(), "orders", 0)
	b.must(err)
	if young != 0 || all != 3 {
		t.Errorf("purged %d older than an hour and %d in all", young, all)
	}
	if _, err := b.PurgeDeadLetters(t.Context(), "nowhere", 0); !errors.Is(err, pgque.ErrQueueNotFound) {
		t.Errorf("unknown queue: %v", err)
	}
}
