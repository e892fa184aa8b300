package emit_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/emit"
	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// renderChecks returns the Go file of a schema's checks, and the names that the
// checks are to declare.
func renderChecks(t *testing.T, text string) ([]byte, []string) {
	t.Helper()
	files := fstest.MapFS{"q/e.json": {Data: []byte(text)}}
	set, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{AssertFormat: true})
	if set == nil {
		t.Fatal(diags)
	}
	checks := model.NewChecks(model.CheckOptions{})
	checks.Of(set.Files[0].Root)
	f := jen.NewFile("events")
	var names []string
	for _, c := range checks.All() {
		names = append(names, emit.CheckNames(c)...)
		for _, decl := range emit.CheckDecls(c) {
			f.Add(decl)
		}
	}
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), names
}

func parse(t *testing.T, src []byte) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "checks.go", src, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return file
}

func declared(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					names = append(names, v.Names[0].Name)
				}
			}
		}
	}
	return names
}

// hostile is text that tries to leave the place where it is put.
const hostile = "`\\\"\\n*/ } func init() { panic(1) } //go:linkname x y \\u2028 %s \\ufeff"

func TestCheckDecls_SchemaTextStaysText(t *testing.T) {
	src, want := renderChecks(t, `{
		"properties": {"`+hostile+`": {"const": "`+hostile+`"}, "x": {"enum": ["`+hostile+`", 1]}},
		"required": ["`+hostile+`"],
		"dependentRequired": {"`+hostile+`": ["`+hostile+`"]},
		"patternProperties": {"`+strings.NewReplacer("{", "[{]", "}", "[}]", "(", "[(]", ")", "[)]", "*", "[*]").Replace(hostile)+`": {"minLength": 1}},
		"title": "`+hostile+`", "$comment": "`+hostile+`"
	}`)
	file := parse(t, src)
	got := declared(file)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("declared %v\nwant     %v", got, want)
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.ContainsAny(c.Text, "\n*`") || !strings.HasPrefix(c.Text, "// ") {
				t.Errorf("comment %q", c.Text)
			}
		}
	}
}

func TestCheckDecls_AreFormattedAndTheSameTwice(t *testing.T) {
	const text = `{
		"type": ["object", "array"], "required": ["a"], "minProperties": 1,
		"properties": {"a": {"$ref": "#"}, "b": {"type": "integer", "minimum": 1, "maximum": 9}, "c": true},
		"patternProperties": {"^x": {"format": "uuid"}}, "additionalProperties": {"oneOf": [{"const": null}, {"multipleOf": 0.1}]},
		"items": {"anyOf": [{"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}}]}, "contains": {"not": {"enum": [1, "x"]}},
		"if": {"maxItems": 3}, "then": {"uniqueItems": true}, "else": {"maxItems": 9}, "unevaluatedProperties": false
	}`
	src, _ := renderChecks(t, text)
	again, _ := renderChecks(t, text)
	if !bytes.Equal(src, again) {
		t.Error("two runs differ")
	}
	formatted, err := format.Source(src)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(src, formatted) {
		t.Errorf("not as gofmt writes it:\n%s", src)
	}
}

func TestCheckDecls_EveryNameIsDeclaredOnce(t *testing.T) {
	src, _ := renderChecks(t, `{"properties": {
		"a": {"minimum": 1, "exclusiveMinimum": 2}, "exclusive": {"minimum": 1}, "a-b": {"pattern": "a"}, "a_b": {"pattern": "b"},
		"properties": {"properties": {"properties": {"minimum": 3}}}, "minimum": {"properties": {"ofA": {"minimum": 1}}}, "": {"minimum": 2}}}`)
	names := declared(parse(t, src))
	slices.Sort(names)
	if once := slices.Compact(slices.Clone(names)); len(once) != len(names) {
		t.Errorf("%v", names)
	}
}
