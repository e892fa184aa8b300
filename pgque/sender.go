package pgque

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Sender sends events. A Client is one, each Send in a transaction of its own;
// Client.WithTx gives one whose events appear if and only if that transaction
// commits.
type Sender interface {
	// Send returns the event's id.
	Send(ctx context.Context, queue string, ev Event) (int64, error)

	// SendBatch sends all events or none and returns their ids in the order of
	// events. No events: no ids, no round trip.
	SendBatch(ctx context.Context, queue string, events []Event) ([]int64, error)
}

// SendFunc sends all events to one queue, or none, and returns their ids in order.
type SendFunc func(ctx context.Context, queue string, events []Event) ([]int64, error)

// SendMiddleware wraps sending: it may change the events, refuse them with an
// error, or measure. A single Send comes as one event.
type SendMiddleware func(next SendFunc) SendFunc

var (
	_ Sender = (*Client)(nil)
	_ Sender = (*TxSender)(nil)
	_ Sender = wrappedSender(nil)
)

// SenderWith is s with middleware around it, for some producers only; UseSend is
// for all of a client. What is given first is outermost.
func SenderWith(s Sender, middleware ...SendMiddleware) Sender {
	return wrappedSender(chainSend(s.SendBatch, middleware))
}

type wrappedSender SendFunc

func (s wrappedSender) Send(ctx context.Context, queue string, ev Event) (int64, error) {
	return sendOne(ctx, SendFunc(s), queue, ev)
}

func (s wrappedSender) SendBatch(ctx context.Context, queue string, events []Event) ([]int64, error) {
	return s(ctx, queue, events)
}

// Send sends one event and returns its id. Concurrent Sends to one queue may share
// a transaction; each has its own result all the same.
func (c *Client) Send(ctx context.Context, queue string, ev Event) (int64, error) {
	id, err := sendOne(ctx, c.sendFunc(c.sendHere), queue, ev)
	c.sent(queue, err)
	return id, err
}

// SendBatch sends all events or none, in one round trip and one transaction, and
// returns their ids in the order of events. No events: no ids, no round trip.
func (c *Client) SendBatch(ctx context.Context, queue string, events []Event) ([]int64, error) {
	ids, err := c.sendFunc(c.sendHere)(ctx, queue, events)
	c.sent(queue, err)
	return ids, err
}

// sent spares consumers of the same process the wait for their next look.
func (c *Client) sent(queue string, err error) {
	if err == nil {
		c.listener.hintSent(queue)
	}
}

// WithTx is a Sender whose events belong to tx: they appear if and only if it
// commits. It offers no receiving: what a transaction sends can be received only
// after it has ended.
func (c *Client) WithTx(tx pgx.Tx) *TxSender {
	return &TxSender{client: c, tx: tx}
}

// TxSender sends within one transaction of the application's: what it sends appears if
// and only if that transaction commits. It is a Sender.
type TxSender struct {
	client *Client
	tx     pgx.Tx
}

// Send returns the event's id.
func (s *TxSender) Send(ctx context.Context, queue string, ev Event) (int64, error) {
	return sendOne(ctx, s.client.sendFunc(s.send), queue, ev)
}

// SendBatch returns the events' ids in their order. No events: no ids, no round trip.
func (s *TxSender) SendBatch(ctx context.Context, queue string, events []Event) ([]int64, error) {
	return s.client.sendFunc(s.send)(ctx, queue, events)
}

func (s *TxSender) send(ctx context.Context, queue string, events []Event) ([]int64, error) {
	texts, err := encodeAll(events)
	if err != nil {
		return nil, wrap(err, "send to %q", queue)
	}
	ids, err := insertAll(ctx, s.tx, queue, events, texts)
	return ids, wrap(err, "send to %q", queue)
}

// sendHere sends outside of any transaction of the caller's.
func (c *Client) sendHere(ctx context.Context, queue string, events []Event) ([]int64, error) {
	texts, err := encodeAll(events)
	if err != nil {
		return nil, wrap(err, "send to %q", queue)
	}
	if len(events) == 1 {
		id, err := c.sendGrouped(ctx, queue, events[0], texts[0])
		return []int64{id}, wrap(err, "send to %q", queue)
	}
	ids, err := insertAll(ctx, c.pool, queue, events, texts)
	return ids, wrap(err, "send to %q", queue)
}

// sendFunc is send with the client's middleware around it.
func (c *Client) sendFunc(send SendFunc) SendFunc { return chainSend(send, c.sendMiddleware) }

func chainSend(send SendFunc, middleware []SendMiddleware) SendFunc {
	for i := len(middleware) - 1; i >= 0; i-- {
		send = middleware[i](send)
	}
	return send
}

func sendOne(ctx context.Context, send SendFunc, queue string, ev Event) (int64, error) {
	ids, err := send(ctx, queue, []Event{ev})
	if err != nil {
		return 0, err
	}
	if len(ids) != 1 {
		return 0, fmt.Errorf("pgque: send to %q: %d ids for one event", queue, len(ids))
	}
	return ids[0], nil
}

func encodeAll(events []Event) ([]string, error) {
	texts := make([]string, len(events))
	for i, ev := range events {
		text, err := ev.JSON()
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return texts, nil
}

func insertOne(ctx context.Context, q querier, queue string, ev Event, text string) (int64, error) {
	if ev.hasExtras() {
		return queryInt(ctx, q, sqlSendExtra, queue, ev.typeName(), text, ev.Extra1, ev.Extra2, ev.Extra3, ev.Extra4)
	}
	return queryInt(ctx, q, sqlSend, queue, ev.typeName(), text)
}

// Bounds of one statement; a larger SendBatch is several statements in one
// pipeline, which the server runs as one transaction.
const (
	maxStatementEvents = 10_000
	maxStatementBytes  = 16 << 20
)

func insertAll(ctx context.Context, q querier, queue string, events []Event, texts []string) ([]int64, error) {
	if len(events) == 0 {
		return nil, nil
	}
	if len(events) == 1 {
		id, err := insertOne(ctx, q, queue, events[0], texts[0])
		return []int64{id}, err
	}
	ids := make([]int64, 0, len(events))
	batch := &pgx.Batch{}
	for from := 0; from < len(events); {
		to := statementEnd(events, texts, from)
		queueStatement(batch, queue, events[from:to], texts[from:to], &ids)
		from = to
	}
	if err := q.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	if len(ids) != len(events) {
		return nil, fmt.Errorf("%d ids for %d events", len(ids), len(events))
	}
	return ids, nil
}

func statementEnd(events []Event, texts []string, from int) int {
	size := 0
	for i := from; i < len(events); i++ {
		size += len(texts[i])
		if i > from && (size > maxStatementBytes || i-from == maxStatementEvents) {
			return i
		}
	}
	return len(events)
}

// queueStatement adds one statement, set-based where all events are of one type,
// and appends its ids to ids when its result is read.
func queueStatement(batch *pgx.Batch, queue string, events []Event, texts []string, ids *[]int64) {
	var query *pgx.QueuedQuery
	if isUniform(events) {
		query = batch.Queue(sqlSendBatch, queue, events[0].typeName(), texts)
	} else {
		query = batch.Queue(sqlSendMixed, mixedArguments(queue, events, texts)...)
	}
	query.QueryRow(func(row pgx.Row) error {
		var some []int64
		err := row.Scan(&some)
		*ids = append(*ids, some...)
		return err
	})
}

// isUniform reports one type for all and no extras.
func isUniform(events []Event) bool {
	for _, ev := range events {
		if ev.typeName() != events[0].typeName() || ev.hasExtras() {
			return false
		}
	}
	return true
}

func mixedArguments(queue string, events []Event, texts []string) []any {
	types := make([]string, len(events))
	extras := [4][]*string{}
	for i, ev := range events {
		types[i] = ev.typeName()
		for n, extra := range []*string{ev.Extra1, ev.Extra2, ev.Extra3, ev.Extra4} {
			extras[n] = append(extras[n], extra)
		}
	}
	return []any{queue, types, texts, extras[0], extras[1], extras[2], extras[3]}
}
