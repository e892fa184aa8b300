package pgque_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pgque/pgque-go/pgque"
)

// dice is an event as generated ones are: it refuses what its schema does not accept.
type dice struct{ N int }

func (d dice) MarshalJSON() ([]byte, error) {
	if d.N < 1 || d.N > 6 {
		return nil, fmt.Errorf("dice: /n: %d", d.N)
	}
	return fmt.Appendf(nil, `{"n":%d}`, d.N), nil
}

func (d *dice) readText(text string) error {
	if err := json.Unmarshal([]byte(text), (*struct{ N int })(d)); err != nil {
		return err
	}
	_, err := d.MarshalJSON()
	return err
}

func readDice(text string) (*dice, error) {
	d := new(dice)
	return d, d.readText(text)
}

// batchOf is a handler of messages as generated code makes it of one of events.
func batchOf(fn func(context.Context, []pgque.Delivery[dice]) []error) pgque.BatchHandlerFunc {
	return func(ctx context.Context, msgs []pgque.Message) []error {
		batch := make([]pgque.Delivery[dice], len(msgs))
		return pgque.Deliver(msgs, func(i int, msg pgque.Message) error {
			batch[i].Message = msg
			return batch[i].Event.readText(msg.Payload)
		}, func(n int) []error {
			return fn(ctx, batch[:n:n])
		})
	}
}

func messages(texts ...string) []pgque.Message {
	var list []pgque.Message
	for i, text := range texts {
		list = append(list, pgque.Message{MsgID: int64(i + 1), Payload: text})
	}
	return list
}

func TestDeliver_InvalidPayloadsNeverReachTheHandler(t *testing.T) {
	t.Parallel()
	late := errors.New("late")
	var got []int
	handle := batchOf(func(_ context.Context, batch []pgque.Delivery[dice]) []error {
		outcomes := make([]error, len(batch))
		for i, d := range batch {
			got = append(got, d.Event.N, int(d.Message.MsgID))
			if d.Event.N == 5 {
				outcomes[i] = late
			}
		}
		return outcomes
	})
	outcomes := handle(t.Context(), messages(`{"n":4}`, `{"n":7}`, `{"n":5}`, `x`, `{"n":6}`))
	if !slices.Equal(got, []int{4, 1, 5, 3, 6, 5}) {
		t.Error("the handler got", got)
	}
	if outcomes[0] != nil || outcomes[1] == nil || outcomes[2] != late || outcomes[3] == nil || outcomes[4] != nil {
		t.Error("outcomes", outcomes)
	}
}

func TestDeliver_AnswersOfTheHandler(t *testing.T) {
	t.Parallel()
	calls := 0
	answering := func(answer []error) pgque.BatchHandlerFunc {
		return batchOf(func(context.Context, []pgque.Delivery[dice]) []error {
			calls++
			return answer
		})
	}
	bad, good := `{"n":7}`, `{"n":1}`
	if got := answering(nil)(t.Context(), messages(good, good)); got != nil {
		t.Error("all are done:", got)
	}
	if got := answering(nil)(t.Context(), messages(bad, good)); len(got) != 2 || got[0] == nil || got[1] != nil {
		t.Error("nil is done for those that reached the handler:", got)
	}
	if got := answering([]error{nil})(t.Context(), messages(good, bad, good)); len(got) != 3 || got[0] == nil || got[1] == nil || got[2] == nil {
		t.Error("a wrong length fails all:", got)
	}
	if got := answering([]error{nil})(t.Context(), messages(good, good)); len(got) != 1 {
		t.Error("a wrong length is left to the consumer to judge:", got)
	}
	calls = 0
	if got := answering(nil)(t.Context(), messages(bad, bad)); calls != 0 || got[0] == nil || got[1] == nil {
		t.Error("nothing valid, nothing called:", calls, got)
	}
}

func TestDeliver_InvalidPayloadsDieAtOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	c := b.NewConsumer("orders", "billing")
	c.HandleBatch("dice", batchOf(func(context.Context, []pgque.Delivery[dice]) []error { return nil }))
	b.send("dice", 8) // 7 and 8 are invalid
	b.start(c)
	until(t, "two dead letters", func() bool { return b.number("select count(*) from pgque.dead_letter") == 2 })
	if n := b.number("select count(*) from pgque.retry_queue"); n != 0 {
		t.Error(n, "were put back")
	}
}

func TestTypedDeadLetters_AreReadEditedAndReplayed(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	b.bury("billing", "dice", "unlucky", 8)
	b.bury("billing", "coin", "unlucky", 1)
	letters := pgque.DeadLettersOf(b.Client, "orders", "dice", readDice)
	list, err := letters.List(t.Context(), pgque.DeadLetterFilter{Type: "coin", Queue: "elsewhere"})
	b.must(err)
	if len(list) != 8 || list[0].Invalid == nil || list[7].Invalid != nil || list[7].Event.N != 1 || list[7].Reason != "unlucky" {
		t.Errorf("listed %+v", list)
	}
	last := list[0].ID
	keep := func(l pgque.TypedDeadLetter[*dice]) (*dice, error) { return &dice{N: 8}, nil }
	if _, err := letters.Edit(t.Context(), last, keep); err == nil {
		t.Error("an invalid event was replayed")
	}
	forget := func(l pgque.TypedDeadLetter[*dice]) (*dice, error) { return nil, nil }
	if _, err := letters.Edit(t.Context(), last, forget); err == nil {
		t.Error("no event was replayed")
	}
	shown, err := letters.Show(t.Context(), last)
	b.must(err)
	if shown.Invalid == nil || shown.Message.Payload != `{"n": 8}` && shown.Message.Payload != `{"n":8}` {
		t.Errorf("shown %+v", shown)
	}
	mend := func(l pgque.TypedDeadLetter[*dice]) (*dice, error) { return &dice{N: 6}, nil }
	_, err = letters.Edit(t.Context(), last, mend)
	b.must(err)
	if _, err := letters.Show(t.Context(), last); !errors.Is(err, pgque.ErrDeadLetterNotFound) {
		t.Error("the letter is still there:", err)
	}
	n, err := letters.Replay(t.Context(), pgque.DeadLetterFilter{})
	b.must(err)
	if left := b.number("select count(*) from pgque.dead_letter"); n != 7 || left != 1 {
		t.Error(n, "replayed,", left, "left")
	}
}

func TestTypedDeadLetters_OfAnotherTypeAreNotFound(t *testing.T) {
	t.Parallel()
	b := newGraveyard(t)
	b.bury("billing", "coin", "unlucky", 1)
	id := b.number("select dl_id from pgque.dead_letter")
	letters := pgque.DeadLettersOf(b.Client, "orders", "dice", readDice)
	if _, err := letters.Show(t.Context(), id); !errors.Is(err, pgque.ErrDeadLetterNotFound) {
		t.Error(err)
	}
	edit := func(pgque.TypedDeadLetter[*dice]) (*dice, error) { return &dice{N: 1}, nil }
	if _, err := letters.Edit(t.Context(), id, edit); !errors.Is(err, pgque.ErrDeadLetterNotFound) {
		t.Error(err)
	}
}
