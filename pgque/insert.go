package pgque

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// insertDirectly inserts without a function. When that is not possible, or no longer,
// it has inserted nothing and done is false.
func (c *Client) insertDirectly(ctx context.Context, queue string, l load) (ids []int64, done bool, err error) {
	table := c.eventTable(ctx, queue)
	if table == nil {
		return nil, false, nil
	}
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return nil, true, err
	}
	defer conn.Release()
	ids, err = table.insert(ctx, conn.Conn(), l)
	if isOutdated(err) {
		c.tables.forget(queue, table)
		return nil, false, nil
	}
	if err == nil && len(ids) != l.len() {
		err = fmt.Errorf("%d ids for %d events", len(ids), l.len())
	}
	return ids, true, err
}

// errOutdated says that a table is not the one for the queue's events any more. Nothing
// was inserted then.
var errOutdated = errors.New("the event table is not the current one")

// isOutdated reports errOutdated, and a refusal by which the server may tell that a
// table, a right or a prepared statement is gone. The transaction was undone as a whole,
// and the function that is called instead will tell what is wrong.
func isOutdated(err error) bool {
	if errors.Is(err, errOutdated) {
		return true
	}
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Severity == "ERROR" &&
		slices.Contains([]string{"0A", "26", "42", "XX"}, pgErr.Code[:min(2, len(pgErr.Code))])
}

// insert inserts all events or none, and returns their ids in order.
func (t *eventTable) insert(ctx context.Context, conn *pgx.Conn, l load) ([]int64, error) {
	switch n := l.len(); {
	case n == 1:
		return t.insertOne(ctx, conn, l)
	case n >= bulkEvents:
		return t.copy(ctx, conn, l)
	}
	p := part{load: l, uniform: isUniform(l)}
	if err := p.encode(); err != nil {
		return nil, err
	}
	first, more := &t.same, &t.sameMore
	if !p.uniform {
		first, more = &t.mixed, &t.mixedMore
	}
	if p.to == l.len() {
		return t.run(ctx, conn, first, p.values(t), l.len())
	}
	return t.insertInParts(ctx, conn, first, more, &p)
}

func (t *eventTable) insertOne(ctx context.Context, conn *pgx.Conn, l load) ([]int64, error) {
	ev := l.event(0)
	text, err := l.appendText(nil, 0)
	if err != nil {
		return nil, err
	}
	values := [][]byte{t.queue, []byte(ev.typeName()), text, nil, nil, nil, nil}
	for i, extra := range ev.extras() {
		if extra != nil {
			values[3+i] = append([]byte{}, *extra...)
		}
	}
	return t.run(ctx, conn, &t.one, values, 1)
}

var binaryResult = []int16{pgx.BinaryFormatCode}

// run executes one statement, a transaction of its own, and returns the n ids that it
// yields.
func (t *eventTable) run(ctx context.Context, conn *pgx.Conn, s *directStatement, values [][]byte, n int) (ids []int64, err error) {
	ctx, end := t.traced(ctx, conn, s.sql)
	defer func() { end(err) }()
	prepared, err := t.prepare(ctx, conn, s)
	if err != nil {
		return nil, err
	}
	var result *pgconn.ResultReader
	if prepared == nil {
		result = conn.PgConn().ExecParams(ctx, s.sql, values, s.types, s.formats, binaryResult)
	} else {
		result = conn.PgConn().ExecStatement(ctx, prepared, values, s.formats, binaryResult)
	}
	ids, err = appendIDs(make([]int64, 0, n), result)
	if err != nil {
		t.unprepare(ctx, conn, err, s)
		return nil, err
	}
	if len(ids) == 0 {
		return nil, errOutdated
	}
	return ids, nil
}

// prepare prepares a statement where the pool prepares statements, once per connection;
// elsewhere it returns nil.
func (t *eventTable) prepare(ctx context.Context, conn *pgx.Conn, s *directStatement) (*pgconn.StatementDescription, error) {
	if t.mode != pgx.QueryExecModeCacheStatement {
		return nil, nil
	}
	return conn.Prepare(ctx, s.name, s.sql)
}

// unprepare makes the next use prepare the statements anew when somebody has discarded
// them.
func (t *eventTable) unprepare(ctx context.Context, conn *pgx.Conn, err error, statements ...*directStatement) {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "26000" {
		return
	}
	for _, s := range statements {
		_ = conn.Deallocate(ctx, s.name) // if this fails too, so will the next use
	}
}

func appendIDs(ids []int64, result *pgconn.ResultReader) ([]int64, error) {
	for result.NextRow() {
		ids = append(ids, int64(binary.BigEndian.Uint64(result.Values()[0])))
	}
	_, err := result.Close()
	return ids, err
}

// insertInParts inserts through several statements in one pipeline and one transaction,
// so that the client encodes one part while the server stores another. p is the first
// part, encoded.
func (t *eventTable) insertInParts(ctx context.Context, conn *pgx.Conn, first, more *directStatement, p *part) (ids []int64, err error) {
	ctx, end := t.traced(ctx, conn, first.sql)
	defer func() { end(err) }()
	prepared, err := t.prepare(ctx, conn, first)
	if err != nil {
		return nil, err
	}
	preparedMore, err := t.prepare(ctx, conn, more)
	if err != nil {
		return nil, err
	}
	pipe := pipeline{conn.PgConn().StartPipeline(ctx)}
	pipe.command(sqlBegin)
	pipe.insert(first, prepared, p.values(t))
	for p.to < p.load.len() && err == nil {
		if err = cmp.Or(pipe.Flush(), p.encode(), ctx.Err()); err == nil {
			pipe.insert(more, preparedMore, p.values(t))
		}
	}
	if err != nil {
		pipe.command(sqlRollback)
		_, _ = pipe.finish(0)
		return nil, err
	}
	pipe.command(sqlCommit)
	if ids, err = pipe.finish(p.load.len()); err != nil {
		undo(ctx, conn)
		t.unprepare(ctx, conn, err, first, more)
		return nil, err
	}
	if len(ids) == 0 {
		return nil, errOutdated
	}
	return ids, nil
}

// pipeline is statements that are sent without waiting for each other's results.
type pipeline struct{ *pgconn.Pipeline }

func (p pipeline) command(sql string) { p.SendQueryParams(sql, nil, nil, nil, nil) }

func (p pipeline) insert(s *directStatement, prepared *pgconn.StatementDescription, values [][]byte) {
	if prepared == nil {
		p.SendQueryParams(s.sql, values, s.types, s.formats, binaryResult)
	} else {
		p.SendQueryStatement(prepared, values, s.formats, binaryResult)
	}
}

// finish reads all results; n ids are expected.
func (p pipeline) finish(n int) (ids []int64, err error) {
	defer func() {
		if closed := p.Close(); err == nil {
			err = closed
		}
	}()
	if err := p.Sync(); err != nil {
		return nil, err
	}
	ids = make([]int64, 0, n)
	for {
		result, err := p.GetResults()
		if err != nil {
			return nil, err
		}
		rows, ok := result.(*pgconn.ResultReader)
		if !ok { // the end
			return ids, nil
		}
		if ids, err = appendIDs(ids, rows); err != nil {
			return nil, err
		}
	}
}

// undo ends a transaction that came to nothing. If that fails too, the pool closes the
// connection.
func undo(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementTimeout)
	defer cancel()
	if !conn.IsClosed() {
		_, _ = conn.Exec(ctx, sqlRollback)
	}
}

// traced tells the pool's tracer about a statement; end must be called with its error.
func (t *eventTable) traced(ctx context.Context, conn *pgx.Conn, sql string) (traced context.Context, end func(error)) {
	if t.trace == nil {
		return ctx, func(error) {}
	}
	ctx = t.trace.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{SQL: sql})
	return ctx, func(err error) { t.trace.TraceQueryEnd(ctx, conn, pgx.TraceQueryEndData{Err: err}) }
}

// part is the events of one statement: those of load from one index to another.
type part struct {
	load     load
	uniform  bool // the whole load is
	from, to int
	texts    textArray
}

// Bounds of one part. The first ones are short, so that the server has something to do
// soon.
const (
	firstPart  = 75
	partEvents = 300
	partBytes  = 1 << 20
)

// encode goes on to the next part. A load that fits one part is one.
func (p *part) encode() (err error) {
	end := p.load.len()
	if end > partEvents {
		end = min(p.to+firstPart+p.to, p.to+partEvents, end)
	}
	p.from = p.to
	p.texts.begin()
	for p.to < end && len(p.texts.bytes) < partBytes {
		at := p.texts.open()
		if p.texts.bytes, err = p.load.appendText(p.texts.bytes, p.to); err != nil {
			return err
		}
		p.texts.close(at)
		if p.to++; p.to == p.from+1 {
			p.texts.bytes = slices.Grow(p.texts.bytes, min((end-p.to)*(len(p.texts.bytes)-at)*9/8, partBytes))
		}
	}
	return nil
}

// values are the parameters of the part's statement.
func (p *part) values(t *eventTable) [][]byte {
	texts := p.texts.end(p.to - p.from)
	if p.uniform {
		return [][]byte{t.queue, []byte(p.load.event(p.from).typeName()), texts}
	}
	return append([][]byte{t.queue, p.types(), texts}, p.extras()...)
}

func (p *part) types() []byte {
	var types textArray
	types.begin()
	for i := p.from; i < p.to; i++ {
		types.add(p.load.event(i).typeName())
	}
	return types.end(p.to - p.from)
}

// extras has nil in place of a column that no event uses.
func (p *part) extras() [][]byte {
	columns := make([][]byte, 4)
	for n := range columns {
		var column textArray
		column.begin()
		used := false
		for i := p.from; i < p.to; i++ {
			if extra := p.load.event(i).extras()[n]; extra == nil {
				column.addNull()
			} else {
				column.add(*extra)
				used = true
			}
		}
		if used {
			columns[n] = column.end(p.to - p.from)
		}
	}
	return columns
}
