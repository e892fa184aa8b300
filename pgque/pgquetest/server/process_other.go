//go:build !unix

package server

import (
	"errors"
	"os"
	"os/user"
)

var errUnsupported = errors.New("throw-away servers need a Unix: start a PostgreSQL yourself and name it by a DSN")

// process cannot be had here; its methods are never reached.
type process struct{ pid int }

func serverUser() (*user.User, error) { return nil, errUnsupported }

func chown(string, *user.User) error { return errUnsupported }

func startProcess(string, []string, string, *os.File, *user.User) (*process, error) {
	return nil, errUnsupported
}

func startShell(string, string, *os.File) (*process, error) { return nil, errUnsupported }

func (p *process) exited() bool        { return true }
func (p *process) succeeded() bool     { return false }
func (p *process) shutDown(Mode) error { return errUnsupported }
func (p *process) kill() error         { return errUnsupported }
func (p *process) killFamily() error   { return errUnsupported }
