// Package chaos has tests only: processes that produce and consume while other
// things die around them, and a ledger that is checked at the end.
//
// The short form runs with the other tests. make chaos runs for minutes. A run
// prints its seed; -seed repeats the same choices, though not the same timing.
package chaos_test
