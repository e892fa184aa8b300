package testserver

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/internal/child"
)

var mustPool = flag.Bool("pgbouncer", false, "fail where PgBouncer is not installed, instead of skipping")

const poolerMissing = "PgBouncer is not installed. On Debian and Ubuntu: sudo apt-get install -y --no-install-recommends pgbouncer"

// StartPooler has PgBouncer pool the connections to the server on a port, in transaction
// mode, until the test ends, and returns the port that it answers on. Where it is not
// installed the test is skipped.
func StartPooler(t *testing.T, server int) (port int) {
	t.Helper()
	p, err := newPooler(findPooler(t), server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.keep(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("PgBouncer said:\n%s", p.said())
		}
		if err := p.watchdog.Finish(); err != nil {
			t.Error(err)
		}
	})
	patience, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := child.WaitUntil(patience, p.answers); err != nil {
		t.Fatalf("PgBouncer does not answer: %v", err)
	}
	return p.port
}

func findPooler(t *testing.T) (program string) {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	if *mustPool {
		t.Fatal(poolerMissing)
	}
	t.Skip(poolerMissing)
	return ""
}

type pooler struct {
	program  string
	port     int
	owner    *user.User // PgBouncer refuses to run as root
	watchdog *child.Watchdog
}

func newPooler(program string, server int) (*pooler, error) {
	port, err := child.FreePort()
	if err != nil {
		return nil, err
	}
	owner, err := child.Owner()
	if err != nil {
		return nil, err
	}
	w, err := child.Watch(owner)
	if err != nil {
		return nil, err
	}
	p := &pooler{program: program, port: port, owner: owner, watchdog: w}
	return p, os.WriteFile(p.file("pgbouncer.ini"), fmt.Appendf(nil, `
[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 40
max_client_conn = 200
server_login_retry = 0
`, server, port), 0o644)
}

func (p *pooler) file(name string) string { return filepath.Join(p.watchdog.Dir(), name) }

// keep starts it again when it dies, as a service is; some versions fall over many
// cancelled statements at once.
func (p *pooler) keep(ctx context.Context) error {
	for {
		process, err := p.start()
		if err != nil {
			return err
		}
		p.watchdog.Guard(process)
		if process.Wait(ctx) != nil {
			p.watchdog.Guard(nil)
			return process.Kill()
		}
	}
}

func (p *pooler) start() (*child.Process, error) {
	log, err := os.OpenFile(p.file("log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return child.Start(p.program, []string{p.file("pgbouncer.ini")}, p.watchdog.Dir(), log, p.owner)
}

func (p *pooler) answers() bool {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (p *pooler) said() []byte {
	text, _ := os.ReadFile(p.file("log"))
	return bytes.TrimSpace(text[max(0, len(text)-4000):])
}
