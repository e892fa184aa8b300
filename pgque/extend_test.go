package pgque_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func TestConsumer_ReadsOnWhileItWorks(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 100)
	b.tick()
	times := handled(t, b, 100, func(count int, msg pgque.Message) {
		if count == 15 { // the second page
			until(t, "the third page is there", func() bool {
				return b.number(`select sub_page_end from pgque.subscription`) >= 30
			})
		}
	})
	checkOnce(t, times, 100)
	if left := b.receive("billing", 100); len(left) != 0 {
		t.Errorf("%d messages were not settled", len(left))
	}
}

func TestConsumer_GoesOnWhenAPageCannotBeExtended(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 100)
	b.tick()
	times := handled(t, b, 100, func(count int, _ pgque.Message) {
		switch count {
		case 25:
			b.exec(`alter function pgque.extend_page_1(bigint, integer, bigint) rename to extend_page_away`)
		case 65:
			b.exec(`alter function pgque.extend_page_away(bigint, integer, bigint) rename to extend_page_1`)
		}
	})
	checkOnce(t, times, 100)
}

// Somebody else takes the page over, while it is extended or just before or behind that,
// and is never heard of again.
func TestConsumer_AnExtendedPageThatIsTakenOverCostsNoMessage(t *testing.T) {
	t.Parallel()
	for _, at := range []int{11, 15, 19, 20, 21, 29} {
		b := newBus(t)
		b.subscribe("billing")
		sent := b.send("order", 100)
		b.tick()
		times := handled(t, b, 100, func(count int, _ pgque.Message) {
			if count == at {
				b.exec(`update pgque.subscription set sub_batch = sub_batch + 4194304`)
			}
		})
		for _, id := range sent {
			if times[id] == 0 {
				t.Errorf("message %d was lost", id)
			}
		}
	}
}

// Consumers that stop in peace, and messages that fail, while pages are extended: what was
// handled does not come again, and nothing is passed over.
func TestConsumer_ExtendsThroughFailuresAndStops(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("order", 400)
	b.tick()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	handled, failed := make(map[int64]int), make(map[int64]bool)
	for lives := 0; len(handled) < len(sent); lives++ {
		if lives > len(sent) {
			t.Fatalf("%d of %d after %d lives", len(handled), len(sent), lives)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(1+random.IntN(20)), pgque.WithRetryPolicy(pgque.RetryPolicy{Delay: time.Millisecond}))
		left := 1 + random.IntN(100)
		c.Handle("order", func(_ context.Context, msg pgque.Message) error {
			if left--; left == 0 {
				cancel()
			}
			if !failed[msg.MsgID] && random.IntN(30) == 0 {
				failed[msg.MsgID] = true
				return errors.New("not now")
			}
			if handled[msg.MsgID]++; len(handled) == len(sent) {
				cancel()
			}
			return nil
		})
		if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	checkOnce(t, handled, len(sent))
	if left := b.receive("billing", 1000); len(left) != 0 {
		t.Errorf("%d messages were not settled", len(left))
	}
}
