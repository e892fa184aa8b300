// Package testserver starts what tests need beside one database: servers to be killed by
// any goroutine, standbys, and a pooler in front of a server.
package testserver

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// Start starts a server that ends with the test.
func Start(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Exec executes a statement in the database postgres of a server.
func Exec(t *testing.T, s *server.Server, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
