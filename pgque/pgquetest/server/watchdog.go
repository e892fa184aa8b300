package server

import (
	"fmt"
	"os"
)

// watchdog is a shell that waits for the end of its input. The system closes
// that pipe when this process ends, in whatever way; the shell then stops the
// process it was told of last and removes the directory.
type watchdog struct {
	shell *process
	pipe  *os.File
}

// The signals of a terminal and of a session that ends are ignored: they reach
// the program that owns the server too, and its end is what counts.
const watchdogScript = `
trap '' HUP INT TERM
dir=$1 pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ] && kill -QUIT "$pid"; then
	tries=100
	while [ "$tries" -gt 0 ] && kill -0 "$pid"; do
		tries=$((tries - 1))
		sleep 0.1
	done
	[ "$tries" -gt 0 ] || kill -KILL "$pid"
fi
tries=10
until rm -rf "$dir" || [ "$tries" -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.5
done
`

func startWatchdog(dir string) (*watchdog, error) {
	input, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close()
	shell, err := startShell(watchdogScript, dir, input)
	if err != nil {
		_ = pipe.Close()
		return nil, err
	}
	return &watchdog{shell: shell, pipe: pipe}, nil
}

// guard names the process to stop; 0 means none.
func (w *watchdog) guard(pid int) {
	// A watchdog that is gone cannot be told, and the server works without it.
	_, _ = fmt.Fprintln(w.pipe, pid)
}

// finish has the directory removed and waits until it is.
func (w *watchdog) finish() error {
	if err := w.pipe.Close(); err != nil {
		return err
	}
	return w.shell.waitAtMost(stopTimeout)
}
