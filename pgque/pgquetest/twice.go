package pgquetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

const (
	sqlCursor = `
		select s.sub_last_tick from pgque.subscription s
		join pgque.consumer c on c.co_id = s.sub_consumer
		join pgque.queue q on q.queue_id = s.sub_queue
		where q.queue_name = $1 and c.co_name = $2`
	sqlMoveCursor = `select pgque.register_consumer_at($1::text, $2::text, $3::bigint)`

	sqlUserTables = `
		select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and c.relpersistence <> 't'
		  and n.nspname not in ('pgque', 'pg_catalog', 'information_schema')
		order by 1`
	sqlTableRows = `select (to_jsonb(r) - $1::text[])::text from %s r`
)

// Twice delivers one event and then the same message again, as after a crash
// between a handler's work and its record, and fails the test when the second
// delivery changes anything in the database: a row in a table outside of the schema
// pgque, or an event that is sent. So it finds out whether a plain handler is
// idempotent. It returns the outcome of the first delivery, which has to be Done,
// as has the second.
//
// Columns that may differ, such as updated_at, are named in except. All tables are
// read into memory, so use a small database; otherwise as Handle.
func Twice(t testing.TB, c *pgque.Client, consumer *pgque.Consumer, ev pgque.Event, except ...string) Outcome {
	t.Helper()
	d := newDelivery(t, c, consumer)
	check(t, c.Subscribe(d.ctx, d.queue, d.name))
	var cursor int64
	check(t, c.Pool().QueryRow(d.ctx, sqlCursor, d.queue, d.name).Scan(&cursor))
	first := d.send(ev)
	if !first.Done {
		t.Fatalf("pgquetest: the first delivery was not done: %+v", first)
	}
	before := d.effects(except)
	d.exec(sqlMoveCursor, d.queue, d.name, cursor)
	second := d.deliver()
	if !second.Done {
		t.Errorf("pgquetest: the second delivery was not done: %+v", second)
	}
	if len(second.Sent) > 0 {
		t.Errorf("pgquetest: the second delivery sent again:\n%s", list(payloads(second.Sent)))
	}
	if changes := difference(before, d.effects(except)); len(changes) > 0 {
		t.Errorf("pgquetest: the second delivery changed:\n%s", list(changes))
	}
	return first
}

// effects counts the rows of all user tables, by their text.
func (d *delivery) effects(except []string) map[string]int {
	d.t.Helper()
	if except == nil {
		except = []string{}
	}
	found := make(map[string]int)
	for _, table := range d.texts(sqlUserTables) {
		for _, row := range d.texts(fmt.Sprintf(sqlTableRows, table), except) {
			found[table+": "+row]++
		}
	}
	return found
}

func (d *delivery) texts(sql string, args ...any) []string {
	d.t.Helper()
	rows, err := d.client.Pool().Query(d.ctx, sql, args...)
	check(d.t, err)
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	check(d.t, err)
	return texts
}

// difference has a line for each row that came or went.
func difference(before, after map[string]int) []string {
	var lines []string
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, row := range slices.Sorted(maps.Keys(all)) {
		for range after[row] - before[row] {
			lines = append(lines, "+ "+row)
		}
		for range before[row] - after[row] {
			lines = append(lines, "- "+row)
		}
	}
	return lines
}
