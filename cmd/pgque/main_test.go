package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// result is what a shell sees of one run.
type result struct {
	code           int
	stdout, stderr string
}

func runWith(ctx context.Context, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// must runs a command that has to work, and returns its output.
func must(t *testing.T, dsn string, args ...string) string {
	t.Helper()
	r := runWith(t.Context(), append([]string{"-dsn", dsn}, args...)...)
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("pgque %s: exit %d, stderr: %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// mustFail runs a command that has to fail, and returns what it says.
func mustFail(t *testing.T, code int, args ...string) string {
	t.Helper()
	r := runWith(t.Context(), args...)
	if r.code != code {
		t.Errorf("pgque %s: exit %d, want %d; stderr: %s", strings.Join(args, " "), r.code, code, r.stderr)
	}
	if r.stdout != "" {
		t.Errorf("pgque %s fails, but prints %q", strings.Join(args, " "), r.stdout)
	}
	return r.stderr
}

func wantText(t *testing.T, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
}

func dsnOf(c *pgque.Client) string { return c.Pool().Config().ConnString() }

func TestInstall_OnceAndAgain(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	wantText(t, must(t, dsn, "version"), `"pgque install"`)
	wantText(t, must(t, dsn, "install"), "engine ", " installed\n")
	must(t, dsn, "queue", "create", "orders")
	wantText(t, must(t, dsn, "install"), "already")
	wantText(t, must(t, dsn, "queue", "list"), "orders")
	wantText(t, must(t, dsn, "version"), "pgque ", "engine "+pgque.Version+" in the database")
}

func TestInstall_LeavesAForeignSchemaAlone(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	if _, err := c.Pool().Exec(t.Context(), "drop schema pgque cascade; create schema pgque; create table pgque.mine (id int)"); err != nil {
		t.Fatal(err)
	}
	wantText(t, mustFail(t, exitFailed, "install", "-dsn", dsnOf(c)), "pgque", "left as it is")
	if _, err := c.Pool().Exec(t.Context(), "select id from pgque.mine"); err != nil {
		t.Error(err)
	}
}

func TestInstall_UpgradesAndNeverGoesBack(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	setVersion(t, c, "0.0.1")
	wantText(t, must(t, dsnOf(c), "install"), "upgraded from 0.0.1 to "+pgque.Version)
	setVersion(t, c, "9999.0.0")
	wantText(t, mustFail(t, exitFailed, "install", "-dsn", dsnOf(c)), "9999.0.0", pgque.Version, "update the program")
}

func TestUninstall_OnlyWhenToldSo(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(pgquetest.New(t))
	wantText(t, mustFail(t, exitUsage, "uninstall", "-dsn", dsn), "-yes")
	must(t, dsn, "queue", "create", "orders")
	wantText(t, must(t, dsn, "uninstall", "-yes"), "engine "+pgque.Version+" removed")
	wantText(t, must(t, dsn, "uninstall", "-yes"), "no engine")
	wantText(t, must(t, dsn, "install"), "engine ", " installed\n")
}

func setVersion(t *testing.T, c *pgque.Client, version string) {
	t.Helper()
	if _, err := c.Pool().Exec(t.Context(), "update pgque.config set engine_version = $1", version); err != nil {
		t.Fatal(err)
	}
}

func TestVersion_NeedsNoDatabase(t *testing.T) {
	t.Setenv(dsnEnv, "")
	for _, version := range []string{"version", "-version", "--version"} {
		r := runWith(t.Context(), version)
		if r.code != exitOK || !strings.HasPrefix(r.stdout, "pgque ") {
			t.Errorf("%s: exit %d, %q", version, r.code, r.stdout)
		}
	}
}

func TestDSN_ComesFromTheEnvironment(t *testing.T) {
	t.Setenv(dsnEnv, dsnOf(pgquetest.New(t)))
	if r := runWith(t.Context(), "queue", "create", "orders"); r.code != exitOK {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}

func TestNoDSN_IsWrongUsage(t *testing.T) {
	t.Setenv(dsnEnv, "")
	wantText(t, mustFail(t, exitUsage, "status"), "-dsn", dsnEnv)
}

func TestCommandsSayThatTheEngineIsMissing(t *testing.T) {
	t.Parallel()
	dsn := pgquetest.NewDatabase(t)
	for _, args := range [][]string{{"status"}, {"queue", "list"}, {"queue", "create", "q"}, {"queue", "drop", "q"}, {"ticker"}} {
		wantText(t, mustFail(t, exitFailed, append(args, "-dsn", dsn)...), "pgque install")
	}
}

func TestServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for dsn, advice := range map[string]string{
		"host=127.0.0.1 port=1": "check that the server runs",
		"nonsense":              "is to look like " + dsnExample,
		"postgres://%zz":        "is to look like " + dsnExample,
	} {
		wantText(t, mustFail(t, exitFailed, "status", "-dsn", dsn), "pgque: ", advice)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := runWith(ctx, "status", "-dsn", dsnOf(pgquetest.New(t)))
	if r.code != exitFailed || r.stderr != "pgque: interrupted\n" {
		t.Errorf("exit %d, stderr %q", r.code, r.stderr)
	}
}

func TestQueues_AreCreatedListedAndDropped(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(pgquetest.New(t))
	wantText(t, must(t, dsn, "queue", "list"), "no queues", "pgque queue create")
	wantText(t, must(t, dsn, "queue", "create", "orders", "payments"), `"orders" created`, `"payments" created`)
	wantText(t, must(t, dsn, "queue", "create", "orders"), `"orders" exists already`)
	wantText(t, must(t, dsn, "queue", "list"), "QUEUE", "\norders ", "\npayments ")
	wantText(t, must(t, dsn, "queue", "drop", "orders"), `"orders" dropped`)
	var left []queueReport
	decode(t, must(t, dsn, "queue", "list", "-json"), &left)
	if len(left) != 1 || left[0].Queue != "payments" || left[0].RotationPeriodSeconds <= 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestQueues_ArePausedResumedAndSet(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(pgquetest.New(t))
	must(t, dsn, "queue", "create", "orders")
	wantText(t, must(t, dsn, "queue", "pause", "orders"), `"orders" paused`)
	wantText(t, must(t, dsn, "status"), " paused ")
	wantText(t, must(t, dsn, "queue", "resume", "orders"), `"orders" resumed`)
	wantText(t, must(t, dsn, "queue", "set", "orders", "rotation_period", "4 hours"), "rotation_period")
	wantText(t, must(t, dsn, "queue", "list"), "4h0m")
	wantText(t, mustFail(t, exitFailed, "-dsn", dsn, "queue", "set", "orders", "colour", "red"), "colour", "pgque help queue set")
	wantText(t, runWith(t.Context(), "help", "queue", "set").stdout, "max_retries", "rotation_period")
}

func TestQueueList_EmptyJSONIsAnEmptyList(t *testing.T) {
	t.Parallel()
	if out := must(t, dsnOf(pgquetest.New(t)), "queue", "list", "-json"); out != "[]\n" {
		t.Errorf("output %q", out)
	}
}

func TestQueueDrop_WithConsumersNeedsForce(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	dsn := dsnOf(c)
	must(t, dsn, "queue", "create", "orders")
	if err := c.Subscribe(t.Context(), "orders", "billing"); err != nil {
		t.Fatal(err)
	}
	wantText(t, mustFail(t, exitFailed, "-dsn", dsn, "queue", "drop", "orders"), "orders", "-force")
	wantText(t, must(t, dsn, "queue", "list"), "orders")
	wantText(t, must(t, dsn, "queue", "drop", "orders", "-force"), "dropped")
	wantText(t, must(t, dsn, "queue", "list"), "no queues")
}

func TestQueueDrop_OfNoQueue(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(pgquetest.New(t))
	wantText(t, mustFail(t, exitFailed, "queue", "drop", "-dsn", dsn, "orders"), "orders", "pgque queue list")
}

func TestStatus_ShowsQueuesAndConsumers(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	dsn := dsnOf(c)
	wantText(t, must(t, dsn, "status"), "engine ", "PostgreSQL ", "no queues")
	must(t, dsn, "queue", "create", "orders")
	wantText(t, must(t, dsn, "status"), "orders ", " idle ", "no consumers")
	if err := c.Subscribe(t.Context(), "orders", "billing"); err != nil {
		t.Fatal(err)
	}
	send(t, c, "orders")
	pgquetest.Tick(t, c, "orders")
	batch, err := c.Receive(t.Context(), "orders", "billing", 10)
	if err != nil || len(batch) != 1 {
		t.Fatalf("received %d messages, error %v", len(batch), err)
	}
	wantText(t, must(t, dsn, "status"), "CONSUMER", "billing ")
	var r statusReport
	decode(t, must(t, dsn, "-dsn", dsn, "status", "-json"), &r)
	if len(r.Consumers) != 1 || r.Consumers[0].Consumer != "billing" || r.Consumers[0].Batch != batch[0].BatchID {
		t.Errorf("consumers: %+v, want billing with batch %d", r.Consumers, batch[0].BatchID)
	}
	if len(r.Queues) != 1 || r.Queues[0].Queue != "orders" || r.Queues[0].LastTick == 0 {
		t.Errorf("queues: %+v", r.Queues)
	}
}

func TestStatus_SeesThatNobodyTicks(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	waiting(t, c)
	wantText(t, must(t, dsnOf(c), "status"), "NOBODY IS TICKING orders", "pgque ticker", " nobody ")
}

func TestStatus_SeesThatSomebodyTicks(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	waiting(t, c)
	stop := startTicker(t, dsnOf(c))
	defer stop()
	wantText(t, must(t, dsnOf(c), "status"), "somebody is ticking", " yes ")
}

func TestStatus_QueueThatNeedsNoTick(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	dsn := dsnOf(c)
	must(t, dsn, "queue", "create", "orders", "halted", "copied", "unread")
	ageTicks(t, c)
	send(t, c, "unread")
	for queue, parameter := range map[string]string{"halted": "ticker_paused", "copied": "external_ticker"} {
		if err := c.SetQueueConfig(t.Context(), queue, parameter, "true"); err != nil {
			t.Fatal(err)
		}
	}
	wantText(t, must(t, dsn, "status"), "no queue needs a tick", " idle ", " paused ", " external ")
}

func TestTicker_MakesEventsReceivableAndEndsWell(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	must(t, dsnOf(c), "queue", "create", "orders")
	if err := c.Subscribe(t.Context(), "orders", "billing"); err != nil {
		t.Fatal(err)
	}
	first, second := startTicker(t, dsnOf(c)), startTicker(t, dsnOf(c))
	send(t, c, "orders")
	waitFor(t, "the event to arrive", func() bool {
		batch, err := c.Receive(t.Context(), "orders", "billing", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(batch) == 1
	})
	for _, r := range []result{first(), second()} {
		if r.code != exitOK || !strings.Contains(r.stderr, "stopped") {
			t.Errorf("exit %d, stderr %q", r.code, r.stderr)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"bogus", `"bogus"`},
		{"queue", "list, create, set, pause, resume, drop"},
		{"queue set orders rotation_period", "NAME PARAMETER VALUE"},
		{"consumer seek orders billing soon", "soon"},
		{"consumer replay orders billing -since=-2h", "-2h"},
		{"consumer replay orders billing", "-since"},
		{"queue lose orders", `"queue lose"`},
		{"queue create", "NAME is missing"},
		{"queue drop -force", "NAME is missing"},
		{"status everything", `"everything"`},
		{"status -force", "-force"},
		{"queue list -jso", "-jso"},
		{"ticker -interval soon", "soon"},
		{"ticker -interval 0s", "more than 0"},
		{"-dsn", "-dsn"},
		{"-dsn host=127.0.0.1", "command is missing"},
		{"help queue lose", `"queue lose"`},
		{"help status now", `"status now"`},
	} {
		wantText(t, mustFail(t, exitUsage, strings.Fields(c.line)...), c.want, "pgque help")
	}
	wantText(t, mustFail(t, exitUsage, "queue", "create", ""), "empty")
}

func TestHelp_DescribesEveryCommand(t *testing.T) {
	t.Parallel()
	all := runWith(t.Context(), "help")
	for _, args := range [][]string{nil, {"-h"}, {"--help"}} {
		if r := runWith(t.Context(), args...); r != all {
			t.Errorf("pgque %v differs from pgque help: %+v", args, r)
		}
	}
	if family := runWith(t.Context(), "help", "queue"); family.code != exitOK || !strings.Contains(family.stdout, "queue pause NAME") {
		t.Errorf("help queue: %+v", family)
	}
	for _, c := range commands() {
		wantText(t, all.stdout, "  "+c.name, c.summary)
		words := strings.Fields(c.name)
		one := runWith(t.Context(), append([]string{"help"}, words...)...)
		if one.code != exitOK || !strings.HasPrefix(one.stdout, "Usage: pgque "+c.name) {
			t.Errorf("help %s: %+v", c.name, one)
		}
		if flag := runWith(t.Context(), append(words, "-h")...); flag != one && c.name != "help" {
			t.Errorf("%s -h differs from help %s: %+v", c.name, c.name, flag)
		}
	}
}

// startTicker runs "pgque ticker" until the function that it returns is called.
func startTicker(t *testing.T, dsn string) (stop func() result) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan result, 1)
	go func() { ended <- runWith(ctx, "ticker", "-dsn", dsn, "-interval", "10ms") }()
	stop = sync.OnceValue(func() result {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	return stop
}

// waiting leaves an event for a consumer on a queue whose last tick is an hour old.
func waiting(t *testing.T, c *pgque.Client) {
	t.Helper()
	must(t, dsnOf(c), "queue", "create", "orders")
	must(t, dsnOf(c), "consumer", "add", "orders", "billing")
	ageTicks(t, c)
	send(t, c, "orders")
}

func ageTicks(t *testing.T, c *pgque.Client) {
	t.Helper()
	if _, err := c.Pool().Exec(t.Context(), "update pgque.tick set tick_time = tick_time - interval '1 hour'"); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, c *pgque.Client, queue string) {
	t.Helper()
	if _, err := c.Send(t.Context(), queue, pgque.Event{Type: "order.created"}); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
