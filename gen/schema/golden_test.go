package schema_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/pgque/pgque-go/gen/schema"
)

var update = flag.Bool("update", false, "rewrite the diagnostics in testdata")

// TestLoad_Diagnostics loads the archives in testdata. Files below schemas/ are
// the source, files below root/ are served for http://example.com/, and the
// file "diagnostics" is what Load has to say.
func TestLoad_Diagnostics(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive := parseArchive(t, name)
			got, want := loadArchive(archive), &archive.Files[len(archive.Files)-1]
			if want.Name != "diagnostics" {
				t.Fatal("the last file must be diagnostics")
			}
			if again := loadArchive(archive); !bytes.Equal(got, again) {
				t.Errorf("the second time:\n%s\nthe first time:\n%s", again, got)
			}
			if *update {
				want.Data = got
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want.Data)
			}
		})
	}
}

func parseArchive(t testing.TB, name string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func loadArchive(archive *txtar.Archive) []byte {
	source, root := fstest.MapFS{}, fstest.MapFS{}
	for _, f := range archive.Files {
		// The final newline is the archive's, not the file's.
		data := bytes.TrimSuffix(f.Data, []byte("\n"))
		if name, ok := strings.CutPrefix(f.Name, "schemas/"); ok {
			source[name] = &fstest.MapFile{Data: data}
		}
		if name, ok := strings.CutPrefix(f.Name, "root/"); ok {
			root[name] = &fstest.MapFile{Data: data}
		}
	}
	set, diags := schema.Load([]schema.Source{{FS: source, Name: "schemas"}}, schema.Options{
		RefRoots: []schema.RefRoot{{Prefix: "http://example.com/", FS: root, Name: "root"}},
	})
	var b bytes.Buffer
	for _, d := range diags {
		severity := "error"
		if d.Warning {
			severity = "warning"
		}
		fmt.Fprintf(&b, "%s: %s: %s: %s\n", d.Pos, severity, d.Pointer, d.Message)
	}
	if set != nil {
		fmt.Fprintf(&b, "%d files\n", len(set.Files))
	}
	return b.Bytes()
}
