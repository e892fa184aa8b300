package pgque_test

import (
	"fmt"
	"testing"
	"time"
)

// More of what a plausible engine of this model does wrong.

// Between the look into the table and the lock on it somebody commits.
func TestEngineRotation_SeesWhatWasCommittedWhileItGotItsLock(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	producer, maintenance, gate := e.newSession(), e.newSession(), e.newSession()
	producer.exec(`begin isolation level repeatable read; select 1 from pgque.queue`)
	e.rotate("q") // to table 1
	e.rotate("q") // to table 2
	e.tick("q")
	e.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
	// The engine's own function, with a gate before it.
	e.exec(`alter function pgque._lock_table(text) rename to _lock_table_at_last;
		create function pgque._lock_table(i_table text) returns boolean language plpgsql as $$
		begin
			perform pg_advisory_xact_lock(4711);
			return pgque._lock_table_at_last(i_table);
		end $$`)
	gate.exec(`select pg_advisory_lock(4711)`)
	ended := maintenance.start(`select pgque.maint_rotate_tables_step1('q')`)
	gate.awaitLock(maintenance)
	producer.exec(`select pgque.send('q', 'in table 0')`)
	producer.exec(`commit`)
	gate.exec(`select pg_advisory_unlock(4711)`)
	maintenance.finish(ended)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "in table 0")
}

func TestEngineRotation_IsNotCompletedByItsOwnTransaction(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`update pgque.queue set queue_switch_time = '2000-01-01'`)
	e.exec(`begin`)
	if e.int(`select pgque.maint_rotate_tables_step1('q')`) != 1 || e.int(`select pgque.maint_rotate_tables_step2()`) != 0 {
		t.Error("a rotation was begun and completed at once")
	}
	e.exec(`commit`)
	if e.int(`select pgque.maint_rotate_tables_step2()`) != 1 {
		t.Error("a rotation was not completed by a later transaction")
	}
}

// The cursor of the group has moved on when a member works on its window.
func TestEngineRotation_WaitsForMembersOfAGroup(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.unsubscribe('q', 'c'), pgque.register_subconsumer('q', 'group', 'a'), pgque.register_subconsumer('q', 'group', 'b')`)
	e.exec(`select pgque.send('q', '1')`)
	e.tick("q")
	e.expect(payloads(e.receiveCoop("a", 10, nil)), "1")
	e.tick("q")
	if page := e.receiveCoop("b", 10, nil); len(page) != 0 {
		t.Errorf("the other member got %v", page)
	}
	e.rotate("q")
	e.rotate("q")
	if e.rotate("q") {
		t.Error("the table that a member works on was emptied")
	}
	e.expect(payloads(e.receiveCoop("a", 10, nil)), "1")
}

func TestEngineMaintRetryEvents_MovesMoreThanItTakesAtATime(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`insert into pgque.retry_queue (ev_retry_after, ev_queue, ev_owner, ev_id, ev_time, ev_retry, ev_data)
		select clock_timestamp(), 1, sub_id, g, now(), 1, g::text from generate_series(1, 10500) g, pgque.subscription`)
	if moved := e.int(`select pgque.maint_retry_events()`); moved != 10500 {
		t.Errorf("moved %d of 10500", moved)
	}
	e.exec(`select pgque.tick_queue('q')`)
	if got := len(e.drain("q", "c", 5000)); got != 10500 {
		t.Errorf("%d came", got)
	}
}

func TestEngineReceive_RefusesPagesOfNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 150) g))`)
	e.tick("q")
	for _, function := range []string{"receive", "fetch"} {
		for _, limit := range []string{"0", "-1"} {
			e.fails("PQ009", fmt.Sprintf(`select pgque.%s('q', 'c', %s)`, function, limit))
		}
	}
	if e.int(`select count(*) from pgque.subscription where sub_batch is not null`) != 0 {
		t.Error("a page that was refused is open")
	}
	if n := e.int(`select count(*) from pgque.receive('q', 'c', null)`); n != 150 {
		t.Errorf("no limit means %d", n)
	}
}

func TestEngineNack_RepeatedAtTheLastRetryMakesOneDeadLetter(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.set_queue_config('q', 'max_retries', '0'), pgque.send('q', '1')`)
	e.tick("q")
	for range 3 {
		e.exec(`select pgque.nack(batch_id, m) from pgque.receive('q', 'c') m`)
	}
	if n := e.int(`select count(*) from pgque.dead_letter`); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// The name of a consumer is about to be subscribed to another queue.
func TestEngineDropQueue_LeavesConsumersThatOthersAreSubscribing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('other')`)
	other := e.newSession()
	other.exec(`begin; select pgque.subscribe('other', 'c')`)
	e.exec(`set lock_timeout = '30s'; select pgque.drop_queue('q', true)`)
	other.exec(`commit`)
	e.exec(`select pgque.send('other', '1')`)
	e.tick("other")
	e.expect(e.drain("other", "c", 10), "1")
}

// A transaction that began long ago asks what time it is now.
func TestEngineSendIdem_CountsTheTimeOfTheClock(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	e.exec(`begin; select now()`)
	other.exec(`select pgque.send_idem('q', 't', '1', 'key', '1 millisecond')`)
	for deadline := time.Now().Add(30 * time.Second); other.int(`select count(*) from pgque.idem where expires_at > clock_timestamp()`) != 0; {
		if time.Now().After(deadline) {
			t.Fatal("the key does not expire")
		}
	}
	if query1[bool](t, e.conn, `select deduped from pgque.send_idem('q', 't', '2', 'key')`) {
		t.Error("a key that has expired counts for an older transaction")
	}
	e.exec(`commit`)
}

// Whatever tables there are, now or later, only readers may look into them.
func TestEngineSecurity_PayloadsAreForReaders(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('later')`)
	for role, s := range e.roles() {
		if role == "stranger" {
			e.exec(`grant usage on schema pgque to ` + query1[string](t, s.conn, `select current_user`))
		}
		readable := s.int(`select count(*) from pg_class where relnamespace = (select oid from pg_namespace where nspname = 'pgque')
			and relkind in ('r', 'v') and has_any_column_privilege(oid, 'select')`)
		if mayRead := role == "reader" || role == "admin"; mayRead == (readable == 0) {
			t.Errorf("a %s may read %d tables", role, readable)
		}
		if role == "stranger" || role == "writer" {
			for _, table := range []string{"event_1", "event_1_0", "event_2", "event_template", "retry_queue", "dead_letter", "delayed", "idem", "queue", "tick"} {
				s.fails("42501", `select * from pgque.`+table)
			}
		}
	}
}

// Who sent first is waited for, and may go on. Who comes to send meanwhile, in whatever
// way, waits for the end of it and is told then that there is no such queue; so is who
// still sees the queue in an old snapshot.
func TestEngineDropQueue_SendersAreWaitedForOrToldSo(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	first, old, watch := e.newSession(), e.newSession(), e.newSession()
	e.exec(`select pgque.unsubscribe('q', 'c')`)
	old.exec(`begin isolation level repeatable read; select from pgque.queue`)
	first.exec(`begin; select pgque.send('q', '1')`)
	dropped := e.start(`select pgque.drop_queue('q')`)
	watch.awaitLock(e.session)
	calls := []string{
		`select pgque.send('q', '2')`,
		`select pgque.send('q', 't', '{}'::jsonb, 'key')`,
		`select pgque.send_batch('q', array['2', '3'])`,
		`select pgque.send_events('q', array['t'], array['2'])`,
		`select pgque.insert_event('q', 't', '2')`,
		`select pgque.insert_event_raw('q', null, null, null, null, 't', '2', null, null, null, null)`,
		`select pgque.send_idem('q', 't', '2', 'key')`,
		`select pgque.send_at('q', 't', '2'::text, clock_timestamp())`,
		`select pgque.send_at('q', 't', '2'::text, clock_timestamp() + interval '1 day')`,
	}
	var sent []<-chan error
	for _, call := range calls {
		late := e.newSession()
		sent = append(sent, late.start(call))
		watch.awaitLock(late)
	}
	first.exec(`select pgque.send('q', '3')`)
	first.exec(`commit`)
	e.finish(dropped)
	for i, call := range calls {
		e.hasCode(<-sent[i], "PQ001", call)
	}
	old.fails("PQ001", `select pgque.send('q', '4')`)
}

// Whoever looks at a consumer and then waits for it may find another kind of consumer.
func TestEngineReceive_OfAConsumerThatBecomesAGroupIsRefused(t *testing.T) {
	t.Parallel()
	for _, receive := range []string{
		`select pgque.receive('q', 'c')`, `select pgque.fetch('q', 'c')`, `select pgque.next_batch('q', 'c')`,
		`select pgque.next_page('q', 'c', 10, null, true)`,
	} {
		t.Run(receive, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			other, third := e.newSession(), e.newSession()
			e.exec(`select pgque.send('q', '1')`)
			e.tick("q")
			e.exec(`begin`)
			e.exec(`select pgque.register_subconsumer('q', 'c', 'a', true)`)
			ended := other.start(receive)
			third.awaitLock(other)
			e.exec(`commit`)
			e.hasCode(<-ended, "PQ012", receive)
			if e.int(`select count(*) from pgque.subscription where sub_batch is not null`) != 0 {
				t.Error("the group has a batch that belongs to no member")
			}
		})
	}
}

// The numbers of cursors begin again one day, when the oldest cursors are still there. What
// has the number of another is found in its place.
func TestEngineSubscribe_NoCursorHasTheNumberOfAnother(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 100) g))`)
	e.tick("q")
	for page := e.receive("q", "c", 1); page[0].ID < 40; page = e.receive("q", "c", 1) {
		e.ack(page[0].Batch) // until its first generation is over
	}
	for _, subscribe := range []string{`pgque.subscribe('q', 'new')`, `pgque.register_consumer_at('q', 'at', 1)`,
		`pgque.register_subconsumer('q', 'group', 'a')`, `pgque.subscribe_partitioned('q', 'parts', 2)`} {
		e.exec(`select setval('pgque.subscription_no_seq', 1, false)`)
		e.exec(`select ` + subscribe)
	}
	if n := e.int(`select count(*) - count(distinct sub_no) from pgque.subscription`); n != 0 {
		t.Errorf("%d cursors have the number of another", n)
	}
	e.expect(payloads(e.receive("q", "c", 1)), "40")
}

// Programs subscribe each time they look for messages, and may do so for years.
func TestEngineSubscribe_AgainDrawsNoNumber(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	numbers := func() int64 {
		return e.int(`select sum(coalesce(last_value, 0)) from pg_sequences where schemaname = 'pgque'`)
	}
	before := numbers()
	for range 3 {
		e.exec(`select pgque.subscribe('q', 'c'), pgque.create_queue('q'), pgque.register_consumer_at('q', 'c', 1)`)
	}
	if after := numbers(); after != before {
		t.Errorf("%d numbers were drawn", after-before)
	}
}

// Somebody is replaying one of the dead letters, and may change his mind.
func TestEngineDeadLetter_ReplayAllPassesOverThoseThatAreBeingReplayed(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other := e.newSession()
	first := e.deadLetter("1")
	e.deadLetter("2")
	e.exec(`begin`)
	e.exec(`select pgque.dlq_replay($1)`, first)
	other.exec(`set lock_timeout = '5s'`)
	if got := query1[string](t, other.conn, `select replayed || ' ' || failed from pgque.dlq_replay_all('q')`); got != "1 0" {
		t.Errorf("replayed and failed: %s", got)
	}
	e.exec(`rollback`)
	e.expect(e.lines(`select ev_data from pgque.dlq_inspect('q')`), "1")
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "2")
}

// Jobs that tick an engine that is gone would fail every second, for ever.
func TestEngineUninstall_StopsItsJobsOrStays(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.installScheduler()
	e.exec(`select pgque.start()`)
	e.exec(`alter function cron.unschedule(bigint) rename to unschedule_at_last;
		create function cron.unschedule(bigint) returns boolean language plpgsql as 'begin raise exception ''not now''; end'`)
	e.fails("P0001", `select pgque.uninstall()`)
	if n := e.int(`select count(*) from pgque.queue`); n != 1 {
		t.Errorf("%d queues after an uninstall that failed", n)
	}
	e.exec(`drop function cron.unschedule(bigint); alter function cron.unschedule_at_last(bigint) rename to unschedule`)
	e.exec(`select pgque.uninstall()`)
	if n := e.int(`select count(*) from cron.job`); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// The column is there since programs read it. What a manager of queues could write into it
// would run with the rights of the engine's owner.
func TestEngineMaint_RunsNobodyElsesFunctions(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`create table public.ran (); create function public.hook(text) returns integer language sql as 'insert into public.ran default values returning 1'`)
	e.exec(`update pgque.queue set queue_extra_maint = '{public.hook}'`)
	e.exec(`select pgque.maint(), pgque.maint_queue('q'), pgque.maint_queues('{q}')`)
	if e.int(`select count(*) from public.ran`) != 0 {
		t.Error("maintenance ran a function that is not the engine's")
	}
	for _, operation := range e.lines(`select func_name from pgque.maint_operations()`) {
		if operation == "public.hook" {
			t.Error("maintenance is said to run a function that is not the engine's")
		}
	}
}
