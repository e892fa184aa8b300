package pgque_test

import (
	"fmt"
	"slices"
	"testing"
)

// newPartitionTest has a consumer "parts" of four slots and forty events of ten keys,
// ten to a window.
func newPartitionTest(t testing.TB) *engineTest {
	t.Helper()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe_partitioned('q', 'parts', 4)`)
	for i := range 4 {
		for key := range 10 {
			e.exec(`select pgque.send('q', 't', $1::text, $2::text)`, fmt.Sprintf("%d-%d", key, i), fmt.Sprint("key", key))
		}
		e.tick("q")
	}
	return e
}

func (s *session) claim(slot int, worker string) {
	s.t.Helper()
	if s.int(`select coalesce(pgque.claim_slot('q', 'parts', $1, $2), 0)`, slot, worker) == 0 {
		s.t.Fatalf("%s does not get slot %d", worker, slot)
	}
}

func (s *session) receiveSlot(slot int, worker string, limit int) []sqlMessage {
	s.t.Helper()
	return s.messages(`pgque.receive_partitioned('q', 'parts', $1, 4, $2, $3)`, slot, worker, limit)
}

const ackSlot = `select pgque.ack_partitioned('q', 'parts', $1, 4, $2)`

func TestEnginePartition_EachKeyIsInOneSlotAndInOrder(t *testing.T) {
	t.Parallel()
	e := newPartitionTest(t)
	e.exec(`select pgque.send('q', 't', 'no key')`)
	e.tick("q")
	var all []string
	next := map[byte]byte{}
	for slot := range 4 {
		e.claim(slot, "w")
		for page := e.receiveSlot(slot, "w", 3); len(page) > 0; page = e.receiveSlot(slot, "w", 3) {
			for _, payload := range payloads(page) {
				all = append(all, payload)
				if payload == "no key" {
					if slot != 0 {
						t.Errorf("an event without a key is in slot %d", slot)
					}
					continue
				}
				if payload[2]-'0' != next[payload[0]] {
					t.Errorf("%s came out of order", payload)
				}
				next[payload[0]]++
			}
			if e.int(ackSlot, slot, "w") != 1 || e.int(ackSlot, slot, "w") != 0 {
				t.Error("ack_partitioned")
			}
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 41 {
		t.Errorf("%d of 41 events: %v", len(all), all)
	}
	if e.int(`select sum(pending_events) from pgque.partition_slot_status`) != 0 {
		t.Error("somebody is behind")
	}
}

func TestEnginePartition_LeaseIsExclusiveAndFencesZombies(t *testing.T) {
	t.Parallel()
	e := newPartitionTest(t)
	slot := int(e.int(`select ((hashtextextended('key0', 0) % 4) + 4) % 4`))
	for range 2 { // the second time renews the lease
		if epoch := e.int(`select pgque.claim_slot('q', 'parts', $1, 'a')`, slot); epoch != 1 {
			t.Errorf("epoch %d", epoch)
		}
	}
	e.isNull(`select pgque.claim_slot('q', 'parts', $1, 'b')`, slot)
	const receive = `select pgque.receive_partitioned('q', 'parts', $1, 4, $2)`
	for _, stranger := range []any{"b", "", nil} {
		e.fails("PQ017", receive, slot, stranger)
		e.fails("PQ017", ackSlot, slot, stranger)
	}
	old := e.receiveSlot(slot, "a", 1)
	e.fails("PQ012", `select pgque.release_slot('q', 'parts', $1, 'a')`, slot)

	e.exec(`update pgque.partition_slot set lease_until = clock_timestamp()`)
	e.fails("PQ017", ackSlot, slot, "a")
	e.claim(slot, "b")
	fresh := e.receiveSlot(slot, "b", 1)
	if fresh[0].ID != old[0].ID || fresh[0].Batch == old[0].Batch {
		t.Errorf("the successor got %+v after %+v", fresh, old)
	}
	e.exec(`update pgque.partition_slot set lease_until = clock_timestamp()`)
	if e.int(`select pgque.claim_slot('q', 'parts', $1, 'a')`, slot) != 3 {
		t.Error("epoch after two changes of hands")
	}
	e.fails("PQ017", ackSlot, slot, "a") // what b received is not a's to finish
	again := e.receiveSlot(slot, "a", 1)
	e.exec(`select pgque.nack_partitioned('q', 'parts', $1, 4, 'a', m, '0') from pgque.receive_partitioned('q', 'parts', $1, 4, 'a', 1) m`, slot)
	e.exec(ackSlot, slot, "a")
	if !query1[bool](t, e.conn, `select pgque.release_slot('q', 'parts', $1, 'a')`, slot) || query1[bool](t, e.conn, `select pgque.release_slot('q', 'parts', $1, 'a')`, slot) {
		t.Error("release_slot")
	}
	e.exec(`select pgque.maint()`)
	e.tick("q")
	e.claim(slot, "c")
	var redelivered int
	for page := e.receiveSlot(slot, "c", 100); len(page) > 0; page = e.receiveSlot(slot, "c", 100) {
		for _, m := range page {
			if m.ID == again[0].ID && m.Retry != nil && *m.Retry == 1 {
				redelivered++
			}
		}
		e.exec(ackSlot, slot, "c")
	}
	if redelivered != 1 {
		t.Errorf("the nacked message came %d times", redelivered)
	}
}

func TestEnginePartition_AClaimNeverWaits(t *testing.T) {
	t.Parallel()
	e := newPartitionTest(t)
	other := e.newSession()
	other.exec(`set lock_timeout = '5s'`)
	e.exec(`begin`)
	e.claim(0, "a")
	other.isNull(`select pgque.claim_slot('q', 'parts', 0, 'b')`)
	other.claim(1, "b")
	e.exec(`rollback`)
	other.claim(0, "b")
}

func TestEnginePartition_WrongUsesAreRefused(t *testing.T) {
	t.Parallel()
	e := newPartitionTest(t)
	e.claim(0, "w")
	e.exec(`select pgque.send('q', 't', '1')`)
	e.tick("q")
	batch := e.receiveSlot(0, "w", 100)[0].Batch
	for code, calls := range map[string][]string{
		"PQ012": {
			`pgque.receive('q', 'parts#0')`, `pgque.next_batch('q', 'parts#0')`, `pgque.unsubscribe('q', 'parts#0')`,
			fmt.Sprintf(`pgque.ack(%d)`, batch), fmt.Sprintf(`pgque.finish_batch(%d)`, batch),
			fmt.Sprintf(`pgque.settle(%d, '{}', '{}', '{}', '{}')`, batch), fmt.Sprintf(`pgque.batch_retry(%d, 0)`, batch),
			`pgque.subscribe_partitioned('q', 'parts', 5)`, `pgque.receive_partitioned('q', 'c', 0, 4, 'w')`,
			`pgque.receive_partitioned('q', 'parts', 0, 5, 'w')`, `pgque.claim_slot('q', 'parts', 4, 'w')`,
			`pgque.unsubscribe_partitioned('q', 'parts')`, `pgque.unsubscribe_slot('q', 'parts', 0)`,
		},
		"PQ009": {
			`pgque.subscribe_partitioned('q', 'x', 0)`, `pgque.subscribe_partitioned('q', 'x', 257)`, `pgque.claim_slot('q', 'parts', 0, '')`,
			`pgque.claim_slot('q', 'parts', 0, null)`, `pgque.claim_slot('q', 'parts', 0, 'w', '0')`, `pgque.claim_slot('q', 'parts', 0, 'w', '2 days')`,
			`pgque.subscribe_slot('q', 'parts', 4, 4)`,
		},
		"PQ008": {`pgque.subscribe_partitioned('q', '', 2)`},
	} {
		for _, call := range calls {
			e.fails(code, `select `+call)
		}
	}
	e.exec(`select pgque.subscribe('q', 'plain#1'), pgque.receive('q', 'plain#1')`)
	e.fails("PQ012", `select pgque.subscribe_partitioned('q', 'plain', 2)`)
}

func TestEnginePartition_SlotsComeAndGo(t *testing.T) {
	t.Parallel()
	e := newPartitionTest(t)
	e.exec(`select pgque.subscribe_partitioned('q', 'parts', 4), pgque.unsubscribe_slot('q', 'parts', 2), pgque.unsubscribe_slot('q', 'parts', 2)`)
	e.fails("PQ012", `select pgque.claim_slot('q', 'parts', 2, 'w')`)
	e.exec(`select pgque.subscribe_slot('q', 'parts', 2, 4)`)
	e.claim(2, "w")
	if page := e.receiveSlot(2, "w", 10); len(page) != 0 {
		t.Errorf("a slot that came back got %v", page)
	}
	e.exec(`select pgque.release_slot('q', 'parts', 2, 'w'), pgque.unsubscribe_partitioned('q', 'parts')`)
	if e.int(`select count(*) from pgque.consumer where co_name like 'parts%'`)+e.int(`select count(*) from pgque.partition_consumer`) != 0 {
		t.Error("something is left")
	}
	e.exec(`select pgque.subscribe_slot('q', 'parts', 0, 3)`)
	if e.int(`select count(*) from pgque.partition_slot_status where subscribed and n = 3`) != 3 {
		t.Error("the first subscribe_slot does not subscribe all slots")
	}
	e.exec(`select pgque.drop_queue('q', true)`)
	if e.int(`select count(*) from pgque.consumer`) != 0 {
		t.Error("a forced drop leaves consumers behind")
	}
}

// Nothing but the lock on its name keeps a slot from being made twice.
func TestEnginePartition_TwoThatBringASlotBackMakeOne(t *testing.T) {
	t.Parallel()
	e := newPartitionTest(t)
	other := e.newSession()
	e.exec(`select pgque.unsubscribe_slot('q', 'parts', 2)`)
	const again = `select pgque.subscribe_slot('q', 'parts', 2, 4)`
	e.exec(`begin`)
	e.exec(again)
	ended := other.start(again)
	e.awaitLock(other)
	e.exec(`commit`)
	other.finish(ended)
	if e.int(`select count(*) from pgque.partition_slot where slot = 2`) != 1 || e.int(`select count(*) from pgque.subscription where sub_slot = 2`) != 1 {
		t.Error("there are several")
	}
}
