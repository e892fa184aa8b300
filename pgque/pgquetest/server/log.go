package server

import (
	"errors"
	"os"
	"strings"
)

// logError is the end of the log as an error: what PostgreSQL had to say before
// it gave up.
func (s *Server) logError() error {
	const lines = 12
	text, err := os.ReadFile(s.LogFile())
	if err != nil {
		return err
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return errors.New(strings.Join(all[max(0, len(all)-lines):], "\n"))
}

func (s *Server) portWasTaken() bool {
	return strings.Contains(s.logError().Error(), "could not bind IPv4 address")
}
