package chaos_test

import (
	"testing"

	"github.com/pgque/pgque-go/pgque/internal/testserver"
)

// Through PgBouncer every transaction may have another session, and no notification
// arrives: nobody knows whose turn it is, so replicas receive the same pages.
func TestChaos_ThroughPgBouncer(t *testing.T) {
	t.Parallel()
	rage(t, func(port int) (int, string) {
		return testserver.StartPooler(t, port), " default_query_exec_mode=exec"
	})
}
