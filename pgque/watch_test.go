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
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// looks notes for which queues a client asks for ticks and maintenance, in one statement each.
type looks struct {
	mu    sync.Mutex
	noted []string
}

func (l *looks) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	l.note(data.SQL, data.Args)
	return ctx
}

func (l *looks) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (l *looks) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	l.note(data.SQL, data.Args)
}

func (l *looks) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (l *looks) note(sql string, args []any) {
	if i := strings.Index(sql, "pgque.pull_"); i >= 0 { // it bears the number of its queue
		l.add(strings.Split(sql[i:], "(")[0])
	}
	if len(args) != 1 || !strings.Contains(sql, "pgque.tick_queue") && !strings.Contains(sql, "pgque.maint_queue") {
		return
	}
	look := fmt.Sprint(args[0])
	if queues, ok := args[0].([]string); ok {
		queues = slices.Clone(queues)
		slices.Sort(queues)
		look = "together: " + strings.Join(queues, " ")
	}
	l.add(look)
}

func (l *looks) add(look string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noted = append(l.noted, look)
}

func (l *looks) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// all returns the looks since the last call of forget.
func (l *looks) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.noted)
}

func (l *looks) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noted = nil
}

// areTogether waits until there are no looks but those at all of the queues.
func (l *looks) areTogether(t *testing.T, queues ...string) {
	t.Helper()
	const enough = 6
	until(t, "there is one look for all", func() bool {
		all := l.all()
		return len(all) >= enough && !slices.ContainsFunc(all[len(all)-enough:], func(look string) bool {
			return look != "together: "+strings.Join(queues, " ")
		})
	})
}

// newWatchedBus has the queues invoices, orders and shipments, and the looks of its client.
func newWatchedBus(t *testing.T) (*bus, *looks) {
	t.Helper()
	noted := &looks{}
	b := busOver(t, pgquetest.New(t, pgquetest.WithPool(func(c *pgxpool.Config) { c.ConnConfig.Tracer = noted })))
	b.must(b.CreateQueue(t.Context(), "invoices"))
	b.must(b.CreateQueue(t.Context(), "shipments"))
	return b, noted
}

// gather starts a consumer that passes its messages on.
func (b *bus) gather(queue, name string, opts ...pgque.Option) (got chan pgque.Message, stop func() error) {
	b.t.Helper()
	got = make(chan pgque.Message, 10)
	consumer := b.NewConsumer(queue, name, opts...)
	consumer.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	return got, b.start(consumer)
}

// sendElsewhere sends as a program does that is not this client.
func (b *bus) sendElsewhere(queue string) {
	b.t.Helper()
	b.exec(`select pgque.send($1, 't', '1'::text)`, queue)
}

func TestWatch_OneLookForAllIdleQueuesAndNoMessageIsMissed(t *testing.T) {
	t.Parallel()
	b, noted := newWatchedBus(t)
	billing, _ := b.gather("orders", "billing")
	mail, _ := b.gather("orders", "mail")
	group, _ := b.gather("invoices", "group", pgque.WithSubconsumer("a"))
	slots, _ := b.gather("shipments", "slots", pgque.WithPartitions(2))
	for range 2 {
		noted.areTogether(t, "invoices", "orders", "shipments")
		for _, queue := range []string{"orders", "invoices", "shipments"} {
			b.sendElsewhere(queue)
		}
		for _, got := range []chan pgque.Message{billing, mail, group, slots} {
			within(t, "the message is there", got)
		}
	}
	noted.areTogether(t, "invoices", "orders", "shipments")
	noted.forget()
	b.send("a", 1)
	within(t, "the message is there", billing)
	within(t, "the message is there", mail)
	until(t, "a consumer ticks for itself", func() bool { return slices.Contains(noted.all(), "pgque.pull_1") })
}

func TestWatch_DeliversWhatWasDelayed(t *testing.T) {
	t.Parallel()
	b, noted := newWatchedBus(t)
	got, _ := b.gather("orders", "billing")
	noted.areTogether(t, "orders")
	b.exec(`select pgque.send_at('orders', 't', '1', clock_timestamp() + interval '1 hour')`)
	b.exec(`update pgque.delayed set de_deliver_at = clock_timestamp()`)
	within(t, "it is delivered", got)
}

func TestWatch_AQueueThatCannotBeTickedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b, noted := newWatchedBus(t)
	orders, _ := b.gather("orders", "billing")
	invoices, _ := b.gather("invoices", "billing")
	noted.areTogether(t, "invoices", "orders")
	b.exec(`alter sequence pgque.event_2_tick_seq rename to mislaid`)
	b.sendElsewhere("invoices")
	until(t, "it is logged", func() bool { return strings.Contains(b.log.text(), "cannot tick the queue") })
	for range 2 {
		noted.areTogether(t, "orders")
		b.sendElsewhere("orders")
		within(t, "the other queue goes on", orders)
	}
	b.exec(`alter sequence pgque.mislaid rename to event_2_tick_seq`)
	within(t, "the queue goes on when it is well", invoices)
}

// The server is not asked again by a role that may not.
func TestWatch_RoleThatMayNotTickAnyMoreSaysSoAndGoesOn(t *testing.T) {
	t.Parallel()
	b, noted := newWatchedBus(t)
	role := fmt.Sprintf("reader_%d", time.Now().UnixNano())
	conn := connectTo(t, b.Pool().Config().ConnString())
	newRole(t, conn, role, "in role pgque_reader")
	config, err := pgxpool.ParseConfig(asRole(b.Pool().Config().ConnString(), role))
	b.must(err)
	config.ConnConfig.Tracer = noted
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	b.must(err)
	defer pool.Close()
	log := &logBook{}
	reader := &bus{Client: pgque.New(pool, pgque.WithLogger(log.logger())), t: t, log: log}
	defer reader.Close()
	got, _ := reader.gather("orders", "billing")
	noted.areTogether(t, "orders")
	b.exec(`revoke execute on function pgque.tick_queues(text[]) from pgque_reader`)
	until(t, "it says so", func() bool { return strings.Contains(log.text(), "may not tick") })
	noted.forget()
	b.send("a", 1)
	b.tick()
	within(t, "somebody else's tick is used", got)
	if all := noted.all(); len(all) > 0 {
		t.Errorf("it looked for ticks: %q", all)
	}
}

func TestWatch_ConsumersComeAndGo(t *testing.T) {
	t.Parallel()
	b, noted := newWatchedBus(t)
	for range 2 {
		orders, stopOrders := b.gather("orders", "billing")
		_, stopInvoices := b.gather("invoices", "billing")
		noted.areTogether(t, "invoices", "orders")
		if err := stopInvoices(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
		noted.areTogether(t, "orders")
		b.sendElsewhere("orders")
		within(t, "who is left goes on", orders)
		noted.areTogether(t, "orders")
		if err := stopOrders(); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
		noted.forget()
	}
	if all := noted.all(); len(all) > 0 {
		t.Errorf("somebody looks on: %q", all)
	}
}

// The statement that ticks is held up in the middle while its client closes.
func TestWatch_ClosesInTheMiddleOfALook(t *testing.T) {
	t.Parallel()
	b, noted := newWatchedBus(t)
	b.gather("orders", "billing")
	noted.areTogether(t, "orders")
	conn := connectTo(t, b.Pool().Config().ConnString())
	mustExec(t, conn, `begin; lock table pgque.queue in access exclusive mode`)
	until(t, "the look waits", func() bool {
		return query1[int64](t, conn, `select count(*) from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock' and query like '%tick_queues%'`) > 0
	})
	ended := make(chan struct{})
	go func() { b.Close(); close(ended) }()
	within(t, "the client closes", ended)
	mustExec(t, conn, `rollback`)
}
