package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// asProgram makes the test binary be the program itself.
const asProgram = "PGQUE_TEST_AS_PROGRAM"

// Every run gives back what it took, tickers included.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

func TestProgram_TickerEndsWellOnASignal(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(pgquetest.New(t))
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		cmd := program("ticker", "-dsn", dsn)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		log := bufio.NewReader(stderr)
		if line, err := log.ReadString('\n'); err != nil || !strings.Contains(line, "ticking") {
			t.Fatalf("log %q, error %v", line, err)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(log)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(string(rest), "stopped") {
			t.Errorf("%v: %v, log %q", signal, err, rest)
		}
	}
}

func TestProgram_ExitCodes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{"help": exitOK, "bogus": exitUsage, "status -dsn port=1": exitFailed} {
		cmd := program(strings.Fields(line)...)
		_ = cmd.Run() // the code is what counts
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("pgque %s: exit %d, want %d", line, got, want)
		}
	}
}

func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}
