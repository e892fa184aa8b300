package testserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/internal/child"
)

// The test runs itself as the program that is killed: heldEnv makes it hold a pooler.
const heldEnv = "PGQUE_TEST_HOLDS_POOLER"

func TestStartPooler_ItEndsWithAKilledTest(t *testing.T) {
	if os.Getenv(heldEnv) != "" {
		fmt.Println(StartPooler(t, 1))
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	t.Parallel()
	findPooler(t)
	cmd, p := holdPooler(t)
	if !p.answers() {
		t.Fatal("the pooler does not run")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	patience, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if child.WaitUntil(patience, func() bool { return !p.answers() }) != nil {
		t.Fatal("the pooler has outlived the test that started it")
	}
}

// holdPooler starts this test once more, and tells where its pooler answers.
func holdPooler(t *testing.T) (*exec.Cmd, *pooler) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), heldEnv+"=1")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("it says %q: %v", line, err)
	}
	return cmd, &pooler{port: port}
}
