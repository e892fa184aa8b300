package pgquetest_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// again runs tests of this test binary in a process of its own.
func again(t *testing.T, tests string, env ...string) (output string, err error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run="+tests, "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestExistingServer_IsUsedAndLeftAsItWas(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	dsn := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.Port())
	noOther := server.BinDirEnv + "=" + t.TempDir()
	if out, err := again(t, "^(TestNewDatabase|TestNew_|TestTick)", pgquetest.DSNEnv+"="+dsn, noOther); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conn := connect(t, s.DSN(""))
	if names := value[[]string](t, conn, "select array_agg(datname::text order by datname) from pg_database"); strings.Join(names, " ") != "postgres template0 template1" {
		t.Errorf("databases afterwards: %v", names)
	}
}

func TestExistingServer_ThatDoesNotAnswerFailsTheTest(t *testing.T) {
	t.Parallel()
	out, err := again(t, "^TestNewDatabase_IsEmpty", pgquetest.DSNEnv+"=host=127.0.0.1 port=1")
	if err == nil || !strings.Contains(out, "FAIL") || !strings.Contains(out, "connection refused") {
		t.Errorf("err = %v, output:\n%s", err, out)
	}
}

func TestNoPostgreSQL_FailsTheTestAndSaysWhatToSet(t *testing.T) {
	t.Parallel()
	out, err := again(t, "^TestNewDatabase_IsEmpty", pgquetest.DSNEnv+"=", server.BinDirEnv+"="+t.TempDir())
	if err == nil || !strings.Contains(out, "FAIL") || !strings.Contains(out, server.BinDirEnv) {
		t.Errorf("err = %v, output:\n%s", err, out)
	}
}
