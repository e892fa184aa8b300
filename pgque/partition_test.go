package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
)

// sendKeys sends n rounds of one event for each of the keys, and ticks now and then.
func (b *bus) sendKeys(keys, n int) (sent []int64) {
	b.t.Helper()
	for round := range n {
		events := make([]pgque.Event, keys)
		for i := range events {
			key := fmt.Sprint("key", i)
			events[i] = pgque.Event{Type: "a", Payload: round, Extra1: &key}
		}
		ids, err := b.SendBatch(b.t.Context(), "orders", events)
		b.must(err)
		sent = append(sent, ids...)
		if round%5 == 0 {
			b.tick()
		}
	}
	b.tick()
	return sent
}

// other is another process on the same database, as far as pgque knows.
func (b *bus) other() *pgque.Client {
	b.t.Helper()
	pool, err := pgxpool.NewWithConfig(b.t.Context(), b.Pool().Config())
	b.must(err)
	b.t.Cleanup(pool.Close)
	c := pgque.New(pool, pgque.WithLogger(b.log.logger()))
	b.t.Cleanup(c.Close)
	return c
}

// held is how many slots each worker holds.
func (b *bus) held() (slots []int64) {
	b.t.Helper()
	rows, err := b.Pool().Query(b.t.Context(), `select count(*) from pgque.partition_slot where lease_until > clock_timestamp()
		group by lease_owner order by 1`)
	b.must(err)
	slots, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	b.must(err)
	return slots
}

func (b *bus) untilHeld(want ...int64) {
	b.t.Helper()
	until(b.t, fmt.Sprint("slots are held as ", want), func() bool { return slices.Equal(b.held(), want) })
}

// keyBook checks that the messages of a key come in order and one at a time.
type keyBook struct {
	ledger
	mu   sync.Mutex
	busy map[string]bool
	next map[string]string
}

func (k *keyBook) handle(t *testing.T, work func() error) pgque.HandlerFunc {
	k.busy, k.next = make(map[string]bool), make(map[string]string)
	return func(_ context.Context, msg pgque.Message) error {
		key := *msg.Extra1
		k.mu.Lock()
		if k.busy[key] {
			t.Errorf("%s is handled twice at once", key)
		}
		if want := k.next[key]; want != msg.Payload && want != "" {
			t.Errorf("%s: %s came, not %s", key, msg.Payload, want)
		}
		k.busy[key] = true
		k.mu.Unlock()
		err := work()
		k.mu.Lock()
		defer k.mu.Unlock()
		k.busy[key] = false
		var round int
		_, _ = fmt.Sscan(msg.Payload, &round)
		k.next[key] = fmt.Sprint(round + 1)
		k.note(msg)
		return err
	}
}

func TestWithPartitions_AKeyIsInOrderWhileProcessesComeAndGo(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var book keyBook
	handle := book.handle(t, func() error { return nil })
	consumer := func(c *pgque.Client) *pgque.Consumer {
		c1 := c.NewConsumer("orders", "billing", pgque.WithPartitions(4), pgque.WithConcurrency(2), pgque.WithMaxMessages(3))
		c1.Handle("a", handle)
		return c1
	}
	stopFirst := b.start(consumer(b.Client))
	b.untilHeld(4)
	sent := b.sendKeys(20, 10)
	stopSecond := b.start(consumer(b.other()))
	b.untilHeld(2, 2)
	sent = append(sent, b.sendMoreKeys(20, 10, 20)...)
	_ = stopFirst()
	b.untilHeld(4)
	sent = append(sent, b.sendMoreKeys(20, 20, 25)...)
	until(t, "all are handled", func() bool { return book.messages() == len(sent) })
	_ = stopSecond()
	b.untilHeld()
	if got := book.deliveries(); len(got) != len(sent) {
		t.Errorf("%d deliveries of %d messages", len(got), len(sent))
	}
}

// sendMoreKeys goes on where sendKeys ended.
func (b *bus) sendMoreKeys(keys, from, to int) (sent []int64) {
	b.t.Helper()
	for round := from; round < to; round++ {
		for i := range keys {
			key := fmt.Sprint("key", i)
			id, err := b.Send(b.t.Context(), "orders", pgque.Event{Type: "a", Payload: round, Extra1: &key})
			b.must(err)
			sent = append(sent, id)
		}
	}
	return sent
}

func TestWithPartitions_AZombieCommitsNothing(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	running := make(chan struct{})
	goOn, release := b.gate()
	zombie := b.NewConsumer("orders", "billing", pgque.WithPartitions(1), pgque.WithMaxMessages(2))
	zombie.HandleTx("a", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if running != nil {
			close(running)
			running = nil
			<-goOn // past its lease, and deaf to its context
		}
		return leaveEffect(context.WithoutCancel(ctx), tx, msg)
	})
	waiting := running
	stop := b.start(zombie)
	b.untilHeld(1)
	sent := b.sendKeys(1, 3)
	within(t, "the handler", waiting)
	b.exec("create table zombie as select lease_owner from pgque.partition_slot")
	heir := b.other().NewConsumer("orders", "billing", pgque.WithPartitions(1))
	heir.HandleTx("a", leaveEffect)
	b.start(heir)
	until(t, "the heir is done", func() bool {
		// Again and again: the zombie's process renews the lease as long as it can.
		b.exec("update pgque.partition_slot set lease_until = clock_timestamp() where lease_owner = (select lease_owner from zombie)")
		return b.number("select count(*) from effect") == 3
	})
	release()
	_ = stop()
	b.eachOnce(sent)
}

func TestWithPartitions_ALostLeaseEndsTheHandlersContext(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	ended := make(chan struct{})
	var once sync.Once
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(1), pgque.WithTakeover(3*time.Second))
	c.Handle("a", func(ctx context.Context, _ pgque.Message) error {
		<-ctx.Done()
		once.Do(func() { close(ended) })
		return ctx.Err()
	})
	b.start(c)
	b.untilHeld(1)
	b.sendKeys(1, 1)
	until(t, "the page is open", func() bool {
		return b.number("select count(*) from pgque.subscription where sub_batch is not null") == 1
	})
	b.exec("update pgque.partition_slot set lease_owner = 'another', epoch = epoch + 1, lease_until = clock_timestamp() + interval '1 hour'")
	within(t, "the context's end", ended)
}

func TestWithPartitions_ALeaseOutlivesALongHandler(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const ttl = 3 * time.Second // a renewal may be late by two thirds of that
	goOn, release := b.gate()
	var handled ledger
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(1), pgque.WithTakeover(ttl))
	c.Handle("a", func(ctx context.Context, msg pgque.Message) error {
		handled.note(msg)
		select {
		case <-goOn:
		case <-ctx.Done():
			t.Error("the lease was lost")
		}
		return nil
	})
	stop := b.start(c)
	b.untilHeld(1)
	other := b.other().NewConsumer("orders", "billing", pgque.WithPartitions(1), pgque.WithTakeover(ttl))
	other.Handle("a", func(_ context.Context, msg pgque.Message) error { handled.note(msg); return nil })
	b.start(other)
	sent := b.sendKeys(1, 1)
	until(t, "the handler runs", func() bool { return handled.messages() == 1 })
	before := b.number("select (extract(epoch from lease_until) * 1000)::bigint from pgque.partition_slot")
	until(t, "the lease was renewed beyond its time", func() bool {
		return b.number("select (extract(epoch from lease_until) * 1000)::bigint from pgque.partition_slot") > before+ttl.Milliseconds()
	})
	release()
	_ = stop()
	b.untilHeld(1) // the other's, which finds nothing to do
	if got := handled.deliveries(); !slices.Equal(got, sent) {
		t.Errorf("delivered %v, want %v", got, sent)
	}
}

func TestWithPartitions_TheRestOfAPageComesAtOnceToTheNext(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	running := make(chan struct{})
	var handled ledger
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(2), pgque.WithDrainTimeout(time.Millisecond))
	c.Handle("a", func(ctx context.Context, msg pgque.Message) error {
		if handled.note(msg); handled.messages() < 3 {
			return nil
		}
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	stop := b.start(c)
	b.untilHeld(2)
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
	sent := b.sendKeys(1, 6)
	within(t, "the third message", running)
	_ = stop()
	next := b.NewConsumer("orders", "billing", pgque.WithPartitions(2))
	rest := b.startForAll(next, 4)
	if !slices.Equal(ids(rest), sent[2:]) || rest[0].RetryCount != nil {
		t.Errorf("the rest is %+v, want %v", rest, sent[2:])
	}
}

func TestWithPartitions_OutcomesAreHonoured(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var handled ledger
	enough := errors.New("enough")
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(3), pgque.WithConcurrency(3), pgque.WithRetryAfter(0))
	c.Handle("a", func(_ context.Context, msg pgque.Message) error {
		times := handled.note(msg)
		switch {
		case msg.Payload == "1" && times == 1:
			return errors.New("not yet")
		case msg.Payload == "2":
			return pgque.Permanent(errors.New("never"))
		case msg.Payload == "4":
			return pgque.Halt(enough)
		}
		return nil
	})
	ended := make(chan error, 1)
	go func() { ended <- c.Start(t.Context()) }()
	b.untilHeld(3)
	b.sendKeys(5, 4)
	until(t, "five have returned and five are dead", func() bool {
		return len(handled.deliveries()) == 25 && b.number("select count(*) from pgque.dead_letter") == 5
	})
	key := "key0"
	_, err := b.Send(t.Context(), "orders", pgque.Event{Type: "a", Payload: 4, Extra1: &key})
	b.must(err)
	if err := within(t, "the end", ended); !errors.Is(err, enough) {
		t.Errorf("halted with %v", err)
	}
	b.untilHeld()
	left := b.startForAll(b.NewConsumer("orders", "billing", pgque.WithPartitions(3)), 1)
	if len(left) != 1 || left[0].Payload != "4" || left[0].RetryCount != nil {
		t.Errorf("left was %+v", left)
	}
}

func TestWithPartitions_AMessageThatKillsIsFoundAndBuried(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.exec("select pgque.subscribe_partitioned('orders', 'billing', 1)")
	sent := b.sendKeys(1, 3)
	for range 3 { // processes that died at the second message
		b.exec("select pgque.claim_slot('orders', 'billing', 0, 'dead')")
		batch := b.number("select max(batch_id) from pgque.receive_partitioned('orders', 'billing', 0, 1, 'dead')")
		b.exec("select pgque.begin_message($1, $2)", batch, sent[0])
		b.exec("update pgque.partition_slot set lease_until = clock_timestamp()")
	}
	var handled ledger
	c := b.NewConsumer("orders", "billing", pgque.WithPartitions(1))
	c.Handle("a", func(_ context.Context, msg pgque.Message) error { handled.note(msg); return nil })
	b.start(c)
	until(t, "the others are handled", func() bool { return handled.messages() == 2 })
	if got := handled.deliveries(); !slices.Equal(got, sent[1:]) {
		t.Errorf("handled %v, want %v", got, sent[1:])
	}
	letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{Consumer: "billing#0"})
	b.must(err)
	if len(letters) != 1 || letters[0].Message.MsgID != sent[0] || !strings.Contains(letters[0].Reason, "quarantined") {
		t.Errorf("dead letters %+v", letters)
	}
	if !strings.Contains(b.log.text(), "a process died over this page") {
		t.Error("the log does not tell of the deaths")
	}
}

func TestUnsubscribe_TakesAllSlotsOfAPartitionedConsumer(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	stop := b.start(b.NewConsumer("orders", "parts", pgque.WithPartitions(3)))
	until(t, "it holds all slots", func() bool { return slices.Equal(b.held(), []int64{3}) })
	if err := b.Unsubscribe(t.Context(), "orders", "parts"); !errors.Is(err, pgque.ErrCooperative) {
		t.Errorf("while it runs: %v", err)
	}
	_ = stop()
	for range 2 { // the second time there is nothing to do
		b.must(b.Unsubscribe(t.Context(), "orders", "parts"))
	}
	if left, err := b.Consumers(t.Context(), "orders"); err != nil || len(left) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
	b.start(b.NewConsumer("orders", "parts", pgque.WithPartitions(2)))
	until(t, "another life has other slots", func() bool { return slices.Equal(b.held(), []int64{2}) })
}

func TestSubscribe_OfAPartitionedConsumerAndOfItsNamesake(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var handled ledger
	c := b.NewConsumer("orders", "parts", pgque.WithPartitions(3))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { handled.note(msg); return nil })
	for range 2 {
		b.must(c.Subscribe(t.Context()))
	}
	b.sendKeys(4, 1) // before it starts
	stop := b.start(c)
	until(t, "all are handled", func() bool { return handled.messages() == 4 })
	_ = stop()
	const warning = "without partitions"
	if strings.Contains(b.log.text(), warning) {
		t.Errorf("log: %s", b.log.text())
	}
	b.subscribe("parts")
	b.start(c)
	until(t, "it warns of the other", func() bool { return strings.Contains(b.log.text(), warning) })
	b.must(b.Unsubscribe(t.Context(), "orders", "parts"))
	if left, err := b.Consumers(t.Context(), "orders"); err != nil || len(left) != 3 {
		t.Errorf("left: %+v, %v", left, err)
	}
}

func TestWithPartitions_WrongUseIsRefusedByName(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	key := func(pgque.Message) string { return "" }
	for want, c := range map[string]*pgque.Consumer{
		"WithPartitions(0): must be between 1 and 256":                      b.NewConsumer("orders", "x", pgque.WithPartitions(0)),
		"WithPartitions(257): must be between 1 and 256":                    b.NewConsumer("orders", "x", pgque.WithPartitions(257)),
		"WithPartitions: not together with WithSubconsumer":                 b.NewConsumer("orders", "x", pgque.WithPartitions(2), pgque.WithSubconsumer("y")),
		"WithPartitions: not together with WithOrderKey; the key is Extra1": b.NewConsumer("orders", "x", pgque.WithOrderKey(key), pgque.WithPartitions(2)),
		`subscribe "x" to "nowhere" in 2 partitions: queue not found`:       b.NewConsumer("nowhere", "x", pgque.WithPartitions(2)),
	} {
		if err := c.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	b.exec("select pgque.subscribe_partitioned('orders', 'billing', 3)")
	if err := b.NewConsumer("orders", "billing", pgque.WithPartitions(2)).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "has 3 slots, not 2") {
		t.Errorf("another number of slots: %v", err)
	}
	b.exec("drop function pgque.tend_slots(text, text, integer, text, interval)")
	if err := b.NewConsumer("orders", "billing", pgque.WithPartitions(3)).Start(t.Context()); !errors.Is(err, pgque.ErrInvalidArgument) {
		t.Errorf("an engine without leases: %v", err)
	}
}
