package pgque_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func (e *engineTest) texts(sql string) []string {
	e.t.Helper()
	rows, err := e.conn.Query(e.t.Context(), sql)
	if err != nil {
		e.t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		e.t.Fatal(err)
	}
	return texts
}

func TestEngineSecurity_PublicHasNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, grant := range e.texts(`
		select p.oid::regprocedure::text
		from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
		where pronamespace = 'pgque'::regnamespace and a.grantee = 0
		union all
		select c.oid::regclass::text
		from pg_class c, aclexplode(coalesce(c.relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
		where relnamespace = 'pgque'::regnamespace and relkind in ('r', 'S', 'v') and a.grantee = 0
		union all
		select nspname from pg_namespace, aclexplode(nspacl) a where nspname = 'pgque' and a.grantee = 0
		union all
		select 'pgque.message' from pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner))) a
		where oid = 'pgque.message'::regtype and a.grantee = 0`) {
		t.Errorf("PUBLIC may use %s", grant)
	}
}

func TestEngineSecurity_DefinersPinTheirPath(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, function := range e.texts(`
		select oid::regprocedure::text from pg_proc
		where pronamespace = 'pgque'::regnamespace and prosecdef
		  and not coalesce('search_path=pgque, pg_catalog, pg_temp' = any (proconfig), false)`) {
		t.Errorf("%s does not pin its path", function)
	}
}

func TestEngineSecurity_HelpersAreForNobody(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, grant := range e.texts(`
		select p.oid::regprocedure || ' for ' || a.grantee::regrole
		from pg_proc p, aclexplode(proacl) a
		where pronamespace = 'pgque'::regnamespace and a.grantee <> proowner
		  and (proname like '\_%' or proname in ('uninstall', 'insert_event_bulk'))`) {
		t.Error(grant)
	}
}

// roles opens a session for a member of each of the engine's roles, and a stranger's.
func (e *engineTest) roles() map[string]*session {
	sessions := map[string]*session{}
	for _, role := range []string{"reader", "writer", "admin", "stranger"} {
		login := fmt.Sprintf("%s_%d", role, time.Now().UnixNano())
		attributes := "in role pgque_" + role
		if role == "stranger" {
			attributes = ""
		}
		newRole(e.t, e.conn, login, attributes)
		sessions[role] = newSession(e.t, asRole(e.dsn, login))
	}
	return sessions
}

func TestEngineSecurity_EachRoleMayDoItsPart(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array['1', '2', '3', '4'])`)
	e.tick("q")
	e.receive("q", "c", 2)
	batch := e.int(`select sub_batch from pgque.subscription`)
	msg := `row(1, null, null, null, null, null, null, null, null, null)::pgque.message`

	cases := []struct{ roles, sql string }{
		{"reader admin", `select * from pgque.receive('q', 'c')`},
		{"reader admin", `select * from pgque.fetch('q', 'c')`},
		{"reader admin", fmt.Sprintf(`select pgque.nack(%d, %s)`, batch, msg)},
		{"reader admin", `select pgque.ack(77)`},
		{"reader admin", `select pgque.settle(77, '{}', '{}', '{}', '{}')`},
		{"reader admin", `select pgque.event_retry(` + fmt.Sprint(batch) + `, 1, 0)`},
		{"reader admin", `select * from pgque.get_batch_events(` + fmt.Sprint(batch) + `)`},
		{"reader admin", `select pgque.next_batch('q', 'c'), pgque.finish_batch(77)`},
		{"reader admin", `select pgque.subscribe('q', 'mine'), pgque.unsubscribe('q', 'mine')`},
		{"reader admin", `select pgque.tick_queue('q'), pgque.maint_queue('q')`},
		{"reader admin", `select * from pgque.pull('q', 'c', 1, null), pgque.pull_1('c', 1, null)`},
		{"reader admin", `select pgque.tick_queues('{q}'), pgque.maint_queues('{q}')`},
		{"reader admin", `select * from pgque.get_queue_info(), pgque.get_consumer_info(), pgque.dlq_inspect('q')`},
		{"reader admin", `select ev_data from pgque.event_1`},
		{"reader admin", `select * from pgque.retry_queue, pgque.dead_letter, pgque.tick, pgque.queue`},
		{"writer admin", `select pgque.send('q', '1'), pgque.send('q', 't', '1'::jsonb), pgque.insert_event('q', 't', '1')`},
		{"writer admin", `select pgque.send_batch('q', array['1']), pgque.send_events('q', array['t'], array['1'])`},
		{"writer admin", `select pgque.dlq_replay_all('q')`},
		{"admin", `select pgque.create_queue('new'), pgque.drop_queue('new', true)`},
		{"admin", `select pgque.set_queue_config('q', 'max_retries', '3')`},
		{"admin", `select pgque.ticker(), pgque.maint(), pgque.force_tick('q')`},
		{"admin", `select pgque.insert_event_raw('q', null, null, null, null, 't', '1', null, null, null, null)`},
		{"admin", `select pgque.dlq_purge('q'), pgque.batch_event_sql(` + fmt.Sprint(batch) + `)`},
		{"admin", `select * from pgque.get_batch_cursor(` + fmt.Sprint(batch) + `, 'cur', 1)`},
		{"admin", `select * from pgque.status()`},
		{"admin", `select pgque.seq_getval('pgque.event_1_id_seq'), pgque.seq_setval('event_1_id_seq', 10)`},
		{"", `select pgque.uninstall()`},
		{"", `select pgque.insert_event_bulk('q', 't', array['1'])`},
		{"", `select pgque._append('q', 't', '1', null, null, null, null)`},
		{"", `insert into pgque.event_1_0 (ev_id) values (1)`},
		{"", `update pgque.subscription set sub_batch = 1`},
		{"", `delete from pgque.tick`},
	}
	for role, s := range e.roles() {
		for _, c := range cases {
			mayDo := strings.Contains(" "+c.roles+" ", " "+role+" ")
			s.exec(`begin`)
			if _, err := s.conn.Exec(t.Context(), c.sql); mayDo && err != nil {
				t.Errorf("%s: %v\n%s", role, err, c.sql)
			} else if !mayDo {
				s.hasCode(err, "42501", role+": "+c.sql)
			}
			s.exec(`rollback`)
		}
	}
}

// seq_setval has the rights of the engine's owner, who may own much else.
func TestEngineSecurity_SequencesOfOthersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`create sequence public.theirs`)
	admin := e.roles()["admin"]
	admin.fails("PQ009", `select pgque.seq_setval('public.theirs', 1000)`)
	admin.fails("PQ009", `select pgque.seq_getval('public.theirs')`)
	if n := e.int(`select nextval('public.theirs')`); n != 1 {
		t.Errorf("the sequence went on to %d", n)
	}
}

func TestEngineSecurity_TempTablesShadowNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	writer := e.roles()["writer"]
	writer.exec(`create temp table queue (like pg_class); create temp table subscription (x int); create temp table event_1_0 (x int);
		create function pg_temp.now() returns timestamptz language sql as 'select ''2000-01-01''::timestamptz'`)
	writer.exec(`select pgque.send('q', '1')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "1")
}

func TestEngineSecurity_PayloadsAreStoredAsTheyAre(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	nasty := []string{`'`, `"`, `$$`, `\`, `'); drop schema pgque cascade; --`, "🐘\u2028\t\n", `{"a": "\u0000"}`, strings.Repeat("x", 100_000), ""}
	e.exec(`select pgque.send_batch('q', $1::text, $2::text[])`, `typ'"$$`, nasty)
	for _, payload := range nasty {
		e.exec(`select pgque.send('q', $1::text, $2::text)`, payload, payload)
	}
	e.tick("q")
	got := e.receive("q", "c", 100)
	e.expect(payloads(got), append(nasty, nasty...)...)
	if *got[0].Type != `typ'"$$` || *got[len(nasty)].Type != nasty[0] {
		t.Errorf("types %q and %q", *got[0].Type, *got[len(nasty)].Type)
	}
	e.exec(`select pgque.nack(batch_id, m, '0', $1) from pgque.receive('q', 'c') m`, nasty[4])
	e.ack(got[0].Batch)
	e.exec(`select pgque.maint()`)
	e.tick("q")
	e.expect(payloads(e.receive("q", "c", 100)), append(nasty, nasty...)...)
}
