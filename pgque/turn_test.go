package pgque_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque"
)

// process is the bus as another process sees it: a client of its own.
func (b *bus) process() (client *pgque.Client, log *logBook) {
	b.t.Helper()
	log = &logBook{}
	client = pgque.New(b.Pool(), pgque.WithLogger(log.logger()))
	b.t.Cleanup(client.Close)
	return client, log
}

// consume starts a consumer "billing" whose messages go to a channel.
func (b *bus) consume(client *pgque.Client) (got chan pgque.Message, stop func() error) {
	b.t.Helper()
	got = make(chan pgque.Message, 1000)
	c := client.NewConsumer("orders", "billing")
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	return got, b.start(c)
}

const standsBy = "stands by"

func TestTurn_SecondProcessStandsByAndTakesOver(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	first, _ := b.process()
	second, log := b.process()
	gotFirst, stopFirst := b.consume(first)
	b.send("a", 1)
	within(t, "the first works", gotFirst)
	gotSecond, _ := b.consume(second)
	until(t, "the second stands by", func() bool { return strings.Contains(log.text(), standsBy) })
	b.send("a", 20)
	for range 20 {
		within(t, "the first works on", gotFirst)
	}
	b.untilDrained("billing")
	if len(gotSecond) > 0 {
		t.Error("both have worked")
	}
	_ = stopFirst()
	b.send("a", 1)
	within(t, "the second has taken over", gotSecond)
	if n := strings.Count(log.text(), standsBy); n != 1 {
		t.Errorf("said so %d times: %s", n, log.text())
	}
}

func TestTurn_SecondConsumerOfOneClientStandsByToo(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	gotFirst, stopFirst := b.consume(b.Client)
	b.send("a", 1)
	within(t, "the first works", gotFirst)
	gotSecond, _ := b.consume(b.Client)
	until(t, "the second stands by", func() bool { return strings.Contains(b.log.text(), standsBy) })
	b.send("a", 1)
	within(t, "the first works on", gotFirst)
	_ = stopFirst()
	b.send("a", 1)
	within(t, "the second has taken over", gotSecond)
}

func TestTurn_SecondProcessOfAMemberStandsByAndTakesOver(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	members := func() int64 {
		return b.number("select count(*) from pgque.subscription where sub_role = 'coop_member'")
	}
	var gots [3]chan pgque.Message
	var stops [3]func() error
	for i := range gots {
		client, log := b.process()
		gots[i] = make(chan pgque.Message, 1000)
		c := client.NewConsumer("orders", "billing", pgque.WithSubconsumer("same"))
		c.Handle("*", func(_ context.Context, msg pgque.Message) error { gots[i] <- msg; return nil })
		stops[i] = b.start(c)
		if i == 0 {
			until(t, "the group is there", func() bool { return members() == 1 })
			b.send("a", 1)
			within(t, "the first works", gots[0])
			continue
		}
		until(t, "the others stand by", func() bool { return strings.Contains(log.text(), standsBy) })
	}
	_ = stops[2]()
	if n := members(); n != 1 {
		t.Errorf("%d members: who stood by took the member out of its group", n)
	}
	b.send("a", 20)
	for range 20 {
		within(t, "the first works on", gots[0])
	}
	b.untilGroupDrained()
	if len(gots[1]) > 0 || len(gots[2]) > 0 {
		t.Error("several have worked")
	}
	_ = stops[0]()
	b.send("a", 1)
	within(t, "another one has taken over", gots[1])
}

func TestTurn_LostWithItsConnectionAndDecidedAgain(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	var handled ledger
	for range 2 {
		client, _ := b.process()
		c := client.NewConsumer("orders", "billing")
		c.Handle("*", func(_ context.Context, msg pgque.Message) error { handled.note(msg); return nil })
		b.start(c)
	}
	for round := 1; round <= 3; round++ {
		until(t, "one has the turn", func() bool {
			return b.number("select count(*) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())") == 1
		})
		b.send("a", 10)
		until(t, "all are handled", func() bool { return handled.messages() == 10*round })
		b.terminate("pgque listener")
	}
	b.untilDrained("billing")
}

func TestTurn_OtherNamesAndQueuesHaveTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.CreateQueue(t.Context(), "invoices"))
	client, log := b.process()
	got := make(chan pgque.Message, 3)
	for _, place := range [][2]string{{"orders", "billing"}, {"orders", "audit"}, {"invoices", "billing"}} {
		b.must(b.Subscribe(t.Context(), place[0], place[1]))
		c := client.NewConsumer(place[0], place[1])
		c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
		b.start(c)
	}
	b.send("a", 1)
	_, err := b.Send(t.Context(), "invoices", pgque.Event{})
	b.must(err)
	for range 3 {
		within(t, "each receives", got)
	}
	if strings.Contains(log.text(), standsBy) {
		t.Error(log.text())
	}
}
