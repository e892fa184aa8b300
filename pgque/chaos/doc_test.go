// Package chaos has tests only: processes that produce and consume while other
// things die around them, and a ledger that is checked at the end; and a load that
// is held while nothing may grow.
//
// The short forms run with the other tests, make chaos and make soak for minutes. A
// run of chaos prints its seed; -seed repeats the same choices, though not the same
// timing.
package chaos_test
