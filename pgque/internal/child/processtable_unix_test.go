//go:build unix

package child

import (
	"os"
	"slices"
	"testing"
)

func TestProcessTables_AgreeOnThisProcess(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func() ([]tableEntry, error){"ps": psTable, "as chosen": processTable} {
		table, err := read()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		isThis := func(e tableEntry) bool { return e.pid == os.Getpid() && e.parent == os.Getppid() && e.state != "" }
		if !slices.ContainsFunc(table, isThis) {
			t.Errorf("%s: this process is not in the table of %d", name, len(table))
		}
	}
}

func TestRunning_IsFalseForAChildThatEndedAndWasNotAskedFor(t *testing.T) {
	t.Parallel()
	input, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	shell, err := startShell("read -r line", "", input)
	if err != nil {
		t.Fatal(err)
	}
	if !running(shell.pid) {
		t.Error("a shell that waits for input is not running")
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := WaitUntil(t.Context(), func() bool { return !running(shell.pid) }); err != nil {
		t.Fatal(err)
	}
	if err := shell.waitAtMost(endTimeout); err != nil {
		t.Fatal(err)
	}
	if running(shell.pid) {
		t.Error("a process that is gone is running")
	}
}
