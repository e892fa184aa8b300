// Package pgquetest gives tests a real PostgreSQL: a throw-away server that is
// started once per test binary and always goes away, and on it a database of
// its own for every test.
//
//	func TestBilling(t *testing.T) {
//		t.Parallel()
//		client := pgquetest.New(t)
//		…
//		pgquetest.Tick(t, client, "orders") // what was sent can be received now
//	}
//
// PostgreSQL 14 or newer must be installed, or PGQUE_TEST_DSN name a running
// server; a test without either fails with the command that provides one. The
// installation to use can be chosen with PGQUE_PG_BIN.
package pgquetest
