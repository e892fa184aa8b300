package pgque_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// setClockBack does to the database what a server's clock that is set back does: all that
// it has noted is in the future.
func (b *bus) setClockBack() {
	b.t.Helper()
	for _, sql := range []string{
		"update pgque.tick set tick_time = tick_time + interval '1 hour'",
		"update pgque.queue set queue_switch_time = queue_switch_time + interval '1 hour'",
		"update pgque.subscription set sub_active = sub_active + interval '1 hour'",
		"update pgque.partition_slot set lease_until = lease_until + interval '1 hour', wanted_until = wanted_until + interval '1 hour'",
	} {
		b.exec(sql)
	}
}

func TestServerClock_SetBackConsumersGoOn(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 1)
	b.tick()
	b.setClockBack()
	got := make(chan pgque.Message, 10)
	failed := false
	c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(0))
	c.Handle("a", func(_ context.Context, msg pgque.Message) error {
		if !failed {
			failed = true
			return errors.New("not yet")
		}
		got <- msg
		return nil
	})
	b.start(c)
	within(t, "the message of before, after its retry", got)
	sent := b.send("a", 1)
	if msg := within(t, "the message of after", got); msg.MsgID != sent[0] {
		t.Errorf("received %+v", msg)
	}
}

func TestServerClock_SetBackADeadWorkersSlotIsTakenInTime(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.exec("select pgque.subscribe_partitioned('orders', 'billing', 1)")
	b.exec("select pgque.claim_slot('orders', 'billing', 0, 'dead', '2 seconds')")
	b.setClockBack()
	sent := b.sendKeys(1, 1)
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(1), pgque.WithTakeover(2*time.Second))
	c.Handle("a", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.start(c)
	if msg := within(t, "the message", got); msg.MsgID != sent[0] {
		t.Errorf("received %+v", msg)
	}
}

func TestServerClock_SetBackADeadMembersBatchIsTakenOverInTime(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.exec("select pgque.register_subconsumer('orders', 'billing', 'dead')")
	sent := b.send("a", 5)
	b.tick()
	b.exec("select pgque.next_batch('orders', 'billing', 'dead')")
	b.setClockBack()
	c := b.NewConsumer("orders", "billing", pgque.WithSubconsumer("alive"), pgque.WithTakeover(time.Second),
		pgque.WithPollInterval(10*time.Millisecond))
	c.HandleTx("a", leaveEffect)
	b.start(c)
	b.untilEffects(int64(len(sent)))
	b.eachOnce(sent)
}

// A clock that was set forward ends every lease at once: the one who held it is fenced.
func TestServerClock_SetForwardNothingIsHandledTwiceForGood(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(2), pgque.WithMaxMessages(1),
		pgque.WithTakeover(3*time.Second)) // and looks at its leases more often
	c.HandleTx("a", leaveEffect)
	b.start(c)
	b.untilHeld(2)
	sent := b.sendKeys(4, 5)
	for range 3 {
		b.exec("update pgque.partition_slot set lease_until = lease_until - interval '1 hour'")
		b.untilHeld(2)
	}
	until(t, "all have their effect", func() bool { return b.number("select count(*) from effect") >= int64(len(sent)) })
	b.eachOnce(sent)
}
