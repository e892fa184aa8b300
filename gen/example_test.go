package gen_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/pgque/pgque-go/gen"
)

// noExamples are events that no instance is valid for.
var noExamples = map[string]bool{"union.Never": true, "objects.Chain": true}

// TestExamples_AreValidAndCounterexamplesAreNot asks the generators of every
// golden case for events.
func TestExamples_AreValidAndCounterexamplesAreNot(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkshop(t)
	var imports, calls strings.Builder
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pkg := strings.TrimSuffix(filepath.Base(name), ".txtar")
		opts := gen.Options{Package: pkg, Fuzz: true}
		m, diags := gen.Model(schemasOf(archive), opts)
		if gen.HasErrors(diags) {
			continue
		}
		files, _ := gen.Generate(schemasOf(archive), opts)
		w.add(t, pkg, files)
		fmt.Fprintf(&imports, "\t\"example.com/workshop/%s\"\n", pkg)
		for _, ev := range m.Events {
			typ := pkg + "." + ev.Go
			fmt.Fprintf(&calls, "\ttry(%q, %v, %sExample, %sCounterexample, func() json.Unmarshaler { return new(%s) })\n",
				typ, !noExamples[typ], typ, typ, typ)
		}
	}
	w.write(t, "main.go", []byte(fmt.Sprintf(exampleProgram, imports.String(), calls.String())))
	w.goTool(t, nil, "test", "./...") // the seeds of the fuzz targets
	if out := w.goTool(t, nil, "run", "."); len(out) > 0 {
		t.Error(string(out))
	}
}

// exampleProgram prints what is wrong with examples.
const exampleProgram = `package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

%s)

func try[T json.Marshaler](name string, satisfiable bool, example func(*rand.Rand) (T, bool), counter func(*rand.Rand) ([]byte, bool), blank func() json.Unmarshaler) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		v, ok := example(r)
		if ok != satisfiable {
			fmt.Println(name, "found", ok)
			return
		}
		if !ok {
			return
		}
		text, err := v.MarshalJSON()
		if err != nil {
			fmt.Println(name, "is not encoded:", err)
			return
		}
		if err := blank().UnmarshalJSON(text); err != nil {
			fmt.Println(name, string(text), "is not valid:", err)
		}
		if text, ok := counter(r); ok && blank().UnmarshalJSON(text) == nil {
			fmt.Println(name, string(text), "is valid")
		}
	}
}

func main() {
%s}
`
