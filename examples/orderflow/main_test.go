package main

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestRun_DoesNotTouchQueuesOfOthers(t *testing.T) {
	t.Parallel()
	client := pgquetest.New(t)
	if err := client.CreateQueue(t.Context(), "payments"); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	code := run(t.Context(), []string{"-dsn", client.Pool().Config().ConnString()}, &out, &errs)
	if code != 1 || !strings.Contains(errs.String(), `"payments" already`) {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	queues, err := client.Queues(t.Context())
	if err != nil || len(queues) != 1 {
		t.Errorf("the queues are now: %v, %v", queues, err)
	}
}

func TestRun_RefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-rate", "0"}, "-rate is 0"},
		{[]string{"-rate", "NaN"}, "-rate is NaN"},
		{[]string{"-duration", "-1s"}, "-duration is -1s"},
		{[]string{"now"}, `unexpected argument "now"`},
		{[]string{"-colour"}, "not defined: -colour"},
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), c.args, &out, &errs); code != 2 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: exit code %d: %s", c.args, code, &errs)
		}
	}
}
