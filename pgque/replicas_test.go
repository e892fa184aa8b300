package pgque_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// replicas is how many processes a service has here: clients with connections of their own.
const replicas = 20

// meter counts what is asked of the server: round trips, and those that look for a tick.
type meter struct{ trips, looks atomic.Int64 }

func (m *meter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	m.trips.Add(1)
	m.look(data.SQL)
	return ctx
}

func (m *meter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	m.trips.Add(1)
	return ctx
}

func (m *meter) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	m.look(data.SQL)
}

func (m *meter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (m *meter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (m *meter) look(sql string) {
	if strings.Contains(sql, "pgque.tick_queue") {
		m.looks.Add(1)
	}
}

// fleet is a service with its replicas.
type fleet struct {
	*bus
	meter   meter
	clients []*pgque.Client
	got     chan pgque.Message // of any of its consumers
}

// newFleet starts one consumer in each replica.
func newFleet(t *testing.T, s *pgquetest.Server, consumer func(c *pgque.Client, replica int) *pgque.Consumer) *fleet {
	t.Helper()
	c := pgquetest.New(t, pgquetest.On(s))
	f := &fleet{bus: busOver(t, c), got: make(chan pgque.Message, replicas)}
	config, err := pgxpool.ParseConfig(c.Pool().Config().ConnString())
	f.must(err)
	config.MaxConns, config.ConnConfig.Tracer = 2, &f.meter
	var consumers []*pgque.Consumer
	for i := range replicas {
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		f.must(err)
		t.Cleanup(pool.Close)
		client := pgque.New(pool, pgque.WithLogger(f.log.logger()))
		t.Cleanup(client.Close)
		consumer := consumer(client, i)
		consumer.Handle("*", func(_ context.Context, msg pgque.Message) error { f.got <- msg; return nil })
		f.clients, consumers = append(f.clients, client), append(consumers, consumer)
		f.subscribe(consumer.Name())
	}
	for _, consumer := range consumers {
		f.start(consumer)
	}
	return f
}

// round sends an event from one replica or the other, and waits for its messages.
func (f *fleet) round(i, messages int) {
	f.t.Helper()
	_, err := f.clients[i%replicas].Send(f.t.Context(), "orders", pgque.Event{Payload: i})
	f.must(err)
	for range messages {
		if msg := within(f.t, "the message is there", f.got); msg.Payload != fmt.Sprint(i) {
			f.t.Fatalf("received %+v in round %d", msg, i)
		}
	}
}

// What a replica may ask at most, by its timers. It leaves the queue to others for a quarter
// of a second at least after each tick of theirs; when it looks again its looks are soon
// four a second, and then the client's watch keeps to that. Maintenance is every two
// seconds at most, and who stands by tries for the turn twice a second.
const (
	looksToRest      = 8  // from the last message until four a second
	looksPerSecond   = 32 // four times in a second from a message to rest
	restingPerSecond = 8
)

// Time counts as it passes here: what timers keep apart gets no more room on a machine
// that is slow.
func TestReplicas_TickOnceForAllAndMakeNoStorm(t *testing.T) {
	t.Parallel()
	server := pgquetest.Start(t, pgquetest.WithSetting("max_connections", "400"))
	nameEach := func(c *pgque.Client, i int) *pgque.Consumer {
		return c.NewConsumer("orders", fmt.Sprint("service-", i))
	}
	for name, story := range map[string]struct {
		consumer func(c *pgque.Client, replica int) *pgque.Consumer
		receive  int // an event
		look     int // for ticks
		ticker   bool
	}{
		"names of their own": {consumer: nameEach, receive: replicas, look: replicas},
		"beside a ticker":    {consumer: nameEach, receive: replicas, look: replicas, ticker: true},
		"one name": {receive: 1, look: 1,
			consumer: func(c *pgque.Client, _ int) *pgque.Consumer { return c.NewConsumer("orders", "service") }},
		"a group": {receive: 1, look: replicas, consumer: func(c *pgque.Client, i int) *pgque.Consumer {
			return c.NewConsumer("orders", "service", pgque.WithSubconsumer(fmt.Sprint("replica-", i)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, server, story.consumer)
			if story.ticker {
				f.startTicker(f.Ticker())
			}
			f.round(0, story.receive)
			f.areBusy(story.receive)
			f.areAtRest(story.look)
		})
	}
}

// areBusy sends one event after another. A tick has one event then, or none when it came
// between the event's id and its commit; the ticker makes some on its own.
func (f *fleet) areBusy(receive int) {
	const rounds = 100
	began, looks, ticks := time.Now(), f.meter.looks.Load(), f.ticks()
	for i := range rounds {
		f.round(i, receive)
	}
	seconds := time.Since(began).Seconds()
	looks, ticks = f.meter.looks.Load()-looks, f.ticks()-ticks
	f.t.Logf("%d events in %.2f s: %d ticks, %d looks", rounds, seconds, ticks, looks)
	if most := 2*rounds + seconds; float64(ticks) > most {
		f.t.Errorf("%d ticks, want at most %.0f", ticks, most)
	}
	if most := 2*rounds + replicas*(looksToRest+looksPerSecond*seconds); float64(looks) > most {
		f.t.Errorf("%d looks, want at most %.0f", looks, most)
	}
}

// areAtRest waits until those who look have gone to rest, and on.
func (f *fleet) areAtRest(look int) {
	began, trips, looks := time.Now(), f.meter.trips.Load(), f.meter.looks.Load()
	until(f.t, "they have looked for a while", func() bool {
		return f.meter.looks.Load()-looks >= int64(look*(looksToRest+8))
	})
	seconds := time.Since(began).Seconds()
	trips, looks = f.meter.trips.Load()-trips, f.meter.looks.Load()-looks
	f.t.Logf("%.2f s without events: %d round trips, %d of them looks", seconds, trips, looks)
	if most := replicas * (looksToRest + restingPerSecond*seconds); float64(trips) > most {
		f.t.Errorf("%d round trips, want at most %.0f", trips, most)
	}
}

func (f *fleet) ticks() int64 { f.t.Helper(); return f.number("select count(*) from pgque.tick") }
