package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the README shows is a program: its files make the module example.com/shop,
// its other Go snippets are bodies of functions there. This test does what the
// README tells a reader to do, and runs what comes out.
func TestREADME_ShowsWhatWorks(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shop := newModule(t)
	fragments := 0
	for _, s := range snippets(string(readme)) {
		switch {
		case s.file != "":
			shop.write(s.file, s.code)
		case s.language == "go":
			fragments++
			shop.write(fmt.Sprintf("fragment%d.go", fragments), asFile(fragments, s.code))
		}
	}
	if fragments < 5 {
		t.Fatalf("only %d snippets found", fragments)
	}
	shop.write("surroundings.go", surroundings)
	shop.write("surroundings_test.go", fmt.Sprintf(surroundingsTest, violation(t, string(readme))))

	shop.run("go", "generate", "./...")
	shop.run("go", "vet", "./...")
	shop.run("go", "test", "-timeout", "2m", "./...")
	shop.run("go", "tool", "pgque-gen", "-schemas", "schemas", "-out", "events", "-package", "events", "-check")
}

// snippet is a fenced block; file is its name when the line before the fence is
// nothing but a name.
type snippet struct{ file, language, code string }

var fenced = regexp.MustCompile("(?m)(?:^`([^`\n]+)`\n\n)?^```([a-z]+)\n((?s:.*?))^```$")

func snippets(markdown string) []snippet {
	var all []snippet
	for _, m := range fenced.FindAllStringSubmatch(markdown, -1) {
		all = append(all, snippet{file: m[1], language: m[2], code: m[3]})
	}
	return all
}

// asFile makes a snippet the body of a function.
func asFile(n int, code string) string {
	result := "nil"
	if setsErr.MatchString(code) {
		result = "err"
	}
	return fmt.Sprintf(fragmentFile, n, code, result)
}

// setsErr finds a declaration of err that is not inside a block.
var setsErr = regexp.MustCompile(`(?m)^[a-z_, ]*err :?= `)

const fragmentFile = `package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"example.com/shop/events"
	"github.com/jackc/pgx/v5"
	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/metrics"
)

var (
	_ = errors.New
	_ = fmt.Sprint
	_ = slog.Default
	_ = http.Handle
	_ = metrics.New
	_ time.Time
	_ pgx.Tx
	_ events.OrderCreated
)

func _%d(ctx context.Context, client *pgque.Client) error {
%s
	return %s
}
`

// surroundings are what the snippets take for granted.
const surroundings = `package main

import (
	"context"
	"errors"

	"example.com/shop/events"
	"github.com/pgque/pgque-go/pgque"
)

var (
	errNoSuchCustomer = errors.New("no such customer")
	errBusy           = errors.New("busy")
)

func charge(context.Context, string, float64) error { return nil }

func mail(context.Context, events.OrderCreated) error { return nil }

func store(pgque.Message) error { return nil }
`

// surroundingsTest runs the program and causes the error that the README shows.
const surroundingsTest = `package main

import (
	"context"
	"errors"
	"log"
	"strings"
	"testing"

	"example.com/shop/events"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestRun_Delivers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	handled := &watcher{text: "billing o-42: 99.95 (event 1, attempt 1)", then: cancel}
	log.SetOutput(handled)
	if err := run(ctx, pgquetest.NewDatabase(t)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type watcher struct {
	text string
	then func()
}

func (w *watcher) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.then()
	}
	return len(p), nil
}

func TestInvalidEvent_IsRefused(t *testing.T) {
	err := events.OrderCreated{OrderID: "o-42", Total: -1}.Validate()
	if want := %q; err == nil || err.Error() != want {
		t.Errorf("%%v, want %%s", err, want)
	}
}
`

// violation is the error message that the README shows.
func violation(t *testing.T, markdown string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^    (order\.created: .*)$`).FindStringSubmatch(markdown)
	if m == nil {
		t.Fatal("the README shows no violation")
	}
	return m[1]
}

// module is a module beside this one, as a user has it.
type module struct {
	t   *testing.T
	dir string
}

// newModule requires this module from where it is, and what this one requires.
func newModule(t *testing.T) *module {
	t.Helper()
	m := &module{t: t, dir: t.TempDir()}
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(here, name))
		if err != nil {
			t.Fatal(err)
		}
		m.write(name, string(text))
	}
	const path = "github.com/pgque/pgque-go"
	m.run("go", "mod", "edit", "-module=example.com/shop", "-require="+path+"@v0.0.0", "-replace="+path+"="+here,
		"-tool="+path+"/cmd/pgque-gen")
	return m
}

func (m *module) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		m.t.Fatal(err)
	}
}

func (m *module) run(name string, args ...string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), name, args...)
	cmd.Dir = m.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}
