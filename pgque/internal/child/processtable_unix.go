//go:build unix

package child

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A tableEntry is what both ps and Linux's /proc tell of a process. /proc comes
// first because small container images have no ps.
type tableEntry struct {
	pid, parent int
	state       string // "Z": ended, and nobody has asked how
}

func childrenOf(parent int) ([]int, error) {
	table, err := processTable()
	var children []int
	for _, e := range table {
		if e.parent == parent {
			children = append(children, e.pid)
		}
	}
	return children, err
}

// running is false for a process that has ended, though an init that does not
// reap may leave its number in the table. When in doubt it is true.
func running(pid int) bool {
	state, known, err := stateOf(pid)
	return err != nil || known && !strings.HasPrefix(state, "Z")
}

// halted is true for a process that has taken a SIGSTOP, or has ended.
func halted(pid int) bool {
	state, known, err := stateOf(pid)
	return err == nil && (!known || strings.HasPrefix(state, "T") || strings.HasPrefix(state, "Z"))
}

func stateOf(pid int) (state string, known bool, err error) {
	table, err := processTable()
	for _, e := range table {
		if e.pid == pid {
			return e.state, true, nil
		}
	}
	return "", false, err
}

func processTable() ([]tableEntry, error) {
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		return procTable()
	}
	return psTable()
}

// procTable reads "PID (program) STATE PARENT …"; the program's name may hold
// blanks and parentheses.
func procTable() ([]tableEntry, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	var table []tableEntry
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		var e tableEntry
		e.pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(name))) // digits, or not a process
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		if _, err := fmt.Sscan(rest, &e.state, &e.parent); err == nil {
			table = append(table, e)
		}
	}
	return table, err
}

func psTable() ([]tableEntry, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,state=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes with ps: %w", err)
	}
	var table []tableEntry
	for line := range strings.Lines(string(out)) {
		var e tableEntry
		if _, err := fmt.Sscan(line, &e.pid, &e.parent, &e.state); err == nil {
			table = append(table, e)
		}
	}
	return table, nil
}
