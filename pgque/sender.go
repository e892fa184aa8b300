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
	ids, err := insertByFunction(ctx, s.tx, queue, eventLoad(events))
	return ids, wrap(err, "send to %q", queue)
}

// sendHere sends outside of any transaction of the caller's.
func (c *Client) sendHere(ctx context.Context, queue string, events []Event) ([]int64, error) {
	if len(events) == 1 {
		id, err := c.sendGrouped(ctx, queue, &events[0])
		if err != nil {
			return nil, wrap(err, "send to %q", queue)
		}
		return []int64{id}, nil
	}
	ids, err := c.insertAll(ctx, queue, eventLoad(events))
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

// load is events that are sent together.
type load interface {
	len() int
	event(i int) *Event
	// appendText appends the JSON text of event i, which may be encoded only now.
	appendText(buf []byte, i int) ([]byte, error)
}

type eventLoad []Event

func (l eventLoad) len() int           { return len(l) }
func (l eventLoad) event(i int) *Event { return &l[i] }

func (l eventLoad) appendText(buf []byte, i int) ([]byte, error) { return l[i].appendJSON(buf) }

// isUniform reports one type for all and no extras.
func isUniform(l load) bool {
	for i := range l.len() {
		if ev := l.event(i); ev.typeName() != l.event(0).typeName() || ev.hasExtras() {
			return false
		}
	}
	return true
}

// insertAll inserts all events or none, the fastest way that there is.
func (c *Client) insertAll(ctx context.Context, queue string, l load) ([]int64, error) {
	if l.len() == 0 {
		return nil, nil
	}
	ids, done, err := c.insertDirectly(ctx, queue, l)
	if done {
		return ids, err
	}
	return insertByFunction(ctx, c.pool, queue, l)
}

// Bounds of one statement; a larger SendBatch through functions is several statements
// in one pipeline, which the server runs as one transaction.
const (
	maxStatementEvents = 10_000
	maxStatementBytes  = 16 << 20
)

// insertByFunction works with every engine, and within the caller's transaction.
func insertByFunction(ctx context.Context, q querier, queue string, l load) ([]int64, error) {
	if l.len() == 0 {
		return nil, nil
	}
	texts, err := encodeAll(l)
	if err != nil {
		return nil, err
	}
	if l.len() == 1 {
		id, err := insertOne(ctx, q, queue, l.event(0), texts[0])
		return []int64{id}, err
	}
	ids := make([]int64, 0, l.len())
	batch := &pgx.Batch{}
	for from := 0; from < len(texts); {
		to := statementEnd(texts, from)
		queueStatement(batch, queue, l, texts, from, to, &ids)
		from = to
	}
	if err := q.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	if len(ids) != len(texts) {
		return nil, fmt.Errorf("%d ids for %d events", len(ids), len(texts))
	}
	return ids, nil
}

func encodeAll(l load) ([]string, error) {
	texts := make([]string, l.len())
	for i := range texts {
		text, err := l.appendText(nil, i)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	return texts, nil
}

func insertOne(ctx context.Context, q querier, queue string, ev *Event, text string) (int64, error) {
	if ev.hasExtras() {
		return queryInt(ctx, q, sqlSendExtra, queue, ev.typeName(), text, ev.Extra1, ev.Extra2, ev.Extra3, ev.Extra4)
	}
	return queryInt(ctx, q, sqlSend, queue, ev.typeName(), text)
}

func statementEnd(texts []string, from int) int {
	size := 0
	for i := from; i < len(texts); i++ {
		size += len(texts[i])
		if i > from && (size > maxStatementBytes || i-from == maxStatementEvents) {
			return i
		}
	}
	return len(texts)
}

// queueStatement adds one statement, set-based where all events are of one type,
// and appends its ids to ids when its result is read.
func queueStatement(batch *pgx.Batch, queue string, l load, texts []string, from, to int, ids *[]int64) {
	var query *pgx.QueuedQuery
	if isUniform(l) {
		query = batch.Queue(sqlSendBatch, queue, l.event(0).typeName(), texts[from:to])
	} else {
		query = batch.Queue(sqlSendMixed, mixedArguments(queue, l, texts, from, to)...)
	}
	query.QueryRow(func(row pgx.Row) error {
		var some []int64
		err := row.Scan(&some)
		*ids = append(*ids, some...)
		return err
	})
}

func mixedArguments(queue string, l load, texts []string, from, to int) []any {
	var types []string
	var extras [4][]*string
	for i := from; i < to; i++ {
		ev := l.event(i)
		types = append(types, ev.typeName())
		for n, extra := range ev.extras() {
			extras[n] = append(extras[n], extra)
		}
	}
	return []any{queue, types, texts[from:to], extras[0], extras[1], extras[2], extras[3]}
}
