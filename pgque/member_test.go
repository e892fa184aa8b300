package pgque_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func TestWithSubconsumer_MembersDivideTheBatches(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing") // as a normal consumer, which becomes a group
		var got ledger
		both, arrived := b.gate()
		var working atomic.Int64
		var stops []func() error
		for _, name := range []string{"first", "second"} {
			c := b.NewConsumer("orders", "billing", pgque.WithSubconsumer(name), pgque.WithMaxMessages(7))
			var first sync.Once
			c.Handle("*", func(_ context.Context, msg pgque.Message) error {
				first.Do(func() {
					if working.Add(1) == 2 {
						arrived()
					}
				})
				<-both // each member has a batch
				got.note(msg)
				return nil
			})
			stops = append(stops, b.start(c))
		}
		until(t, "both are in the group", func() bool {
			return b.number("select count(*) from pgque.subscription where sub_role = 'coop_member'") == 2
		})
		for range 10 {
			b.send("a", 20)
			b.tick()
		}
		until(t, "200 are handled", func() bool { return got.messages() == 200 })
		for _, stop := range stops {
			_ = stop()
		}
		if n := len(got.deliveries()); n != 200 {
			t.Errorf("200 messages were handled %d times", n)
		}
		if n := b.number("select count(*) from pgque.subscription where sub_role = 'coop_member'"); n != 0 {
			t.Errorf("%d members stay behind", n)
		}
	})
}

func TestWithSubconsumer_BatchOfASilentMemberIsTakenOver(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.effects()
		b.exec("select pgque.register_subconsumer('orders', 'billing', 'silent')")
		ids := b.send("a", 5)
		b.tick()
		old := b.number("select pgque.next_batch('orders', 'billing', 'silent')")
		c := b.NewConsumer("orders", "billing", pgque.WithSubconsumer("alive"), pgque.WithTakeover(50*time.Millisecond),
			pgque.WithPollInterval(10*time.Millisecond))
		c.HandleTx("*", leaveEffect)
		b.start(c)
		b.untilEffects(int64(len(ids)))
		b.eachOnce(ids)
		if acked := b.number("select pgque.ack($1)", old); acked != 0 {
			t.Error("the silent member could still ack")
		}
	})
}

func TestWithSubconsumer_SlowMemberKeepsItsBatch(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const takeover = 2 * time.Second // a sign of life may be late by three quarters of that
	var got ledger
	entered := make(chan struct{}, 2)
	released, release := b.gate()
	for _, name := range []string{"first", "second"} {
		c := b.NewConsumer("orders", "billing", pgque.WithSubconsumer(name), pgque.WithTakeover(takeover),
			pgque.WithPollInterval(10*time.Millisecond))
		c.Handle("*", func(_ context.Context, msg pgque.Message) error {
			got.note(msg)
			entered <- struct{}{}
			<-released
			return nil
		})
		b.start(c)
	}
	until(t, "both are in the group", func() bool {
		return b.number("select count(*) from pgque.subscription where sub_role = 'coop_member'") == 2
	})
	b.send("a", 1)
	b.tick()
	within(t, "one works", entered)
	begun := b.lastSign()
	until(t, "it gave signs of life for longer than the takeover time", func() bool {
		return b.lastSign() > begun+takeover.Milliseconds()
	})
	release()
	b.untilGroupDrained()
	if n := len(got.deliveries()); n != 1 {
		t.Errorf("the message was handled %d times", n)
	}
}

// lastSign is when the member that has a batch was heard of, in milliseconds.
func (b *bus) lastSign() int64 {
	b.t.Helper()
	return b.number(`select coalesce(max(extract(epoch from sub_active) * 1000), 0)::bigint
		from pgque.subscription where sub_batch is not null`)
}

func (b *bus) untilGroupDrained() {
	b.t.Helper()
	until(b.t, "no member has a batch", func() bool {
		return b.number("select count(*) from pgque.subscription where sub_batch is not null") == 0
	})
}

func TestWithSubconsumer_WrongNamesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for _, name := range []string{"", "a.b"} {
		err := b.NewConsumer("orders", "billing", pgque.WithSubconsumer(name)).Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "WithSubconsumer") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
