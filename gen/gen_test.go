package gen_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/schema"
)

// mustGenerate generates from files in a folder called schemas.
func mustGenerate(t *testing.T, folder fstest.MapFS) []gen.File {
	t.Helper()
	files, diags := gen.Generate([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{})
	for _, d := range diags {
		if !d.Warning {
			t.Fatal(gen.Format(d))
		}
	}
	if len(files) == 0 {
		t.Fatal("no files")
	}
	return files
}

func sameFiles(t *testing.T, a, b []gen.File) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d files and %d files", len(a), len(b))
	}
	for i := range a {
		if a[i].Name != b[i].Name || !bytes.Equal(a[i].Bytes, b[i].Bytes) {
			t.Errorf("%s differs", a[i].Name)
		}
	}
}

// example reads the repository's own schemas.
func example(t *testing.T) fstest.MapFS {
	t.Helper()
	folder := fstest.MapFS{}
	root := os.DirFS("../schemas")
	for _, queue := range []string{"orders", "payments", "shipments", "shared"} {
		entries, err := os.ReadDir("../schemas/" + queue)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := queue + "/" + e.Name()
			text, err := fs.ReadFile(root, name)
			if err != nil {
				t.Fatal(err)
			}
			folder[name] = &fstest.MapFile{Data: text}
		}
	}
	return folder
}

func TestGenerate_TwiceGivesTheSameBytes(t *testing.T) {
	sameFiles(t, mustGenerate(t, example(t)), mustGenerate(t, example(t)))
}

func TestGenerate_UnrelatedChangeLeavesOtherFilesAsTheyAre(t *testing.T) {
	before := mustGenerate(t, example(t))
	folder := example(t)
	folder["refunds/refund.asked.json"] = &fstest.MapFile{Data: []byte(`{"type":"object","properties":{"x":{"type":"number","minimum":1}},"not":{"required":["y"]}}`)}
	changed := folder["orders/order.cancelled.json"]
	changed.Data = bytes.Replace(changed.Data, []byte(`"maxLength": 1000`), []byte(`"maxLength": 999`), 1)
	after := map[string][]byte{}
	for _, f := range mustGenerate(t, folder) {
		after[f.Name] = f.Bytes
	}
	for _, f := range before {
		same := bytes.Equal(f.Bytes, after[f.Name])
		switch f.Name {
		case "orders_events.go":
			if same {
				t.Error("orders_events.go is as it was")
			}
		case "codec.go": // holds what all files call
		default:
			if !same {
				t.Errorf("%s differs", f.Name)
			}
		}
	}
	if after["refunds_events.go"] == nil {
		t.Error("refunds_events.go is missing")
	}
}

// patience is minutes on a busy machine, where what explodes would take years.
const patience = 5 * time.Minute

func TestGenerate_500Events(t *testing.T) {
	order := bytes.ReplaceAll(example(t)["orders/order.created.json"].Data, []byte("x-go-name"), []byte("x-comment"))
	folder := example(t)
	for i := range 500 {
		folder[fmt.Sprintf("q%d/thing%d.happened.json", i%20, i)] = &fstest.MapFile{Data: order}
	}
	m, _ := gen.Model([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{})
	mustGenerate(t, folder)
	if n := len(m.Events); n != 509 {
		t.Errorf("%d events", n)
	}
}

func TestGenerate_HugeEnumIsLinear(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"enum":["x"`)
	for i := range 20_000 {
		fmt.Fprintf(&b, `,"value %d"`, i)
	}
	b.WriteString("]}")
	start := time.Now()
	mustGenerate(t, fstest.MapFS{"q/huge.json": {Data: []byte(b.String())}})
	if took := time.Since(start); took > patience {
		t.Errorf("took %v", took)
	}
}

// TestGenerate_SchemasThatMeetInEveryCombination has a schema in which what speaks
// about a value depends on each of the 40 names on the way to it.
func TestGenerate_SchemasThatMeetInEveryCombination(t *testing.T) {
	defs := map[string]any{"s41": map[string]any{"x-secret": true}}
	for i := range 40 {
		next := map[string]any{"$ref": fmt.Sprintf("#/$defs/s%d", i+2)}
		defs[fmt.Sprintf("s%d", i+1)] = map[string]any{"properties": map[string]any{"a": next, "b": next}}
	}
	again := map[string]any{"$ref": "#"}
	text, err := json.Marshal(map[string]any{
		"$defs": defs,
		"properties": map[string]any{
			"a": again,
			"b": map[string]any{"allOf": []any{again, map[string]any{"$ref": "#/$defs/s1"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	m, _ := gen.Model([]schema.Source{{FS: fstest.MapFS{"q/wide.json": {Data: text}}, Name: "schemas"}}, gen.Options{})
	if len(m.Types) == 0 || !m.Types[0].Secret {
		t.Error("nothing is secret")
	}
	if took := time.Since(start); took > patience {
		t.Errorf("took %v", took)
	}
}

func TestGenerate_ManyLevelsOfAllOfDoNotExplode(t *testing.T) {
	defs := map[string]any{"l0": map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}}}}
	for i := 1; i <= 40; i++ {
		ref := map[string]any{"$ref": fmt.Sprintf("#/$defs/l%d", i-1)}
		defs[fmt.Sprintf("l%d", i)] = map[string]any{
			"allOf":      []any{ref, ref, map[string]any{"properties": map[string]any{fmt.Sprint("p", i): ref}}},
			"properties": map[string]any{"next": ref},
		}
	}
	text, err := json.Marshal(map[string]any{"$ref": "#/$defs/l40", "$defs": defs})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	files, diags := gen.Generate([]schema.Source{{FS: fstest.MapFS{"q/deep.json": {Data: text}}, Name: "schemas"}}, gen.Options{})
	if len(files) == 0 && !gen.HasErrors(diags) {
		t.Error("neither files nor errors")
	}
	if took := time.Since(start); took > patience {
		t.Errorf("took %v", took)
	}
}

func TestGenerate_TypesMergedInSeveralWaysAtOnePlaceHaveNamesOfTheirOwn(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref": "#/$defs/l8", "$defs": {"l0": {"type": "object", "properties": {"x": {"type": "string"}}}`)
	for i := 1; i <= 8; i++ {
		next := fmt.Sprintf(`{"$ref": "#/$defs/l%d"}`, i-1)
		fmt.Fprintf(&b, `, "l%d": {"type": "object", "properties": {
			"p": {"allOf": [%s, {"type": "object", "properties": {"q%d": %s}}]},
			"r": {"allOf": [%s, {"properties": {"p": {"properties": {"z%d": {}}}}}]}}}`, i, next, i, next, next, i)
	}
	b.WriteString("}}")
	folder := fstest.MapFS{"q/e.json": {Data: []byte(b.String())}}
	sameFiles(t, mustGenerate(t, folder), mustGenerate(t, folder))
}

func TestModel_SaysWhichFilesAreEvents(t *testing.T) {
	folder := fstest.MapFS{}
	for name, text := range map[string]string{
		"orders/order.created.json":  `{"$ref":"../shared/money.json"}`,
		"orders/order.shipped.yaml":  `{"type":"object"}`,
		"orders/order.SENT.JSON":     `{"type":"object"}`,
		"orders/part.json":           `{"type":"object"}`,
		"orders/whole.json":          `{"items":{"$ref":"part.json"},"type":"array"}`,
		"orders/v2/order.moved.json": `{"type":"object"}`,
		"orders/no.json":             `{"x-event":false}`,
		"orders/x.schema.json":       `{"x-event":"ex","x-queue":"other"}`,
		"shared/money.json":          `{"type":"object"}`,
		"shared/ids.json":            `{"$defs":{"id":{"type":"string"}}}`,
		"_drafts/idea.json":          `{"type":"object"}`,
		"root.json":                  `{"properties":{"id":{"$ref":"shared/ids.json#/$defs/id"}}}`,
	} {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	m, diags := gen.Model([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{})
	if gen.HasErrors(diags) {
		t.Fatal(diags)
	}
	var got []string
	for _, ev := range m.Events {
		got = append(got, ev.Queue+" "+ev.Type+" "+ev.Go)
	}
	want := []string{
		"orders order.SENT OrderSENT",
		"orders order.created OrderCreated",
		"orders order.shipped OrderShipped",
		"orders whole Whole",
		"orders.v2 order.moved OrderMoved",
		"other ex Ex",
		"schemas root Root",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestModel_ForeignTypeIsNullableWhereNullMayBeValid(t *testing.T) {
	folder := fstest.MapFS{"q/e.json": {Data: []byte(`{"type": "object", "properties": {
		"no": {"oneOf": [{"type": "string"}, {"type": "boolean"}], "x-go-type": "example.com/a.T"},
		"one": {"oneOf": [{"type": "string"}, {"type": ["boolean", "null"]}], "x-go-type": "example.com/a.T"},
		"never": {"type": "string", "x-go-type": "example.com/a.T"},
		"any": {"x-go-type": "example.com/a.T"}
	}}`)}}
	m, diags := gen.Model([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{})
	if gen.HasErrors(diags) {
		t.Fatal(diags)
	}
	want := map[string]bool{"no": false, "one": true, "never": false, "any": true}
	got := map[string]bool{}
	for _, f := range m.Events[0].Root.Fields {
		got[f.Name] = f.Shape.Nullable
	}
	if !maps.Equal(got, want) {
		t.Errorf("nullable: %v, want %v", got, want)
	}
}

func TestGenerate_ExamplesOfALargePatternCompileItOnce(t *testing.T) {
	folder := fstest.MapFS{"q/e.json": {Data: []byte(`{"type": "string", "pattern": "a{2000}"}`)}}
	allocs := testing.AllocsPerRun(1, func() {
		_, diags := gen.Model([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{Examples: true})
		if gen.HasErrors(diags) {
			t.Fatal(diags)
		}
	})
	if allocs > 1e6 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestModel_AlternativesAreCalledWithoutTheNameOfTheirUnion(t *testing.T) {
	folder := fstest.MapFS{"q/e.json": {Data: []byte(`{"anyOf": [{"type": "object", "minProperties": 1}, {"type": "object", "properties": {"a": {"type": "string"}}}, {"$ref": "#/$defs/other"}, {"type": "string"}],
		"$defs": {"other": {"x-go-name": "Other", "type": "object", "properties": {"b": {"type": "string"}}}}}`)}}
	m, diags := gen.Model([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{})
	if gen.HasErrors(diags) {
		t.Fatal(diags)
	}
	var got []string
	for _, o := range m.Events[0].Root.Union.Options {
		got = append(got, o.Go+" "+o.Maker)
	}
	if want := []string{"Map EOfMap", "Option2 EOfOption2", "Other EOfOther", "String EOfString"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestModel_TwoRootsMayHaveTheSameQueueButNotTheSameEvent(t *testing.T) {
	one := schema.Source{Name: "one", FS: fstest.MapFS{
		"orders/created.json": {Data: []byte(`{}`)}, "orders/paid.json": {Data: []byte(`{"$ref": "../../two/orders/line.json"}`)},
	}}
	two := schema.Source{Name: "two", FS: fstest.MapFS{
		"orders/created.json": {Data: []byte(`{}`)}, "orders/line.json": {Data: []byte(`{}`)},
	}}
	_, diags := gen.Model([]schema.Source{one, two}, gen.Options{})
	var got []string
	for _, d := range diags {
		got = append(got, gen.Format(d))
	}
	want := []string{
		"two/orders/created.json:1:1: queue orders has the event created in one/orders/created.json already: change x-event or x-queue",
		"two/orders/line.json:1:1: warning: becomes a type and no event, because orders/paid.json refers to it; say x-event: false if that is meant, and x-event: true if it is an event, too",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestGenerate_ExampleDrawsOnlyWhereThereIsAChoice(t *testing.T) {
	folder := fstest.MapFS{"q/e.json": {Data: []byte(`{"type": "object", "properties": {
		"one": {"anyOf": [{"type": "string", "minLength": 3}, {"title": "anything"}]},
		"two": {"anyOf": [{"type": "string", "minLength": 3}, {"type": "boolean"}]}
	}}`)}}
	files, diags := gen.Generate([]schema.Source{{FS: folder, Name: "schemas"}}, gen.Options{Examples: true})
	if gen.HasErrors(diags) {
		t.Fatal(diags)
	}
	text := string(files[0].Bytes)
	if !strings.Contains(text, "switch r.IntN(2) {") || strings.Contains(text, "IntN(1)") {
		t.Error(text)
	}
}

func TestDump_NamesEvents(t *testing.T) {
	m, _ := gen.Model([]schema.Source{{FS: example(t), Name: "schemas"}}, gen.Options{})
	text, err := gen.Dump(m)
	if err != nil {
		t.Fatal(err)
	}
	var dump struct {
		Events []struct{ File, Queue, Type, Go string }
	}
	if err := json.Unmarshal(text, &dump); err != nil {
		t.Fatal(err)
	}
	if len(dump.Events) != 9 || dump.Events[2].File != "orders/order.created.json" || dump.Events[2].Queue != "orders" ||
		dump.Events[2].Type != "order.created" || dump.Events[2].Go != "OrderCreated" {
		t.Errorf("events: %+v", dump.Events)
	}
}

func TestGenerate_FormatIsARuleWhereTheDialectSaysSo(t *testing.T) {
	meta := fstest.MapFS{"asserting": {Data: []byte(`{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "http://example.com/asserting", "$vocabulary": {
		"https://json-schema.org/draft/2020-12/vocab/core": true, "https://json-schema.org/draft/2020-12/vocab/applicator": true,
		"https://json-schema.org/draft/2020-12/vocab/validation": true, "https://json-schema.org/draft/2020-12/vocab/format-assertion": true}}`)}}
	opts := gen.Options{FormatAnnotation: true, RefRoots: []schema.RefRoot{{Prefix: "http://example.com/", FS: meta, Name: "meta"}}}
	for dialect, want := range map[string]bool{"http://example.com/asserting": true, "https://json-schema.org/draft/2020-12/schema": false} {
		text := `{"$schema": "` + dialect + `", "type": "object", "properties": {"a": {"type": "string", "format": "uuid"}, "b": {"type": ["string", "boolean"], "format": "email"}}}`
		files, diags := gen.Generate([]schema.Source{{FS: fstest.MapFS{"q/e.json": {Data: []byte(text)}}, Name: "schemas"}}, opts)
		if gen.HasErrors(diags) {
			t.Fatal(diags)
		}
		for _, rule := range []string{"wire.UUID", "wire.FormatEmail"} {
			if got := bytes.Contains(files[0].Bytes, []byte(rule)); got != want {
				t.Errorf("%s: %s is there: %v", dialect, rule, got)
			}
		}
	}
}
