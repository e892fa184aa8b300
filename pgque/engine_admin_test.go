package pgque_test

import (
	"testing"
)

// deadLetter makes the only event of the queue a dead letter of c and returns its id.
func (e *engineTest) deadLetter(payload string) int64 {
	e.t.Helper()
	e.exec(`select pgque.send('q', 'typ', $1::text)`, payload)
	e.tick("q")
	page := e.receive("q", "c", 1)
	e.exec(`select pgque.settle($1, array[$2::bigint], array[0], array['broken'], array[true])`, page[0].Batch, page[0].ID)
	return e.int(`select max(dl_id) from pgque.dlq_inspect('q')`)
}

func TestEngineDeadLetter_IsReplayedForItsConsumerOnly(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe('q', 'other')`)
	id := e.deadLetter("1")
	e.expect(e.drain("q", "other", 10), "1")
	event := e.int(`select pgque.dlq_replay($1)`, id)
	e.tick("q")
	page := e.receive("q", "c", 10)
	e.expect(payloads(page), "1")
	if page[0].ID != event || page[0].Retry != nil || *page[0].Type != "typ" {
		t.Errorf("replayed %+v as event %d", page[0], event)
	}
	e.expect(e.drain("q", "other", 10))
	e.fails("PQ005", `select pgque.dlq_replay($1)`, id)
}

func TestEngineDeadLetter_TwoReplaysAtOnceMakeOne(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	other, third := e.newSession(), e.newSession()
	id := e.deadLetter("1")
	e.exec(`begin`)
	e.exec(`select pgque.dlq_replay($1)`, id)
	ended := other.start(`select pgque.dlq_replay($1)`, id)
	third.awaitLock(other)
	e.exec(`commit`)
	e.hasCode(<-ended, "PQ005", "the second replay")
}

func TestEngineDeadLetter_OfAGoneConsumerStays(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('elsewhere'), pgque.subscribe('elsewhere', 'c')`)
	id := e.deadLetter("1")
	e.exec(`select pgque.unsubscribe('q', 'c')`)
	e.fails("PQ002", `select pgque.dlq_replay($1)`, id)
	if got := query1[string](t, e.conn, `select replayed || ' ' || failed from pgque.dlq_replay_all('q')`); got != "0 1" {
		t.Errorf("replayed and failed: %s", got)
	}
	if e.int(`select pgque.dlq_purge('q')`) != 0 || e.int(`select pgque.dlq_purge('q', '0')`) != 1 {
		t.Error("dlq_purge")
	}
}

func TestEngineDeadLetter_RetriesUsedUp(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.set_queue_config('q', 'max_retries', '2'), pgque.send('q', '1')`)
	for range 3 {
		e.exec(`select pgque.maint_retry_events()`)
		e.tick("q")
		page := e.receive("q", "c", 10)
		e.expect(payloads(page), "1")
		e.exec(`select pgque.nack(batch_id, m, '0', 'no luck') from pgque.receive('q', 'c') m`)
		e.exec(`select pgque.nack(batch_id, m, '0', 'no luck') from pgque.receive('q', 'c') m`)
		e.ack(page[0].Batch)
	}
	if got := query1[string](t, e.conn, `select string_agg(dl_reason || ev_retry, ' ') from pgque.dlq_inspect('q')`); got != "no luck2" {
		t.Errorf("dead letters: %s", got)
	}
}

func TestEngineNack_BelievesTheQueueNotTheCaller(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send('q', 'true')`)
	e.tick("q")
	page := e.receive("q", "c", 10)
	e.exec(`select pgque.nack($1, row(1, 99, 'forged', 'forged', 99, now(), 'x', 'x', 'x', 'x')::pgque.message, '0')`, page[0].Batch)
	e.ack(page[0].Batch)
	e.exec(`select pgque.maint()`)
	e.tick("q")
	again := e.receive("q", "c", 10)
	e.expect(payloads(again), "true")
	if *again[0].Retry != 1 || *again[0].Type != "default" {
		t.Errorf("%+v", again[0])
	}
	for _, id := range []string{"2", "null"} {
		e.fails("PQ004", `select pgque.nack($1, row(`+id+`, null, null, null, null, null, null, null, null, null)::pgque.message)`, again[0].Batch)
	}
	for _, delay := range []string{"-1 second", "1000 years"} {
		e.fails("PQ009", `select pgque.nack($1, row(1, null, null, null, null, null, null, null, null, null)::pgque.message, $2::interval)`, again[0].Batch, delay)
	}
}

func TestEngineSettle_AllOrNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send_batch('q', array['1', '2', '3'])`)
	e.tick("q")
	batch := e.receive("q", "c", 2)[0].Batch
	e.fails("PQ004", `select pgque.settle($1, '{1, 3}', '{0, 0}', '{a, b}', '{f, f}')`, batch) // 3 is on the next page
	e.fails("PQ004", `select pgque.settle($1, '{1, null}', '{0, 0}', '{a, b}', '{f, f}')`, batch)
	e.fails("PQ009", `select pgque.settle($1, '{1}', '{0, 0}', '{a, b}', '{f, f}')`, batch)
	e.fails("PQ009", `select pgque.settle($1, '{1}', '{-1}', '{a}', '{f}')`, batch)
	e.fails("PQ009", `select pgque.settle($1, '{1}', '{NaN}', '{a}', '{f}')`, batch)
	if e.int(`select count(*) from pgque.retry_queue`) != 0 {
		t.Error("a refused settle put something back")
	}
	if e.int(`select pgque.settle($1, '{1}', '{0}', '{a}', '{f}')`, batch) != 1 || e.int(`select pgque.settle($1, '{1}', '{0}', '{a}', '{f}')`, batch) != 0 {
		t.Error("settle")
	}
	e.expect(e.drain("q", "c", 10), "3")
	e.exec(`select pgque.maint()`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), "1")
}

func TestEngineSend_NullsAndEmptyBatches(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.fails("PQ009", `select pgque.send_batch('q', null::text[])`)
	e.fails("PQ001", `select pgque.send('none', '1')`)
	e.fails("PQ009", `select pgque.send_events('q', array['a'], array['1', '2'])`)
	if got := query1[string](t, e.conn, `select (pgque.send_batch('none', '{}'::text[]) || pgque.send_events('none', '{}', '{}'))::text`); got != "{}" {
		t.Errorf("ids of nothing: %s", got)
	}
	got := query1[string](t, e.conn, `select pgque.send_batch('q', array['{"b":1, "a":2}', null]::jsonb[])::text || pgque.send_batch('q', array['{"b":1}'])::text`)
	if got != "{1,2}{3}" {
		t.Errorf("ids %s", got)
	}
	e.exec(`update pgque.queue set queue_disable_insert = true`)
	e.fails("PQ006", `select pgque.send('q', '1')`)
	e.tick("q")
	e.expect(e.drain("q", "c", 10), `{"a": 2, "b": 1}`, "null", `{"b":1}`)
}

func TestEngineConfig_BadValuesAreRefusedByName(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, bad := range [][2]string{
		{"ticker_max_count", "0"}, {"ticker_max_count", "many"}, {"ticker_max_lag", "-1 s"}, {"ticker_idle_period", "0"},
		{"rotation_period", "0"}, {"max_retries", "-1"}, {"ticker_paused", "maybe"}, {"no_such_thing", "1"},
		// Added to a time they fail, for whoever looks at all queues.
		{"rotation_period", "290000 years"}, {"ticker_max_lag", "100000 years"}, {"ticker_idle_period", "infinity"},
	} {
		e.fails("PQ007", `select pgque.set_queue_config('q', $1, $2)`, bad[0], bad[1])
	}
	e.fails("PQ001", `select pgque.set_queue_config('none', 'max_retries', '1')`)
	e.exec(`select pgque.set_queue_config('q', 'ticker_max_lag', '0'), pgque.set_queue_config('q', 'queue_max_retries', '0')`)
	e.exec(`select pgque.set_queue_config('q', 'max_retries', null)`)
	e.fails("PQ007", `select pgque.create_queue('x', '{"max_retries": -1}')`)
	e.fails("PQ007", `select pgque.create_queue('x', '[]')`)
	if e.int(`select pgque.create_queue('x', '{"max_retries": 1, "ticker_max_lag": "10 ms"}')`) != 1 ||
		e.int(`select pgque.create_queue('x', '{"max_retries": 2}')`) != 0 || e.int(`select queue_max_retries from pgque.queue where queue_name = 'x'`) != 1 {
		t.Error("create_queue with options")
	}
}

func TestEngineTicker_PausedAndExternalQueues(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.send('q', '1'), pgque.pause_queue('q')`)
	e.fails("PQ011", `select pgque.ticker('q')`)
	e.fails("PQ011", `select pgque.force_tick('q')`)
	e.isNull(`select pgque.tick_queue('q')`)
	if e.int(`select pgque.ticker()`) != 0 {
		t.Error("a paused queue ticked")
	}
	e.exec(`select pgque.resume_queue('q')`)
	e.fails("PQ011", `select pgque.ticker('q', 10, now(), 5)`)
	e.exec(`select pgque.set_queue_config('q', 'external_ticker', 'true')`)
	e.fails("PQ011", `select pgque.ticker('q')`)
	if e.int(`select pgque.ticker('q', 10, now(), 5)`) != 10 {
		t.Error("external tick")
	}
	e.fails("PQ009", `select pgque.ticker('q', 10, now(), 5)`)
	e.fails("PQ009", `select pgque.ticker('q', 11, now(), 4)`)
	e.expect(e.drain("q", "c", 10), "1")
}

func TestEngineTicker_FollowsItsSettings(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.set_queue_config('q', 'ticker_max_lag', '1 hour'), pgque.set_queue_config('q', 'ticker_max_count', '3')`)
	e.exec(`select pgque.send_batch('q', array['1', '2'])`)
	e.isNull(`select pgque.ticker('q')`)
	e.exec(`select pgque.send('q', '3')`)
	if e.int(`select pgque.ticker('q')`) != 2 {
		t.Error("three events are enough")
	}
	e.exec(`select pgque.set_queue_config('q', 'ticker_max_lag', '0')`)
	e.exec(`select pgque.send('q', '4')`)
	if e.int(`select pgque.ticker('q')`) != 3 {
		t.Error("no lag is allowed")
	}
}

func TestEngineSubscribe_Positions(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, payload := range numbers(3) {
		e.exec(`select pgque.send('q', $1::text)`, payload)
		e.tick("q")
	}
	e.expect(payloads(e.receive("q", "c", 10)), "1")
	if e.int(`select pgque.register_consumer_at('q', 'new', 2)`) != 1 || e.int(`select pgque.register_consumer_at('q', 'c', 3)`) != 0 {
		t.Error("register_consumer_at")
	}
	e.expect(e.drain("q", "new", 10), "2", "3")
	e.expect(e.drain("q", "c", 10), "3")
	e.fails("PQ009", `select pgque.register_consumer_at('q', 'c', 99)`)
	if e.int(`select pgque.unregister_consumer('q', 'new')`) != 1 || e.int(`select pgque.unregister_consumer('q', 'new')`) != 0 {
		t.Error("unregister_consumer")
	}
	e.fails("PQ002", `select pgque.receive('q', 'new')`)
}

func TestEngineNextBatchCustom_WaitsForItsWishes(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for _, payload := range numbers(3) {
		e.exec(`select pgque.send('q', $1::text)`, payload)
		e.tick("q")
	}
	e.isNull(`select batch_id from pgque.next_batch_custom('q', 'c', null, 4, null)`)
	e.isNull(`select batch_id from pgque.next_batch_custom('q', 'c', '1 hour', null, null)`)
	e.isNull(`select batch_id from pgque.next_batch_custom('q', 'c', null, null, '1 hour')`)
	batch := e.int(`select batch_id from pgque.next_batch_custom('q', 'c', null, 2, null)`)
	if e.int(`select count(*) from pgque.get_batch_events($1)`, batch) != 2 {
		t.Error("two events were wished for")
	}
	e.exec(`begin`)
	for range 2 {
		if e.int(`select count(*) from pgque.get_batch_cursor($1, 'cur', 1)`, batch) != 1 || e.int(`select count(*) from pgque.get_batch_cursor($1, 'cur', 5, 'ev_id > 1')`, batch) != 1 {
			t.Error("get_batch_cursor")
		}
	}
	e.exec(`commit`)
	e.exec(`select pgque.finish_batch($1)`, batch)
}

func TestEngineDropQueue_NeedsForceAndLeavesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	before := e.int(`select count(*) from pg_class where relnamespace = 'pgque'::regnamespace`)
	e.deadLetter("1")
	e.fails("PQ010", `select pgque.drop_queue('q')`)
	e.fails("PQ001", `select pgque.drop_queue('none', true)`)
	other := e.newSession()
	other.exec(`begin; select pgque.subscribe('q', 'late')`)
	e.fails("40001", `select pgque.drop_queue('q', true)`)
	other.exec(`rollback`)
	e.exec(`select pgque.drop_queue('q', true)`)
	if e.int(`select count(*) from pgque.consumer`)+e.int(`select count(*) from pgque.dead_letter`)+e.int(`select count(*) from pgque.tick`) != 0 {
		t.Error("something is left")
	}
	e.exec(`select pgque.create_queue('q')`)
	if after := e.int(`select count(*) from pg_class where relnamespace = 'pgque'::regnamespace`); after != before {
		t.Errorf("%d relations, then %d", before, after)
	}
}

func TestEngineLifecycle_WithoutAScheduler(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.fails("PQ016", `select pgque.start()`)
	e.fails("PQ016", `select pgque.start_timetable()`)
	e.exec(`select pgque.stop(), pgque.stop_timetable()`)
	for _, bad := range []string{"0", "3", "1001", "null"} {
		e.fails("PQ009", `select pgque.set_tick_period_ms(`+bad+`)`)
	}
	e.exec(`select pgque.set_tick_period_ms(500)`)
	e.exec(`select pgque.send('q', '1'), pgque.set_queue_config('q', 'ticker_max_lag', '0')`)
	e.exec(`call pgque.ticker_loop()`)
	e.expect(e.drain("q", "c", 10), "1")
	e.exec(`select * from pgque.maint_operations(), pgque.maint_tables_to_vacuum()`)
}

func TestEngineUninstall_LeavesNothing(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.uninstall()`)
	e.isNull(`select to_regnamespace('pgque')::text`)
	mustInstall(t, e.conn)
	e.exec(`select pgque.create_queue('q')`)
}

// installScheduler: pg_cron needs a server configured for it; a stand-in shows what start()
// and stop() ask of it.
func (e *engineTest) installScheduler() {
	e.t.Helper()
	e.exec(`
		create schema cron;
		create table cron.job (jobid bigserial, jobname text, schedule text, command text);
		create function cron.schedule(text, text, text) returns bigint language sql as
			'insert into cron.job (jobname, schedule, command) values ($1, $2, $3) returning jobid';
		create function cron.unschedule(bigint) returns boolean language sql as
			'delete from cron.job where jobid = $1 returning true'`)
	e.exec(`insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
		values (99999, 'pg_cron', 10, 'cron'::regnamespace, false, '1.6')`)
}

func TestEngineLifecycle_WithAScheduler(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.installScheduler()
	e.exec(`select pgque.start(); select pgque.start()`)
	jobs := e.lines(`select command from cron.job`)
	if len(jobs) != 2 {
		t.Errorf("%d jobs", len(jobs))
	}
	for _, command := range jobs { // each has to be one statement, or it could not commit
		e.exec(command)
	}
	e.exec(`select pgque.stop(); select pgque.stop()`)
	if n := e.int(`select count(*) from cron.job`); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// An alarm is for those who wait. A queue at rest has no recent tick either.
func TestEngineStatus_IsAnAlarmWhenSomebodyWaits(t *testing.T) {
	t.Parallel()
	const anHourAgo = `update pgque.tick set tick_time = tick_time - interval '1 hour'; update pgque.event_1 set ev_time = ev_time - interval '1 hour';
		update pgque.retry_queue set ev_retry_after = ev_retry_after - interval '1 hour'; update pgque.delayed set de_deliver_at = de_deliver_at - interval '1 hour'`
	const longPastRotation = `update pgque.queue set queue_switch_time = clock_timestamp() - interval '5 hours'`
	for name, test := range map[string]struct {
		steps       []string
		ticker      string
		maintenance string
	}{
		"nothing to tick": {[]string{anHourAgo, longPastRotation}, "ok", "ok"},
		"nobody to read":  {[]string{`select pgque.unsubscribe('q', 'c'), pgque.send('q', '1')`, anHourAgo}, "ok", "ok"},
		"sent just now":   {[]string{anHourAgo, `select pgque.send('q', '1')`}, "ok", "ok"},
		"sent in vain":    {[]string{`begin; select pgque.send('q', '1'); rollback`, anHourAgo}, "ok", "ok"},
		"may wait":        {[]string{`select pgque.set_queue_config('q', 'ticker_max_lag', '2 hours'), pgque.send('q', '1')`, anHourAgo}, "ok", "ok"},
		"paused":          {[]string{`select pgque.pause_queue('q'), pgque.send('q', '1')`, anHourAgo}, "ok", "ok"},
		"sent":            {[]string{`select pgque.send('q', '1')`, anHourAgo}, "stopped", "ok"},
		"all was ticked":  {[]string{`select pgque.send('q', '1')`, `select pgque.tick_queue('q')`, anHourAgo}, "ok", "ok"},
		"put back": {[]string{`select pgque.send('q', '1')`, `select pgque.tick_queue('q')`,
			`select pgque.nack(batch_id, m, '0') from pgque.receive('q', 'c') m`, anHourAgo}, "ok", "overdue"},
		"put back just now": {[]string{`select pgque.send('q', '1')`, `select pgque.tick_queue('q')`, anHourAgo,
			`select pgque.nack(batch_id, m, '0') from pgque.receive('q', 'c') m`}, "ok", "ok"},
		"for later":    {[]string{`select pgque.send_at('q', 't', '1'::text, clock_timestamp() + interval '10 minutes')`, anHourAgo}, "ok", "overdue"},
		"not rotating": {[]string{longPastRotation, `select pgque.send('q', '1')`}, "ok", "overdue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			for _, step := range test.steps {
				e.exec(step)
			}
			e.expectStatus(test.ticker, test.maintenance)
		})
	}
}

// The sequence does not tell of an event whose id was drawn before the last tick.
func TestEngineStatus_SeesWhatWasCommittedAfterTheLastTick(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	sender := e.newSession()
	sender.exec(`begin; select pgque.send('q', '1')`)
	e.tick("q")
	sender.exec(`commit`)
	e.exec(`update pgque.tick set tick_time = tick_time - interval '1 hour'; update pgque.event_1 set ev_time = ev_time - interval '1 hour'`)
	e.expectStatus("stopped", "ok")
	e.tick("q")
	e.expectStatus("ok", "ok")
}

func (s *session) expectStatus(ticker, maintenance string) {
	s.t.Helper()
	got := s.lines(`select component || ': ' || status from pgque.status() where component in ('ticker', 'maintenance') order by component desc`)
	s.expect(got, "ticker: "+ticker, "maintenance: "+maintenance)
}
