package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

func TestStart_AnswersOnItsPortAndLeavesNothingAfterClose(t *testing.T) {
	t.Parallel()
	s := start(t, server.Options{})
	if got := show(t, s, "port"); got != strconv.Itoa(s.Port()) {
		t.Errorf("port = %s, want %d", got, s.Port())
	}
	closeServer(t, s)
	if exists(s.Dir()) {
		t.Errorf("%s is still there after Close", s.Dir())
	}
	if answers(s.Port()) {
		t.Error("the server still answers after Close")
	}
	closeServer(t, s) // a second Close does nothing
}

func TestStart_TakesThePortAndTheSettingsItIsGiven(t *testing.T) {
	t.Parallel()
	first := start(t, server.Options{})
	port := first.Port()
	closeServer(t, first)
	s := start(t, server.Options{Port: port, Durable: true, Settings: map[string]string{
		"application_name": "it's ours", "max_connections": "17",
	}})
	for name, want := range map[string]string{
		"port": strconv.Itoa(port), "fsync": "on", "max_connections": "17", "application_name": "it's ours",
	} {
		if got := show(t, s, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestStandbyOf_StreamsAndTakesOver(t *testing.T) {
	t.Parallel()
	primary := start(t, server.Options{Settings: map[string]string{"wal_level": "replica", "max_wal_senders": "4"}})
	standby := start(t, server.Options{StandbyOf: primary, Settings: map[string]string{"application_name": "second"}})
	if in := queryString(t, standby, "select pg_is_in_recovery()::text"); in != "true" {
		t.Error("the standby is a server of its own")
	}
	position := queryString(t, primary, "select pg_logical_emit_message(false, 'test', 'streamed')::text")
	for deadline := time.Now().Add(time.Minute); queryString(t, standby, "select (pg_last_wal_replay_lsn() >= '"+position+"')::text") != "true"; {
		if time.Now().After(deadline) {
			t.Fatal("nothing is streamed")
		}
	}
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	queryString(t, standby, "select pg_promote()::text")
	if in := queryString(t, standby, "select pg_is_in_recovery()::text"); in != "false" {
		t.Error("the standby was not promoted")
	}
	if name := show(t, standby, "application_name"); name != "second" {
		t.Errorf("application_name = %q: its own settings do not count", name)
	}
}

func TestStandbyOf_APrimaryThatDoesNotReplicateSaysWhy(t *testing.T) {
	t.Parallel()
	primary := start(t, server.Options{})
	if _, err := server.Start(t.Context(), server.Options{StandbyOf: primary}); err == nil ||
		!strings.Contains(err.Error(), "max_wal_senders") {
		t.Errorf("error %v", err)
	}
}

func TestStart_PortInUse(t *testing.T) {
	t.Parallel()
	s := start(t, server.Options{})
	_, err := server.Start(t.Context(), server.Options{Port: s.Port()})
	if err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("error = %v, want what PostgreSQL says about its port", err)
	}
	if got := show(t, s, "port"); got != strconv.Itoa(s.Port()) {
		t.Error("the server that had the port first was disturbed")
	}
}

func TestStart_SaysWhatPostgreSQLSaysAboutABadSetting(t *testing.T) {
	t.Parallel()
	_, err := server.Start(t.Context(), server.Options{Settings: map[string]string{"max_connections": "many"}})
	if err == nil || !strings.Contains(err.Error(), `max_connections`) {
		t.Errorf("error = %v, want one that names max_connections", err)
	}
}

func TestStart_WhereTheTemporaryDirectoryIsTooDeepForASocket(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("deep", 20))
	if err := os.Mkdir(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", deep)
	s := start(t, server.Options{})
	if strings.HasPrefix(s.Dir(), deep) {
		t.Errorf("the server's directory is %q", s.Dir())
	}
	if left, err := os.ReadDir(deep); err != nil || len(left) > 0 {
		t.Errorf("left in the deep directory: %v, %v", left, err)
	}
}

func TestStart_WhereTheTemporaryDirectoryIsClosedToOthers(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", closed)
	s := start(t, server.Options{})
	if got := show(t, s, "port"); got != strconv.Itoa(s.Port()) {
		t.Errorf("port = %s, want %d", got, s.Port())
	}
}

func TestStart_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := server.Start(ctx, server.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestKill_EndsAStatementThatIsRunning(t *testing.T) {
	t.Parallel()
	s := start(t, server.Options{})
	conn := connect(t, s)
	running := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "do $$ begin loop perform 1; end loop; end $$")
		running <- err
	}()
	waitFor(t, "the statement to run", func() bool {
		return queryString(t, s, "select count(*)::text from pg_stat_activity where state = 'active' and query like 'do %'") == "1"
	})
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-running; err == nil {
		t.Error("the statement ended without an error")
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := show(t, s, "port"); got != strconv.Itoa(s.Port()) {
		t.Errorf("port after the restart = %s, want %d", got, s.Port())
	}
}

func TestClose_OfAKilledServerFreesItsSharedMemory(t *testing.T) {
	t.Parallel()
	s := start(t, server.Options{})
	before, err := os.ReadFile(s.Dir() + "/data/postmaster.pid")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(before), "\n")
	segment := strings.Fields(lines[6])[1] // "KEY ID"
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if !hasSegment(t, segment) {
		t.Fatalf("segment %s of %q is not in the list even before Close: this test looks in the wrong place", segment, lines[6])
	}
	closeServer(t, s)
	if hasSegment(t, segment) {
		t.Errorf("shared memory segment %s is left behind", segment)
	}
}

func TestStop_UnknownModeLeavesTheServerRunning(t *testing.T) {
	t.Parallel()
	s := start(t, server.Options{})
	if err := s.Stop("gently"); err == nil || !strings.Contains(err.Error(), `"gently"`) {
		t.Errorf("error = %v, want one that names the mode", err)
	}
	if got := show(t, s, "port"); got != strconv.Itoa(s.Port()) {
		t.Error("the server was disturbed")
	}
}

// The test binary plays the program that is killed: childEnv makes it start a
// server and wait for its end.
const childEnv = "PGQUE_SERVER_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
	}
	os.Exit(m.Run())
}

func child() {
	s, err := server.Start(context.Background(), server.Options{})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(s.Port(), s.Dir())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	os.Exit(3)
}

func TestWatchdog_ClearsUpAfterAProgram(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name string
		how  func(*exec.Cmd, io.Closer) error
	}{
		{"killed", func(c *exec.Cmd, _ io.Closer) error { return c.Process.Kill() }},
		{"that exits without Close", func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() }},
	} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			cmd, stdin, port, dir := startChild(t)
			if !answers(port) || !exists(dir) {
				t.Fatal("the child's server does not run")
			}
			if err := end.how(cmd, stdin); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the server to stop and its directory to go", func() bool { return !answers(port) && !exists(dir) })
		})
	}
}

func startChild(t *testing.T) (cmd *exec.Cmd, stdin io.WriteCloser, port int, dir string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &port, &dir); err != nil {
		t.Fatalf("child says %q: %v", line, err)
	}
	return cmd, stdin, port, dir
}

func start(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeServer(t, s) })
	return s
}

func closeServer(t *testing.T, s *server.Server) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, s *server.Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func show(t *testing.T, s *server.Server, setting string) string {
	t.Helper()
	return queryString(t, s, "show "+setting)
}

func queryString(t *testing.T, s *server.Server, sql string) string {
	t.Helper()
	conn := connect(t, s)
	defer func() { _ = conn.Close(context.Background()) }()
	var value string
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func hasSegment(t *testing.T, id string) bool {
	t.Helper()
	out, err := exec.Command("ipcs", "-m").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == id {
			return true
		}
	}
	return false
}

func answers(port int) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
