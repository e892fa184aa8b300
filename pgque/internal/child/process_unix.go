//go:build unix

package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// Process is a child of this process. It is waited for by asking, not by a
// goroutine: a shared test server would show up in every check for leaked ones.
type Process struct {
	pid    int
	ended  bool
	status syscall.WaitStatus
}

// Owner is nil unless this process is root's, as whom PostgreSQL refuses
// to run.
func Owner() (*user.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// Chown gives a file to owner; nil leaves it as it is.
func Chown(name string, owner *user.User) error {
	if owner == nil {
		return nil
	}
	id, err := credential(owner)
	if err != nil {
		return err
	}
	return os.Chown(name, int(id.Uid), int(id.Gid))
}

func credential(u *user.User) (*syscall.Credential, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Start runs program as owner (nil: as this process), in a session of its own, so that a
// terminal's Ctrl-C reaches only the program that started the server. The
// caller's environment is not passed on: PGDATA, PGPORT or a locale would
// change what the server does.
func Start(program string, args []string, dir string, output *os.File, owner *user.User) (*Process, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if owner != nil {
		id, err := credential(owner)
		if err != nil {
			return nil, err
		}
		cmd.SysProcAttr.Credential = id
	}
	return start(cmd)
}

// startShell runs a script as the caller's user. It holds none of the caller's
// files: "go test" waits until everybody has closed its output.
func startShell(script, arg string, input *os.File) (*Process, error) {
	cmd := exec.Command("/bin/sh", "-c", script, "pgque-watchdog", arg)
	cmd.Stdin, cmd.Dir = input, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return start(cmd)
}

func start(cmd *exec.Cmd) (*Process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{pid: cmd.Process.Pid}
	return p, cmd.Process.Release()
}

// Exited tells whether the process has ended, and then remembers how.
func (p *Process) Exited() bool {
	if p.ended {
		return true
	}
	pid, err := syscall.Wait4(p.pid, &p.status, syscall.WNOHANG, nil)
	p.ended = pid == p.pid || errors.Is(err, syscall.ECHILD)
	return p.ended
}

// Succeeded tells whether the process has ended, and well.
func (p *Process) Succeeded() bool {
	return p.ended && p.status.Exited() && p.status.ExitStatus() == 0
}

// Signal sends a signal to a process that has not ended.
func (p *Process) Signal(signal syscall.Signal) error {
	if p.Exited() {
		return nil
	}
	return syscall.Kill(p.pid, signal)
}

// Kill ends the process itself, not its children.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return p.waitAtMost(endTimeout)
}

// KillFamily ends a postmaster and its children. The postmaster is halted first, and
// is waited for until it is, so that it starts no child that is not on the list; and
// the children are killed rather than left to notice: a busy one would finish its
// statement and might even commit, and one that waits for a lock of another would wait
// for ever.
func (p *Process) KillFamily() error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	halting, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if err := WaitUntil(halting, func() bool { return halted(p.pid) }); err != nil {
		return err
	}
	children, err := childrenOf(p.pid)
	for _, child := range children {
		if e := syscall.Kill(child, syscall.SIGKILL); !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	if err := errors.Join(err, p.Kill()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	return WaitUntil(ctx, func() bool { return !slices.ContainsFunc(children, running) })
}
