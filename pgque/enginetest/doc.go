// Package enginetest holds no code, only tests that try to break the engine:
//
//   - program_test.go and its neighbours run random programs against the engine and
//     against PgQ, the original of its model, and compare what consumers get;
//
// All of it is random, and prints the seed that repeats it.
package enginetest
