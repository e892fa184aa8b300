package pgque_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// startTicker runs a ticker until the test ends, or until stop is called.
func (b *bus) startTicker(t *pgque.Ticker) (stop func() error) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- t.Start(ctx) }()
	b.t.Cleanup(cancel)
	return func() error {
		cancel()
		return within(b.t, "the ticker stops", ended)
	}
}

func TestTicker_TicksAndBringsRetriesBackForAllQueues(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.must(b.CreateQueue(t.Context(), "invoices"))
		b.subscribe("billing")
		b.must(b.Subscribe(t.Context(), "invoices", "mail"))
		stop := b.startTicker(b.Ticker(pgque.WithTickInterval(5*time.Millisecond), pgque.WithMaintenanceInterval(5*time.Millisecond)))
		for queue, consumer := range map[string]string{"orders": "billing", "invoices": "mail"} {
			_, err := b.Send(t.Context(), queue, pgque.Event{})
			b.must(err)
			for retries := range 2 {
				var page []pgque.Message
				until(t, "the message is there", func() bool {
					var err error
					page, err = b.Receive(t.Context(), queue, consumer, 10)
					b.must(err)
					return len(page) == 1
				})
				if retries == 1 && (page[0].RetryCount == nil || *page[0].RetryCount != 1) {
					t.Errorf("%s: came back as %+v", queue, page[0])
				}
				b.must(b.Nack(t.Context(), page[0].BatchID, page[0], 0, ""))
				b.must(b.Ack(t.Context(), page[0].BatchID))
			}
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
	})
}

func TestTicker_SeveralDeliverOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		for range 3 {
			b.startTicker(pgque.NewTicker(b.Pool(), pgque.WithTickInterval(time.Millisecond)))
		}
		var got ledger
		for range 50 {
			b.send("a", 4)
			for _, m := range b.receive("billing", 1000) {
				got.note(m)
				b.must(b.Ack(t.Context(), m.BatchID))
			}
		}
		until(t, "all 200 are received", func() bool {
			for _, m := range b.receive("billing", 1000) {
				got.note(m)
				b.must(b.Ack(t.Context(), m.BatchID))
			}
			return got.messages() == 200
		})
		if n := len(got.deliveries()); n != 200 {
			t.Errorf("200 messages were delivered %d times", n)
		}
	})
}

func TestTicker_SaysWhenTheServerIsAwayAndWhenItIsBack(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	ticks := func() int64 { return b.number("select max(tick_id) from pgque.tick") }
	b.startTicker(b.Ticker(pgque.WithTickInterval(time.Millisecond)))
	b.send("a", 1)
	until(t, "it ticks", func() bool { return ticks() > 1 })
	s.Kill()
	until(t, "it says that the server is away", func() bool { return strings.Count(b.log.text(), "ticker pass failed") >= 3 })
	s.Restart()
	until(t, "it says that it goes on", func() bool { return strings.Count(b.log.text(), "ticker goes on") == 1 })
	b.Pool().Reset() // connections that nobody has used since
	before := ticks()
	b.send("a", 1)
	until(t, "it ticks again", func() bool { return ticks() > before })
}

func TestTicker_WrongUseIsRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	if err := b.Ticker(pgque.WithTickInterval(0)).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "WithTickInterval(0s)") {
		t.Errorf("error %v", err)
	}
	empty, err := pgque.Connect(t.Context(), pgquetest.NewDatabase(t))
	b.must(err)
	defer empty.Close()
	if err := empty.Ticker().Start(t.Context()); !errors.Is(err, pgque.ErrNotInstalled) {
		t.Errorf("without an engine: %v", err)
	}
}

func TestStart_RoleThatMayNotTickSaysSoAndGoesOn(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	c := pgquetest.New(t, pgquetest.On(s))
	for _, function := range []string{"settle(bigint,bigint[],double precision[],text[],boolean[])",
		"fetch(text,text,integer)", "next_page(text,text,integer,bigint,boolean)", "tick_queue(text)", "maint_queue(text)"} {
		if _, err := c.Pool().Exec(t.Context(), "drop function pgque."+function); err != nil {
			t.Fatal(err)
		}
	}
	b := busOver(t, c)
	b.exec("create role reader login in role pgque_reader")
	reader, err := pgque.Connect(t.Context(), strings.Replace(b.Pool().Config().ConnString(), "user=postgres", "user=reader", 1))
	b.must(err)
	defer reader.Close()
	log := &logBook{}
	client := pgque.New(reader.Pool(), pgque.WithLogger(log.logger()))
	defer client.Close()
	got := make(chan pgque.Message, 1)
	consumer := client.NewConsumer("orders", "billing")
	consumer.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	b.start(consumer)
	until(t, "it says so", func() bool { return strings.Contains(log.text(), "may not tick") })
	b.send("a", 1)
	b.tick()
	within(t, "somebody else's tick is used", got)
}
