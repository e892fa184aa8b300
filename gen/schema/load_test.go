package schema_test

import (
	"testing"
	"testing/fstest"

	"github.com/pgque/pgque-go/gen/schema"
)

// load loads files that must be free of errors.
func load(t *testing.T, files map[string]string) *schema.Set {
	t.Helper()
	set, diags := loadFiles(files)
	for _, d := range diags {
		if !d.Warning {
			t.Errorf("%s: %s: %s", d.Pos, d.Pointer, d.Message)
		}
	}
	if set == nil {
		t.FailNow()
	}
	return set
}

func loadFiles(files map[string]string) (*schema.Set, []schema.Diagnostic) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return schema.Load([]schema.Source{{FS: fsys, Name: "schemas"}}, schema.Options{})
}

func TestLoad_ReferencesBetweenFilesResolve(t *testing.T) {
	set := load(t, map[string]string{
		"orders/created.json": `{"properties": {"total": {"$ref": "../shared/money.json"}, "id": {"$ref": "../shared/ids.json#/$defs/order"}}}`,
		"shared/money.json":   `{"type": "string"}`,
		"shared/ids.json":     `{"$defs": {"order": {"type": "integer"}}}`,
	})
	if len(set.Files) != 3 || set.Files[0].Path != "orders/created.json" {
		t.Fatalf("files: %+v", set.Files)
	}
	props := set.Files[0].Root.Properties
	if got := props[0].Schema.Ref.Target; got != set.Files[2].Root {
		t.Errorf("total leads to %s", got.Pos)
	}
	if got := props[1].Schema.Ref.Target; got.Types != schema.Integer || got.Pointer != "/$defs/order" {
		t.Errorf("id leads to %s %q", got.Pos, got.Pointer)
	}
}
