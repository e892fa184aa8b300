package pgque_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func TestDeadLetter_GoTestFailsUntilTheHandlerCopes(t *testing.T) {
	t.Parallel()
	two, extra := 2, "a `quoted` extra"
	letter := pgque.DeadLetter{ID: 7, Queue: "orders", Consumer: "billing", DiedAt: time.Now(), Reason: "handler error: no\nstock",
		Message: pgque.Message{MsgID: 3, Type: "order.created", Payload: `{"id":"o-1"}`, RetryCount: &two, CreatedAt: time.Now(), Extra2: &extra}}
	source, err := letter.GoTest("orders_test")
	if err != nil {
		t.Fatal(err)
	}
	// Inside the module, so that the file finds this package.
	dir, err := os.MkdirTemp(".", "_exported")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	run := func(source string) (string, error) {
		file := filepath.Join(dir, "dead_letter_7_test.go")
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", "test", file).CombinedOutput()
		return string(out), err
	}
	if out, err := run(string(source)); err == nil || !strings.Contains(out, `set handle to the handler of "order.created"`) {
		t.Errorf("without a handler: %v\n%s\n%s", err, out, source)
	}
	if !strings.Contains(string(source), "var ev events.OrderCreated\n") {
		t.Errorf("it does not say how the event is decoded:\n%s", source)
	}
	const blank = "var handle pgque.HandlerFunc"
	copes := strings.Replace(string(source), blank, "var handle pgque.HandlerFunc = func(context.Context, pgque.Message) error { return nil }", 1)
	copes = strings.Replace(copes, "import (", "import (\n\t\"context\"", 1)
	if out, err := run(copes); err != nil {
		t.Errorf("with a handler: %v\n%s", err, out)
	}
}
