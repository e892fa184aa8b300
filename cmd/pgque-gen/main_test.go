package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgque/pgque-go/gen/emit"
)

// project is a folder with one schema.
func project(t *testing.T) (schemas, out string) {
	t.Helper()
	dir := t.TempDir()
	schemas, out = filepath.Join(dir, "schemas"), filepath.Join(dir, "events")
	put(t, filepath.Join(schemas, "orders", "order.created.json"), `{"type":"object"}`)
	return schemas, out
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// try runs the command and returns its exit code and what it printed.
func try(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func mustRun(t *testing.T, args ...string) {
	t.Helper()
	if code, _, stderr := try(args...); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
}

func TestRun_WritesThenCheckIsContent(t *testing.T) {
	schemas, out := project(t)
	mustRun(t, "-schemas", schemas, "-out", out)
	mustRun(t, "-schemas", schemas, "-out", out, "-check")
	if got := files(t, out); got != "orders_events.go" {
		t.Error(got)
	}
}

func TestRun_CheckFindsStaleMissingAndLeftoverFiles(t *testing.T) {
	schemas, out := project(t)
	code, _, stderr := try("-schemas", schemas, "-out", out, "-check")
	if code != exitFailed || !strings.Contains(stderr, "orders_events.go: is missing") {
		t.Error(code, stderr)
	}
	if want := "run:\n\tpgque-gen -schemas " + schemas + " -out " + out + "\n"; !strings.HasSuffix(stderr, want) {
		t.Errorf("%s does not end with %s", stderr, want)
	}
	if got := files(t, out); got != "" {
		t.Error("-check wrote", got)
	}
	mustRun(t, "-schemas", schemas, "-out", out)
	if err := os.Rename(filepath.Join(schemas, "orders"), filepath.Join(schemas, "sales")); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = try("-schemas", schemas, "-out", out, "-check")
	if code != exitFailed || !strings.Contains(stderr, "orders_events.go: is not needed any more") || !strings.Contains(stderr, "sales_events.go: is missing") {
		t.Error(code, stderr)
	}
}

func TestRun_RemovesItsOwnLeftoversOnly(t *testing.T) {
	schemas, out := project(t)
	mustRun(t, "-schemas", schemas, "-out", out)
	put(t, filepath.Join(out, "mine.go"), "package events\n")
	if err := os.Rename(filepath.Join(schemas, "orders"), filepath.Join(schemas, "sales")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "-schemas", schemas, "-out", out)
	if got := files(t, out); got != "mine.go sales_events.go" {
		t.Error(got)
	}
}

func TestRun_CheckFindsAChangedFile(t *testing.T) {
	schemas, out := project(t)
	mustRun(t, "-schemas", schemas, "-out", out)
	put(t, filepath.Join(schemas, "orders", "order.created.json"), `{"type":"object","properties":{"a":{}}}`)
	if code, _, stderr := try("-check", "-schemas", schemas, "-out", out); code != exitFailed || !strings.Contains(stderr, "orders_events.go: is stale") {
		t.Error(code, stderr)
	}
}

// Go generate opens the files of a package that comes later than the one with the
// directive, also those that the command did not need any more.
func TestRun_GenerateOutlivesAFileThatIsNotNeededAnyMore(t *testing.T) {
	schemas, out := project(t)
	root := filepath.Dir(out)
	put(t, filepath.Join(root, "go.mod"), "module example.com/shop\n\ngo 1.26\n")
	put(t, filepath.Join(root, "generate.go"), "package main\n\n//go:generate "+os.Args[0]+" -schemas schemas -out events\n")
	put(t, filepath.Join(schemas, "sales", "sale.json"), `{"type":"object"}`)
	generate := func() {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", "generate", "./...")
		cmd.Dir = root
		cmd.Env = append(os.Environ(), asCommand+"=1", "GOPROXY=off")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	generate()
	if got := files(t, out); got != "orders_events.go sales_events.go" {
		t.Error(got)
	}
	if err := os.RemoveAll(filepath.Join(schemas, "sales")); err != nil {
		t.Fatal(err)
	}
	generate()
	mustRun(t, "-schemas", schemas, "-out", out, "-check")
	generate()
	if got := files(t, out); got != "orders_events.go" {
		t.Error(got)
	}
}

// asCommand makes the test binary the command.
const asCommand = "PGQUE_GEN_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestRun_DoesNotOverwriteWhatItDidNotWrite(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(out, "orders_events.go"), "package events\n")
	code, _, stderr := try("-schemas", schemas, "-out", out)
	if code != exitFailed || !strings.Contains(stderr, "in the way") {
		t.Error(code, stderr)
	}
	if got := files(t, out); got != "orders_events.go" {
		t.Error(got)
	}
	if code, _, stderr := try("-schemas", schemas, "-out", out, "-check"); code != exitFailed || !strings.Contains(stderr, "orders_events.go: is in the way") {
		t.Error(code, stderr)
	}
}

func TestRun_TellsWhatItRemoves(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(schemas, "sales", "sale.json"), `{"type":"object"}`)
	mustRun(t, "-schemas", schemas, "-out", out)
	if err := os.RemoveAll(filepath.Join(schemas, "sales")); err != nil {
		t.Fatal(err)
	}
	if _, _, stderr := try("-schemas", schemas, "-out", out); stderr != filepath.Join(out, "sales_events.go")+": not needed any more; removed\n" {
		t.Error(stderr)
	}
}

// A limit on the size of files stands for a full disk: the first file is below
// it, the second is not.
func TestRun_LeavesThePackageAsItWasWhenAFileCannotBeWritten(t *testing.T) {
	schemas, out := project(t)
	mustRun(t, "-schemas", schemas, "-out", out)
	before := read(t, filepath.Join(out, "orders_events.go"))
	put(t, filepath.Join(schemas, "orders", "order.created.json"), `{"type":"object","title":"another"}`)
	put(t, filepath.Join(schemas, "zebras", "zebra.json"), `{"description":"`+strings.Repeat("striped ", 1<<15)+`"}`)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 128; exec "$0" "$@"`, os.Args[0], "-schemas", schemas, "-out", out)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), "-out: ") {
		t.Errorf("%v: %s", err, text)
	}
	if got := files(t, out); got != "orders_events.go" || read(t, filepath.Join(out, got)) != before {
		t.Errorf("%s is there, or other than before", got)
	}
}

func TestRun_SweepsAwayWhatAKilledRunHasLeft(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(out, ".pgque-gen-1"), "left")
	put(t, filepath.Join(out, ".pgque-gen-2"), "about to be renamed by another run")
	old := time.Now().Add(-2 * staleAge)
	if err := os.Chtimes(filepath.Join(out, ".pgque-gen-1"), old, old); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "-schemas", schemas, "-out", out)
	if got := files(t, out); got != ".pgque-gen-2 orders_events.go" {
		t.Error(got)
	}
}

func TestRun_WritesNothingWhenASchemaHasAnError(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(schemas, "orders", "bad.json"), "{\n  \"minimum\": \"x\"\n}")
	code, _, stderr := try("-schemas", schemas, "-out", out)
	if code != exitFailed || !strings.Contains(stderr, "bad.json:2:") {
		t.Error(code, stderr)
	}
	if got := files(t, out); got != "" {
		t.Error("wrote", got)
	}
}

func TestRun_DumpPrintsTheModel(t *testing.T) {
	schemas, out := project(t)
	code, stdout, stderr := try("-schemas", schemas, "-out", out, "-dump")
	if code != exitDone || !strings.Contains(stdout, `"go": "OrderCreated"`) {
		t.Error(code, stdout, stderr)
	}
	if got := files(t, out); got != "" {
		t.Error("wrote", got)
	}
}

func TestRun_SingleFileBelongsToItsFoldersQueue(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(schemas, "orders", "other.json"), `{"type":"object"}`)
	_, stdout, stderr := try("-schemas", filepath.Join(schemas, "orders", "order.created.json"), "-out", out, "-dump")
	if !strings.Contains(stdout, `"queue": "orders"`) || strings.Contains(stdout, "Other") {
		t.Error(stdout, stderr)
	}
}

func TestRun_FormatAnnotationAcceptsAnyText(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(schemas, "orders", "order.created.json"), `{"type":"object","properties":{"at":{"type":"string","format":"date-time"}}}`)
	for format, typ := range map[string]string{"assert": `"basic": "time.Time"`, "annotation": `"basic": "string"`} {
		if _, stdout, stderr := try("-schemas", schemas, "-out", out, "-dump", "-format="+format); !strings.Contains(stdout, typ) {
			t.Error(format, stdout, stderr)
		}
	}
}

func TestRun_RefRootServesReferences(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(schemas, "orders", "order.created.json"), `{"$ref":"https://schemas.example.com/money.json"}`)
	if code, _, stderr := try("-schemas", schemas, "-out", out); code != exitFailed || !strings.Contains(stderr, "order.created.json:1:") {
		t.Error(code, stderr)
	}
	shelf := t.TempDir()
	put(t, filepath.Join(shelf, "money.json"), `{"type":"object","properties":{"cents":{"type":"integer"}}}`)
	mustRun(t, "-schemas", schemas, "-out", out, "-ref-root", "https://schemas.example.com/="+shelf)
}

func TestRun_TypesComeFromFlagsAndFiles(t *testing.T) {
	schemas, out := project(t)
	put(t, filepath.Join(schemas, "orders", "order.created.json"), `{"properties":{"a":{"type":"string","format":"uuid"},"b":{"type":"integer"}}}`)
	file := filepath.Join(t.TempDir(), "types.yaml")
	put(t, file, "orders/order.created.json#/properties/b: \"*math/big.Int\"\n")
	mustRun(t, "-schemas", schemas, "-out", out, "-types", file, "-type", "uuid=github.com/google/uuid.UUID")
	text, err := os.ReadFile(filepath.Join(out, "orders_events.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`uuid "github.com/google/uuid"`, "*uuid.UUID", `"math/big"`, "*big.Int"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s", want)
		}
	}
	put(t, file, "uuid: [1]\norders/x#: no type\n")
	if code, _, stderr := try("-schemas", schemas, "-out", out, "-types", file); code != exitFailed || !strings.Contains(stderr, "types.yaml:1:7: uuid: must be") || !strings.Contains(stderr, "types.yaml:2:12: ") {
		t.Error(code, stderr)
	}
}

func TestRun_RefusesWrongFlags(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"-schemas", "x"},
		{"-schemas", "x", "-out", "y", "-format", "maybe"},
		{"-schemas", "x", "-out", "y", "-ref-root", "noequals"},
		{"-schemas", "x", "-out", "y", "surplus"},
		{"-schemas", "", "-out", "y"},
		{"-schemas", "x", "-out", "y", "-check", "-dump"},
		{"-schemas", "x", "-out", "y", "-watch", "-check"},
		{"-schemas", "x", "-out", "y", "-package", "no name"},
		{"-schemas", "x", "-out", "func"},
		{"-schemas", "x", "-out", "y", "-type", "uuid"},
		{"-schemas", "x", "-out", "y", "-type", "uuid=no type"},
	} {
		if code, _, stderr := try(args...); code != exitUsage || stderr == "" {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
}

func TestRun_AnswersWithoutSchemas(t *testing.T) {
	for args, want := range map[string]string{"-version": "pgque-gen " + emit.Version + "\n", "-h": "pgque-gen -schemas schemas -out events"} {
		if code, stdout, stderr := try(args); code != exitDone || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("%s: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}

func TestWatch_GeneratesAgainWhenASchemaChanges(t *testing.T) {
	schemas, out := project(t)
	link := filepath.Join(t.TempDir(), "link") // a folder is watched through a link, too
	if err := os.Symlink(schemas, link); err != nil {
		t.Fatal(err)
	}
	told := watch(t, "-schemas", link, "-out", out)
	told.waitFor(t, "orders_events.go: written")
	put(t, filepath.Join(schemas, "payments", "payment.made.json"), `{"type":"object"}`)
	told.waitFor(t, "payments_events.go: written")
}

func TestWatch_SaysThatAnErrorIsMended(t *testing.T) {
	schemas, out := project(t)
	file := filepath.Join(schemas, "orders", "order.created.json")
	told := watch(t, "-schemas", schemas, "-out", out)
	told.waitFor(t, "orders_events.go: written")
	good := read(t, file)
	put(t, file, `{"type":"objekt"}`)
	told.waitFor(t, `not "objekt"`)
	put(t, file, good) // which changes no file of the package
	told.waitFor(t, "in order again")
	if err := os.Rename(schemas, schemas+"-away"); err != nil {
		t.Fatal(err)
	}
	told.waitFor(t, "no such file or directory")
	if err := os.Rename(schemas+"-away", schemas); err != nil {
		t.Fatal(err)
	}
	told.waitFor(t, "in order again")
}

func TestWatch_SeesWhatARunReadsAndNothingElse(t *testing.T) {
	schemas, _ := project(t)
	shelf := t.TempDir()
	types := filepath.Join(t.TempDir(), "types.yaml")
	c := command{schemas: []string{schemas}, refRoots: []refRoot{{"https://x/", shelf}}, typeFile: types}
	last := c.fingerprint()
	for _, name := range []string{"orders/new.yaml", "new/folder/e.json", "orders/order.created.json"} {
		put(t, filepath.Join(schemas, name), `{"title":"new"}`)
		if now := c.fingerprint(); now == last {
			t.Errorf("%s is not seen", name)
		} else {
			last = now
		}
	}
	for _, name := range []string{types, filepath.Join(shelf, "money")} {
		put(t, name, "{}")
		if now := c.fingerprint(); now == last {
			t.Errorf("%s is not seen", name)
		} else {
			last = now
		}
	}
	for _, name := range []string{"events/orders_events.go", "events/.pgque-gen-1", ".git/objects/a.json", "orders/.new.json.swp", "README.md"} {
		put(t, filepath.Join(schemas, name), "x")
		if c.fingerprint() != last {
			t.Errorf("%s is seen", name)
		}
	}
}

// watch runs the command with -watch until the test ends.
func watch(t *testing.T, args ...string) *told {
	t.Helper()
	c, err := parseFlags(append(args, "-watch"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	told := &told{more: make(chan struct{}, 1)}
	go func() {
		defer close(done)
		c.watch(ctx, io.Discard, told)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return told
}

// told is what a command prints while it runs.
type told struct {
	mu   sync.Mutex
	text string
	more chan struct{}
}

func (l *told) Write(text []byte) (int, error) {
	l.mu.Lock()
	l.text += string(text)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return len(text), nil
}

// waitFor waits until the text is printed, and forgets everything up to it.
func (l *told) waitFor(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		l.mu.Lock()
		_, after, found := strings.Cut(l.text, text)
		if found {
			l.text = after
		}
		all := l.text
		l.mu.Unlock()
		if found {
			return
		}
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("%q was not printed: %s", text, all)
		}
	}
}
