package pgque_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// sizes are batches of every kind: one event, one statement, a pipeline, COPY.
var sizes = []int{1, 2, 700, 3000}

// numbered are n events whose payload is their index; with mixed they differ in type
// and extras.
func numbered(n int, mixed bool) []pgque.Event {
	events := make([]pgque.Event, n)
	note := "a note"
	for i := range events {
		events[i] = pgque.Event{Type: "number", Payload: i}
		if mixed && i%2 == 1 {
			events[i] = pgque.Event{Type: "odd", Payload: i, Extra3: &note}
		}
	}
	return events
}

// sendAll sends one event with Send, more with SendBatch.
func (b *bus) sendAll(events []pgque.Event) ([]int64, error) {
	if len(events) == 1 {
		id, err := b.Send(b.t.Context(), "orders", events[0])
		return []int64{id}, err
	}
	return b.SendBatch(b.t.Context(), "orders", events)
}

// expectNumbered receives what sendAll sent, under the ids that it returned.
func (b *bus) expectNumbered(consumer string, ids []int64, mixed bool) {
	b.t.Helper()
	b.tick()
	page := b.receive(consumer, len(ids)+1)
	if len(page) != len(ids) {
		b.t.Fatalf("%d messages for %d ids", len(page), len(ids))
	}
	for i, m := range page {
		odd := mixed && i%2 == 1
		if m.MsgID != ids[i] || m.Payload != fmt.Sprint(i) || (m.Type == "odd") != odd || (m.Extra3 != nil) != odd {
			b.t.Fatalf("message %d is %+v, id %d", i, m, ids[i])
		}
	}
	if len(page) > 0 {
		b.must(b.Ack(b.t.Context(), page[0].BatchID))
	}
}

// withoutFunctions leaves direct inserts as the only way to send.
func (b *bus) withoutFunctions() {
	b.t.Helper()
	for _, function := range []string{"send(text,text,text)", "send_batch(text,text,text[])", "insert_event(text,text,text,text,text,text,text)"} {
		b.exec("drop function pgque." + function)
	}
}

func TestSend_InsertsDirectlyInEveryQueryMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			b := busOver(t, pgquetest.New(t, pgquetest.WithPool(func(c *pgxpool.Config) {
				c.ConnConfig.DefaultQueryExecMode = mode
			})))
			b.subscribe("c")
			b.withoutFunctions()
			for _, mixed := range []bool{false, true} {
				for _, n := range append(sizes, 75, 300, 301) {
					ids, err := b.sendAll(numbered(n, mixed))
					b.must(err)
					b.expectNumbered("c", ids, mixed)
				}
			}
		})
	}
}

func TestSend_AsAWriterGoesThroughFunctions(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("c")
	writer := b.as("pgque_writer")
	for _, n := range sizes {
		ids, err := writer.sendAll(numbered(n, true))
		b.must(err)
		b.expectNumbered("c", ids, true)
	}
	b.withoutFunctions()
	for _, n := range sizes {
		if _, err := writer.sendAll(numbered(n, true)); err == nil {
			t.Errorf("a writer inserted %d events without a function", n)
		}
	}
}

func TestSend_WithTheRightsToInsertNeedsNoFunction(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("c")
	b.grantInserts()
	b.withoutFunctions()
	writer := b.as("pgque_writer")
	for _, n := range sizes {
		ids, err := writer.sendAll(numbered(n, true))
		b.must(err)
		b.expectNumbered("c", ids, true)
	}
}

// grantInserts gives the writers of this database the rights that direct inserts need.
func (b *bus) grantInserts() {
	b.t.Helper()
	b.exec(`grant select on pgque.queue to pgque_writer`)
	b.exec(`grant usage on sequence pgque.event_1_id_seq to pgque_writer`)
	b.exec(`grant insert (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4), select (ev_id, ev_txid)
		on pgque.event_1_0, pgque.event_1_1, pgque.event_1_2 to pgque_writer`)
}

// as is the same bus for a new member of a role.
func (b *bus) as(role string) *bus {
	b.t.Helper()
	login := "login_" + strings.ReplaceAll(b.Pool().Config().ConnConfig.Database, "-", "_")
	conn, err := b.Pool().Acquire(b.t.Context())
	b.must(err)
	defer conn.Release()
	newRole(b.t, conn.Conn(), login, "in role "+role)
	pool, err := pgxpool.New(b.t.Context(), asRole(b.Pool().Config().ConnString(), login))
	b.must(err)
	b.t.Cleanup(pool.Close)
	return &bus{Client: pgque.New(pool), t: b.t, log: b.log}
}

// Each of these happens after the client has learned where events go.
func TestSend_NoticesThatWhatItKnowsIsOutdated(t *testing.T) {
	t.Parallel()
	changes := map[string]struct {
		change func(b *bus)
		table  string // where events go afterwards
		err    error
	}{
		"rotation": {change: func(b *bus) {
			b.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
			b.exec(`select pgque.maint_rotate_tables_step1('orders')`)
		}, table: "event_1_1"},
		"the queue is dropped": {change: func(b *bus) { b.must(b.DropQueue(b.t.Context(), "orders")) }, err: pgque.ErrQueueNotFound},
		"the queue is dropped and made again": {change: func(b *bus) {
			b.must(b.DropQueue(b.t.Context(), "orders"))
			b.must(b.CreateQueue(b.t.Context(), "orders"))
		}, table: "event_2_0"},
		"the queue has another name": {change: func(b *bus) {
			b.exec(`update pgque.queue set queue_name = 'old orders'`)
		}, err: pgque.ErrQueueNotFound},
		"the name is another queue's": {change: func(b *bus) {
			b.exec(`update pgque.queue set queue_name = 'old orders'`)
			b.must(b.CreateQueue(b.t.Context(), "orders"))
		}, table: "event_2_0"},
		"the queue takes no events": {change: func(b *bus) {
			b.exec(`update pgque.queue set queue_disable_insert = true`)
		}, err: pgque.ErrInsertDisallowed},
		"statements are discarded": {change: func(b *bus) {
			for range b.Pool().Config().MaxConns {
				conn, err := b.Pool().Acquire(b.t.Context())
				b.must(err)
				defer conn.Release()
				_, err = conn.Conn().PgConn().Exec(b.t.Context(), `deallocate all`).ReadAll()
				b.must(err)
			}
		}, table: "event_1_0"},
		"the engine is gone": {change: func(b *bus) { b.exec(`drop schema pgque cascade`) }, err: pgque.ErrNotInstalled},
		"the right is taken away": {change: func(b *bus) {
			b.exec(`revoke insert (ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) on pgque.event_1_0 from pgque_writer`)
		}, table: "event_1_0"},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := busOver(t, pgquetest.New(t, pgquetest.WithPool(func(c *pgxpool.Config) { c.MaxConns = 2 })))
			pool := b.Pool()
			if strings.HasPrefix(name, "the right") {
				b.grantInserts()
				pool = b.as("pgque_writer").Pool()
			}
			var senders []*bus // one for each size: each has to notice by itself
			for _, n := range sizes {
				sender := &bus{Client: pgque.New(pool), t: t, log: b.log}
				for range 2 * pool.Config().MaxConns { // so that all connections have the statements
					_, err := sender.sendAll(numbered(n, false))
					b.must(err)
				}
				senders = append(senders, sender)
			}
			c.change(b)
			for i, n := range sizes {
				if c.err != nil {
					if _, err := senders[i].sendAll(numbered(n, false)); !errors.Is(err, c.err) {
						t.Errorf("%d events: %v", n, err)
					}
					continue
				}
				count := `select count(*) from pgque.` + c.table
				before := b.number(count)
				for range 3 {
					_, err := senders[i].sendAll(numbered(n, false))
					b.must(err)
				}
				if rows := b.number(count) - before; rows != int64(3*n) {
					t.Errorf("%d rows in %s, want %d", rows, c.table, 3*n)
				}
			}
		})
	}
}

func TestSend_AgainWhenTheQueueTakesEventsAgain(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for _, n := range sizes {
		_, err := b.sendAll(numbered(n, false))
		b.must(err)
		b.exec(`update pgque.queue set queue_disable_insert = true`)
		if _, err := b.sendAll(numbered(n, false)); !errors.Is(err, pgque.ErrInsertDisallowed) {
			t.Errorf("%d events: %v", n, err)
		}
		b.exec(`update pgque.queue set queue_disable_insert = false`)
		_, err = b.sendAll(numbered(n, false))
		b.must(err)
	}
}

// encoder is a payload that does something while it is encoded.
type encoder func(buf []byte) ([]byte, error)

func (f encoder) AppendJSON(buf []byte) ([]byte, error) { return f(buf) }

func TestSendBatch_EventThatCannotBeEncodedUndoesAll(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	broken := errors.New("broken")
	for _, n := range sizes[1:] {
		events := numbered(n, false)
		events[n-1].Payload = encoder(func([]byte) ([]byte, error) { return nil, broken })
		if _, err := b.SendBatch(t.Context(), "orders", events); !errors.Is(err, broken) || !strings.Contains(err.Error(), `"number"`) {
			t.Errorf("%d events: %v", n, err)
		}
	}
	if rows := b.number(`select count(*) from pgque.event_1`); rows != 0 {
		t.Errorf("%d rows", rows)
	}
	if total := b.Pool().Stat().NewConnsCount(); total > int64(b.Pool().Config().MaxConns) {
		t.Errorf("%d connections were opened", total)
	}
}

func TestSendBatch_EventThatTheServerRefusesUndoesAll(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for _, n := range sizes[1:] {
		for _, at := range []int{0, n - 1} {
			events := numbered(n, false)
			events[at].Payload = json.RawMessage("\"\xff\"")
			if _, err := b.SendBatch(t.Context(), "orders", events); err == nil || !strings.Contains(err.Error(), "22021") {
				t.Errorf("event %d of %d: %v", at, n, err)
			}
		}
	}
	if rows := b.number(`select count(*) from pgque.event_1`); rows != 0 {
		t.Errorf("%d rows", rows)
	}
}

func TestSendBatch_CancelledHalfwayUndoesAll(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for _, n := range []int{700, 3000} {
		ctx, cancel := context.WithCancel(t.Context())
		events := numbered(n, false)
		events[n/2].Payload = encoder(func(buf []byte) ([]byte, error) {
			cancel()
			return append(buf, '0'), nil
		})
		if _, err := b.SendBatch(ctx, "orders", events); !errors.Is(err, context.Canceled) {
			t.Errorf("%d events: %v", n, err)
		}
	}
	until(t, "no transaction is left", func() bool {
		return b.number(`select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and query ~* 'event_1|begin'`) == 0
	})
	if rows := b.number(`select count(*) from pgque.event_1`); rows != 0 {
		t.Errorf("%d rows", rows)
	}
	_, err := b.SendBatch(t.Context(), "orders", numbered(3000, false))
	b.must(err)
}

func TestSendBatch_KnowsItsIDsWhenOthersDrawSomeInBetween(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("c")
	for _, n := range []int{700, 20_000} {
		drawn := func() int64 { return b.number(`select last_value from pgque.event_1_id_seq`) }
		before := drawn()
		events := numbered(n, false)
		events[n/2].Payload = encoder(func(buf []byte) ([]byte, error) {
			until(t, "the server has stored some events", func() bool { return drawn() > before+1 })
			b.exec(`select nextval('pgque.event_1_id_seq')`)
			return fmt.Append(buf, n/2), nil
		})
		ids, err := b.SendBatch(t.Context(), "orders", events)
		b.must(err)
		if spread := ids[n-1] - ids[0] + 1; spread != int64(n)+1 {
			t.Errorf("%d events have ids over %d", n, spread)
		}
		b.expectNumbered("c", ids, false)
	}
}

func TestSendBatch_ThatRunsThroughARotationIsDelivered(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("c")
	for _, n := range []int{700, 20_000} {
		events := numbered(n, false)
		events[n/2].Payload = encoder(func(buf []byte) ([]byte, error) {
			b.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
			if b.number(`select pgque.maint_rotate_tables_step1('orders')`) != 1 {
				t.Error("no rotation")
			}
			b.exec(`select pgque.maint_rotate_tables_step2()`)
			b.tick()
			return fmt.Append(buf, n/2), nil
		})
		ids, err := b.SendBatch(t.Context(), "orders", events)
		b.must(err)
		b.expectNumbered("c", ids, false)
	}
}

func TestSend_TablesThatAreNotReadyTakeEventsThroughFunctions(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.exec(`alter table pgque.event_1_0 alter ev_id set default nextval('pgque.event_1_id_seq')`)
	targets := func() int64 { return b.number(`select count(*) from pgque.insert_target('orders')`) }
	if targets() != 0 {
		t.Error("a table without the right default takes direct inserts")
	}
	_, err := b.Send(t.Context(), "orders", pgque.Event{})
	b.must(err)

	// A table that is in use keeps its default, and installing goes on.
	tx, err := b.Pool().Begin(t.Context())
	b.must(err)
	_, err = b.WithTx(tx).Send(t.Context(), "orders", pgque.Event{})
	b.must(err)
	b.must(b.Install(t.Context()))
	if targets() != 0 {
		t.Error("the default of a table in use was changed")
	}
	b.must(tx.Commit(t.Context()))
	b.must(b.Install(t.Context()))
	if targets() != 1 {
		t.Error("installing did not make the table ready")
	}
	b.withoutFunctions()
	_, err = b.Send(t.Context(), "orders", pgque.Event{})
	b.must(err)
}

type statementLog struct {
	mu         sync.Mutex
	statements []string
}

func (l *statementLog) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statements = append(l.statements, data.SQL)
	return ctx
}

func (l *statementLog) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestSend_IsTraced(t *testing.T) {
	t.Parallel()
	log := &statementLog{}
	b := busOver(t, pgquetest.New(t, pgquetest.WithPool(func(c *pgxpool.Config) { c.ConnConfig.Tracer = log })))
	for _, n := range sizes {
		log.statements = nil
		_, err := b.sendAll(numbered(n, false))
		b.must(err)
		if !slices.ContainsFunc(log.statements, func(sql string) bool { return strings.Contains(sql, "pgque.event_1_0 (ev_type") }) {
			t.Errorf("%d events: traced %q", n, log.statements)
		}
	}
}
