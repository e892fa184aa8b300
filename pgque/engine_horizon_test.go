package pgque_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"
)

// blocks is how many blocks a query touches. It is asked several times: at any one, the
// session may have to read catalogs again.
func (s *session) blocks(sql string) int {
	s.t.Helper()
	least := math.MaxInt
	for range 5 {
		text := query1[[]byte](s.t, s.conn, `explain (analyze, buffers, format json) `+sql)
		var plans []struct {
			Plan struct {
				Hit  int `json:"Shared Hit Blocks"`
				Read int `json:"Shared Read Blocks"`
			}
		}
		if err := json.Unmarshal(text, &plans); err != nil {
			s.t.Fatal(err)
		}
		least = min(least, plans[0].Plan.Hit+plans[0].Plan.Read)
	}
	return least
}

// A transaction that stays open keeps every version of a cursor that moved since. Who
// searches them all gets slower with each page.
func TestEngineHorizon_AnOldSnapshotDoesNotSlowConsumersDown(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 2000) g))`)
	e.tick("q")
	old := e.newSession()
	old.exec(`begin isolation level repeatable read; select 1`)

	const find = `select pgque._find_subscription(1, 1)`
	page := e.receive("q", "c", 1)
	e.ack(page[0].Batch)
	e.exec(`do $$
		declare
			v_batch bigint;
		begin
			for i in 1 .. 1500 loop
				select batch_id into v_batch from pgque.receive('q', 'c', 1);
				commit;
				perform pgque.ack(v_batch);
				commit;
			end loop;
		end $$`)
	e.receive("q", "c", 1)
	// The living version is among 32 of its generation; each may lie in a block of its own.
	if after := e.blocks(find); after > 32+10 {
		t.Errorf("finding a cursor that moved 3000 times touches %d blocks", after)
	}
	if rows := e.int(`select count(*) from pg_class where relname like 'event\_1%' and relkind = 'r' and pg_stat_get_dead_tuples(oid) > 0`); rows != 0 {
		t.Error("event tables have dead rows")
	}
	old.exec(`commit`)
}

// A lease is renewed for as long as its worker lives, which leaves a version of its row
// each time. Neither the worker nor those who ask for the slot may search them all, also
// when they find it locked.
func TestEngineHorizon_AnOldSnapshotDoesNotSlowLeasesDown(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe_partitioned('q', 'parts', 2), pgque.claim_slot('q', 'parts', 0, 'w'), pgque.claim_slot('q', 'parts', 1, 'w')`)
	calls := []string{
		`select pgque.claim_slot('q', 'parts', 0, 'w')`,
		`select pgque.claim_slot('q', 'parts', 0, 'another')`,
		`select pgque.tend_slots('q', 'parts', 2, 'w', '30 s')`,
		`select pgque.receive_partitioned('q', 'parts', 0, 2, 'w')`,
		`select pgque.fetch_partitioned('q', 'parts', 0, 2, 'w')`,
		`select pgque.ack_partitioned('q', 'parts', 0, 2, 'w')`,
		`select pgque.settle_partitioned('q', 'parts', 0, 2, 'w', 4711, null, '{}', '{}', '{}', '{}', '{}')`,
		`select pgque.resign_slot('q', 'parts', 0, 'another')`,
	}
	var before []int
	for _, call := range calls {
		before = append(before, e.blocks(call))
	}
	old, settling := e.newSession(), e.newSession()
	old.exec(`begin isolation level repeatable read; select 1`)
	e.exec(`do $$
		begin
			for i in 1 .. 6000 loop
				perform pgque.claim_slot('q', 'parts', 0, 'w');
				commit;
			end loop;
		end $$`)
	// A search meets the versions of one generation, 32 of them; most lie side by side.
	for i, call := range calls {
		if after := e.blocks(call); after > before[i]+32 {
			t.Errorf("it touched %d blocks, and %d after 6000 renewals: %s", before[i], after, call)
		}
	}
	settling.exec(`begin; select pgque.ack_partitioned('q', 'parts', 0, 2, 'w')`)
	const claim = `select pgque.claim_slot('q', 'parts', 0, 'w')`
	if after := e.blocks(claim); after > before[0]+32 {
		t.Errorf("claiming a slot that is locked touches %d blocks", after)
	}
	e.isNull(claim)
	settling.exec(`commit`)
	old.exec(`commit`)
}

// Members of a group look for those of them that are dead, and maintenance for the slowest
// consumer, time and again. Neither may read all that the cursors of a queue were once.
func TestEngineHorizon_AnOldSnapshotDoesNotSlowGroupsDown(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.unsubscribe('q', 'c'), pgque.register_subconsumer('q', 'group', 'a'), pgque.register_subconsumer('q', 'group', 'b')`)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 3000) g))`)
	e.tick("q")
	e.ack(e.receiveCoop("a", 1, nil)[0].Batch) // the window is a's
	for e.rotate("q") {                        // until the table that a reads is the next
	}
	e.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
	calls := []string{
		`select pgque.receive_coop('q', 'group', 'b', 1, '1 hour')`,
		`select pgque.touch_subconsumer('q', 'group', 'b')`,
		`select pgque.maint_rotate_tables_step1('q')`,
		`select pgque.subscribe('q', 'group')`,
	}
	var before []int
	for _, call := range calls {
		before = append(before, e.blocks(call))
	}
	old := e.newSession()
	old.exec(`begin isolation level repeatable read; select 1`)
	e.exec(`do $$
		declare
			v_batch bigint;
		begin
			for i in 1 .. 1500 loop
				select batch_id into v_batch from pgque.receive_coop('q', 'group', 'a', 1);
				commit;
				perform pgque.ack(v_batch);
				commit;
			end loop;
		end $$`)
	// A search meets the versions of one generation, as many as fit side by side.
	for i, call := range calls {
		if after := e.blocks(call); after > before[i]+32 {
			t.Errorf("it touched %d blocks, and %d after 3000 moves of another member: %s", before[i], after, call)
		}
	}
	old.exec(`commit`)
}

// Who looks at cursors and leases does so every few seconds, for as long as a dump or a
// report is held, and must not read all that they were once.
func TestEngineHorizon_AnOldSnapshotDoesNotSlowMonitoringDown(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe_partitioned('q', 'parts', 2), pgque.claim_slot('q', 'parts', 0, 'w')`)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 10) g))`)
	e.tick("q")
	page := e.receive("q", "c", 10)
	e.exec(`update pgque.tick set tick_time = tick_time - interval '1 hour'`) // or status has nothing to look for
	looks := []string{
		`select * from pgque.get_consumer_info()`,
		`select * from pgque.get_consumer_info('q', 'c')`,
		`select * from pgque.get_queue_info()`,
		`select * from pgque.get_batch_info(` + fmt.Sprint(page[0].Batch) + `)`,
		`select * from pgque.status()`,
		`select * from pgque.partition_slot_status`,
		`select * from pgque.get_slot_info()`,
		`select pgque.begin_message(` + fmt.Sprint(page[0].Batch, ", ", page[0].ID) + `)`,
	}
	var before []int
	for _, look := range looks {
		before = append(before, e.blocks(look))
	}
	old := e.newSession()
	old.exec(`begin isolation level repeatable read; select 1`)
	e.exec(`do $$
		declare
			v_batch bigint := (select sub_batch from pgque.subscription where sub_batch is not null);
		begin
			for i in 1 .. 20000 loop
				perform pgque.begin_message(v_batch, i);
				perform pgque.claim_slot('q', 'parts', 0, 'w');
				commit;
			end loop;
		end $$`)
	for _, statistics := range []string{`select 1`, `analyze pgque.subscription, pgque.partition_slot, pgque.tick`} {
		e.exec(statistics)
		// A search meets the versions of one generation; most of the 32 lie side by side.
		for i, look := range looks {
			if after := e.blocks(look); after > before[i]+32 {
				t.Errorf("it touched %d blocks, and %d after 20000 moves: %s", before[i], after, look)
			}
		}
	}
	old.exec(`commit`)
}

// What was put back, or sent for later, and has been delivered since stays dead in its
// table. Maintenance must not read through all of it, time and again.
func TestEngineHorizon_AnOldSnapshotDoesNotSlowMaintenanceDown(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.set_queue_config('q', 'max_retries', '1000000')`)
	old := e.newSession()
	old.exec(`begin isolation level repeatable read; select 1`)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 1000) g))`)
	e.exec(`select pgque.send_at('q', 't', 'much later'::text, clock_timestamp() + interval '1 day')`)
	const rounds = 20
	for range rounds {
		e.tick("q")
		page := e.receive("q", "c", 1000)
		e.exec(`select pgque.batch_retry($1, 0)`, page[0].Batch)
		e.ack(page[0].Batch)
		e.exec(`select pgque.send_at('q', 't', g::text, clock_timestamp() + interval '1 second') from generate_series(1, 1000) g`)
		e.exec(`update pgque.delayed set de_deliver_at = de_deliver_at - interval '2 seconds' where de_type = 't' and de_data <> 'much later'`)
		if moved := e.int(`select pgque.maint_retry_events() + pgque.maint_deliver_delayed()`); moved < 1000+1000 {
			t.Fatalf("%d moved", moved)
		}
	}
	idle := e.newSession()
	for deadline := time.Now().Add(30 * time.Second); ; {
		e.exec(`select pgque.maint()`)
		after := idle.blocks(`select pgque.maint_retry_events() + pgque.maint_deliver_delayed()`)
		if after < 50 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d events a pass of maintenance touches %d blocks", 2*1000*rounds, after)
		}
	}
	if waiting := e.int(`select count(*) from pgque.delayed`); waiting != 1 {
		t.Errorf("%d events wait for their time", waiting)
	}
	e.tick("q")
	if got := len(e.drain("q", "c", 10_000)); got != 1000+1000*rounds {
		t.Errorf("%d events came", got)
	}
	old.exec(`commit`)
}
