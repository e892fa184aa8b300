// Package enginetest holds no code, only tests that try to break the engine:
//
//   - program_test.go and its neighbours run random programs against the engine and
//     against PgQ, the original of its model, and compare what consumers get;
//   - history_test.go runs everything at once, kills sessions at random, and checks
//     afterwards that nothing was lost, doubled or disordered;
//   - crash_test.go and failover_unix_test.go do so while the server is killed, or
//     replaced by its standby;
//   - pgbouncer_test.go goes through a pooler in transaction mode, where clients
//     need default_query_exec_mode=exec (or simple_protocol) in their DSN;
//   - mutants_test.go lists the rules that the engine goes by, each with the test that
//     fails without it, and breaks them one by one to show that it does;
//   - growth_test.go shows what things cost as queues and backlogs grow.
//
// All of it is random, and prints the seed that repeats it.
package enginetest
