package pgque_test

import (
	"fmt"
	"slices"
	"testing"
)

func (s *session) receiveCoop(member string, limit int, dead *string) []sqlMessage {
	s.t.Helper()
	return s.messages(`pgque.receive_coop('q', 'group', $1, $2, $3::interval)`, member, limit, dead)
}

// newCoopTest has a group that starts before four windows of two events each.
func newCoopTest(t testing.TB) *engineTest {
	t.Helper()
	e := newEngineTest(t)
	e.exec(`select pgque.register_subconsumer('q', 'group', 'a'), pgque.register_subconsumer('q', 'group', 'b')`)
	for i := range 4 {
		e.exec(`select pgque.send_batch('q', array[$1, $2])`, fmt.Sprint(2*i+1), fmt.Sprint(2*i+2))
		e.tick("q")
		e.tick("q")
	}
	return e
}

func TestEngineCoop_MembersShareTheWindows(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	a := e.receiveCoop("a", 10, nil)
	b := e.receiveCoop("b", 10, nil)
	e.expect(payloads(a), "1", "2")
	e.expect(payloads(b), "3", "4")
	e.expect(payloads(e.receiveCoop("a", 10, nil)), "1", "2")
	e.ack(a[0].Batch)
	e.ack(b[0].Batch)
	e.expect(payloads(e.receiveCoop("b", 1, nil)), "5")
	e.expect(payloads(e.receiveCoop("c", 1, nil)), "7") // registers itself
}

func TestEngineCoop_PagesStayWithTheirMember(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	first := e.receiveCoop("a", 1, nil)
	e.ack(first[0].Batch)
	e.expect(payloads(e.receiveCoop("b", 10, nil)), "3", "4")
	second := e.receiveCoop("a", 1, nil)
	e.expect(payloads(second), "2")
	e.ack(second[0].Batch)
	e.expect(payloads(e.receiveCoop("a", 1, nil)), "5")
}

func TestEngineCoop_EverythingIsReceivedOnceWithEmptyWindowsBetween(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	var all []string
	for range 20 {
		for _, member := range []string{"a", "b", "c"} {
			if page := e.receiveCoop(member, 1, nil); len(page) > 0 {
				all = append(all, payloads(page)...)
				e.ack(page[0].Batch)
			}
		}
	}
	slices.Sort(all)
	e.expect(all, numbers(8)...)
}

func TestEngineCoop_DeadMembersWindowIsTakenOverUnderAFreshID(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	first := e.receiveCoop("a", 1, nil)
	e.ack(first[0].Batch)
	old := e.receiveCoop("a", 1, nil)
	zero, hour := "0", "1 hour"
	e.expect(payloads(e.receiveCoop("b", 10, &hour)), "3", "4")
	taken := e.receiveCoop("c", 10, &zero)
	e.expect(payloads(taken), "2")
	if taken[0].Batch == old[0].Batch {
		t.Error("the batch id was handed on")
	}
	if e.int(`select pgque.ack($1)`, old[0].Batch) != 0 {
		t.Error("the dead member's ack counts")
	}
	e.fails("PQ003", `select pgque.nack($1, row(2, null, null, null, null, null, null, null, null, null)::pgque.message)`, old[0].Batch)
	e.ack(taken[0].Batch)
	e.expect(payloads(e.receiveCoop("a", 10, nil)), "5", "6")
	if e.int(`select pgque.touch_subconsumer('q', 'group', 'a')`) != 1 || e.int(`select pgque.touch_subconsumer('q', 'group', 'x')`) != 0 {
		t.Error("touch_subconsumer")
	}
	e.expect(payloads(e.receiveCoop("c", 10, &hour)), "7", "8")
}

// A member was silent for long and is settling its page now.
func TestEngineCoop_ASilentMemberThatIsAtWorkIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	e.exec(`select pgque.unsubscribe('q', 'c'), pgque.register_subconsumer('q', 'group', 'a'), pgque.register_subconsumer('q', 'group', 'b')`)
	e.exec(`select pgque.send('q', '1')`)
	e.tick("q")
	page := e.receiveCoop("a", 10, nil)
	e.exec(`update pgque.subscription set sub_active = '2000-01-01' where sub_batch is not null`)
	e.exec(`begin`)
	e.ack(page[0].Batch)
	other.exec(`set lock_timeout = '5s'`)
	minute := "1 minute"
	if got := other.receiveCoop("b", 10, &minute); len(got) != 0 {
		t.Errorf("b got %v", got)
	}
	e.exec(`commit`)
	other.exec(`select pgque.send('q', '2')`)
	other.tick("q")
	other.expect(payloads(other.receiveCoop("b", 10, &minute)), "2")
}

func TestEngineCoop_TwoAtOnceGetDifferentWindows(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	other, third := e.newSession(), e.newSession()
	e.exec(`begin`)
	mine := e.receiveCoop("a", 10, nil)
	ended := other.start(`create temp table got as select * from pgque.receive_coop('q', 'group', 'b', 10)`)
	third.awaitLock(other)
	e.exec(`commit`)
	other.finish(ended)
	e.expect(append(payloads(mine), payloads(other.messages(`got`))...), numbers(4)...)
}

func TestEngineCoop_ScalesToZeroAndBack(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	page := e.receiveCoop("a", 10, nil)
	e.fails("PQ012", `select pgque.unregister_subconsumer('q', 'group', 'a')`)
	e.ack(page[0].Batch)
	e.exec(`select pgque.unregister_subconsumer('q', 'group', 'a'), pgque.unregister_subconsumer('q', 'group', 'b')`)
	if e.int(`select pgque.unregister_subconsumer('q', 'group', 'a')`) != 0 {
		t.Error("a member left twice")
	}
	normal := e.receive("q", "group", 10)
	e.expect(payloads(normal), "3", "4")
	_, err := e.conn.Exec(t.Context(), `select * from pgque.receive_coop('q', 'group', 'a')`)
	e.hasCode(err, "PQ012", "receive_coop in the middle of a normal batch")
	e.ack(normal[0].Batch)
	e.expect(payloads(e.receiveCoop("a", 10, nil)), "5", "6")
}

func TestEngineCoop_WishesForABatchAreWaitedFor(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	const custom = `select batch_id from pgque.next_batch_custom('q', 'group', 'a', `
	for _, wish := range []string{`'1 hour', null, null`, `null, 100, null`, `null, null, '1 hour'`} {
		e.isNull(custom + wish + `)`)
	}
	batch := e.int(custom + `null, 3, null)`)
	if n := e.int(`select count(*) from pgque.get_batch_events($1)`, batch); n != 4 {
		t.Errorf("%d events; two windows have three or more", n)
	}
	if again := e.int(`select pgque.next_batch('q', 'group', 'a')`); again != batch {
		t.Errorf("the open batch %d came again as %d", batch, again)
	}
	e.exec(`select pgque.finish_batch($1)`, batch)
	e.expect(payloads(e.receiveCoop("b", 10, nil)), "5", "6")
}

func TestEngineCoop_BatchOfAMemberThatResignsIsTakenOverAtOnce(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	hour := "1 hour"
	old := e.receiveCoop("a", 10, &hour)
	e.exec(`select pgque.resign_subconsumer('q', 'group', 'a')`)
	if n := e.int(`select count(*) from pgque.get_consumer_info('q', 'group.a') where last_seen > interval '1 day'`); n != 1 {
		t.Error("the member that resigned is not shown as one that was not seen for long")
	}
	taken := e.receiveCoop("b", 10, &hour)
	e.expect(payloads(taken), payloads(old)...)
	if slices.ContainsFunc(taken, func(m sqlMessage) bool { return m.Retry != nil }) {
		t.Error("a retry was counted")
	}
	if e.int(`select pgque.ack($1)`, old[0].Batch) != 0 {
		t.Error("the member that resigned could still ack")
	}
	if e.int(`select count(*) from pgque.consumer where co_name = 'group.a'`) != 0 {
		t.Error("the member that resigned stays behind")
	}
	if e.int(`select pgque.resign_subconsumer('q', 'group', 'a')`) != 0 {
		t.Error("a member resigned twice")
	}
	e.ack(taken[0].Batch)
	if e.int(`select pgque.resign_subconsumer('q', 'group', 'b')`) != 1 {
		t.Error("a member without a batch could not resign")
	}
}

func TestEngineCoop_MemberThatReturnsKeepsItsBatch(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	hour := "1 hour"
	old := e.receiveCoop("a", 10, &hour)
	e.exec(`select pgque.resign_subconsumer('q', 'group', 'a')`)
	e.exec(`select pgque.register_subconsumer('q', 'group', 'a', true)`)
	e.expect(payloads(e.receiveCoop("a", 10, &hour)), payloads(old)...)
	if other := e.receiveCoop("b", 10, &hour); other[0].ID == old[0].ID {
		t.Error("the batch of a member that returned was taken over")
	}
	e.ack(old[0].Batch)
}

func TestEngineCoop_UnfinishedWorkGoesToTheGroup(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	first := e.receiveCoop("a", 1, nil)
	e.ack(first[0].Batch)
	e.exec(`select pgque.unregister_subconsumer('q', 'group', 'a', 1)`)
	e.exec(`update pgque.retry_queue set ev_retry_after = now()`)
	e.exec(`select pgque.maint()`)
	e.tick("q")
	var all []string
	for page := e.receiveCoop("b", 10, nil); len(page) > 0; page = e.receiveCoop("b", 10, nil) {
		all = append(all, payloads(page)...)
		e.ack(page[0].Batch)
	}
	e.expect(all, "3", "4", "5", "6", "7", "8", "2")
}

func TestEngineCoop_DeadLettersBelongToTheGroup(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	page := e.receiveCoop("a", 10, nil)
	e.exec(`select pgque.settle($1, array[1], array[0], array['bad'], array[true])`, page[0].Batch)
	e.exec(`select pgque.unregister_subconsumer('q', 'group', 'a', 1)`)
	if got := query1[string](t, e.conn, `select co_name from pgque.dlq_inspect('q') join pgque.consumer on co_id = dl_consumer_id`); got != "group" {
		t.Errorf("the dead letter belongs to %q", got)
	}
	e.exec(`select pgque.dlq_replay_all('q')`)
	e.tick("q")
	if n := len(e.drain("q", "c", 100)); n != 8 {
		t.Errorf("another consumer received %d events", n)
	}
}

func TestEngineCoop_WrongUsesAreRefused(t *testing.T) {
	t.Parallel()
	e := newCoopTest(t)
	for code, calls := range map[string][]string{
		"PQ012": {
			`pgque.receive('q', 'group')`, `pgque.next_batch('q', 'group')`, `pgque.receive('q', 'group.a')`,
			`pgque.unregister_consumer('q', 'group')`, `pgque.unregister_consumer('q', 'group.a')`,
			`pgque.receive_coop('q', 'c', 'a')`, `pgque.register_consumer_at('q', 'group', null)`,
		},
		"PQ008": {`pgque.subscribe('q', repeat('x', 1001))`, `pgque.receive_coop('q', 'x.y', 'a')`, `pgque.receive_coop('q', 'group', 'x.y')`, `pgque.register_subconsumer('q', 'group', '')`},
		"PQ009": {
			`pgque.receive_coop('q', 'group', 'a', 0)`, `pgque.receive_coop('q', 'group', 'a', 1, '-1 s')`,
			`pgque.receive_coop('q', 'group', 'a', 1, '100000 years')`,
			`pgque.unregister_subconsumer('q', 'group', 'a', 2)`,
		},
		"PQ001": {`pgque.receive_coop('none', 'group', 'a')`},
	} {
		for _, call := range calls {
			e.fails(code, `select `+call)
		}
	}
	e.exec(`select pgque.register_subconsumer('q', 'c', 'a', true)`)
	e.exec(`select pgque.drop_queue('q', true)`)
	if e.int(`select count(*) from pgque.consumer`) != 0 {
		t.Error("a forced drop leaves consumers behind")
	}
}
