package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pgque/pgque-go/gen/schema"
)

// within fails a test that took far longer than linear work would. The bound is
// generous, since machines are shared.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > limit {
		t.Errorf("took %v", took)
	}
}

// refusal loads one file that must be refused with a message.
func refusal(t *testing.T, name, text, says string) {
	t.Helper()
	_, diags := loadFiles(map[string]string{name: text})
	for _, d := range diags {
		if !d.Warning && strings.Contains(d.Message, says) {
			return
		}
	}
	t.Errorf("%.60s: no error says %q: %.300v", text, says, diags)
}

func TestLoad_DeepNestingIsRefused(t *testing.T) {
	refusal(t, "q/e.json", strings.Repeat("[", 1_000_000), "deeper than 128")
	refusal(t, "q/e.json", strings.Repeat(`{"not":`, 200)+"true"+strings.Repeat("}", 200), "deeper than 128")
	refusal(t, "q/e.yaml", strings.Repeat("[", 100_000), "")
	refusal(t, "q/e.yaml", strings.Repeat("[", 200)+strings.Repeat("]", 200), "deeper than 128")
}

func TestLoad_DeepestAllowedNestingLoads(t *testing.T) {
	load(t, map[string]string{"q/e.json": strings.Repeat(`{"not":`, 127) + "{}" + strings.Repeat("}", 127)})
}

func TestLoad_LimitsHold(t *testing.T) {
	files := fstest.MapFS{
		"a.json": {Data: []byte(`{"enum": [1, 2, 3, 4]}`)},
		"b.json": {Data: []byte(`{"title": "` + strings.Repeat("x", 100) + `"}`)},
	}
	for says, limits := range map[string]schema.Limits{
		"enum has 4 values":           {EnumValues: 3},
		"larger than 90 bytes":        {FileBytes: 90},
		"more than 5 values":          {Nodes: 5},
		"more than 1 schema files":    {Files: 1},
		"nested deeper than 1 levels": {Depth: 1},
	} {
		_, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{Limits: limits})
		if len(diags) != 1 || !strings.Contains(diags[0].Message, says) {
			t.Errorf("want %q: %v", says, diags)
		}
	}
}

func TestLoad_LargeEnumIsLinear(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"enum": [0`)
	for i := range 99_999 {
		fmt.Fprintf(&b, `,"value number %d"`, i)
	}
	b.WriteString("]}")
	within(t, time.Minute, func() {
		set := load(t, map[string]string{"q/e.json": b.String()})
		if n := len(set.Files[0].Root.Enum); n != 100_000 {
			t.Errorf("%d values", n)
		}
	})
}

func TestLoad_LongRequiredIsLinear(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"additionalProperties": false, "required": ["a"`)
	for i := range 100_000 {
		fmt.Fprintf(&b, `,"name%d"`, i)
	}
	b.WriteString("]}")
	within(t, time.Minute, func() { load(t, map[string]string{"q/e.json": b.String()}) })
}

func TestLoad_DoubledReferencesAreBuiltOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref": "#/$defs/d0", "$defs": {`)
	for i := range 100 {
		fmt.Fprintf(&b, `"d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	b.WriteString(`"d100": true}}`)
	within(t, time.Minute, func() { load(t, map[string]string{"q/e.json": b.String()}) })
}

func TestLoad_LongChainOfReferences(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$defs": {`)
	for i := range 20_000 {
		fmt.Fprintf(&b, `"d%d": {"$ref": "#/$defs/d%d"},`, i, i+1)
	}
	b.WriteString(`"d20000": true}}`)
	within(t, time.Minute, func() { load(t, map[string]string{"q/e.json": b.String()}) })
}

func TestLoad_HugeNumbersInLimits(t *testing.T) {
	set := load(t, map[string]string{"q/e.json": `{
		"minLength": 1e1000000000, "maxLength": 1e1000000000, "minItems": 99999999999999999999,
		"maxItems": 9223372036854775807, "minProperties": 2.000, "maxProperties": 0.3e1,
		"minimum": -1e1000000001, "multipleOf": 1e-1000000000, "const": 1e1000000001}`})
	root := set.Files[0].Root
	if *root.MinLength != 1<<63-1 || root.MaxLength != nil || *root.MinItems != 1<<63-1 || *root.MaxItems != 1<<63-1 {
		t.Error("huge limits are wrong")
	}
	if *root.MinProperties != 2 || *root.MaxProperties != 3 || root.Minimum != "-1e1000000001" || root.MultipleOf != "1e-1000000000" {
		t.Error("limits are wrong")
	}
}

func TestLoad_ByteOrderMarksAndBadUTF8AreRefused(t *testing.T) {
	for _, name := range []string{"q/e.json", "q/e.yaml"} {
		refusal(t, name, "\xef\xbb\xbf{}", "byte order mark")
		refusal(t, name, "{\"title\": \"a\xffb\"}", "invalid UTF-8")
		refusal(t, name, "\xfe\xff\x00{\x00}", "")
	}
}

func TestLoad_SymbolicLinksAreRefused(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(outside, "secret.json"), []byte(`{"title": "secret"}`), 0o600),
		os.WriteFile(filepath.Join(dir, "e.json"), []byte(`{"properties": {"a": {"$ref": "link.json"}, "b": {"$ref": "folder/m.json"}}}`), 0o600),
		os.WriteFile(filepath.Join(dir, "named.json"), []byte(`{"$id": "http://id.example/named", "$ref": "folder/m.json"}`), 0o600),
		os.Symlink(filepath.Join(outside, "secret.json"), filepath.Join(dir, "link.json")),
		os.Symlink(outside, filepath.Join(dir, "folder")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, diags := schema.Load([]schema.Source{{FS: os.DirFS(dir), Name: "schemas"}}, schema.Options{})
	var all []string
	for _, d := range diags {
		all = append(all, d.Pos.File+": "+d.Message)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"schemas/link.json: is a symbolic link", "schemas/folder: is a symbolic link",
		"schemas/e.json: the reference \"link.json\" leads through schemas/link.json, a symbolic link",
		"schemas/e.json: the reference \"folder/m.json\" leads through schemas/folder, a symbolic link",
		"schemas/named.json: the reference \"folder/m.json\" leads through schemas/folder, a symbolic link",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, outside) {
		t.Errorf("the message tells what is outside:\n%s", text)
	}
}

// A root that nothing outside can be read through does not tell what is there.
func TestLoad_SymbolicLinkOutOfARootIsTold(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "e.json"), []byte(`{"$ref": "folder/m.json"}`), 0o600),
		os.Symlink(outside, filepath.Join(dir, "folder")),
		os.Symlink("nowhere", filepath.Join(dir, "dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	_, diags := schema.Load([]schema.Source{{FS: root.FS(), Name: "schemas"}}, schema.Options{})
	if len(diags) != 2 || !strings.Contains(diags[0].Message, "leads through schemas/folder, a symbolic link") ||
		!diags[1].Warning || diags[1].Pos.File != "schemas/folder" {
		t.Error(diags)
	}
}

func TestLoad_ReferenceRootServesNoLinks(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.json"), []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret.json"), filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"q/e.json": {Data: []byte(`{"$ref": "http://example.com/link"}`)}}
	set, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{
		RefRoots: []schema.RefRoot{{Prefix: "http://example.com", FS: os.DirFS(dir), Name: "root"}},
	})
	if set != nil || !strings.Contains(diags[0].Message, "leads through root/link.json, a symbolic link") {
		t.Error("a link was followed, or is not told:", diags)
	}
}

func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		for _, file := range parseArchive(f, name).Files {
			if ext := filepath.Ext(file.Name); ext != "" {
				f.Add(string(file.Data), ext == ".json")
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		name := "q/e.yaml"
		if isJSON {
			name = "q/e.json"
		}
		files := fstest.MapFS{name: {Data: []byte(text)}}
		limits := schema.Limits{Nodes: 10_000}
		set, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{Limits: limits})
		failed := false
		for _, d := range diags {
			failed = failed || !d.Warning
			if d.Pos.File == "" || d.Pos.Line < 1 || d.Pos.Column < 1 {
				t.Errorf("no place: %+v", d)
			}
		}
		if failed == (set != nil) {
			t.Errorf("set %v with %v", set, diags)
		}
	})
}

func TestLoad_ErrorsAreBounded(t *testing.T) {
	text := `{"allOf": [0` + strings.Repeat(",0", 100_000) + `]}`
	_, diags := loadFiles(map[string]string{"q/e.json": text})
	if len(diags) != 10_000 {
		t.Errorf("%d diagnostics", len(diags))
	}
}
