package child

import (
	"errors"
	"fmt"
	"os"
	"os/user"
)

// Watchdog is a shell that waits for the end of its input. The system closes
// that pipe when this process ends, in whatever way; the shell then stops the
// process it was told of last and removes the directory.
type Watchdog struct {
	dir   string
	shell *Process
	pipe  *os.File
}

// The signals of a terminal and of a session that ends are ignored: they reach
// the program that owns the child too, and its end is what counts.
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

// Watch makes a directory that owner (nil: the user of this process) may write to, and
// starts a watchdog over it. It lies beneath os.TempDir, unless that is too deep for a
// socket, or closed to owner.
func Watch(owner *user.User) (*Watchdog, error) {
	dir, err := makeDir(owner)
	if err != nil {
		return nil, err
	}
	w, err := watch(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return w, nil
}

func watch(dir string) (*Watchdog, error) {
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
	return &Watchdog{dir: dir, shell: shell, pipe: pipe}, nil
}

// Dir is gone after Finish, and after this process.
func (w *Watchdog) Dir() string { return w.dir }

// Guard names the process to stop when this one ends, nil for none.
func (w *Watchdog) Guard(p *Process) {
	var pid int
	if p != nil {
		pid = p.pid
	}
	// A watchdog that is gone cannot be told, and the child works without it.
	_, _ = fmt.Fprintln(w.pipe, pid)
}

// Finish has the directory removed and waits until it is. What is guarded is to be ended
// before.
func (w *Watchdog) Finish() error {
	// The watchdog may have been killed, and then nobody has removed the directory.
	return errors.Join(w.pipe.Close(), w.shell.waitAtMost(endTimeout), os.RemoveAll(w.dir))
}
