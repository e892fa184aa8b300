package pgque

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Receive returns the next page of messages for consumer, at most maxMessages, in
// order of MsgID; an empty slice when nothing is ready. Until the page is acked
// every Receive returns the same page with the same BatchID; a larger maxMessages
// may lengthen it, a smaller one never shortens it. Messages beyond the page are
// safe: Ack moves past this page only.
//
// On an engine whose own ack ends a whole batch, the client that received the page
// keeps the place inside the batch; Ack through the same client.
func (c *Client) Receive(ctx context.Context, queue, consumer string, maxMessages int) ([]Message, error) {
	page, err := c.receive(ctx, queue, consumer, maxMessages)
	return page, wrap(err, "receive from %q for %q", queue, consumer)
}

func (c *Client) receive(ctx context.Context, queue, consumer string, maxMessages int) ([]Message, error) {
	if maxMessages < 1 {
		return nil, fmt.Errorf("%w: maxMessages is %d, must be at least 1", ErrInvalidArgument, maxMessages)
	}
	limit := min(maxMessages, math.MaxInt32)
	engine, err := c.capability(ctx)
	if err != nil {
		return nil, err
	}
	if !engine.pages() {
		return c.receiveWindow(ctx, limit, func(ctx context.Context) (int64, error) {
			return queryInt(ctx, c.pool, sqlNextBatch, queue, consumer)
		})
	}
	return queryMessages(ctx, c.pool, sqlReceive, queue, consumer, limit)
}

// Ack finishes the page of messages that carries batchID and moves the consumer
// past it. Acking twice, or after another worker took the batch over, changes
// nothing and is no error.
func (c *Client) Ack(ctx context.Context, batchID int64) error {
	return wrap(c.ack(ctx, batchID), "ack batch %d", batchID)
}

func (c *Client) ack(ctx context.Context, batchID int64) error {
	if !c.windows.goesOn(batchID) {
		if _, err := queryInt(ctx, c.pool, sqlAck, batchID); err != nil {
			return err
		}
	}
	c.windows.passPage(batchID)
	return nil
}

// Nack puts msg back for this consumer: it returns, with a higher RetryCount, when
// retryAfterSecs have passed and maintenance has run. When its retries are used up
// it goes to the dead letters with reason instead. Nacking twice counts once. The
// batch stays open: Ack finishes it, the nacked message excepted.
//
// An unknown batch is ErrBatchNotFound, a message of another batch
// ErrMessageNotFound. Only MsgID of msg counts where the engine can look the rest up.
func (c *Client) Nack(ctx context.Context, batchID int64, msg Message, retryAfterSecs int, reason string) error {
	if retryAfterSecs < 0 {
		return fmt.Errorf("pgque: nack message %d: %w: retryAfterSecs is %d, must not be negative",
			msg.MsgID, ErrInvalidArgument, retryAfterSecs)
	}
	delay := time.Duration(retryAfterSecs) * time.Second
	_, err := queryInt(ctx, c.pool, sqlNack, nackArguments(batchID, msg, delay, reason)...)
	return wrap(err, "nack message %d of batch %d", msg.MsgID, batchID)
}

func nackArguments(batchID int64, msg Message, delay time.Duration, reason string) []any {
	return []any{batchID, msg.MsgID, msg.Type, msg.Payload, msg.RetryCount, msg.CreatedAt,
		msg.Extra1, msg.Extra2, msg.Extra3, msg.Extra4, delay.Seconds(), reason}
}

func queryMessages(ctx context.Context, q querier, sql string, args ...any) ([]Message, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return collectMessages(rows, 0)
}

// collectMessages reads the columns messageColumns to the end of rows, of which it
// expects some.
func collectMessages(rows pgx.Rows, expected int) ([]Message, error) {
	return collectPage(rows, 0, make([]Message, 0, expected))
}

// collectPage appends to page what it reads: the same columns, or all but the last one,
// the batch id, in the place of which batchID comes then.
func collectPage(rows pgx.Rows, batchID int64, page []Message) ([]Message, error) {
	return new(messageReader).collect(rows, batchID, page)
}

// messageReader reads rows as the server sent them, which costs a fraction of Scan. It
// leaves to Scan what does not come as usual.
type messageReader struct {
	usual    bool
	lastType string // most messages of a page share their type
	tick     *int64 // where the column behind those of a message goes, if there is one: that of sqlPull
}

func (r *messageReader) collect(rows pgx.Rows, batchID int64, page []Message) ([]Message, error) {
	defer rows.Close()
	for rows.Next() {
		if len(page) == 0 {
			r.usual = isUsual(rows.FieldDescriptions())
		}
		if r.tick != nil && rows.RawValues()[0] == nil { // and no message
			return page, rows.Scan(nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, r.tick)
		}
		page = append(page, Message{BatchID: batchID})
		if err := r.read(rows, &page[len(page)-1]); err != nil {
			return nil, err
		}
	}
	return page, rows.Err()
}

func (r *messageReader) read(rows pgx.Rows, m *Message) error {
	if r.usual && r.readRaw(rows.RawValues(), m) {
		return nil
	}
	places := []any{&m.MsgID, &m.Type, &m.Payload, &m.RetryCount, &m.CreatedAt,
		&m.Extra1, &m.Extra2, &m.Extra3, &m.Extra4, &m.BatchID, r.tick}
	return rows.Scan(places[:len(rows.FieldDescriptions())]...)
}

// isUsual reports rows with numbers and times in binary. Text is the same bytes in both
// formats; pgx asks for it as text.
func isUsual(fields []pgconn.FieldDescription) bool {
	return slices.EqualFunc(fields, messageTypes[:len(fields)], func(field pgconn.FieldDescription, oid uint32) bool {
		return field.DataTypeOID == oid && (oid == pgtype.TextOID || field.Format == pgtype.BinaryFormatCode)
	})
}

// readRaw reports false for a row with values that are not of the usual kind.
func (r *messageReader) readRaw(values [][]byte, m *Message) bool {
	if len(values[0]) != 8 || len(values[4]) != 8 {
		return false
	}
	micros := int64(binary.BigEndian.Uint64(values[4]))
	if micros == math.MaxInt64 || micros == math.MinInt64 { // infinity
		return false
	}
	m.CreatedAt = time.Unix(postgresEpoch+micros/1e6, micros%1e6*1e3)
	m.MsgID = int64(binary.BigEndian.Uint64(values[0]))
	if len(values) > 9 {
		m.BatchID = int64(binary.BigEndian.Uint64(values[9]))
	}
	if len(values) > 10 {
		*r.tick = int64(binary.BigEndian.Uint64(values[10]))
	}
	if string(values[1]) != r.lastType {
		r.lastType = string(values[1])
	}
	m.Type, m.Payload = r.lastType, string(values[2])
	if len(values[3]) == 4 {
		count := int(int32(binary.BigEndian.Uint32(values[3])))
		m.RetryCount = &count
	}
	for i, extra := range []**string{&m.Extra1, &m.Extra2, &m.Extra3, &m.Extra4} {
		if value := values[5+i]; value != nil {
			text := string(value)
			*extra = &text
		}
	}
	return true
}

// postgresEpoch is where PostgreSQL's binary timestamps begin, 2000-01-01, in Unix
// seconds.
const postgresEpoch = 946_684_800

var messageTypes = [...]uint32{pgtype.Int8OID, pgtype.TextOID, pgtype.TextOID, pgtype.Int4OID,
	pgtype.TimestamptzOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID, pgtype.Int8OID,
	pgtype.Int8OID}
