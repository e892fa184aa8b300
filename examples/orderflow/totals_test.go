package main

import (
	"strings"
	"testing"
)

func TestCheck_NamesWhatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	sent := map[string]int{"order.created": 10}
	for _, c := range []struct {
		name          string
		handled, dead int
		placed        int
		want          string
	}{
		{"all well", 9, 1, 10, ""},
		{"lost", 9, 0, 10, "mailer: 10 sent to orders, but 9 handled and 0 dead"},
		{"doubled", 10, 1, 10, "mailer: 10 sent to orders, but 10 handled and 1 dead"},
		{"lost before the queue", 10, 0, 11, "11 orders placed, but 10 in the queue"},
	} {
		mailer := consumerTotals{name: "mailer", counts: counts{handled: c.handled}, dead: c.dead}
		all := totals{placed: c.placed, queues: []queueTotals{{name: "orders", sent: sent, consumers: []consumerTotals{mailer}}}}
		err := all.check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
