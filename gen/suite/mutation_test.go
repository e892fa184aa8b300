package suite_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// A mutation takes one rule out of what is emitted.
type mutation struct {
	name string
	file string               // of the suite, where the loss must be noticed
	load func(*schema.Schema) // takes the rule out of every resource's root
	rule func(*model.Check)   // takes the rule out of the check
	old  string               // or out of the code: an expression
	new  string               // and what stands there instead
}

// resources applies load to the schema and to its definitions.
func (m *mutation) resources(s *schema.Schema) {
	if m.load == nil {
		return
	}
	m.load(s)
	for _, d := range s.Defs {
		m.resources(d.Schema)
	}
}

// text returns the mutated code.
func (m *mutation) text(code []byte) []byte {
	if m.old == "" {
		return code
	}
	return regexp.MustCompile(m.old).ReplaceAll(code, []byte(m.new))
}

var mutations = []mutation{
	{name: "type", file: "type.json", rule: func(c *model.Check) { c.Types = 0 }},
	{name: "integer", file: "type.json", old: `!v\.IsInteger\(\)`, new: "v.Kind() != wire.Num"},
	{name: "const", file: "const.json", rule: func(c *model.Check) { c.Const = nil }},
	{name: "equality", file: "const.json", old: `!wire\.Equal\(v, (\w+)\)`, new: "string(v.Raw()) != string($1.Raw())"},
	{name: "enum", file: "enum.json", rule: func(c *model.Check) { c.HasEnum = false }},
	{name: "false", file: "boolean_schema.json", rule: func(c *model.Check) { c.Nothing = false }},
	{name: "minimum", file: "minimum.json", rule: func(c *model.Check) { c.Number.Minimum = "" }},
	{name: "maximum", file: "maximum.json", rule: func(c *model.Check) { c.Number.Maximum = "" }},
	{name: "exclusiveMinimum", file: "exclusiveMinimum.json", rule: func(c *model.Check) { c.Number.ExclusiveMinimum = "" }},
	{name: "exclusiveMaximum", file: "exclusiveMaximum.json", rule: func(c *model.Check) { c.Number.ExclusiveMaximum = "" }},
	{name: "minimum itself", file: "minimum.json", old: `\) < 0 {`, new: ") <= 0 {"},
	{name: "maximum itself", file: "maximum.json", old: `\) > 0 {`, new: ") >= 0 {"},
	{name: "exclusiveMinimum itself", file: "exclusiveMinimum.json", old: `\) <= 0 {`, new: ") < 0 {"},
	{name: "exclusiveMaximum itself", file: "exclusiveMaximum.json", old: `\) >= 0 {`, new: ") > 0 {"},
	{name: "multipleOf", file: "multipleOf.json", rule: func(c *model.Check) { c.Number.MultipleOf = "" }},
	{name: "numbers only", file: "minimum.json", old: `v\.Kind\(\) == wire\.Num`, new: "true"},
	{name: "minLength", file: "minLength.json", rule: func(c *model.Check) { c.String.MinLength = nil }},
	{name: "maxLength", file: "maxLength.json", rule: func(c *model.Check) { c.String.MaxLength = nil }},
	{name: "code points", file: "minLength.json", old: `v\.RuneCount\(\)`, new: "len(v.Text())"},
	{name: "strings only", file: "minLength.json", old: `v\.Kind\(\) == wire\.String`, new: "true"},
	{name: "pattern", file: "pattern.json", rule: func(c *model.Check) { c.String.Pattern = nil }},
	{name: "format", file: "optional/format/ipv4.json", rule: func(c *model.Check) { c.String.Format = "" }},
	{name: "minItems", file: "minItems.json", rule: func(c *model.Check) { c.Array.MinItems = nil }},
	{name: "maxItems", file: "maxItems.json", rule: func(c *model.Check) { c.Array.MaxItems = nil }},
	{name: "arrays only", file: "minItems.json", old: `v\.Kind\(\) == wire\.Array`, new: "true"},
	{name: "uniqueItems", file: "uniqueItems.json", rule: func(c *model.Check) { c.Array.Unique = false }},
	{name: "prefixItems", file: "prefixItems.json", rule: func(c *model.Check) {
		for i := range c.Array.Prefix {
			c.Array.Prefix[i] = model.Anything
		}
	}},
	{name: "items", file: "items.json", rule: func(c *model.Check) { c.Array.Rest = nil }},
	{name: "items behind the prefix", file: "items.json", old: `i := [1-9]; i < v\.Len\(\)`, new: "i := 0; i < v.Len()"},
	{name: "contains", file: "contains.json", rule: func(c *model.Check) { c.Array.Contains = nil }},
	{name: "minContains", file: "minContains.json", rule: func(c *model.Check) {
		if c.Array.Contains != nil {
			c.Array.Contains.Min = 1
		}
	}},
	{name: "maxContains", file: "maxContains.json", rule: func(c *model.Check) {
		if c.Array.Contains != nil {
			c.Array.Contains.Max = nil
		}
	}},
	{name: "contains evaluates", file: "unevaluatedItems.json", rule: func(c *model.Check) {
		if c.Array.Contains != nil {
			c.Array.Contains.Evaluates = false
		}
	}},
	{name: "unevaluatedItems", file: "unevaluatedItems.json", rule: func(c *model.Check) { c.Array.Unevaluated = nil }},
	{name: "minProperties", file: "minProperties.json", rule: func(c *model.Check) { c.Object.MinProperties = nil }},
	{name: "maxProperties", file: "maxProperties.json", rule: func(c *model.Check) { c.Object.MaxProperties = nil }},
	{name: "objects only", file: "required.json", old: `v\.Kind\(\) == wire\.Object`, new: "true"},
	{name: "required", file: "required.json", rule: func(c *model.Check) { c.Object.Required = nil }},
	{name: "properties", file: "properties.json", rule: func(c *model.Check) {
		for i := range c.Object.Properties {
			c.Object.Properties[i].Call = model.Anything
		}
	}},
	{name: "patternProperties", file: "patternProperties.json", rule: func(c *model.Check) { c.Object.Patterns = nil }},
	{name: "additionalProperties", file: "additionalProperties.json", rule: func(c *model.Check) { c.Object.Rest = nil }},
	{name: "additional beside patterns", file: "additionalProperties.json", old: `known = true`, new: "known = known"},
	{name: "additional beside properties", file: "additionalProperties.json", old: `known := true`, new: "known := false"},
	{name: "propertyNames", file: "propertyNames.json", rule: func(c *model.Check) { c.Object.Names = nil }},
	{name: "dependentRequired", file: "dependentRequired.json", rule: func(c *model.Check) { c.Object.Requires = nil }},
	{name: "dependencies", file: "dependencies.json", rule: func(c *model.Check) { c.Object.Requires = nil }},
	{name: "dependentSchemas", file: "dependentSchemas.json", rule: func(c *model.Check) { c.Object.Implies = nil }},
	{name: "unevaluatedProperties", file: "unevaluatedProperties.json", rule: func(c *model.Check) { c.Object.Unevaluated = nil }},
	{name: "allOf", file: "allOf.json", rule: func(c *model.Check) { c.All = nil }},
	{name: "$ref", file: "ref.json", rule: func(c *model.Check) { c.All = nil }},
	{name: "$dynamicRef", file: "dynamicRef.json", load: func(s *schema.Schema) { s.Resource.DynamicAnchors = nil }},
	{name: "$recursiveRef", file: "recursiveRef.json", load: func(s *schema.Schema) { s.Resource.Recursive = false }},
	{name: "anyOf", file: "anyOf.json", rule: func(c *model.Check) { c.Any = nil }},
	{name: "oneOf", file: "oneOf.json", rule: func(c *model.Check) { c.One = nil }},
	{name: "one of oneOf", file: "oneOf.json", old: `matches != 1`, new: "matches == 0"},
	{name: "double alternatives", file: "cases.json", rule: func(c *model.Check) {
		for i := range c.One {
			c.One[i].Weight = 1
		}
	}},
	{name: "not", file: "not.json", rule: func(c *model.Check) { c.Not = nil }},
	{name: "then", file: "if-then-else.json", rule: func(c *model.Check) { c.Then = nil }},
	{name: "else", file: "if-then-else.json", rule: func(c *model.Check) { c.Else = nil }},
	{name: "properties are evaluated", file: "unevaluatedProperties.json", old: `(seen|ev)\.Add\(i\)`, new: "_ = i"},
	{name: "additional properties are evaluated", file: "unevaluatedProperties.json", old: `(seen|ev)\.AddAll\(\)`, new: "_ = $1"},
	{name: "prefix is evaluated", file: "unevaluatedItems.json", old: `(seen|ev)\.AddFirst\(.*\)`, new: "_ = $1"},
	{name: "allOf evaluates", file: "unevaluatedProperties.json", old: `\(v, (&seen|ev), r\)`, new: "(v, nil, r)"},
	{name: "branches evaluate", file: "unevaluatedProperties.json", old: `(seen|ev)\.Merge\(&branch\)`, new: "_ = $1"},
	{name: "only branches that match evaluate", file: "cases.json", old: `if branch := .*; (\w+)\(v, &branch, nil\) {\s+seen\.Merge\(&branch\)`, new: "if $1(v, &seen, nil) {"},
	{name: "nested unevaluated evaluates", file: "unevaluatedProperties.json", old: `ev\.Merge\(&seen\)`, new: "_ = ev"},
}

// TestMutations_AreNoticed takes every rule out of the emitted code, one at a
// time, and demands that a case of the suite notices.
func TestMutations_AreNoticed(t *testing.T) {
	t.Parallel()
	files := remotes(t)
	var subjects []subject
	var groups []group
	for i := range mutations {
		m := &mutations[i]
		d, file := m.where(t)
		for _, g := range file {
			s := subject{schema: g.Schema, draft: d.draft, assertFormat: g.assertsFormat(), remotes: files, edit: m}
			if m.changes(t, s) {
				subjects, groups = append(subjects, s), append(groups, g)
			}
		}
	}
	p := compile(t, "mutations", subjects)
	noticed := map[string]string{}
	answers := p.ask(t, questions(groups, p))
	for i, g := range groups {
		for j, c := range g.Tests {
			name := subjects[i].edit.name
			if a := answers[0]; noticed[name] == "" && a.Valid != c.Valid {
				noticed[name] = g.name(j)
			}
			answers = answers[1:]
		}
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			if noticed[m.name] == "" {
				t.Fatalf("no case of %s notices", m.file)
			}
			t.Logf("noticed by %s", noticed[m.name])
		})
	}
}

// where returns the newest draft that has the mutation's file, and the file.
func (m *mutation) where(t *testing.T) (draft, []group) {
	t.Helper()
	for i := len(drafts); i >= 0; i-- {
		d := append([]draft{ours}, drafts...)[i]
		var file []group
		for _, g := range d.groups(t) {
			if g.file == m.file {
				file = append(file, g)
			}
		}
		if len(file) > 0 {
			return d, file
		}
	}
	t.Fatalf("%s: no such file", m.file)
	return draft{}, nil
}

// changes tells whether the mutation makes a difference for the subject.
func (m *mutation) changes(t *testing.T, s subject) bool {
	t.Helper()
	_, mutated, err := s.checks(0)
	if err != nil {
		t.Fatal(err)
	}
	s.edit = nil
	_, all, err := s.checks(0)
	if err != nil {
		t.Fatal(err)
	}
	return !bytes.Equal(render(t, all), m.text(render(t, mutated)))
}
