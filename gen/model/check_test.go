package model_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// loadChecks returns the check of the file, and all that it needs.
func loadChecks(t *testing.T, files map[string]string, root string, opts model.CheckOptions) (*model.Check, []*model.Check, []schema.Diagnostic) {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	set, diags := schema.Load([]schema.Source{{FS: folder, Name: "."}}, schema.Options{})
	for _, d := range diags {
		if !d.Warning {
			t.Fatalf("%s:%d: %s", d.Pos.File, d.Pos.Line, d.Message)
		}
	}
	checks := model.NewChecks(opts)
	for _, f := range set.Files {
		if f.Path == root {
			check := checks.Of(f.Root)
			return check, checks.All(), checks.Diagnostics()
		}
	}
	t.Fatalf("no file %s", root)
	return nil, nil, nil
}

func loadCheck(t *testing.T, text string) (*model.Check, []*model.Check) {
	t.Helper()
	check, all, diags := loadChecks(t, map[string]string{"orders/order.json": text}, "orders/order.json", model.CheckOptions{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return check, all
}

func funcs(checks []*model.Check) []string {
	var names []string
	for _, c := range checks {
		names = append(names, c.Func)
	}
	return names
}

func TestChecks_NamesComeFromTheFileAndThePlace(t *testing.T) {
	_, all := loadCheck(t, `{
		"properties": {"lines": {"items": {"properties": {"sku-code": {"type": "string"}}}}},
		"allOf": [{"$ref": "#/$defs/base"}],
		"$defs": {"base": {"minProperties": 1}}
	}`)
	want := "[checkOrdersOrder checkOrdersOrderLines checkOrdersOrderLinesItems checkOrdersOrderLinesItemsSkuCode checkOrdersOrderDefsBase]"
	if got := fmt.Sprint(funcs(all)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestChecks_NamesThatCollideAllGetASuffixOfTheirPlace(t *testing.T) {
	one := map[string]string{"a": "a-b", "b": "a_b"}
	names := map[string]bool{}
	for _, order := range []string{`"%s": {"minLength": 1}, "%s": {"minLength": 2}`, `"%[2]s": {"minLength": 2}, "%[1]s": {"minLength": 1}`} {
		_, all := loadCheck(t, `{"properties": {`+fmt.Sprintf(order, one["a"], one["b"])+`}}`)
		for _, name := range funcs(all)[1:] {
			if name == "checkOrdersOrderAB" {
				t.Errorf("%s has no suffix", name)
			}
			names[name] = true
		}
	}
	if len(names) != 2 {
		t.Errorf("names depend on the order: %v", names)
	}
}

func TestChecks_ReferencesAloneNeedNoFunction(t *testing.T) {
	check, all := loadCheck(t, `{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b", "description": "b"}, "b": {"type": "object"}}}`)
	if check.Pointer != "/$defs/b" || len(all) != 1 {
		t.Errorf("%s of %v", check.Pointer, funcs(all))
	}
}

func TestChecks_AlternativesThatDecideTheSameAreOne(t *testing.T) {
	check, _ := loadCheck(t, `{
		"allOf": [{"minLength": 1}, {"minLength": 1, "title": "again"}, true, {}],
		"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": "string"}}}, {"maxLength": 9}],
		"oneOf": [{"type": "string"}, {"type": "string"}, {"type": "null"}, false]
	}`)
	if len(check.All) != 1 || len(check.Any) != 2 || len(check.One) != 2 || check.One[0].Weight != 2 {
		t.Errorf("all %v any %v one %v", check.All, check.Any, check.One)
	}
}

// Two references at every level make 2^20 ways from the first to the last.
func TestChecks_DoubledReferencesStayFew(t *testing.T) {
	for _, keyword := range []string{"allOf", "anyOf"} {
		var defs []string
		for i := range 20 {
			defs = append(defs, fmt.Sprintf(`"d%d": {"%s": [{"$ref": "#/$defs/d%[3]d"}, {"$ref": "#/$defs/d%[3]d"}]}`, i, keyword, i+1))
		}
		defs = append(defs, `"d20": {"type": "string"}`)
		_, all := loadCheck(t, `{"$ref": "#/$defs/d0", "$defs": {`+strings.Join(defs, ",")+`}}`)
		calls := 0
		for _, c := range all {
			calls += len(c.All) + len(c.Any)
		}
		if len(all) > 21 || calls > 20 {
			t.Errorf("%s: %d checks with %d calls", keyword, len(all), calls)
		}
	}
}

// Every resource binds an anchor of its own before it refers to all others, so
// that every subset of them is a scope of its own.
func TestChecks_SpecialisationsAreCapped(t *testing.T) {
	const n = 14
	files := map[string]string{}
	for i := range n {
		var refs []string
		for j := range n {
			refs = append(refs, fmt.Sprintf(`"p%d": {"$ref": "e%d.json"}`, j, j))
		}
		files[fmt.Sprintf("q/e%d.json", i)] = fmt.Sprintf(
			`{"properties": {%s, "self": {"$dynamicRef": "#a%d"}}, "$defs": {"here": {"$dynamicAnchor": "a%d"}}}`, strings.Join(refs, ","), i, i)
	}
	_, all, diags := loadChecks(t, files, "q/e0.json", model.CheckOptions{MaxSpecialisations: 100})
	if len(diags) != 1 || diags[0].Warning || !strings.Contains(diags[0].Message, "more than 100 specialisations") {
		t.Fatalf("%v", diags)
	}
	if len(all) > 2000 {
		t.Errorf("%d checks", len(all))
	}
}

func TestChecks_TrackedOnlyWhereSomebodyAsks(t *testing.T) {
	_, all := loadCheck(t, `{
		"properties": {"free": {"anyOf": [{"properties": {"a": {"minLength": 1}}}, {"required": ["b"]}]}, "asked": {
			"allOf": [{"properties": {"a": {"minLength": 1}}}], "not": {"properties": {"b": {"minLength": 1}}}, "unevaluatedProperties": false}}
	}`)
	for _, c := range all {
		if want := strings.HasSuffix(c.Pointer, "/asked/allOf/0"); c.Tracked != want {
			t.Errorf("%s: tracked %v", c.Pointer, c.Tracked)
		}
	}
}

func TestChecks_AreTheSameTwice(t *testing.T) {
	text := `{"properties": {"a": {"oneOf": [{"const": 1}, {"enum": [2, "x", {"b": []}]}]}}, "patternProperties": {"^x": {"$dynamicRef": "#n"}}, "$dynamicAnchor": "n"}`
	var dumps []string
	for range 2 {
		_, all := loadCheck(t, text)
		dump, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		dumps = append(dumps, string(dump))
	}
	if dumps[0] != dumps[1] {
		t.Errorf("%s\n%s", dumps[0], dumps[1])
	}
}

func TestChecks_FormatIsARuleOnlyWhenAsserted(t *testing.T) {
	files := fstest.MapFS{"q/e.json": {Data: []byte(`{"format": "uuid"}`)}}
	for _, assert := range []bool{false, true} {
		set, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{AssertFormat: assert})
		if set == nil {
			t.Fatal(diags)
		}
		check := model.NewChecks(model.CheckOptions{}).Of(set.Files[0].Root)
		if (check.String.Format == "uuid") != assert {
			t.Errorf("asserted %v: format %q", assert, check.String.Format)
		}
	}
}
