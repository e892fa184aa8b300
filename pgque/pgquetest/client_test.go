package pgquetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func queueWithConsumer(t *testing.T, c *pgque.Client) {
	t.Helper()
	if err := c.CreateQueue(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	if err := c.Subscribe(t.Context(), "orders", "billing"); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, c *pgque.Client) {
	t.Helper()
	if _, err := c.Send(t.Context(), "orders", pgque.Event{Type: "order.created"}); err != nil {
		t.Fatal(err)
	}
}

func received(t *testing.T, c *pgque.Client) int {
	t.Helper()
	batch, err := c.Receive(t.Context(), "orders", "billing", 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(batch)
}

func TestTick_MakesWhatWasSentReceivable(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	queueWithConsumer(t, c)
	send(t, c)
	if n := received(t, c); n != 0 {
		t.Fatalf("%d messages before the tick", n)
	}
	pgquetest.Tick(t, c, "orders")
	if n := received(t, c); n != 1 {
		t.Errorf("%d messages after the tick, want 1", n)
	}
}

func TestTick_OfAnEmptyQueueTicksToo(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	queueWithConsumer(t, c)
	for range 3 {
		pgquetest.Tick(t, c, "orders")
	}
	if n := received(t, c); n != 0 {
		t.Errorf("%d messages on an empty queue", n)
	}
}

func TestNew_DatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	a, b := pgquetest.New(t), pgquetest.New(t)
	queueWithConsumer(t, a)
	queues, err := b.Queues(t.Context())
	if err != nil || len(queues) != 0 {
		t.Errorf("queues of the other database: %v, %v", queues, err)
	}
}

func TestNew_PassesOptionsOn(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t, pgquetest.WithPool(func(p *pgxpool.Config) {
		p.MaxConns = 7
		p.ConnConfig.RuntimeParams["application_name"] = "mine"
	}))
	if n := c.Pool().Config().MaxConns; n != 7 {
		t.Errorf("MaxConns = %d, want 7", n)
	}
	conn := connect(t, c.Pool().Config().ConnString())
	if name := value[string](t, conn, "select current_database()"); !strings.HasPrefix(name, "pgque_test_") {
		t.Errorf("the pool's connection string leads to %q", name)
	}
}

func TestOn_SurvivesKillAndRestart(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	c := pgquetest.New(t, pgquetest.On(s))
	queueWithConsumer(t, c)
	send(t, c)
	s.Kill()
	if _, err := c.Send(t.Context(), "orders", pgque.Event{}); err == nil {
		t.Error("sent to a killed server")
	}
	s.Restart()
	pgquetest.Tick(t, c, "orders")
	if n := received(t, c); n != 1 {
		t.Errorf("%d messages after the restart, want 1", n)
	}
}

func TestOn_AServerThatIsDownWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	t.Run("inner", func(t *testing.T) {
		s := pgquetest.Start(t)
		pgquetest.New(t, pgquetest.On(s))
		s.Kill()
	})
}

func TestTick_OutlastsAnotherTickerWhoseSnapshotIsOlder(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	queueWithConsumer(t, c)
	conn := connect(t, c.Pool().Config().ConnString())
	value[int64](t, conn, "select pgque.force_next_tick('orders')")
	other, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), "select pgque.ticker('orders')"); err != nil {
		t.Fatal(err)
	}
	send(t, c)

	ticked := make(chan struct{})
	go func() {
		defer close(ticked)
		pgquetest.Tick(t, c, "orders")
	}()
	watch := connect(t, c.Pool().Config().ConnString())
	attempts := make(map[time.Time]bool)
	for deadline := time.Now().Add(time.Minute); len(attempts) < 3; {
		attempts[value[time.Time](t, watch, `
			select coalesce(max(query_start), 'epoch') from pg_stat_activity
			where datname = current_database() and query like 'select pgque.ticker($1%'`)] = true
		if time.Now().After(deadline) {
			t.Fatal("Tick does not try again")
		}
	}
	select {
	case <-ticked:
		t.Fatal("Tick returned while another ticker held the queue")
	default:
	}
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-ticked
	if n := received(t, c); n != 1 {
		t.Errorf("%d messages after the tick, want 1", n)
	}
}
