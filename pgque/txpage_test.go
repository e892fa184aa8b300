package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

// effects makes a table in which handlers leave one row for each message.
func (b *bus) effects() {
	b.t.Helper()
	b.exec(`create table effect (msg_id bigint)`)
}

func leaveEffect(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
	_, err := tx.Exec(ctx, `insert into effect values ($1)`, msg.MsgID)
	return err
}

// eachOnce checks that every message of ids has left exactly one row.
func (b *bus) eachOnce(ids []int64) {
	b.t.Helper()
	if rows, distinct := b.number(`select count(*) from effect`), b.number(`select count(distinct msg_id) from effect`); rows != int64(len(ids)) || distinct != rows {
		b.t.Errorf("%d rows of %d messages, want one for each of %d", rows, distinct, len(ids))
	}
}

func TestHandleTx_EffectsAndCursorCommitTogether(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.effects()
		b.subscribe("billing")
		c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(10))
		c.HandleTx("a", leaveEffect)
		ids := b.send("a", 35)
		stop := b.start(c)
		b.untilEffects(35)
		b.untilDrained("billing")
		_ = stop()
		b.eachOnce(ids)
	})
}

func TestHandleTx_SetInsideAPageCountsFromTheNextMessage(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.effects()
		b.subscribe("billing")
		c := b.NewConsumer("orders", "billing", pgque.WithRetryPolicy(pgque.RetryPolicy{MaxAttempts: 1}))
		c.Handle("b", func(context.Context, pgque.Message) error { return nil })
		c.Handle("a", func(context.Context, pgque.Message) error {
			c.HandleTx("a", leaveEffect)
			c.HandleTx("b", leaveEffect)
			return nil
		})
		_, rest := b.send("a", 1), append(b.send("a", 2), b.send("b", 2)...)
		b.tick()
		stop := b.start(c)
		b.untilDrained("billing")
		_ = stop()
		b.eachOnce(rest)
		if n := b.number(`select count(*) from pgque.dead_letter`); n != 0 {
			t.Errorf("%d messages failed", n)
		}
	})
}

func (b *bus) untilEffects(n int64) {
	b.t.Helper()
	until(b.t, fmt.Sprint(n, " effects"), func() bool { return b.number(`select count(*) from effect`) >= n })
}

func TestHandleTx_OneThatFailsDoesNotCostTheOthers(t *testing.T) {
	type handler func(ctx context.Context, tx pgx.Tx) error
	failures := map[string]struct {
		fail   handler
		reason string
	}{
		"error":     {func(context.Context, pgx.Tx) error { return errors.New("no") }, "no"},
		"panic":     {func(context.Context, pgx.Tx) error { panic("no") }, "handler panic: no"},
		"SQL error": {func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, "select 1/0"); return err }, "division by zero"},
		"ignored error": {func(ctx context.Context, tx pgx.Tx) error { _, _ = tx.Exec(ctx, "select 1/0"); return nil },
			"a statement failed and the handler went on"},
		"open rows":        {func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Query(ctx, "select 1"); return err }, "rows of its transaction open"},
		"lost connection":  {func(ctx context.Context, tx pgx.Tx) error { return tx.Conn().Close(ctx) }, "the connection was lost"},
		"commit":           {func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }, "the consumer ends the transaction"},
		"left a savepoint": {func(ctx context.Context, tx pgx.Tx) error { _, _ = tx.Begin(ctx); return errors.New("no") }, "no"},
		"end of its goroutine": {func(context.Context, pgx.Tx) error { runtime.Goexit(); return nil },
			"it ended its goroutine"},
		"end of its goroutine inside a query": {func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Query(ctx, "select 1"); err == nil {
				runtime.Goexit()
			}
			return nil
		}, "it ended its goroutine"},
		"error inside a query": {func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Query(ctx, "select 1"); err != nil {
				return err
			}
			return errors.New("no such customer")
		}, "handler error: no such customer"},
	}
	t.Parallel()
	for name, story := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBus(t)
			b.effects()
			b.subscribe("billing")
			b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
			c := b.NewConsumer("orders", "billing")
			c.HandleTx("good", leaveEffect)
			c.HandleTx("bad", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
				if err := leaveEffect(ctx, tx, msg); err != nil {
					return err
				}
				return story.fail(ctx, tx)
			})
			good := b.send("good", 12)
			bad := b.send("bad", 1)
			good = append(good, b.send("good", 30)...)
			bad = append(bad, b.send("bad", 1)...)
			b.tick()
			b.start(c)
			until(t, "the bad ones are dead", func() bool {
				return b.number("select count(*) from pgque.dead_letter") == int64(len(bad))
			})
			b.untilDrained("billing")
			b.eachOnce(good)
			if n := b.number("select count(*) from effect where msg_id = any ($1)", bad); n != 0 {
				t.Errorf("%d effects of failed messages", n)
			}
			if n := b.number("select count(*) from pgque.dead_letter where dl_reason like '%' || $1 || '%'", story.reason); n != int64(len(bad)) {
				t.Errorf("%d dead letters of that reason", n)
			}
		})
	}
}

func TestHandleTx_TimeoutBlamesItsOwnMessage(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
	c := b.NewConsumer("orders", "billing", pgque.WithHandlerTimeout(2*time.Second))
	c.HandleTx("good", leaveEffect)
	c.HandleTx("slow", func(ctx context.Context, tx pgx.Tx, _ pgque.Message) error {
		_, err := tx.Exec(ctx, "select pg_sleep(1000)")
		return err
	})
	good := b.send("good", 5)
	b.send("slow", 1)
	b.start(c)
	until(t, "the slow one is dead", func() bool { return b.number("select count(*) from pgque.dead_letter") == 1 })
	b.eachOnce(good)
}

func TestHandleTx_ManyFailuresEachAlone(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	const n = 300
	var runs ledger
	c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(n), pgque.WithRetryAfter(3600))
	c.HandleTx("a", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		runs.note(msg)
		if msg.MsgID%7 == 0 {
			return errors.New("every seventh")
		}
		return leaveEffect(ctx, tx, msg)
	})
	ids := b.send("a", n)
	b.tick()
	b.start(c)
	b.untilDrained("billing")
	var good []int64
	for _, id := range ids {
		if id%7 != 0 {
			good = append(good, id)
		}
	}
	b.eachOnce(good)
	if retried := b.number("select count(*) from pgque.retry_queue"); retried != int64(len(ids)-len(good)) {
		t.Errorf("%d put back, want %d", retried, len(ids)-len(good))
	}
	if total := len(runs.deliveries()); total > 3*n {
		t.Errorf("%d runs for %d messages", total, n)
	}
}

func TestHandleTx_PlainHandlersOfThePageRunOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	var plain ledger
	c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(3600))
	c.Handle("plain", func(_ context.Context, msg pgque.Message) error { plain.note(msg); return nil })
	c.HandleTx("a", leaveEffect)
	c.HandleTx("bad", func(context.Context, pgx.Tx, pgque.Message) error { return errors.New("no") })
	b.send("plain", 3)
	ids := b.send("a", 3)
	b.send("bad", 1)
	b.send("plain", 3)
	b.tick()
	b.start(c)
	b.untilDrained("billing")
	b.eachOnce(ids)
	if n := len(plain.deliveries()); n != 6 {
		t.Errorf("6 plain messages were handled %d times", n)
	}
}

func TestHandleTx_DeferredConstraintBlamesItsOwnMessage(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.exec(`create table customer (id bigint primary key)`)
	b.exec(`create table effect (msg_id bigint, customer bigint references customer deferrable initially deferred)`)
	b.subscribe("billing")
	b.must(b.SetQueueConfig(t.Context(), "orders", "max_retries", "0"))
	c := b.NewConsumer("orders", "billing")
	c.HandleTx("*", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if _, err := tx.Exec(ctx, `insert into effect values ($1, $1)`, msg.MsgID); err != nil {
			return err
		}
		if msg.Type == "bad" {
			return nil
		}
		_, err := tx.Exec(ctx, `insert into customer values ($1)`, msg.MsgID)
		return err
	})
	good := b.send("good", 4)
	b.send("bad", 1)
	good = append(good, b.send("good", 4)...)
	b.tick()
	b.start(c)
	until(t, "the bad one is dead", func() bool { return b.number("select count(*) from pgque.dead_letter") == 1 })
	b.eachOnce(good)
}

func TestHandleTx_CascadesAreExactlyOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.CreateQueue(t.Context(), "invoices"))
	b.must(b.Subscribe(t.Context(), "invoices", "mail"))
	b.subscribe("billing")
	c := b.NewConsumer("orders", "billing", pgque.WithRetryAfter(3600))
	c.HandleTx("a", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if _, err := b.WithTx(tx).Send(ctx, "invoices", pgque.Event{Payload: msg.MsgID}); err != nil {
			return err
		}
		if msg.MsgID%5 == 0 {
			return errors.New("changed its mind")
		}
		return nil
	})
	ids := b.send("a", 20)
	b.tick()
	b.start(c)
	b.untilDrained("billing")
	want := int64(0)
	for _, id := range ids {
		if id%5 != 0 {
			want++
		}
	}
	if n := b.number("select count(*) from pgque.event_2"); n != want {
		t.Errorf("%d invoices, want %d", n, want)
	}
}

func TestHandleTx_WorkerThatWasOvertakenCommitsNothing(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.effects()
		b.subscribe("billing")
		ids := b.send("a", 3)
		b.tick()
		overtaken := make(chan struct{})
		overtake := sync.OnceFunc(func() { close(overtaken) })
		c := b.NewConsumer("orders", "billing")
		c.HandleTx("a", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
			if msg.MsgID <= ids[len(ids)-1] { // another worker acks the page meanwhile
				b.must(pgque.New(b.Pool()).Ack(ctx, msg.BatchID))
				overtake()
			}
			return leaveEffect(ctx, tx, msg)
		})
		b.start(c)
		within(t, "the page is acked", overtaken)
		more := b.send("a", 2)
		b.untilEffects(2)
		b.untilDrained("billing")
		b.eachOnce(more)
		if n := b.number("select count(*) from effect where msg_id = any ($1)", ids); n != 0 {
			t.Errorf("%d effects of a page that was not its own any more", n)
		}
	})
}

func TestHandleTx_TerminatedBackendsCauseNeitherLossNorRepetition(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.effects()
		b.subscribe("billing")
		var runs ledger
		c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(20))
		c.HandleTx("a", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
			if n := runs.note(msg); n == 1 && msg.MsgID%50 == 0 {
				b.terminateOthers()
			}
			return leaveEffect(ctx, tx, msg)
		})
		ids := b.send("a", 200)
		b.start(c)
		b.untilEffects(200)
		b.untilDrained("billing")
		b.eachOnce(ids)
	})
}

func TestHandleTx_HaltKeepsWhatWasDone(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.subscribe("billing")
	good := b.send("a", 2)
	b.send("halt", 1)
	b.send("a", 1)
	b.tick()
	enough := errors.New("enough")
	c := b.NewConsumer("orders", "billing")
	c.HandleTx("a", leaveEffect)
	c.HandleTx("halt", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		b.must(leaveEffect(ctx, tx, msg)) // which has to be undone
		return pgque.Halt(enough)
	})
	if err := c.Start(t.Context()); !errors.Is(err, enough) {
		t.Errorf("halted with %v", err)
	}
	b.eachOnce(good)
	if page := b.receive("billing", 10); len(page) != 2 || page[0].Type != "halt" || page[0].RetryCount != nil {
		t.Errorf("left behind %v", page)
	}
}
