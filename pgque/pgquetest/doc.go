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
// For tests of programs that use pgque: a Recorder stands in for a Sender; Handle
// gives one event to one consumer and tells what became of it; Drain lets consumers
// run until all is quiet; Twice finds out whether a handler may see a message twice.
//
// PostgreSQL 14 or newer must be installed, or PGQUE_TEST_DSN name a running
// server; a test without either fails with the command that provides one. The
// installation to use can be chosen with PGQUE_PG_BIN.
package pgquetest
