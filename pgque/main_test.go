package pgque_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the run when a client, consumer or ticker leaves a goroutine
// behind. The throw-away server's own goroutines live as long as the process.
//
// The test binary is also the process that some tests start in order to kill it.
func TestMain(m *testing.M) {
	if work, ok := workers[os.Getenv(workerEnv)]; ok {
		work(os.Getenv(workerDSNEnv))
		os.Exit(0)
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/pgque/pgque-go/pgque/pgquetest/server.(*Server).wait")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
