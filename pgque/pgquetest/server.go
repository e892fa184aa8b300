package pgquetest

import (
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// Server is a PostgreSQL server that belongs to one test. Its methods fail the
// test when they do not work, so they are for the test's own goroutine.
type Server struct {
	t    testing.TB
	s    *server.Server
	host *host
}

// ServerOption changes the server that Start starts.
type ServerOption func(*server.Options)

// Durable syncs every commit to the disk, as a production server does: for
// tests that measure. A commit survives Kill without it. Defaults to off.
func Durable() ServerOption {
	return func(o *server.Options) { o.Durable = true }
}

// WithSetting sets a parameter of postgresql.conf. Defaults to settings that
// make a small, fast server.
func WithSetting(name, value string) ServerOption {
	return func(o *server.Options) {
		if o.Settings == nil {
			o.Settings = make(map[string]string)
		}
		o.Settings[name] = value
	}
}

// Start starts a server of the test's own, to be stopped, killed and restarted.
// It is gone when the test ends. PGQUE_TEST_DSN does not change it: nobody's
// server but our own may be killed.
func Start(t testing.TB, opts ...ServerOption) *Server {
	t.Helper()
	var o server.Options
	for _, opt := range opts {
		opt(&o)
	}
	s, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, s.Close()) })
	h := ownHost(s)
	h.brief = true
	return &Server{t: t, s: s, host: h}
}

// DSN names a database on the server, as the superuser postgres; "" is the
// database postgres. Replace user=postgres to connect as another role.
func (s *Server) DSN(database string) string { return s.s.DSN(database) }

// Port on 127.0.0.1; it stays the same over a restart.
func (s *Server) Port() int { return s.s.Port() }

// Stop stops the server and returns when it has stopped. Stopping a server that
// is down does nothing.
func (s *Server) Stop(mode server.Mode) {
	s.t.Helper()
	check(s.t, s.s.Stop(mode))
}

// Kill ends every process of the server with SIGKILL and returns when they are
// gone. Killing a server that is down does nothing.
func (s *Server) Kill() {
	s.t.Helper()
	check(s.t, s.s.Kill())
}

// Restart returns once the server accepts connections again, on the same port
// and with the data it had. A running server is stopped first.
func (s *Server) Restart() {
	s.t.Helper()
	check(s.t, s.s.Restart())
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
