package suite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/emit"
	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// A subject is a schema to be turned into a predicate.
type subject struct {
	schema       []byte
	draft        schema.Draft
	assertFormat bool
	remotes      fs.FS     // below remotePrefix; nil is none
	edit         *mutation // of the emitted code; nil is none
}

// checks loads the schema and returns its check and those that it needs, named
// after n.
func (s subject) checks(n int) (root *model.Check, all []*model.Check, err error) {
	opts := schema.Options{Default: s.draft, AssertFormat: s.assertFormat}
	if s.remotes != nil {
		opts.RefRoots = []schema.RefRoot{{Prefix: remotePrefix, FS: s.remotes, Name: "remotes"}}
	}
	files := fstest.MapFS{"q/e.json": {Data: s.schema}}
	set, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, opts)
	if err := firstError(diags); err != nil {
		return nil, nil, err
	}
	seen := map[*schema.File]string{}
	checks := model.NewChecks(model.CheckOptions{
		Prefix: func(f *schema.File) string {
			if _, ok := seen[f]; !ok {
				seen[f] = fmt.Sprintf("S%dF%d", n, len(seen))
			}
			return seen[f]
		},
	})
	for _, f := range set.Files {
		if s.edit != nil {
			s.edit.resources(f.Root)
		}
	}
	for _, f := range set.Files {
		if f.Path == "q/e.json" {
			root = checks.Of(f.Root)
		}
	}
	all = checks.All()
	if s.edit != nil && s.edit.rule != nil {
		for _, c := range all {
			s.edit.rule(c)
		}
	}
	return root, all, firstError(checks.Diagnostics())
}

func firstError(diags []schema.Diagnostic) error {
	for _, d := range diags {
		if !d.Warning {
			return fmt.Errorf("%s:%d:%d: %s: %s", d.Pos.File, d.Pos.Line, d.Pos.Column, d.Pointer, d.Message)
		}
	}
	return nil
}

// A program is the compiled predicates of many subjects.
type program struct {
	path    string
	refused map[int]error // subjects that have no predicate
}

// A question asks a subject about an instance.
type question struct {
	Subject  int
	Instance string
	Count    bool // the allocations of a bare verdict
	Shake    bool // and what an application may make of it
}

// An answer is what the predicate said: bare, and while it reported.
type answer struct {
	Syntax     string // why the instance is no JSON
	Valid      bool
	Reported   bool // the verdict of the reporting run
	Violations []string
	Allocs     float64
	Sent       []string // what was encoded after changes
	Lost       string   // what became of one that did not come back
}

// compile makes a program of the subjects.
func compile(t testing.TB, name string, subjects []subject) program {
	t.Helper()
	p := program{refused: map[int]error{}}
	files := map[string][]byte{"main.go": []byte(mainSource)}
	shared := jen.NewFile("main")
	var roots []jen.Code
	for i, s := range subjects {
		root, all, err := s.checks(i)
		if err != nil {
			p.refused[i] = err
			roots = append(roots, jen.Nil())
			continue
		}
		roots = append(roots, jen.Id(root.Func))
		if s.edit == nil {
			declare(shared, all)
			continue
		}
		files[fmt.Sprintf("subject%d.go", i)] = s.edit.text(render(t, all))
	}
	// var subjects = []wire.Predicate{…}
	shared.Var().Id("subjects").Op("=").Index().Qual("github.com/pgque/pgque-go/pgque/wire", "Predicate").Values(roots...)
	var source bytes.Buffer
	if err := shared.Render(&source); err != nil {
		t.Fatal(err)
	}
	files["checks.go"] = source.Bytes()
	p.path = build(t, name, files)
	return p
}

// declare adds the checks to a file.
func declare(f *jen.File, checks []*model.Check) {
	for _, c := range checks {
		for _, decl := range emit.CheckDecls(c) {
			f.Add(decl)
		}
	}
}

// render returns the file of some checks.
func render(t testing.TB, checks []*model.Check) []byte {
	t.Helper()
	f := jen.NewFile("main")
	declare(f, checks)
	var source bytes.Buffer
	if err := f.Render(&source); err != nil {
		t.Fatal(err)
	}
	return source.Bytes()
}

// mainSource answers the questions on its standard input.
const mainSource = `package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

type answer struct {
	Syntax          string
	Valid, Reported bool
	Violations      []string
	Allocs          float64
}

type question struct {
	Subject  int
	Instance string
	Count    bool
}

func ask(p wire.Predicate, q question) (a answer) {
	v, err := wire.Parse([]byte(q.Instance))
	if err != nil {
		return answer{Syntax: err.Error()}
	}
	if q.Count {
		a.Allocs = testing.AllocsPerRun(100, func() { p(v, nil, nil) })
	}
	var r wire.Report
	a.Valid = p(v, nil, nil)
	a.Reported = p(v, nil, &r)
	if err, ok := r.Err("event").(*wire.ValidationError); ok {
		for _, v := range err.Violations {
			a.Violations = append(a.Violations, v.Pointer+": "+v.Keyword+": "+v.Message)
		}
	}
	return a
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := make([]answer, len(questions))
	for i, q := range questions {
		answers[i] = ask(subjects[q.Subject], q)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
`

// build compiles files as a program of this module, without writing into its
// folders.
func build(t testing.TB, name string, files map[string][]byte) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, files)
	replace := map[string]string{}
	for file := range files {
		path := filepath.FromSlash(file)
		replace[filepath.Join(root, "gen", "suite", "generated", name, path)] = filepath.Join(dir, path)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string][]byte{"overlay.json": text})
	binary := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./gen/suite/generated/"+name)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		keep := keepSource(t, files)
		t.Fatalf("generated code does not compile: %v; see %s\n%s", err, keep, firstLines(out, 20))
	}
	return binary
}

// module writes the files into a module of their own, which requires this one.
func module(t testing.TB, files map[string][]byte) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, files)
	write(t, dir, map[string][]byte{
		"go.sum": sums,
		"go.mod": fmt.Appendf(nil, "module generated\n\ngo 1.26\n\nrequire github.com/pgque/pgque-go v0.0.0\n\nreplace github.com/pgque/pgque-go => %s\n", root),
	})
	return dir
}

func write(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// keepSource saves the files of a failed build for whoever looks into it.
func keepSource(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "suite")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, files)
	return dir
}

func firstLines(text []byte, n int) []byte {
	lines := bytes.SplitAfterN(text, []byte("\n"), n+1)
	return bytes.Join(lines[:min(n, len(lines))], nil)
}

// ask runs the program over the questions.
func (p program) ask(t testing.TB, questions []question) []answer {
	t.Helper()
	text, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(p.path)
	cmd.Stdin = bytes.NewReader(text)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}
