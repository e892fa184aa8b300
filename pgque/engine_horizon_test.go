package pgque_test

import (
	"encoding/json"
	"testing"
)

// blocks is how many blocks a query touches.
func (s *session) blocks(sql string) int {
	s.t.Helper()
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
	return plans[0].Plan.Hit + plans[0].Plan.Read
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
	before := e.blocks(find)
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
	if after := e.blocks(find); after > before+10 {
		t.Errorf("finding a cursor touches %d blocks, and after 3000 moves %d", before, after)
	}
	if rows := e.int(`select count(*) from pg_class where relname like 'event\_1%' and relkind = 'r' and pg_stat_get_dead_tuples(oid) > 0`); rows != 0 {
		t.Error("event tables have dead rows")
	}
	old.exec(`commit`)
}
