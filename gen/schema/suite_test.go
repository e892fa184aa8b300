package schema_test

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"os/exec"
	"path"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pgque/pgque-go/gen/schema"
)

// suite is the official test suite, as the module cache has it.
var suite = sync.OnceValues(func() (fs.FS, error) {
	// The module wants a newer Go; its zip arrives all the same.
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

func openSuite(t *testing.T) fs.FS {
	t.Helper()
	fsys, err := suite()
	if err != nil {
		t.Fatalf("the official suite is not in the module cache: %v; run go mod download -json github.com/kaptinlin/jsonschema@v0.9.10", err)
	}
	return fsys
}

func TestLoad_OfficialSuite(t *testing.T) {
	for _, draft := range []struct {
		folder string
		draft  schema.Draft
		least  int
	}{
		{"draft4", schema.Draft4, 150},
		{"draft6", schema.Draft6, 200},
		{"draft7", schema.Draft7, 250},
		{"draft2019-09", schema.Draft2019, 350},
		{"draft2020-12", schema.Draft2020, 370},
	} {
		t.Run(draft.folder, func(t *testing.T) {
			fsys := openSuite(t)
			n := 0
			err := fs.WalkDir(fsys, "tests/"+draft.folder, func(name string, entry fs.DirEntry, err error) error {
				if err == nil && path.Ext(name) == ".json" {
					n += loadGroups(t, fsys, name, draft.draft)
				}
				return err
			})
			if err != nil || n < draft.least {
				t.Fatalf("%d schemas, want at least %d: %v", n, draft.least, err)
			}
		})
	}
}

// loadGroups loads the schema of every group in a file of the suite.
func loadGroups(t *testing.T, fsys fs.FS, name string, draft schema.Draft) int {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Description string
		Schema      json.RawMessage
	}
	if err := json.Unmarshal(src, &groups); err != nil {
		t.Fatal(err)
	}
	remotes, err := fs.Sub(fsys, "remotes")
	if err != nil {
		t.Fatal(err)
	}
	opts := schema.Options{Default: draft, RefRoots: []schema.RefRoot{{Prefix: "http://localhost:1234/", FS: remotes, Name: "remotes"}}}
	for _, g := range groups {
		files := fstest.MapFS{"q/e.json": {Data: g.Schema}}
		_, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, opts)
		for _, d := range diags {
			if !d.Warning {
				t.Errorf("%s: %s: %s: %s\n%s", name, g.Description, d.Pos, d.Message, g.Schema)
			}
		}
	}
	return len(groups)
}
