package main

import (
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestDoctor_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	dsn := dsnOf(c)
	must(t, dsn, "queue", "create", "orders")
	wantText(t, must(t, dsn, "doctor"), "COMPONENT", "ticker ", " ok ")
	must(t, dsn, "consumer", "add", "orders", "billing")
	send(t, c, "orders")
	ageTicks(t, c)
	wantText(t, must(t, dsn, "doctor"), " ok ")
	if _, err := c.Pool().Exec(t.Context(), "update pgque.event_1_0 set ev_time = ev_time - interval '1 hour'"); err != nil {
		t.Fatal(err)
	}
	r := runWith(t.Context(), "doctor", "-dsn", dsn)
	if r.code != exitFailed {
		t.Errorf("exit %d", r.code)
	}
	wantText(t, r.stdout, "stopped")
	wantText(t, r.stderr, "something is wrong")
}

func TestDoctor_RepairsQueuesOfAnotherServer(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	dsn := dsnOf(c)
	must(t, dsn, "queue", "create", "orders")
	if _, err := c.Pool().Exec(t.Context(), "update pgque.tick set tick_snapshot = '99999999:99999999:'"); err != nil {
		t.Fatal(err)
	}
	r := runWith(t.Context(), "doctor", "-dsn", dsn)
	if r.code != exitFailed {
		t.Errorf("exit %d", r.code)
	}
	wantText(t, r.stdout, "restored from elsewhere")
	wantText(t, must(t, dsn, "doctor", "-repair"), "1 queues mended", " ok ")
	var findings []findingReport
	decode(t, must(t, dsn, "doctor", "-json", "-repair"), &findings)
	if len(findings) == 0 || findings[0].Component != "postgresql" {
		t.Errorf("findings: %+v", findings)
	}
}
