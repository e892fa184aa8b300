package pgque

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// eventTable is the table that the events of a queue went to when the server was last
// asked. Inserting into it directly costs less than calling a function that finds it.
//
// What is known here may be outdated at any moment: the queue rotates, is dropped and
// made again, gets another name, or takes no events for a while. So each statement
// inserts only if all of that is as it was, and nothing otherwise.
type eventTable struct {
	queue []byte
	mode  pgx.QueryExecMode
	trace pgx.QueryTracer // nil when the pool has none

	one                 directStatement // one event
	same, sameMore      directStatement // events of one type without extras; more of them in the same transaction
	mixed, mixedMore    directStatement
	copySame, copyMixed string
	bulkBegin, bulkIDs  string
}

// directStatement inserts into one table and yields the ids of what it inserted.
type directStatement struct {
	name    string // of the prepared statement
	sql     string
	types   []uint32
	formats []int16
}

func newEventTable(queue string, id, number int, table, sequence string, config *pgx.ConnConfig) *eventTable {
	text := func(template string) string { return fmt.Sprintf(template, table, id, number, sequence) }
	statement := func(name, template string, kinds ...uint32) directStatement {
		s := directStatement{name: fmt.Sprintf("pgque_%s_%d_%d", name, id, number), sql: text(template), types: kinds}
		for _, kind := range kinds {
			format := int16(pgx.TextFormatCode)
			if kind == pgtype.TextArrayOID {
				format = pgx.BinaryFormatCode
			}
			s.formats = append(s.formats, format)
		}
		return s
	}
	const name, one, many = pgtype.TextOID, pgtype.TextOID, pgtype.TextArrayOID
	return &eventTable{
		queue: []byte(queue),
		mode:  config.DefaultQueryExecMode,
		trace: config.Tracer,

		one:       statement("one", sqlInsertOne, name, one, one, one, one, one, one),
		same:      statement("same", sqlInsertSame, name, one, many),
		sameMore:  statement("same_more", sqlInsertSameMore, name, one, many),
		mixed:     statement("mixed", sqlInsertMixed, name, many, many, many, many, many, many),
		mixedMore: statement("mixed_more", sqlInsertMixedMore, name, many, many, many, many, many, many),
		copySame:  text(sqlCopySame),
		copyMixed: text(sqlCopyMixed),
		bulkBegin: text(sqlBulkBegin),
		bulkIDs:   text(sqlBulkIDs),
	}
}

// eventTables is what a client knows of queues.
type eventTables struct {
	mu      sync.RWMutex
	byQueue map[string]knownTable
}

// knownTable has no table where events go through functions.
type knownTable struct {
	table *eventTable
	until time.Time // when to ask again, if there is no table
}

const (
	noTableFor      = 10 * time.Second // how long a client sends through functions before it asks again
	mostKnownTables = 10_000           // queues; then it forgets them all
)

func (t *eventTables) of(queue string) (table *eventTable, known bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	k, known := t.byQueue[queue]
	return k.table, known && (k.table != nil || time.Now().Before(k.until))
}

func (t *eventTables) learn(queue string, table *eventTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byQueue == nil || len(t.byQueue) >= mostKnownTables {
		t.byQueue = make(map[string]knownTable)
	}
	t.byQueue[queue] = knownTable{table: table, until: time.Now().Add(noTableFor)}
}

// forget makes the next use ask the server, unless somebody has asked already.
func (t *eventTables) forget(queue string, table *eventTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byQueue[queue].table == table {
		delete(t.byQueue, queue)
	}
}

func (t *eventTables) forgetAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byQueue = nil
}

// eventTable returns nil when events have to go through functions: the engine knows no
// direct inserts or does not allow them to this role, the queue takes no events or is
// not there, or the pool speaks the simple protocol.
func (c *Client) eventTable(ctx context.Context, queue string) *eventTable {
	if table, known := c.tables.of(queue); known {
		return table
	}
	engine, err := c.capability(ctx)
	if err != nil {
		return nil
	}
	config := c.pool.Config().ConnConfig
	var table *eventTable
	if engine.insert && config.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol {
		var id, number int
		var name, sequence string
		err = c.pool.QueryRow(ctx, sqlInsertTarget, queue).Scan(&id, &number, &name, &sequence)
		if err == nil {
			table = newEventTable(queue, id, number, name, sequence, config)
		} else if !errors.Is(err, pgx.ErrNoRows) && !isOutdated(err) {
			return nil
		}
	}
	if engine.installed {
		c.tables.learn(queue, table)
	}
	return table
}
