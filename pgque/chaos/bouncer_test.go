package chaos_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Through PgBouncer every transaction may have another session, and no notification
// arrives: nobody knows whose turn it is, so replicas receive the same pages.
func TestChaos_ThroughPgBouncer(t *testing.T) {
	t.Parallel()
	program := findBouncer(t)
	rage(t, func(port int) (int, string) { return startBouncer(t, program, port), " default_query_exec_mode=exec" })
}

func findBouncer(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Skip("PgBouncer is not installed. On Debian and Ubuntu: sudo apt-get install -y --no-install-recommends pgbouncer")
	return ""
}

// startBouncer pools the connections to a server in transaction mode, and returns the
// port.
func startBouncer(t *testing.T, program string, server int) (port int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bouncer") // as root, PgBouncer reads it as nobody
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port = freePort(t)
	config := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"+
		"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 40\nmax_client_conn = 200\n"+
		"server_login_retry = 0\n", server, port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{config}
	if os.Geteuid() == 0 {
		args = []string{"-u", "nobody", config}
	}
	b := &bouncer{command: func() *exec.Cmd { return exec.Command(program, args...) }}
	b.keeper.Go(b.keep)
	t.Cleanup(func() {
		b.stop()
		if said := b.said.Bytes(); t.Failed() {
			t.Logf("PgBouncer said:\n%s", said[max(0, len(said)-4000):])
		}
	})
	for deadline := time.Now().Add(time.Minute); ; rest(t.Context(), 10*time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			return port
		}
		if time.Now().After(deadline) {
			t.Fatalf("PgBouncer does not answer: %v", err)
		}
	}
}

// bouncer is started again when it dies, as a service is; some versions fall over many
// cancelled statements at once.
type bouncer struct {
	command func() *exec.Cmd
	keeper  sync.WaitGroup
	said    bytes.Buffer // to be read after stop

	mu      sync.Mutex
	process *os.Process
	stopped bool
}

func (b *bouncer) keep() {
	for {
		cmd := b.start()
		if cmd == nil {
			return
		}
		_ = cmd.Wait() // how it ended is in what it said
	}
}

// start returns nil when the bouncer was stopped, or cannot be started.
func (b *bouncer) start() *exec.Cmd {
	b.mu.Lock()
	defer b.mu.Unlock()
	cmd := b.command()
	cmd.Stdout, cmd.Stderr = &b.said, &b.said
	if b.stopped || cmd.Start() != nil {
		return nil
	}
	b.process = cmd.Process
	return cmd
}

func (b *bouncer) stop() {
	b.mu.Lock()
	b.stopped = true
	if b.process != nil {
		_ = b.process.Kill()
	}
	b.mu.Unlock()
	b.keeper.Wait()
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
