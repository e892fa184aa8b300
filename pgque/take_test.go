package pgque

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func newTaker(maxMessages int) *session {
	c := (&Client{log: slog.Default()}).NewConsumer("q", "c", WithMaxMessages(maxMessages))
	return &session{Consumer: c, take: maxMessages}
}

func TestSession_SuitsPagesToHandlers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		maxMessages int
		took        time.Duration // for each of some full pages
		want        []int         // to take next
	}{
		{100, quick / 2, []int{200, 400, 800, 1600, 1600}},
		{500, quick / 2, []int{1000, 2000, 4000, 5000, 5000}},
		{9000, quick / 2, []int{9000, 9000}},
		{99, quick / 2, []int{99, 99}}, // meant to the letter
		{1, 0, []int{1, 1}},
		{100, 3 * quick / 2, []int{100, 100}},
	} {
		s := newTaker(c.maxMessages)
		var got []int
		for range c.want {
			s.suit(s.take, c.took)
			got = append(got, s.take)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("pages of %d that take %v are followed by %v, want %v", c.maxMessages, c.took, got, c.want)
		}
	}
	s := newTaker(100)
	s.take = 1600
	if s.suit(300, quick/2); s.take != 1600 {
		t.Errorf("a page that was not full is followed by %d", s.take)
	}
	for range 9 {
		s.suit(s.take, 3*quick)
	}
	if s.take != 100 {
		t.Errorf("slow handlers have pages of %d", s.take)
	}
	s.take = 1600
	s.HandleTx("t", func(context.Context, pgx.Tx, Message) error { return nil })
	if s.suit(1600, 0); s.take != 100 {
		t.Errorf("pages that are a transaction have %d messages", s.take)
	}
}
