package gen_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata/*.txtar")

// A golden case is a txtar archive: schemas/QUEUE/TYPE.json are the schemas,
// "diagnostics" is what there is to say about them, out/FILE.go is a generated
// file to be read by people. The lines of "accept" and "reject" are instances,
// each behind the Go type that accepts or rejects it; a rejected one may be
// followed by " => " and a part of the error, an accepted one by " => " and what it
// becomes; those of "logs" are accepted instances, followed by " => " and what
// log/slog shows of them. A file called "defaults" turns that option on; the lines of "types" are
// mappings, KEY=TYPE.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	w := newWorkshop(t)
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			runGolden(t, w, name)
		})
	}
	w.run(t)
}

func runGolden(t *testing.T, w *workshop, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	pkg := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".txtar"), "-", "")
	files, diags := gen.Generate(schemasOf(archive), gen.Options{Package: pkg, Defaults: has(archive, "defaults"), Types: typesOf(t, archive)})
	compareDiagnostics(t, archive, diags)
	for i, f := range archive.Files {
		switch {
		case strings.HasPrefix(f.Name, "out/"):
			compareFile(t, &archive.Files[i], files)
		case f.Name == "accept" || f.Name == "reject" || f.Name == "logs":
			w.ask(t, pkg, f.Name, string(f.Data))
		}
	}
	w.add(t, pkg, files)
	if *update {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func has(archive *txtar.Archive, name string) bool {
	return slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
}

func typesOf(t *testing.T, archive *txtar.Archive) (list []model.TypeMapping) {
	t.Helper()
	for _, f := range archive.Files {
		if f.Name != "types" {
			continue
		}
		for i, line := range strings.Split(strings.TrimSpace(string(f.Data)), "\n") {
			key, text, _ := strings.Cut(line, "=")
			g, err := model.ParseGoType(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, model.TypeMapping{Key: key, Go: g, Pos: schema.Position{File: "types", Line: i + 1, Column: 1}})
		}
	}
	return list
}

func schemasOf(archive *txtar.Archive) []schema.Source {
	folder := fstest.MapFS{}
	for _, f := range archive.Files {
		if path, ok := strings.CutPrefix(f.Name, "schemas/"); ok {
			folder[path] = &fstest.MapFile{Data: f.Data}
		}
	}
	return []schema.Source{{FS: folder, Name: "schemas"}}
}

func compareDiagnostics(t *testing.T, archive *txtar.Archive, diags []schema.Diagnostic) {
	t.Helper()
	var got strings.Builder
	for _, d := range diags {
		got.WriteString(gen.Format(d) + "\n")
	}
	for i, f := range archive.Files {
		if f.Name != "diagnostics" {
			continue
		}
		if *update {
			archive.Files[i].Data = []byte(got.String())
		} else if got.String() != string(f.Data) {
			t.Errorf("diagnostics:\n%swant:\n%s", got.String(), f.Data)
		}
		return
	}
	if got.Len() > 0 {
		t.Errorf("diagnostics:\n%swant none", got.String())
	}
}

func compareFile(t *testing.T, want *txtar.File, files []gen.File) {
	t.Helper()
	for _, f := range files {
		if "out/"+f.Name != want.Name {
			continue
		}
		if *update {
			want.Data = f.Bytes
		} else if !bytes.Equal(f.Bytes, want.Data) {
			t.Errorf("%s differs: run go test ./gen -run TestGolden -update, and read the difference", f.Name)
		}
		return
	}
	t.Errorf("%s was not generated", want.Name)
}

// A workshop compiles generated packages into one program that decodes and
// encodes instances.
type workshop struct {
	dir       string
	packages  []string
	questions []question
}

type question struct {
	pkg, typ, instance string
	complaint          string // or what an accepted instance becomes, or what logs show
	section            string // of the archive
	t                  *testing.T
}

// newWorkshop makes a module in a temporary folder that uses this one.
func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	w := &workshop{dir: t.TempDir()}
	text := strings.Replace(string(mod), "module github.com/pgque/pgque-go", "module example.com/workshop", 1)
	text += fmt.Sprintf("\nrequire github.com/pgque/pgque-go v0.0.0\n\nreplace github.com/pgque/pgque-go => %s\n", root)
	w.write(t, "go.mod", []byte(text))
	w.write(t, "go.sum", sum)
	return w
}

func (w *workshop) write(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *workshop) add(t *testing.T, pkg string, files []gen.File) {
	t.Helper()
	if len(files) == 0 {
		return
	}
	w.packages = append(w.packages, pkg)
	for _, f := range files {
		w.write(t, pkg+"/"+f.Name, f.Bytes)
	}
}

func (w *workshop) ask(t *testing.T, pkg, section, lines string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		typ, instance, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("no type before the instance: %s", line)
		}
		instance, complaint, _ := strings.Cut(instance, " => ")
		w.questions = append(w.questions, question{pkg, typ, instance, complaint, section, t})
	}
}

// run compiles everything, checks it with go vet and asks all questions.
func (w *workshop) run(t *testing.T) {
	t.Helper()
	w.write(t, "main.go", w.program())
	w.goTool(t, nil, "vet", "./...")
	input, err := json.Marshal(w.instances())
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(w.goTool(t, input, "run", "."), &answers); err != nil {
		t.Fatal(err)
	}
	for i, q := range w.questions {
		q.judge(t, answers[i])
	}
}

func (w *workshop) instances() []string {
	list := make([]string, len(w.questions))
	for i, q := range w.questions {
		list[i] = q.instance
	}
	return list
}

func (w *workshop) goTool(t *testing.T, input []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = w.dir
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// An answer is what the generated type says about an instance.
type answer struct {
	Error string // of json.Unmarshal
	Text  string // of json.Marshal
	Log   string // of log/slog
}

func (q question) judge(t *testing.T, a answer) {
	t.Helper()
	name := q.pkg + "." + q.typ + " " + q.instance
	accept := q.section != "reject"
	switch {
	case accept && a.Error != "":
		t.Errorf("%s: rejected: %s", name, a.Error)
	case q.section == "logs" && strings.TrimSpace(a.Log) != q.complaint:
		t.Errorf("%s: logged as %s", name, a.Log)
	case q.section == "accept" && !equalJSON(t, a.Text, cmp.Or(q.complaint, q.instance)):
		t.Errorf("%s: came back as %s", name, a.Text)
	case !accept && a.Error == "":
		t.Errorf("%s: accepted", name)
	case !accept && !strings.Contains(a.Error, q.complaint):
		t.Errorf("%s: rejected with %q, not %q", name, a.Error, q.complaint)
	}
}

// equalJSON compares texts without regard to white space and the order of
// members; numbers by their text.
func equalJSON(t *testing.T, a, b string) bool {
	t.Helper()
	return canonical(t, a) == canonical(t, b)
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// program reads instances and writes answers.
func (w *workshop) program() []byte {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"encoding/json\"\n\t\"log/slog\"\n\t\"os\"\n\t\"strings\"\n\n")
	for _, pkg := range w.packages {
		fmt.Fprintf(&b, "\t\"example.com/workshop/%s\"\n", pkg)
	}
	b.WriteString(`)

type value interface {
	json.Unmarshaler
	json.Marshaler
}

func ask(instance string, v value) (a struct{ Error, Text, Log string }) {
	if err := json.Unmarshal([]byte(instance), v); err != nil {
		a.Error = err.Error()
		return a
	}
	text, err := json.Marshal(v)
	if err != nil {
		a.Error = "encoding: " + err.Error()
	}
	a.Text = string(text)
	var log strings.Builder
	bare := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: bare})).Info("", "ev", v)
	a.Log = log.String()
	return a
}

func main() {
	var instances []string
	if err := json.NewDecoder(os.Stdin).Decode(&instances); err != nil {
		panic(err)
	}
	answers := []any{
`)
	for i, q := range w.questions {
		fmt.Fprintf(&b, "\t\task(instances[%d], new(%s.%s)),\n", i, q.pkg, q.typ)
	}
	b.WriteString("\t}\n\tif err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {\n\t\tpanic(err)\n\t}\n}\n")
	return []byte(b.String())
}
