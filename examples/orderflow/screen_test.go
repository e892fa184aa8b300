package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDraw_GoesBackOverTheLastDrawing(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &screen{out: &out, live: true}
	s.draw([]string{"one", "two"})
	s.draw([]string{"three"})
	if want := "\x1b[Jone\ntwo\n\x1b[2A\r\x1b[Jthree\n"; out.String() != want {
		t.Errorf("drawn %q", out.String())
	}
}

func TestTable_FitsATerminal(t *testing.T) {
	t.Parallel()
	large := consumerTotals{name: "accounting", dead: 9999, counts: counts{
		received: 999999, handled: 80000, retried: 99999, p50: 99 * time.Second, p99: 999 * time.Millisecond}}
	all := totals{queues: []queueTotals{{name: "shipments", sent: map[string]int{"x": 99999}, consumers: []consumerTotals{large}}}}
	for _, line := range table(all) {
		if n := utf8.RuneCountInString(line); n > lineWidth {
			t.Errorf("%d characters: %q", n, line)
		}
	}
}

func TestPercentile_IsOneOfTheValues(t *testing.T) {
	t.Parallel()
	values := make([]time.Duration, 200)
	for i := range values {
		values[i] = time.Duration(i + 1)
	}
	for p, want := range map[int]time.Duration{50: 100, 99: 198, 100: 200} {
		if got := percentile(values, p); got != want {
			t.Errorf("percentile %d is %v, want %v", p, got, want)
		}
	}
	if got := percentile(nil, 99); got != 0 {
		t.Errorf("percentile of nothing is %v", got)
	}
}
