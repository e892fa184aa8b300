//go:build unix

package enginetest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

var mustPool = flag.Bool("pgbouncer", false, "fail where PgBouncer is not installed, instead of skipping")

const bouncerMissing = "PgBouncer is not installed. On Debian and Ubuntu: sudo apt-get install -y --no-install-recommends pgbouncer"

// TestPgBouncer is TestHistory through a pooler that gives every transaction
// another session. Its clients must not count on prepared statements.
func TestPgBouncer_NothingIsLostDoubledOrInvented(t *testing.T) {
	t.Parallel()
	h := newHistory(t, startBouncer(t))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	h.run(ctx, h.killSessions)
	h.check()
}

// Notifications do not pass such a pooler, so a consumer polls.
func TestPgBouncer_ClientSendsAndConsumes(t *testing.T) {
	t.Parallel()
	dsn := startBouncer(t)
	for _, mode := range []string{"exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) { sendAndConsume(t, dsn+" default_query_exec_mode="+mode, mode) })
	}
}

func sendAndConsume(t *testing.T, dsn, queue string) {
	client, err := pgque.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Pool().Exec(t.Context(), `select pgque.create_queue($1), pgque.subscribe($1, 'c')`, queue); err != nil {
		t.Fatal(err)
	}
	const events = 50
	for i := range events {
		if _, err := client.Send(t.Context(), queue, pgque.Event{Type: []string{"plain", "tx"}[i%2], Payload: i}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	handled := map[string]bool{}
	note := func(msg pgque.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if handled[msg.Payload] = true; len(handled) == events {
			cancel()
		}
		if msg.RetryCount == nil && msg.MsgID%10 == 0 {
			return fmt.Errorf("every tenth, once")
		}
		return nil
	}
	consumer := client.NewConsumer(queue, "c", pgque.WithPollInterval(50*time.Millisecond), pgque.WithRetryAfter(0), pgque.WithMaxMessages(7))
	consumer.Handle("plain", func(_ context.Context, msg pgque.Message) error { return note(msg) })
	consumer.HandleTx("tx", func(_ context.Context, _ pgx.Tx, msg pgque.Message) error { return note(msg) })
	if err := consumer.Start(ctx); ctx.Err() == nil {
		t.Fatal(err)
	}
	if len(handled) != events {
		t.Errorf("%d of %d events were handled", len(handled), events)
	}
}

// startBouncer starts PgBouncer in transaction mode before a database with the engine,
// and returns the connection string through it.
func startBouncer(t *testing.T) string {
	t.Helper()
	program := findBouncer(t)
	s := startServer(t, server.Options{})
	newDatabase(t, s.DSN(""))
	port := freePort(t)
	config := filepath.Join(s.Dir(), "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"+
		"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 40\nmax_client_conn = 100\n"+
		"server_login_retry = 0\nlogfile = %s/pgbouncer.log\n", s.Port(), port, s.Dir())
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, config)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = ownerOf(t, s.Dir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	dsn := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres sslmode=disable dbname=proof", port)
	for deadline := time.Now().Add(patience); ; pause(10 * time.Millisecond) {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err == nil {
			closeAll(t, conn)
			return dsn + " default_query_exec_mode=exec"
		}
		if time.Now().After(deadline) {
			t.Fatalf("PgBouncer does not answer: %v\n%s", err, output.Bytes())
		}
	}
}

func findBouncer(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	if *mustPool {
		t.Fatal(bouncerMissing)
	}
	t.Skip(bouncerMissing)
	return ""
}

// ownerOf makes a program run as the owner of a directory, where that takes root.
func ownerOf(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	owner := info.Sys().(*syscall.Stat_t)
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
