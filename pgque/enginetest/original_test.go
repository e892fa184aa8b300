package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

const originalMissing = "PgQ is not installed. On Debian and Ubuntu: " +
	"sudo apt-get install -y --no-install-recommends postgresql-15-pgq3 (15: the version of your server), then make test-original"

// TestOriginal runs random programs against PgQ and against this engine, in two
// databases of one server, and compares what each consumer gets, batch by batch. A
// program that makes a difference is made as short as it gets and printed.
func TestOriginal_GivesConsumersTheSame(t *testing.T) {
	t.Parallel()
	binDir := originalBinDir()
	if binDir == "" && *mustCompare {
		t.Fatal(originalMissing)
	} else if binDir == "" {
		t.Skip(originalMissing)
	}
	s, err := server.Start(t.Context(), server.Options{BinDir: binDir, Settings: map[string]string{"lock_timeout": "20s"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	seed := newSeed(t)
	var next atomic.Int64
	var lanes [2]chan struct{}
	for lane := range lanes {
		lanes[lane] = make(chan struct{})
		old, new := newSides(t, s, lane)
		go func() {
			defer close(lanes[lane])
			for n := next.Add(1); n <= int64(*programs) && !t.Failed(); n = next.Add(1) {
				compareOne(t, old, new, seed+uint64(n)-1)
			}
		}()
	}
	for _, lane := range lanes {
		<-lane
	}
	t.Logf("%d programs", min(next.Load(), int64(*programs)))
}

func compareOne(t *testing.T, old, new *side, seed uint64) {
	runs := 0
	fails := func(p program) bool {
		runs++
		var d difference
		return errors.As(compare(t.Context(), old, new, fmt.Sprintf("q%d_%d", seed, runs), p), &d)
	}
	p := newProgram(newRand(seed, 0))
	err := compare(t.Context(), old, new, fmt.Sprintf("q%d", seed), p)
	var d difference
	if errors.As(err, &d) {
		p = p.shrink(fails)
		err = compare(t.Context(), old, new, fmt.Sprintf("q%d_0", seed), p)
	}
	if err != nil {
		t.Errorf("-seed %d -programs 1: %v\nThe program:\n%s", seed, err, p)
	}
}

// originalBinDir finds an installed server that PgQ is installed for; "" when there is
// none.
func originalBinDir() string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if dir, err := server.FindBinDir(); err == nil {
		dirs = append([]string{dir}, dirs...)
	}
	for _, dir := range dirs {
		share, err := exec.Command(filepath.Join(dir, "pg_config"), "--sharedir").Output()
		if err != nil {
			share = []byte(strings.Replace(filepath.Dir(dir), "/lib/", "/share/", 1))
		}
		if _, err := os.Stat(filepath.Join(strings.TrimSpace(string(share)), "extension", "pgq.control")); err == nil {
			return dir
		}
	}
	return ""
}

func newSides(t *testing.T, s *server.Server, lane int) (old, new *side) {
	t.Helper()
	admin := dial(t, s.DSN(""))
	oldName, newName := fmt.Sprintf("original%d", lane), fmt.Sprintf("engine%d", lane)
	mustExec(t, admin, `create database `+oldName)
	mustExec(t, admin, `create database `+newName)
	old, new = newSide(t, "pgq", s.DSN(oldName)), newSide(t, "pgque", s.DSN(newName))
	mustExec(t, old.admin, `create extension pgq cascade`)
	if err := pgque.Install(t.Context(), new.admin); err != nil {
		t.Fatal(err)
	}
	return old, new
}

func newSide(t *testing.T, schema, dsn string) *side {
	t.Helper()
	s := &side{schema: schema, admin: dial(t, dsn)}
	for range producerCount {
		s.producers = append(s.producers, dial(t, dsn))
	}
	return s
}

// dial connects for the rest of the test.
func dial(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

func mustExec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if err := execOn(t.Context(), conn, sql, args...); err != nil {
		t.Fatal(err)
	}
}
