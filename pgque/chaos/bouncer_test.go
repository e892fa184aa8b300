package chaos_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
	cmd := exec.Command(program, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
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

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
