package pgque_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestConnect_ServerThatDoesNotAnswerIsAnError(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"postgres://127.0.0.1:1/nothing", "no such thing = 1", "host=/nowhere"} {
		if c, err := pgque.Connect(t.Context(), dsn); err == nil {
			c.Close()
			t.Errorf("%q was taken", dsn)
		}
	}
}

func TestConnect_RefusalKeepsItsSQLSTATE(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	_, err := pgque.Connect(t.Context(), dsn+" dbname=does_not_exist")
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "3D000" {
		t.Errorf("error %v", err)
	}
}

func TestConnect_CancelledContextStaysFindable(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pgque.Connect(ctx, dsn); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestClient_WithoutEngineSaysSo(t *testing.T) {
	t.Parallel()
	c, err := pgque.Connect(t.Context(), pgquetest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, sendErr := c.Send(t.Context(), "orders", pgque.Event{})
	_, receiveErr := c.Receive(t.Context(), "orders", "billing", 1)
	startErr := c.NewConsumer("orders", "billing").Start(t.Context())
	for _, err := range []error{sendErr, receiveErr, startErr, c.CreateQueue(t.Context(), "orders"), c.Ack(t.Context(), 1)} {
		if !errors.Is(err, pgque.ErrNotInstalled) {
			t.Errorf("error %v", err)
		}
	}
}

func TestSend_ArrivesAsItWasSent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		note := "a note"
		id, err := b.Send(t.Context(), "orders", pgque.Event{
			Type: "order.created", Payload: json.RawMessage(`{"total": 12345678901234567890.10}`), Extra2: &note})
		b.must(err)
		b.tick()
		page := b.receive("billing", 10)
		if len(page) != 1 {
			t.Fatalf("%d messages", len(page))
		}
		m := page[0]
		if m.MsgID != id || m.Type != "order.created" || m.Payload != `{"total":12345678901234567890.10}` ||
			m.RetryCount != nil || m.CreatedAt.IsZero() || m.Extra1 != nil || m.Extra2 == nil || *m.Extra2 != note {
			t.Errorf("received %+v", m)
		}
		b.must(b.Ack(t.Context(), m.BatchID))
		b.tick()
		if rest := b.receive("billing", 10); len(rest) != 0 {
			t.Errorf("received again: %v", rest)
		}
	})
}

func TestSend_DefaultsToTypeDefaultAndNull(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	_, err := b.Send(t.Context(), "orders", pgque.Event{})
	b.must(err)
	b.tick()
	if page := b.receive("billing", 1); page[0].Type != "default" || page[0].Payload != "null" {
		t.Errorf("received %+v", page[0])
	}
}

func TestSend_UnknownQueueIsNamed(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	_, err := b.Send(t.Context(), "nowhere", pgque.Event{})
	if !errors.Is(err, pgque.ErrQueueNotFound) || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("error %v", err)
	}
	if _, err := b.Send(t.Context(), "orders", pgque.Event{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSendBatch_IdsFollowTheEvents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, b *bus) {
		b.subscribe("billing")
		note := "x"
		events := []pgque.Event{
			{Type: "a", Payload: 0}, {Type: "b", Payload: 1}, {Payload: 2}, {Type: "a", Payload: 3, Extra1: &note},
		}
		ids, err := b.SendBatch(t.Context(), "orders", events)
		b.must(err)
		b.tick()
		page := b.receive("billing", 10)
		for i, m := range page {
			if m.MsgID != ids[i] || m.Payload != fmt.Sprint(i) {
				t.Errorf("message %d is %+v, id %d", i, m, ids[i])
			}
		}
		if page[2].Type != "default" || page[3].Extra1 == nil || len(page) != 4 {
			t.Errorf("received %+v", page)
		}
	})
}

func TestSendBatch_NothingIsNoRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	ids, err := b.SendBatch(t.Context(), "no such queue", nil)
	if err != nil || len(ids) != 0 {
		t.Errorf("ids %v, error %v", ids, err)
	}
}

func TestSendBatch_LongerThanAStatementIsOneTransaction(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const n = 25_000
	events := make([]pgque.Event, n)
	for i := range events {
		events[i] = pgque.Event{Payload: i}
	}
	ids, err := b.SendBatch(t.Context(), "orders", events)
	b.must(err)
	if len(ids) != n || !slices.IsSorted(ids) {
		t.Errorf("%d ids, sorted %t", len(ids), slices.IsSorted(ids))
	}
	if xids := b.number("select count(distinct ev_txid::text) from pgque.event_1"); xids != 1 {
		t.Errorf("%d transactions", xids)
	}

	events[n-1].Payload = json.RawMessage("\"\xff\"") // not UTF-8: the server refuses it
	if _, err := b.SendBatch(t.Context(), "orders", events); err == nil {
		t.Fatal("a broken event was taken")
	}
	if rows := b.number("select count(*) from pgque.event_1"); rows != n {
		t.Errorf("%d rows after a refused batch, want %d", rows, n)
	}
}

func TestWithTx_EventsAppearIfAndOnlyIfItCommits(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	for _, commit := range []bool{false, true} {
		tx, err := b.Pool().Begin(t.Context())
		b.must(err)
		var sender pgque.Sender = b.WithTx(tx)
		_, err = sender.Send(t.Context(), "orders", pgque.Event{Payload: commit})
		b.must(err)
		_, err = sender.SendBatch(t.Context(), "orders", []pgque.Event{{Payload: commit}, {Payload: commit}})
		b.must(err)
		if commit {
			b.must(tx.Commit(t.Context()))
		} else {
			b.must(tx.Rollback(t.Context()))
		}
	}
	b.tick()
	page := b.receive("billing", 10)
	for _, m := range page {
		if m.Payload != "true" {
			t.Errorf("an undone event was received: %+v", m)
		}
	}
	if len(page) != 3 {
		t.Errorf("%d messages", len(page))
	}
}

func TestUseSend_WrapsEveryWayOfSending(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	refused := errors.New("refused")
	var seen []int
	b.UseSend(
		func(next pgque.SendFunc) pgque.SendFunc {
			return func(ctx context.Context, queue string, events []pgque.Event) ([]int64, error) {
				seen = append(seen, len(events))
				return next(ctx, queue, events)
			}
		},
		func(next pgque.SendFunc) pgque.SendFunc {
			return func(ctx context.Context, queue string, events []pgque.Event) ([]int64, error) {
				if events[0].Type == "bad" {
					return nil, refused
				}
				return next(ctx, queue, events)
			}
		})
	tx, err := b.Pool().Begin(t.Context())
	b.must(err)
	defer func() { _ = tx.Rollback(t.Context()) }()
	unchanged := pgque.SenderWith(pgque.SenderWith(b))
	for _, s := range []pgque.Sender{b, b.WithTx(tx), unchanged} {
		_, err = s.Send(t.Context(), "orders", pgque.Event{})
		b.must(err)
		_, err = s.SendBatch(t.Context(), "orders", make([]pgque.Event, 3))
		b.must(err)
		if _, err := s.Send(t.Context(), "orders", pgque.Event{Type: "bad"}); !errors.Is(err, refused) {
			t.Errorf("error %v", err)
		}
	}
	if !slices.Equal(seen, []int{1, 3, 1, 1, 3, 1, 1, 3, 1}) {
		t.Errorf("middleware saw %v", seen)
	}
}

// Poolers in transaction mode want other query modes than pgx's default.
func TestClient_EveryQueryModeWorks(t *testing.T) {
	t.Parallel()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			b := busOver(t, pgquetest.New(t, pgquetest.WithPool(func(c *pgxpool.Config) {
				c.ConnConfig.DefaultQueryExecMode = mode
			})))
			b.effects()
			b.subscribe("billing")
			b.subscribe("manual")
			note := `a "note", {odd}\`
			_, err := b.SendBatch(t.Context(), "orders", []pgque.Event{
				{Type: "good", Payload: note, Extra1: &note}, {Type: "bad", Payload: 1}, {Type: "dead", Payload: nil}})
			b.must(err)
			b.send("good", 20)
			_, err = b.Send(t.Context(), "orders", pgque.Event{Type: "good"})
			b.must(err)
			b.tick()

			page := b.receive("manual", 10)
			if len(page) != 10 || page[0].Payload != `"a \"note\", {odd}\\"` || *page[0].Extra1 != note {
				t.Errorf("received %+v", page)
			}
			b.must(b.Nack(t.Context(), page[0].BatchID, page[0], 0, note))
			b.must(b.Ack(t.Context(), page[0].BatchID))

			settled := make(chan pgque.SettledPage, 1)
			c := b.NewConsumer("orders", "billing", pgque.WithPageHook(func(p pgque.SettledPage) { settled <- p }))
			c.HandleTx("good", leaveEffect)
			c.Handle("bad", func(context.Context, pgque.Message) error { return errors.New(note) })
			c.Handle("dead", func(context.Context, pgque.Message) error { return pgque.Permanent(errors.New(note)) })
			b.start(c)
			p := within(t, "the page is settled", settled)
			if p.Received != 24 || p.Done != 22 || p.Retried != 1 || p.Dead != 1 || p.Oldest.IsZero() {
				t.Errorf("settled %+v", p)
			}
			letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{Queue: "orders", Limit: 5})
			b.must(err)
			if len(letters) != 1 || letters[0].Reason != "handler error: "+note {
				t.Errorf("dead letters %+v", letters)
			}
		})
	}
}

func TestClose_EndsTheClientAndTwiceIsFine(t *testing.T) {
	t.Parallel()
	c, err := pgque.Connect(t.Context(), pgquetest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	c.Close()
	if _, err := c.Send(t.Context(), "orders", pgque.Event{}); !errors.Is(err, pgque.ErrClosed) {
		t.Errorf("send: %v", err)
	}
	if err := c.NewConsumer("orders", "billing").Start(t.Context()); !errors.Is(err, pgque.ErrClosed) {
		t.Errorf("start: %v", err)
	}
}

func TestSend_ConcurrentCallersShareTransactionsAndKeepTheirIds(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	const n = 200
	release := b.holdInserts()
	ids := make([]int64, n)
	var encoded atomic.Int64
	var senders sync.WaitGroup
	for i := range n {
		senders.Go(func() {
			id, err := b.Send(t.Context(), "orders", pgque.Event{Payload: encoder(func(buf []byte) ([]byte, error) {
				encoded.Add(1)
				return fmt.Append(buf, i), nil
			})})
			if err != nil {
				t.Error(err)
			}
			ids[i] = id
		})
	}
	until(t, "all have come", func() bool { return encoded.Load() == n })
	release()
	senders.Wait()
	if xids := b.number("select count(distinct ev_txid::text) from pgque.event_1"); xids >= n/2 {
		t.Errorf("%d transactions for %d concurrent sends", xids, n)
	}
	b.tick()
	got := make(map[int64]string)
	for _, m := range b.receive("billing", n) {
		got[m.MsgID] = m.Payload
	}
	for i, id := range ids {
		if got[id] != fmt.Sprint(i) {
			t.Errorf("id %d has payload %q, want %d", id, got[id], i)
		}
	}
}

func TestSend_BadEventFailsAlone(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const n = 50
	release := b.holdInserts()
	errs := make([]error, n)
	var senders sync.WaitGroup
	for i := range n {
		payload := `"fine"`
		if i%10 == 3 {
			payload = "\"\xff\""
		}
		senders.Go(func() {
			_, errs[i] = b.Send(t.Context(), "orders", pgque.Event{Payload: json.RawMessage(payload)})
		})
	}
	release()
	senders.Wait()
	for i, err := range errs {
		if bad := i%10 == 3; bad != (err != nil) {
			t.Errorf("sender %d: %v", i, err)
		}
	}
	if rows := b.number("select count(*) from pgque.event_1"); rows != n-n/10 {
		t.Errorf("%d rows", rows)
	}
}

func TestSend_CallerThatGivesUpTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const n = 40
	release := b.holdInserts()
	impatient, giveUp := context.WithCancel(t.Context())
	errs := make([]error, n)
	var senders sync.WaitGroup
	for i := range n {
		ctx := t.Context()
		if i%2 == 1 {
			ctx = impatient
		}
		senders.Go(func() { _, errs[i] = b.Send(ctx, "orders", pgque.Event{Payload: i}) })
	}
	giveUp()
	release()
	senders.Wait()
	for i, err := range errs {
		if i%2 == 0 && err != nil {
			t.Errorf("patient sender %d: %v", i, err)
		}
		if i%2 == 1 && err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("impatient sender %d: %v", i, err)
		}
	}
	if rows := b.number(`select count(*) from pgque.event_1 where ev_data::int % 2 = 0`); rows != n/2 {
		t.Errorf("%d rows of patient senders, want %d", rows, n/2)
	}
}

// holdInserts makes every insert into the queue wait until release is called.
func (b *bus) holdInserts() (release func()) {
	b.t.Helper()
	tx, err := b.Pool().Begin(b.t.Context())
	b.must(err)
	for _, table := range []string{"event_1", "event_1_0", "event_1_1", "event_1_2"} {
		_, err = tx.Exec(b.t.Context(), "lock table pgque."+table+" in share mode")
		b.must(err)
	}
	b.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return func() {
		b.t.Helper()
		until(b.t, "an insert waits", func() bool {
			return b.number(`select count(*) from pg_stat_activity
				where datname = current_database() and wait_event_type = 'Lock'`) > 0
		})
		b.must(tx.Commit(b.t.Context()))
	}
}
