//go:build !unix

package child

import (
	"errors"
	"os"
	"os/user"
	"syscall"
)

var errUnsupported = errors.New("throw-away servers need a Unix: start a PostgreSQL yourself and name it by a DSN")

// Process cannot be had here; its methods are never reached.
type Process struct{ pid int }

func Owner() (*user.User, error) { return nil, errUnsupported }

func Chown(string, *user.User) error { return errUnsupported }

func Start(string, []string, string, *os.File, *user.User) (*Process, error) {
	return nil, errUnsupported
}

func startShell(string, string, *os.File) (*Process, error) { return nil, errUnsupported }

func (p *Process) Exited() bool                { return true }
func (p *Process) Succeeded() bool             { return false }
func (p *Process) Signal(syscall.Signal) error { return errUnsupported }
func (p *Process) Kill() error                 { return errUnsupported }
func (p *Process) KillFamily() error           { return errUnsupported }
