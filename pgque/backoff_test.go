package pgque

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestBackoff_WarnsOfTheFirstFailureOfTwiceAsManyAndOfTheEnd(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	b := backoff{over: "it goes on"}
	b.reset() // nothing to tell
	for outage := range 2 {
		for n := range 20 {
			b.warn(log, "it failed", "n", n+1)
		}
		b.reset()
		b.reset()
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		text.Reset()
		want := []string{"n=1", "n=2", "n=4", "n=8", "n=16", `msg="it goes on" failures=20 after=`}
		if len(lines) != len(want) {
			t.Fatalf("outage %d: logged %q", outage, lines)
		}
		for i, line := range lines {
			if !strings.Contains(line+" ", want[i]) {
				t.Errorf("outage %d: logged %q, want %q", outage, line, want[i])
			}
		}
	}
}
