package pgque_test

import (
	"fmt"
	"testing"
)

// The expected texts are those of the C triggers of PgQ 3.5.

type triggerEvent struct{ Type, Data, Table, Backup string }

// triggered runs statements and returns the events that they caused.
func (e *engineTest) triggered(statements ...string) []triggerEvent {
	e.t.Helper()
	for _, s := range statements {
		e.exec(s)
	}
	var events []triggerEvent
	rows, err := e.conn.Query(e.t.Context(), `select ev_type, ev_data, ev_extra1, coalesce(ev_extra2, '') from pgque.event_1 order by ev_id`)
	if err != nil {
		e.t.Fatal(err)
	}
	for rows.Next() {
		var ev triggerEvent
		if err := rows.Scan(&ev.Type, &ev.Data, &ev.Table, &ev.Backup); err != nil {
			e.t.Fatal(err)
		}
		events = append(events, ev)
	}
	e.exec(`truncate pgque.event_1, pgque.event_1_0`)
	return events
}

func (e *engineTest) expectEvents(got []triggerEvent, want ...triggerEvent) {
	e.t.Helper()
	if len(got) != len(want) {
		e.t.Fatalf("%d events, expected %d: %v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			e.t.Errorf("event %d is\n%+v, expected\n%+v", i, got[i], want[i])
		}
	}
}

func newTriggerTest(t *testing.T, function, table string) *engineTest {
	e := newEngineTest(t)
	e.exec(`set timezone = 'UTC'`)
	e.exec(table)
	e.exec(fmt.Sprintf(`create trigger a after insert or update or delete on t for each row execute function pgque.%s('q', 'backup')`, function))
	e.exec(fmt.Sprintf(`create trigger b after truncate on t for each statement execute function pgque.%s('q')`, function))
	return e
}

const (
	triggerTable  = `create table t (id int primary key, "Na me" text, n numeric, b bool, j jsonb, ts timestamptz, a int[])`
	triggerInsert = `insert into t values (1, E'x\'y"z \\ & = é+', 1.50, true, '{"a": 1}', '2020-01-02 03:04:05.6+00', '{1,2}')`
	triggerUpdate = `update t set "Na me" = null, b = false`
	noUpdate      = `update t set n = n`
)

func TestEngineTrigger_JSON(t *testing.T) {
	t.Parallel()
	e := newTriggerTest(t, "jsontriga", triggerTable)
	event := func(op, data, backup string) triggerEvent {
		return triggerEvent{fmt.Sprintf(`{"op":"%s","table":["public","t"],"pkey":["id"]}`, op), data, "public.t", backup}
	}
	before := `{"id":1,"Na me":"x'y\"z \\ & = é+","n":"1.50","b":true,"j":"{\"a\": 1}","ts":"2020-01-02T03:04:05.6+00:00","a":"{1,2}"}`
	after := `{"id":1,"Na me":null,"n":"1.50","b":false,"j":"{\"a\": 1}","ts":"2020-01-02T03:04:05.6+00:00","a":"{1,2}"}`
	e.expectEvents(e.triggered(triggerInsert, triggerUpdate, noUpdate, `delete from t`, `truncate t`),
		event("INSERT", before, ""), event("UPDATE", after, before), event("UPDATE", after, after),
		event("DELETE", after, ""), event("TRUNCATE", "{}", ""))
}

func TestEngineTrigger_URLEncoded(t *testing.T) {
	t.Parallel()
	e := newTriggerTest(t, "logutriga", triggerTable)
	before := `id=1&Na+me=x%27y%22z+%5c+%26+%3d+%c3%a9%2b&n=1.50&b=t&j=%7b%22a%22%3a+1%7d&ts=2020-01-02+03%3a04%3a05.6%2b00&a=%7b1%2c2%7d`
	after := `id=1&Na+me&n=1.50&b=f&j=%7b%22a%22%3a+1%7d&ts=2020-01-02+03%3a04%3a05.6%2b00&a=%7b1%2c2%7d`
	e.expectEvents(e.triggered(triggerInsert, triggerUpdate, noUpdate, `delete from t`, `truncate t`),
		triggerEvent{"I:id", before, "public.t", ""}, triggerEvent{"U:id", after, "public.t", before},
		triggerEvent{"U:id", after, "public.t", after}, triggerEvent{"D:id", after, "public.t", ""}, triggerEvent{"R", "", "public.t", ""})
}

func TestEngineTrigger_SQL(t *testing.T) {
	t.Parallel()
	e := newTriggerTest(t, "sqltriga", triggerTable)
	e.exec(`drop trigger a on t; create trigger a after insert or update or delete on t for each row execute function pgque.sqltriga('q')`)
	e.expectEvents(e.triggered(triggerInsert, triggerUpdate, noUpdate, `delete from t`, `truncate t`),
		triggerEvent{"I", `(id,"Na me",n,b,j,ts,a) values ('1',E'x''y"z \\ & = é+','1.50','t','{"a": 1}','2020-01-02 03:04:05.6+00','{1,2}')`, "public.t", ""},
		triggerEvent{"U", `"Na me"=NULL,b='f' where id='1'`, "public.t", ""},
		triggerEvent{"U", `id='1' where id='1'`, "public.t", ""},
		triggerEvent{"D", `id='1'`, "public.t", ""},
		triggerEvent{"R", ``, "public.t", ""})
	e.exec(`insert into t values (1)`)
	e.fails("0A000", `update t set id = 2`)
}

func TestEngineTrigger_KeysInTheirOrderAndOddTypes(t *testing.T) {
	t.Parallel()
	e := newTriggerTest(t, "jsontriga", `create table t (a int, b int, f float8, d date, i2 int2, x text, primary key (b, a))`)
	e.exec(`create trigger c after insert on t for each row execute function pgque.logutriga('q')`)
	e.expectEvents(e.triggered(`insert into t values (2, 3, 1.5e300, '2020-01-01', 4, E'~-_.*!()/:@,;$\t\x01"\\/é')`),
		triggerEvent{`{"op":"INSERT","table":["public","t"],"pkey":["b","a"]}`,
			`{"a":2,"b":3,"f":"1.5e+300","d":"2020-01-01","i2":4,"x":"~-_.*!()/:@,;$\t\u0001\"\\/é"}`, "public.t", ""},
		triggerEvent{"I:b,a", `a=2&b=3&f=1.5e%2b300&d=2020-01-01&i2=4&x=%7e-_.%2a%21%28%29%2f%3a%40%2c%3b%24%09%01%22%5c%2f%c3%a9`, "public.t", ""})
}

func TestEngineTrigger_Arguments(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`create table t (id int primary key, v text, w text)`)
	with := func(when, function, args string) {
		e.exec(fmt.Sprintf(`drop trigger if exists a on t; create trigger a %s insert or update on t for each row execute function pgque.%s('q', %s)`, when, function, args))
	}
	with("after", "jsontriga", `'ignore=w', 'ev_extra2=v', 'ev_type=(''ty'' || id)', 'when=(id <> 2)'`)
	e.expectEvents(e.triggered(`insert into t values (1, 'a', 'b'), (2, 'a', 'b')`, `update t set w = 'c'`, `update t set v = 'c'`),
		triggerEvent{"ty1", `{"id":1,"v":"a"}`, "public.t", "a"}, triggerEvent{"ty1", `{"id":1,"v":"c"}`, "public.t", "c"})

	with("before", "logutriga", `'SKIP', 'pkey=v,id'`)
	e.expectEvents(e.triggered(`insert into t values (3, 'a', 'b')`), triggerEvent{"I:v,id", "id=3&v=a&w=b", "public.t", ""})
	if e.int(`select count(*) from t`) != 2 {
		t.Error("SKIP did not skip the insert")
	}
	for _, bad := range []string{`'nonsense'`, `'SKIP'`, `'when=null::bool'`} {
		with("after", "jsontriga", bad)
		e.fails("PQ009", `insert into t values (4)`)
	}
	e.exec(`alter table t drop constraint t_pkey`)
	with("after", "logutriga", `'backup'`)
	e.fails("0A000", `update t set v = 'd'`)
}

func TestEngineTrigger_RunsWithTheRightsOfTheWriter(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`create table t (id int primary key); create trigger a after insert on t for each row execute function pgque.jsontriga('q'); grant insert on t to public`)
	roles := e.roles()
	roles["writer"].exec(`insert into t values (1)`)
	roles["stranger"].fails("42501", `insert into t values (2)`)
	if e.int(`select count(*) from pgque.event_1`) != 1 {
		t.Error("one event was expected")
	}
}
