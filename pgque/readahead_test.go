package pgque_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// The third page is opened and the fourth one read while handlers are at work on the third.
// From then on nothing can be read, and yet the fourth one is handled.
func TestConsumer_ReadsOnWhileItWorks(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 100)
	b.tick()
	times := handled(t, b, 100, func(count int, _ pgque.Message) {
		switch count {
		case 25:
			until(t, "the third page is open", func() bool {
				return b.number(`select coalesce(sub_page_end, 0) from pgque.subscription`) == 30
			})
			b.exec(`alter function pgque.next_page_1(text, integer, bigint, boolean) rename to next_page_away`)
			b.exec(`alter table pgque.event_1 rename to event_away`)
		case 35:
			b.exec(`alter table pgque.event_away rename to event_1`)
			b.exec(`alter function pgque.next_page_away(text, integer, bigint, boolean) rename to next_page_1`)
		}
	})
	checkOnce(t, times, 100)
	if left := b.receive("billing", 100); len(left) != 0 {
		t.Errorf("%d messages were not settled", len(left))
	}
}

// Each window has more pages than are in memory at once.
func TestConsumer_ReadsOnFromWindowToWindow(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	for range 3 {
		b.send("order", 1100)
		b.tick()
	}
	last := int64(0)
	times := handled(t, b, 3300, func(_ int, msg pgque.Message) {
		if msg.MsgID <= last {
			t.Errorf("message %d came after %d", msg.MsgID, last)
		}
		last = msg.MsgID
	})
	checkOnce(t, times, 3300)
}

func TestConsumer_GoesOnWhenItCannotReadOn(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"page_window_1(bigint)", "turn_page(bigint, bigint, bigint, integer)"} {
		b := newBus(t)
		b.subscribe("billing")
		b.send("order", 100)
		b.tick()
		name, arguments, _ := strings.Cut(function, "(")
		times := handled(t, b, 100, func(count int, _ pgque.Message) {
			switch count {
			case 25:
				b.exec(`alter function pgque.` + function + ` rename to away`)
			case 65:
				b.exec(`alter function pgque.away(` + arguments + ` rename to ` + name)
			}
		})
		for id, n := range times { // what could not be settled for a while comes again
			if n == 0 || n > 2 || function[0] == 'p' && n != 1 {
				t.Errorf("without %s message %d was handled %d times", function, id, n)
			}
		}
	}
}

// A role that may call the functions and not read the tables receives page by page.
func TestConsumer_ThatMayNotReadTheTables(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 100)
	b.tick()
	b.exec(`revoke select on pgque.event_1 from pgque_reader`)
	checkOnce(t, handled(t, b.as("pgque_reader"), 100, func(int, pgque.Message) {}), 100)
}

// Somebody else takes the page over, while the next one is read or just before or behind that,
// and is never heard of again.
func TestConsumer_APageReadOnThatIsTakenOverCostsNoMessage(t *testing.T) {
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

// Consumers that stop in peace, and messages that fail, while pages are read ahead: what was
// handled does not come again, and nothing is passed over.
func TestConsumer_ReadsOnThroughFailuresAndStops(t *testing.T) {
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

// Workers of one name that cannot take turns, as behind a pooler, have the same pages. They
// get in each other's way, and yet each page is settled by one of them.
func TestConsumer_WorkersWithTheSamePagesGoOn(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("order", 3000)
	b.tick()
	b.exec(`revoke execute on function pg_try_advisory_lock(bigint) from public`)
	reader := b.as("pgque_reader") // who may not know whose turn it is
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	times := make(map[int64]int)
	var workers sync.WaitGroup
	for n := range 3 {
		client := pgque.New(reader.Pool(), pgque.WithLogger(b.log.logger()))
		t.Cleanup(client.Close)
		c := client.NewConsumer("orders", "billing", pgque.WithMaxMessages(7+n))
		c.Handle("order", func(_ context.Context, msg pgque.Message) error {
			mu.Lock()
			defer mu.Unlock()
			if times[msg.MsgID]++; len(times) == len(sent) {
				cancel()
			}
			return nil
		})
		workers.Go(func() {
			if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("worker %d: %v", n, err)
			}
		})
	}
	workers.Wait()
	if len(times) != len(sent) {
		t.Errorf("%d of %d messages were handled", len(times), len(sent))
	}
}

// Pages grow while handlers are quick. Then handlers are slow: the page in hand ends early, as
// if it had not grown, and what failed in it is put back.
func TestConsumer_PagesThatHaveGrownEndEarlyForSlowHandlers(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("order", 20_000)
	b.tick()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var settled []pgque.SettledPage
	longest, slowest := 0, 0
	c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(100), pgque.WithPageHook(func(p pgque.SettledPage) {
		settled = append(settled, p)
		longest = max(longest, p.Received)
		if slowest > 0 && p.Retried > 0 {
			cancel()
		}
	}))
	handled := 0
	c.Handle("order", func(context.Context, pgque.Message) error {
		handled++
		if longest <= 100 || handled%100 != 50 {
			return nil
		}
		slowest++
		time.Sleep(20 * time.Millisecond) // what being slow is
		return errors.New("not now")
	})
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	last := settled[len(settled)-1]
	if longest <= 100 || last.Received > 200 || last.Retried == 0 {
		t.Errorf("pages of up to %d, the last one of %d, with %d put back", longest, last.Received, last.Retried)
	}
}

// On an engine that cannot settle a part of a page, an open page that is longer than what the
// consumer asks for is handled to its end.
func TestConsumer_LongPageOfAnOldEngineIsHandledToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	for _, function := range []string{"shorten(bigint,bigint)", "release(bigint,bigint[])", "fetch(text,text,integer)",
		"next_page(text,text,integer,bigint,boolean)", "turn_page(bigint,bigint,bigint,integer)"} {
		b.exec("drop function pgque." + function)
	}
	b.send("order", 30)
	b.tick()
	b.receive("billing", 30)
	times := handled(t, b, 30, func(int, pgque.Message) {
		time.Sleep(3 * time.Millisecond) // slow for ten of them
	})
	checkOnce(t, times, 30)
}
