// Package suite_test proves generated code: against the official test suite of
// JSON Schema, against another validator, and against its own mutations.
package suite_test

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/pgque/pgque-go/gen/schema"
)

// A draft is a folder of the official suite.
type draft struct {
	name   string
	folder string
	draft  schema.Draft
	cases  int  // required ones, a lower bound
	fuzz   bool // with examples and fuzz targets
}

var drafts = []draft{
	{name: "draft4", folder: "draft4", draft: schema.Draft4, cases: 600},
	{name: "draft6", folder: "draft6", draft: schema.Draft6, cases: 800},
	{name: "draft7", folder: "draft7", draft: schema.Draft7, cases: 900},
	{name: "2019-09", folder: "draft2019-09", draft: schema.Draft2019, cases: 1200},
	{name: "2020-12", folder: "draft2020-12", draft: schema.Draft2020, cases: 1200},
}

// ours are cases that the official suite does not have; found disagreements
// become cases here.
var ours = draft{name: "ours", draft: schema.Draft2020, cases: 40}

// A group is one schema of the suite and its cases.
type group struct {
	Description string
	Schema      json.RawMessage
	Tests       []testCase
	file        string // relative to the draft's folder: optional/format/uri.json
}

// A testCase is one instance and what the schema says about it.
type testCase struct {
	Description string
	Data        json.RawMessage
	Valid       bool
}

// name identifies a case: file, group and case.
func (g group) name(i int) string {
	return g.file + ": " + g.Description + ": " + g.Tests[i].Description
}

// isFormat tells the cases of one format.
func (g group) isFormat() bool { return strings.HasPrefix(g.file, "optional/format/") }

// assertsFormat tells the cases that want formats asserted.
func (g group) assertsFormat() bool {
	return strings.HasPrefix(g.file, "optional/format") || g.file == "optional/ecmascript-regex.json"
}

// isRequired tells the cases that every implementation must agree with.
func (g group) isRequired() bool { return !strings.HasPrefix(g.file, "optional/") }

// keyword names the row of the table that the group belongs to.
func (g group) keyword() string { return strings.TrimSuffix(g.file, ".json") }

// official is the suite, as the module cache has it.
var official = sync.OnceValues(func() (fs.FS, error) {
	// The module asks for a newer Go; its zip arrives all the same.
	out, _ := exec.Command("go", "mod", "download", "-json", "github.com/kaptinlin/jsonschema@v0.9.10").Output()
	var module struct{ Zip string }
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, err
	}
	z, err := zip.OpenReader(module.Zip)
	if err != nil {
		return nil, err
	}
	return fs.Sub(z, "github.com/kaptinlin/jsonschema@v0.9.10/testdata/JSON-Schema-Test-Suite")
})

func openSuite(t testing.TB) fs.FS {
	t.Helper()
	fsys, err := official()
	if err != nil {
		t.Fatalf("the official suite is not in the module cache: %v; run go mod download -json github.com/kaptinlin/jsonschema@v0.9.10", err)
	}
	return fsys
}

// files is the folder of the draft's cases.
func (d draft) files(t testing.TB) fs.FS {
	t.Helper()
	if d.folder == "" {
		return os.DirFS("testdata")
	}
	tests, err := fs.Sub(openSuite(t), path.Join("tests", d.folder))
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// groups reads all groups of a draft, in the order of their files.
func (d draft) groups(t testing.TB) []group {
	t.Helper()
	tests := d.files(t)
	var all []group
	err := fs.WalkDir(tests, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".json" {
			return err
		}
		text, err := fs.ReadFile(tests, name)
		if err != nil {
			return err
		}
		var groups []group
		if err := json.Unmarshal(text, &groups); err != nil {
			return err
		}
		for _, g := range groups {
			g.file = name
			all = append(all, g)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// remotes serves what the suite's schemas refer to.
func remotes(t testing.TB) fs.FS {
	t.Helper()
	fsys, err := fs.Sub(openSuite(t), "remotes")
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

const remotePrefix = "http://localhost:1234/"
