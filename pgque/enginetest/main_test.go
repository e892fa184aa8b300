package enginetest

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
)

// The defaults are the short forms, for every run of the tests.
var (
	seedFlag    = flag.Uint64("seed", 0, "repeat the run with this seed; 0 draws one")
	programs    = flag.Int("programs", 20, "how many random programs to compare with PgQ")
	mustCompare = flag.Bool("original", false, "fail where PgQ is not installed, instead of skipping")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

func newSeed(t testing.TB) uint64 {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -seed %d", seed)
	return seed
}

func newRand(seed uint64, stream int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream)))
}
