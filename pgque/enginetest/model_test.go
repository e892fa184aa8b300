package enginetest

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

var modelTime = flag.Duration("model", 3*time.Second, "how long to run random histories")

// longestHistory keeps what has to be checked small; a longer run is several.
const longestHistory = 20 * time.Second

// TestHistory runs producers, tickers, maintenance, and consumers of all habits at
// once, kills their sessions, holds locks and snapshots in their way, and checks that
// every committed event was finished by every consumer once, in order, and that
// nothing else was.
func TestHistory_NothingIsLostDoubledOrInvented(t *testing.T) {
	t.Parallel()
	for rest := *modelTime; rest > 0 && !t.Failed(); rest -= longestHistory {
		h := newHistory(t, pgquetest.New(t).Pool().Config().ConnString())
		ctx, cancel := context.WithTimeout(t.Context(), min(longestHistory, rest))
		h.run(ctx, h.killSessions)
		cancel()
		h.check()
	}
}
