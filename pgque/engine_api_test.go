package pgque_test

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed testdata/api.txt
var documentedAPI string

// Programs call these functions by the names of their arguments, and read their columns.
func TestEngineAPI_IsAsDocumented(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	got := e.lines(`
		select format('%s %s(%s) %s',
			coalesce(nullif(concat(case when has_function_privilege('pgque_reader', oid, 'execute') then 'r' end,
				case when has_function_privilege('pgque_writer', oid, 'execute') then 'w' end,
				case when has_function_privilege('pgque_admin', oid, 'execute') then 'a' end), ''), '-'),
			proname, pg_get_function_arguments(oid), coalesce(pg_get_function_result(oid), 'procedure'))
		from pg_proc where pronamespace = 'pgque'::regnamespace`)
	for line := range strings.Lines(documentedAPI) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !slices.Contains(got, line) {
			t.Errorf("there is no %s", line)
		}
	}
}

// Monitoring queries read the tables.
func TestEngineAPI_TablesHaveTheirColumns(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	for table, columns := range map[string]string{
		"consumer":     "co_id, co_name",
		"subscription": "sub_id, sub_queue, sub_consumer, sub_last_tick, sub_active, sub_batch, sub_next_tick, sub_role",
		"queue": `queue_id, queue_name, queue_ntables, queue_cur_table, queue_rotation_period, queue_switch_step1, queue_switch_step2, queue_switch_time,
			queue_external_ticker, queue_disable_insert, queue_ticker_paused, queue_ticker_max_count, queue_ticker_max_lag, queue_ticker_idle_period,
			queue_data_pfx, queue_event_seq, queue_tick_seq, queue_extra_maint, queue_max_retries`,
		"tick":                  "tick_queue, tick_id, tick_time, tick_snapshot, tick_event_seq",
		"event_template":        "ev_id, ev_time, ev_txid, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4",
		"event_1":               "ev_id, ev_time, ev_txid, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4",
		"retry_queue":           "ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra4",
		"dead_letter":           "dl_id, dl_queue_id, dl_consumer_id, dl_time, dl_reason, ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra4",
		"config":                "singleton, ticker_job_id, maint_job_id, scheduler, tick_period_ms, installed_at",
		"partition_consumer":    "queue_id, co_name, n",
		"partition_slot":        "queue_id, co_name, slot, lease_owner, lease_until, lease_ttl, epoch",
		"idem":                  "queue_id, idem_key, event_id, expires_at",
		"partition_slot_status": `queue_name, consumer, slot, n, subscribed, lease_owner, lease_until, epoch, last_tick, pending_events`,
	} {
		e.exec(fmt.Sprintf(`select %s from pgque.%s limit 0`, columns, table))
	}
}

// Programs tell errors apart by these texts.
func TestEngineAPI_ErrorsSayWhatTheyAlwaysSaid(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.create_queue('closed'), pgque.register_subconsumer('q', 'group', 'a'), pgque.pause_queue('closed')`)
	e.exec(`update pgque.queue set queue_disable_insert = true where queue_name = 'closed'`)
	e.exec(`select pgque.send('q', '1')`)
	e.tick("q")
	batch := e.receive("q", "c", 1)[0].Batch
	const message = `row(77, null, null, null, null, null, null, null, null, null)::pgque.message`
	for call, text := range map[string]string{
		`pgque.send('none', '1')`:                               "queue not found: none",
		`pgque.receive('none', 'c')`:                            "queue not found: none",
		`pgque.receive('q', 'none')`:                            "not subscriber to queue",
		`pgque.send_batch('q', null::text[])`:                   "payloads must not be null",
		`pgque.send('closed', '1')`:                             "Insert into queue disallowed",
		`pgque.send_idem('q', 't', '1', null)`:                  "idem_key must not be null",
		`pgque.nack(77, ` + message + `)`:                       "batch not found",
		fmt.Sprintf(`pgque.nack(%d, %s)`, batch, message):       fmt.Sprintf("msg_id 77 not found in batch %d", batch),
		`pgque.dlq_replay(77)`:                                  "dead letter entry not found: 77",
		`pgque.unregister_subconsumer('q', 'group', 'a', 2)`:    "unsupported batch_handling value",
		`pgque.register_subconsumer('q', 'c', 'a', true)`:       "cannot convert active normal consumer",
		`pgque.register_subconsumer('q', 'c', 'a')`:             "consumer c on queue q is already a normal consumer",
		`pgque.receive('q', 'c', 0)`:                            "max_return must be >= 1",
		`pgque.receive('q', 'group')`:                           "cooperative main consumer",
		`pgque.receive('q', 'group.a')`:                         "cooperative subconsumer",
		`pgque.ticker('closed')`:                                "paused",
		`pgque.ticker('q', 1, now(), 1)`:                        "external",
		`pgque.register_consumer_at('q', 'c', 77)`:              "tick_id",
		`pgque.set_queue_config('q', 'max_retries', '-1')`:      "max_retries must be >= 0",
		`pgque.receive_partitioned('q', 'c', 0, 1, 'w')`:        "not a partitioned consumer",
		`pgque.set_tick_period_ms(7)`:                           "ticks_per_second",
		`pgque.start()`:                                         "PgQue itself works without pg_cron",
		`pgque.create_queue(repeat('x', 58))`:                   "queue name too long",
		`pgque.set_queue_config('q', 'ticker_max_lag', '-1 s')`: "ticker_max_lag",
		fmt.Sprintf(`pgque.event_retry(%d, 77, 0)`, batch):      "event not found",
		`pgque.event_retry_raw('q', 'none', now(), null, null, null, null, null, null, null, null, null)`: "not subscriber to queue",
	} {
		_, err := e.conn.Exec(t.Context(), `select `+call)
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || !strings.Contains(strings.ToLower(pgErr.Message), strings.ToLower(text)) || !strings.HasPrefix(pgErr.Code, "PQ") {
			t.Errorf("expected %q, got %v\n%s", text, err, call)
		}
	}
}

// Whatever function is called with nothing but nulls answers, or refuses with a code of
// the engine's own, and changes nothing.
func TestEngineAPI_NullsAreRefusedOrHarmless(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	const state = `select (select string_agg(q::text, '') from pgque.queue q) || (select string_agg(s::text, '') from pgque.subscription s)
		|| (select count(*) from pgque.event_template) || (select count(*) from pgque.retry_queue) || (select string_agg(c::text, '') from pgque.config c)`
	before := query1[string](t, e.conn, state)
	calls := e.lines(`
		select format('select pgque.%I(%s)', proname, (select string_agg('null::' || format_type(type, null), ', ' order by place)
			from unnest(proargtypes::oid[]) with ordinality as a(type, place)))
		from pg_proc
		where pronamespace = 'pgque'::regnamespace and prokind = 'f' and pronargs > 0 and prorettype <> 'trigger'::regtype
		  and (has_function_privilege('pgque_admin', oid, 'execute') or proname = 'insert_event_bulk') and proname not like 'triga\_%'`)
	if len(calls) < 90 { // without the helpers of triggers
		t.Errorf("only %d functions", len(calls))
	}
	for _, call := range calls {
		_, err := e.conn.Exec(t.Context(), call)
		var pgErr *pgconn.PgError
		if err != nil && (!errors.As(err, &pgErr) || !strings.HasPrefix(pgErr.Code, "PQ")) {
			t.Errorf("%v\n%s", err, call)
		}
	}
	if after := query1[string](t, e.conn, state); after != before {
		t.Errorf("%s\nbecame\n%s", before, after)
	}
}

//go:embed testdata/odd_arguments.sql
var oddArguments string

// What a function cannot work with it refuses by a code of the engine's own, and what it
// accepts keeps nobody else from working.
func TestEngineAPI_OddArgumentsAreRefusedOrHarmless(t *testing.T) {
	t.Parallel()
	for state, prepare := range map[string]string{
		"batches are open": `select pgque.receive('q', 'c', 5), pgque.receive_coop('q', 'g', 'm', 5), pgque.receive_partitioned('q', 'parts', 0, 2, 'w', 5)`,
		"batches wait":     `select pgque.receive_coop('q', 'g', 'other', 5)`,
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			e := newEngineTest(t)
			e.exec(`select pgque.register_subconsumer('q', 'g', 'm'), pgque.subscribe_partitioned('q', 'parts', 2), pgque.claim_slot('q', 'parts', 0, 'w')`)
			e.deadLetter("dead")
			e.exec(`select pgque.create_queue('outside', '{"external_ticker": true}')`)
			e.exec(`select pgque.send_at('q', 't', 'later'::text, now() + interval '1 hour'), pgque.send_idem('q', 't', '1', 'key')`)
			e.exec(`select pgque.send_batch('q', array(select g::text from generate_series(1, 10) g))`)
			e.tick("q")
			e.exec(prepare)
			admin := e.roles()["admin"]
			admin.exec(`set client_min_messages = error`)
			admin.exec(oddArguments)
			admin.exec(`call pg_temp.try_odd_arguments()`)
			for _, line := range admin.lines(`select line from wrong limit 20`) {
				t.Error(line)
			}
		})
	}
}

func TestEngineEventRetryRaw_IsForItsConsumerOnly(t *testing.T) {
	t.Parallel()
	e := newEngineTest(t)
	e.exec(`select pgque.subscribe('q', 'other')`)
	const raw = `select pgque.event_retry_raw('q', 'c', now(), $1, null, 3, 't', $2, null, null, null, null)`
	id := e.int(raw, nil, "first")
	if again := e.int(raw, id, "second"); again != id {
		t.Errorf("ids %d and %d", id, again)
	}
	e.exec(`select pgque.maint()`)
	e.tick("q")
	page := e.receive("q", "c", 10)
	e.expect(payloads(page), "first")
	if page[0].ID != id || page[0].Retry == nil || *page[0].Retry != 3 {
		t.Errorf("%+v", page[0])
	}
	e.expect(e.drain("q", "other", 10))
	for _, never := range []string{"null", "'infinity'"} {
		e.fails("PQ009", `select pgque.event_retry_raw('q', 'c', `+never+`, null, null, null, null, null, null, null, null, null)`)
		e.fails("PQ009", `select pgque.event_retry($1, $2, `+never+`::timestamptz)`, page[0].Batch, id)
	}
}
