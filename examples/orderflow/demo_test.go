package main

import (
	"context"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestRun_TotalsAddUp(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	args := []string{"-dsn", pgquetest.NewDatabase(t), "-duration", "2s", "-rate", "50"}
	if code := run(t.Context(), args, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s\n%s", code, &errs, &out)
	}
	for _, text := range []string{
		"refused: order.created: /lines/0/quantity: 0 is less than 1",
		"it is tried again",
		"dead letter: mail for o-40, attempt 3: the mailbox is full",
		" sent x 3 = ",
		"everything adds up",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the output lacks %q:\n%s", text, &out)
		}
	}
}

func TestRun_InterruptedEndsTheSameWay(t *testing.T) {
	t.Parallel()
	client := pgquetest.New(t)
	ctx, interrupt := context.WithCancel(t.Context())
	out := &signalling{at: "sent", then: interrupt}
	var errs strings.Builder
	args := []string{"-dsn", client.Pool().Config().ConnString(), "-duration", "10m"}
	if code := run(ctx, args, out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s\n%s", code, &errs, &out.Builder)
	}
	if !strings.Contains(out.String(), "everything adds up") {
		t.Errorf("no totals:\n%s", &out.Builder)
	}
	queues, err := client.Queues(t.Context())
	if err != nil || len(queues) > 0 {
		t.Errorf("queues left behind: %v, %v", queues, err)
	}
}

// signalling is an output that calls then when a text has been written to it.
type signalling struct {
	strings.Builder
	at   string
	then func()
}

func (s *signalling) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.at) {
		s.then()
	}
	return s.Builder.Write(p)
}
