package pgque_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// listening counts the connections that listen for ticks of "orders".
func (b *bus) listening() int64 {
	b.t.Helper()
	return b.number(`select count(*) from pg_stat_activity
		where datname = current_database() and application_name = 'pgque listener'`)
}

func TestListener_OneConnectionForAllConsumersGoneWithTheLast(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.CreateQueue(t.Context(), "invoices"))
	var stops []func() error
	got := make(chan pgque.Message, 2)
	for queue, name := range map[string]string{"orders": "billing", "invoices": "mail"} {
		c := b.NewConsumer(queue, name)
		c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
		b.must(b.Subscribe(t.Context(), queue, name))
		_, err := b.Send(t.Context(), queue, pgque.Event{})
		b.must(err)
		stops = append(stops, b.start(c))
		within(t, "it runs", got)
	}
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	_ = stops[0]()
	if n := b.listening(); n != 1 {
		t.Errorf("%d connections listen for the second consumer", n)
	}
	_ = stops[1]()
	until(t, "nobody listens", func() bool { return b.listening() == 0 })
}

func TestListener_TickOfAnotherIsNoticedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer("orders", "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	for range 3 { // each tick wakes it
		b.send("a", 1)
		b.tick()
		within(t, "the tick is noticed", got)
	}
}

func TestListener_ComesBackAfterItsConnectionWasEnded(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer("orders", "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	b.terminate("pgque listener")
	b.send("a", 1) // announced while nobody may be listening
	b.tick()
	within(t, "the tick is noticed", got)
	until(t, "somebody listens again", func() bool { return b.listening() == 1 })
	b.send("a", 1)
	b.tick()
	within(t, "the next tick is noticed", got)
}

func TestListener_WithoutNotificationsItPollsAndSaysSoOnce(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	// A role that may not open a second connection cannot listen.
	b.exec("create role narrow login connection limit 1")
	b.exec("grant pgque_reader, pgque_writer, pgque_admin to narrow")
	narrow, err := pgque.Connect(t.Context(), strings.Replace(b.Pool().Config().ConnString(), "user=postgres", "user=narrow", 1)+" pool_max_conns=1")
	b.must(err)
	defer narrow.Close()
	log := &logBook{}
	client := pgque.New(narrow.Pool(), pgque.WithLogger(log.logger()))
	defer client.Close()
	got := make(chan pgque.Message, 1)
	c := client.NewConsumer("orders", "billing")
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	stop := b.start(c)
	for range 3 {
		b.send("a", 1) // by another client: no hint inside the process
		within(t, "the event is noticed", got)
	}
	b.exec("alter role narrow connection limit 5")
	until(t, "it hears again", func() bool { return strings.Contains(log.text(), "notifications arrive again") })
	_ = stop()
	if n := strings.Count(log.text(), "notifications do not arrive"); n != 1 {
		t.Errorf("said %d times that it polls: %s", n, log.text())
	}
}

func TestListener_QueueNamesAreQuoted(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const queue = `Odd "queue"; name`
	b.must(b.CreateQueue(t.Context(), queue))
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer(queue, "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.must(b.Subscribe(t.Context(), queue, "billing"))
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	_, err := b.Send(t.Context(), queue, pgque.Event{})
	b.must(err)
	pgquetest.Tick(t, b.Client, queue)
	within(t, "the tick is noticed", got)
}
