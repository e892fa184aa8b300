package schema_test

import (
	"slices"
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

// root loads one file and returns its schema.
func root(t *testing.T, text string) *schema.Schema {
	t.Helper()
	return load(t, map[string]string{"q/e.json": text}).Files[0].Root
}

const (
	draft4    = `"$schema": "http://json-schema.org/draft-04/schema#", `
	draft7    = `"$schema": "http://json-schema.org/draft-07/schema#", `
	draft2019 = `"$schema": "https://json-schema.org/draft/2019-09/schema", `
)

func TestLoad_ItemsArraysBecomePrefixItems(t *testing.T) {
	s := root(t, `{`+draft7+`"items": [{"type": "string"}, true], "additionalItems": false}`)
	if len(s.PrefixItems) != 2 || s.PrefixItems[0].Types != schema.String || s.Items == nil || *s.Items.Bool {
		t.Errorf("%+v", s)
	}
}

func TestLoad_AdditionalItemsWithoutArrayIsNothing(t *testing.T) {
	if s := root(t, `{`+draft2019+`"additionalItems": false}`); s.Items != nil {
		t.Error("additionalItems became items")
	}
	if s := root(t, `{`+draft2019+`"items": true, "additionalItems": false}`); !*s.Items.Bool {
		t.Error("additionalItems replaced items")
	}
}

func TestLoad_DependenciesAreSplit(t *testing.T) {
	s := root(t, `{`+draft7+`"dependencies": {"a": ["b", "c"], "d": {"required": ["e"]}}}`)
	if len(s.DependentRequired) != 1 || s.DependentRequired[0].Name != "a" || s.DependentRequired[0].Required[1].Text != "c" {
		t.Errorf("required: %+v", s.DependentRequired)
	}
	if len(s.DependentSchemas) != 1 || s.DependentSchemas[0].Schema.Required[0].Text != "e" {
		t.Errorf("schemas: %+v", s.DependentSchemas)
	}
}

func TestLoad_BooleanExclusiveLimitsOfDraft4(t *testing.T) {
	s := root(t, `{`+draft4+`"minimum": 1, "exclusiveMinimum": true, "maximum": 5, "exclusiveMaximum": false}`)
	if s.Minimum != "" || s.ExclusiveMinimum != "1" || s.Maximum != "5" || s.ExclusiveMaximum != "" {
		t.Errorf("%+v", s)
	}
}

func TestLoad_RefOfDraft7HidesAssertionsBesideIt(t *testing.T) {
	s := root(t, `{`+draft7+`"definitions": {"a": {"type": "string"}}, "$id": "http://id.example/ignored", "$ref": "#/definitions/a", "description": "kept", "minLength": 3, "allOf": [false]}`)
	if s.Ref.Target.Types != schema.String || s.MinLength != nil || s.AllOf != nil || s.Description != "kept" || len(s.Defs) != 1 {
		t.Errorf("%+v", s)
	}
	if s.Resource.URI != "schema:///q/e.json" {
		t.Errorf("$id counts: %s", s.Resource.URI)
	}
}

func TestLoad_ContainsEvaluatesSince2020(t *testing.T) {
	if s := root(t, `{"contains": true, "minContains": 0}`); !s.ContainsEvaluates || *s.MinContains != 0 {
		t.Errorf("2020-12: %+v", s)
	}
	if s := root(t, `{`+draft2019+`"contains": true}`); s.ContainsEvaluates || s.MinContains != nil {
		t.Errorf("2019-09: %+v", s)
	}
	if s := root(t, `{`+draft7+`"contains": true, "minContains": 2}`); s.MinContains != nil {
		t.Error("draft-07 knows minContains")
	}
}

func TestLoad_DependentKeywordsWithoutTheirPartnerAreDropped(t *testing.T) {
	s := root(t, `{"then": false, "else": false, "minContains": 2, "maxContains": 1}`)
	if s.Then != nil || s.Else != nil || s.MinContains != nil || s.MaxContains != nil {
		t.Errorf("%+v", s)
	}
}

func TestLoad_EmptyEnumIsKept(t *testing.T) {
	if s := root(t, `{"enum": []}`); !s.HasEnum || len(s.Enum) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestLoad_DynamicRefWithoutBookendIsStatic(t *testing.T) {
	s := root(t, `{"$defs": {"a": {"$anchor": "n"}, "b": {"$dynamicAnchor": "m"}}, "properties": {"x": {"$dynamicRef": "#n"}, "y": {"$dynamicRef": "#m"}, "z": {"$dynamicRef": "#/$defs/b"}}}`)
	x, y, z := s.Properties[0].Schema, s.Properties[1].Schema, s.Properties[2].Schema
	if x.DynamicRef != nil || x.Ref.Target != s.Defs[0].Schema {
		t.Error("#n is dynamic")
	}
	if y.Ref != nil || y.DynamicRef.Anchor != "m" || y.DynamicRef.Target != s.Defs[1].Schema {
		t.Error("#m is static")
	}
	if z.DynamicRef != nil || z.Ref.Target != s.Defs[1].Schema {
		t.Error("a pointer is dynamic")
	}
	if a := s.Resource.DynamicAnchors; len(a) != 1 || a[0].Name != "m" || a[0].Schema != s.Defs[1].Schema {
		t.Errorf("dynamic anchors: %+v", a)
	}
}

func TestLoad_TwoStaticReferencesStandInAllOf(t *testing.T) {
	s := root(t, `{"$defs": {"a": {"$anchor": "n"}}, "$ref": "#/$defs/a", "$dynamicRef": "#n"}`)
	if s.Ref.Target != s.Defs[0].Schema || len(s.AllOf) != 1 || s.AllOf[0].Ref.Target != s.Defs[0].Schema || s.AllOf[0].Source == nil {
		t.Errorf("%+v", s)
	}
}

func TestLoad_RecursiveRefIsDynamicOnlyWithAnchor(t *testing.T) {
	s := root(t, `{`+draft2019+`"properties": {"x": {"$recursiveRef": "#"}}}`)
	if x := s.Properties[0].Schema; x.DynamicRef != nil || x.Ref.Target != s {
		t.Error("dynamic without $recursiveAnchor")
	}
	s = root(t, `{`+draft2019+`"$recursiveAnchor": true, "properties": {"x": {"$recursiveRef": "#"}}}`)
	if x := s.Properties[0].Schema; x.Ref != nil || x.DynamicRef.Anchor != "" || x.DynamicRef.Target != s || !s.Resource.Recursive {
		t.Error("static with $recursiveAnchor")
	}
}

func TestLoad_UnknownKeywordsAreTargetsButDeclareNothing(t *testing.T) {
	s := root(t, `{"x-shapes": {"a": {"$id": "inner", "$anchor": "n", "type": "string"}}, "properties": {"x": {"$ref": "#/x-shapes/a"}}}`)
	if got := s.Properties[0].Schema.Ref.Target; got.Types != schema.String || got.Pointer != "/x-shapes/a" || s.Source.Member("x-shapes") == nil {
		t.Errorf("%+v", got)
	}
	_, diags := loadFiles(map[string]string{"q/e.json": `{"x-shapes": {"a": {"$anchor": "n"}}, "properties": {"x": {"$ref": "#/x-shapes/a"}, "y": {"$ref": "#n"}}}`})
	if len(diags) != 1 || diags[0].Warning {
		t.Errorf("the anchor counts: %v", diags)
	}
}

func TestLoad_PointersWalkThroughEmbeddedResources(t *testing.T) {
	s := root(t, `{"$id": "http://id.example/a/", "$defs": {"b": {"$id": "b/", "$defs": {"c": {"$ref": "#/$defs/d"}, "d": {"type": "null"}}}},
		"properties": {"x": {"$ref": "#/$defs/b/$defs/c"}, "y": {"$ref": "b/#/$defs/d"}}}`)
	c := s.Properties[0].Schema.Ref.Target
	if c.Resource.URI != "http://id.example/a/b/" || c.Ref.Target != s.Properties[1].Schema.Ref.Target || c.Ref.Target.Types != schema.Null {
		t.Errorf("%+v", c)
	}
}

func TestLoad_SourcesSeeEachOtherByTheirNames(t *testing.T) {
	sources := []schema.Source{
		{FS: fstest.MapFS{"e.json": {Data: []byte(`{"$ref": "../shared/m.json"}`)}}, Name: "schemas/orders"},
		{FS: fstest.MapFS{"m.json": {Data: []byte(`{"type": "string"}`)}}, Name: "schemas/shared"},
		{FS: fstest.MapFS{"x.json": {Data: []byte(`{}`)}}, Name: "/absolute"},
	}
	set, diags := schema.Load(sources[:2], schema.Options{})
	if len(diags) > 0 || set.Files[0].Root.Ref.Target != set.Files[1].Root || set.Files[1].URI != "schema:///shared/m.json" {
		t.Errorf("%v", diags)
	}
	set, diags = schema.Load(sources, schema.Options{})
	if len(diags) > 0 || set.Files[2].URI != "schema://3/x.json" {
		t.Errorf("%v", diags)
	}
}

func TestLoad_SourcesSeeEachOtherByTheirPlaces(t *testing.T) {
	sources := []schema.Source{
		{FS: fstest.MapFS{"e.json": {Data: []byte(`{"$ref": "../../shared/m.json"}`)}}, Name: "orders", Place: "/home/shop/schemas/orders"},
		{FS: fstest.MapFS{"m.json": {Data: []byte(`{"type": "string"}`)}}, Name: "../shared", Place: "/home/shop/shared"},
	}
	set, diags := schema.Load(sources, schema.Options{})
	if len(diags) > 0 || set.Files[0].Root.Ref.Target != set.Files[1].Root || set.Files[1].Root.Pos.File != "../shared/m.json" {
		t.Errorf("%v", diags)
	}
}

func TestLoad_ReferenceRootsWithOnePrefixAreRefused(t *testing.T) {
	files := fstest.MapFS{"e.json": {Data: []byte("{}")}}
	_, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{RefRoots: []schema.RefRoot{
		{Prefix: "http://x/s", FS: files, Name: "one"}, {Prefix: "http://x/s/", FS: files, Name: "two"},
	}})
	if len(diags) != 1 || diags[0].Warning || diags[0].Pos.File != "two" {
		t.Error(diags)
	}
}

func TestLoad_SameFileFromTwoSourcesIsReadOnce(t *testing.T) {
	file := &fstest.MapFile{Data: []byte(`{"$id": "http://id.example/e"}`)}
	sources := []schema.Source{
		{FS: fstest.MapFS{"orders/e.json": file}, Name: "schemas"},
		{FS: fstest.MapFS{"e.json": file}, Name: "schemas/orders"},
	}
	set, diags := schema.Load(sources, schema.Options{})
	if len(diags) > 0 || len(set.Files) != 1 {
		t.Errorf("%v", diags)
	}
}

func TestLoad_ReferenceRootFilesAreNoEvents(t *testing.T) {
	source := fstest.MapFS{"q/e.json": {Data: []byte(`{"allOf": [{"$ref": "http://example.com/s/a.json"}, {"$ref": "urn:example:b"}, {"$ref": "http://json-schema.org/draft-07/schema#"}]}`)}}
	served := fstest.MapFS{
		"a.json":      {Data: []byte(`{"$id": "http://other.example/a", "$ref": "b.yaml"}`)},
		"b.yaml":      {Data: []byte("$id: urn:example:b\ntype: string\n")},
		"unused.json": {Data: []byte(`{`)},
	}
	set, diags := schema.Load([]schema.Source{{FS: source, Name: "."}}, schema.Options{
		RefRoots: []schema.RefRoot{{Prefix: "http://example.com/s", FS: served, Name: "vendor"}},
	})
	if set == nil {
		t.Fatal(diags)
	}
	var got []string
	for _, f := range set.Files {
		got = append(got, f.Path+" "+f.URI)
		if f.Event != (f.Path == "q/e.json") || len(f.Hash) != 64 {
			t.Errorf("%+v", f)
		}
	}
	want := []string{"a.json http://other.example/a", "b.yaml urn:example:b", "json-schema.org/draft-07/schema http://json-schema.org/draft-07/schema", "q/e.json schema:///q/e.json"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestLoad_NoFileIsAnError(t *testing.T) {
	if set, diags := loadFiles(map[string]string{"readme.txt": "", ".hidden/e.json": "{"}); set != nil || len(diags) != 1 {
		t.Errorf("%v", diags)
	}
	if set, diags := schema.Load(nil, schema.Options{}); set != nil || len(diags) != 1 {
		t.Errorf("%v", diags)
	}
}

func TestLoad_BadPrefixIsAnError(t *testing.T) {
	files := fstest.MapFS{"e.json": {Data: []byte("{}")}}
	for _, prefix := range []string{"", "relative/", "http://a b/", "http://x/?q", "urn:x"} {
		_, diags := schema.Load([]schema.Source{{FS: files, Name: "."}}, schema.Options{RefRoots: []schema.RefRoot{{Prefix: prefix, FS: files, Name: "r"}}})
		if len(diags) != 1 || diags[0].Warning {
			t.Errorf("%q: %v", prefix, diags)
		}
	}
}

func TestLoad_VocabulariesDecide(t *testing.T) {
	source := fstest.MapFS{"q/e.json": {Data: []byte(`{"$schema": "http://example.com/meta", "minLength": 3, "format": "date", "properties": {"a": false}}`)}}
	served := fstest.MapFS{"meta": {Data: []byte(`{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "http://example.com/meta", "$vocabulary": {
		"https://json-schema.org/draft/2020-12/vocab/core": true, "https://json-schema.org/draft/2020-12/vocab/applicator": true,
		"https://json-schema.org/draft/2020-12/vocab/format-assertion": false}}`)}}
	set, diags := schema.Load([]schema.Source{{FS: source, Name: "."}}, schema.Options{RefRoots: []schema.RefRoot{{Prefix: "http://example.com/", FS: served, Name: "r"}}})
	if set == nil {
		t.Fatal(diags)
	}
	if s := set.Files[0].Root; s.MinLength != nil || len(s.Properties) != 1 || s.Format != "date" || !s.FormatAsserted {
		t.Errorf("%+v", s)
	}
}

func TestLoad_YAMLIsReadLikeJSON(t *testing.T) {
	set := load(t, map[string]string{"q/e.yaml": "# comment\ntype: object\nproperties:\n  é: &s {type: string, maxLength: 1.0e1}\n  b: *s\n  'on':\n    const: 2024-01-01\n"})
	s := set.Files[0].Root
	if len(s.Properties) != 3 || *s.Properties[0].Schema.MaxLength != 10 || s.Properties[2].Name != "on" || s.Properties[2].Schema.Const.Kind != schema.String {
		t.Errorf("%+v", s)
	}
	if got := s.Properties[0].Schema.Pos; got != (schema.Position{File: "schemas/q/e.yaml", Line: 4, Column: 7}) {
		t.Errorf("%v", got)
	}
	if s.Properties[1].Schema == s.Properties[0].Schema || s.Properties[1].Schema.Pointer != "/properties/b" {
		t.Error("an alias is no schema of its own")
	}
}

func TestLoad_FileNamesAreTakenAsTheyAre(t *testing.T) {
	set := load(t, map[string]string{
		"q/50%.json":    `{"$ref": "a%20b%23.json"}`,
		"q/a b#.json":   `{"$ref": "c%253a.json"}`,
		"q/c%3a.json":   `{"$ref": "./d:e.json"}`,
		"q/d:e.json":    `{"$ref": "%E5%90%8D.json"}`,
		"q/\u540d.json": `{"type": "string"}`,
	})
	for i, f := range set.Files[:4] {
		if got := f.Root.Ref.Target.File; got != set.Files[i+1] {
			t.Errorf("%s leads to %s", f.Path, got.Path)
		}
	}
}

func TestLoad_RepeatedEnumValuesAreNoError(t *testing.T) {
	for _, dialect := range []string{`"$schema": "http://json-schema.org/draft-06/schema#", `, draft7, draft2019, ""} {
		if s := root(t, `{`+dialect+`"enum": [1, 1], "not": {"enum": []}}`); len(s.Enum) != 2 || !s.Not.HasEnum {
			t.Errorf("%s%+v", dialect, s)
		}
	}
}

func TestLoad_WhatAReferenceReachesIsReadInTheDraftOfTheReferrer(t *testing.T) {
	events := fstest.MapFS{"q/e.json": {Data: []byte(`{` + draft7 + `"properties": {"a": {"$ref": "http://shared/pair.json"}}}`)}}
	shared := fstest.MapFS{"pair.json": {Data: []byte(`{"items": [{"type": "string"}, {"type": "integer"}]}`)}}
	set, diags := schema.Load([]schema.Source{{FS: events, Name: "schemas"}},
		schema.Options{RefRoots: []schema.RefRoot{{Prefix: "http://shared/", FS: shared, Name: "shared"}}})
	if set == nil {
		t.Fatal(diags)
	}
	event := slices.IndexFunc(set.Files, func(f *schema.File) bool { return f.Event })
	if got := set.Files[event].Root.Properties[0].Schema.Ref.Target; got.Draft != schema.Draft7 || len(got.PrefixItems) != 2 {
		t.Errorf("read as %v with %d positions, want draft-07 and its items array of 2", got.Draft, len(got.PrefixItems))
	}
}
