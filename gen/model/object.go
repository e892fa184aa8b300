package model

import (
	"cmp"
	"slices"

	"github.com/pgque/pgque-go/gen/schema"
)

// decideObject chooses a struct where members have names, a map otherwise.
func (b *builder) decideObject(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) {
	f.inexact = f.inexact || f.rules.Const != nil || f.isEnum
	if f.kinds&^schema.Null == schema.Object && f.properties == nil && f.isMap() {
		b.decideMap(s, f)
		return
	}
	other := f.kinds == allKinds
	if other {
		s.Nullable = false
		f.inexact = f.inexact || f.rulesOthers()
	}
	f.inexact = f.inexact || f.rules.Members != nil || f.names != nil
	t := b.declare(k, s, Struct, schemas, into)
	t.Other = other
	open := b.members(t, f, schemas)
	b.fields(t, f, open)
}

// isMap reports an object without names of its own that is open.
func (f *facts) isMap() bool {
	if f.sealed != nil {
		return false
	}
	for _, s := range f.objects {
		if isFalse(s.AdditionalProperties) && s.PatternProperties == nil {
			return false
		}
	}
	return len(f.objects) > 0 || len(f.required) == 0
}

// rulesOthers reports rules for values that are no objects.
func (f *facts) rulesOthers() bool {
	r := f.rules
	return r.Numbers != nil || r.Lengths != nil || r.Patterns != nil || r.Formats != nil ||
		r.Items != nil || r.Unique || f.arrays != nil || f.integer
}

func isFalse(s *schema.Schema) bool { return s != nil && s.Bool != nil && !*s.Bool }

func isTrue(s *schema.Schema) bool { return s != nil && s.Bool != nil && *s.Bool }

// decideMap holds members that all have one schema.
func (b *builder) decideMap(s *Shape, f *facts) {
	s.Basic = Map
	s.Rules.Members = f.rules.Members
	f.inexact = f.inexact || f.required != nil
	s.Elem = &Shape{Basic: Raw}
	switch {
	case len(f.objects) == 1 && f.objects[0].PatternProperties == nil:
		s.Elem = b.shape(f.objects[0].AdditionalProperties)
	case len(f.objects) == 1 && f.isPatternMap():
		s.Elem = b.shape(f.objects[0].PatternProperties[0].Schema)
		p := f.objects[0].PatternProperties[0].Pattern
		s.Key = &Shape{Basic: String, Rules: Rules{Patterns: []Pattern{{Source: p.Source, RE2: p.RE2}}}}
		f.inexact = f.inexact || f.names != nil
		return
	case f.objects != nil:
		f.inexact = true
	}
	if f.names != nil {
		b.decideNames(s, f)
	}
}

// isPatternMap reports that members are those that match the one pattern.
func (f *facts) isPatternMap() bool {
	o := f.objects[0]
	return len(o.PatternProperties) == 1 && isFalse(o.AdditionalProperties)
}

// decideNames takes rules for member names, which are strings, into the map's
// key.
func (b *builder) decideNames(s *Shape, f *facts) {
	g := gather(f.names)
	if g.inexact || g.isEnum || g.choices != nil || g.rules.Const != nil || g.kinds&schema.String == 0 {
		f.inexact = true
		return
	}
	s.Key = &Shape{Basic: String, Rules: Rules{
		Lengths: g.rules.Lengths, Patterns: g.rules.Patterns, Formats: g.rules.Formats,
	}}
}

// members decides what a struct holds beside its fields. It returns the schema
// of members without a field; nil means any.
func (b *builder) members(t *Type, f *facts, schemas []*schema.Schema) *schema.Schema {
	t.Extra = &Shape{Basic: Raw}
	var additional *schema.Schema
	for _, o := range f.objects {
		if o.PatternProperties != nil {
			f.inexact = true
			return nil
		}
		if o.AdditionalProperties == nil || isTrue(o.AdditionalProperties) {
			continue
		}
		if len(f.objects) > 1 {
			f.inexact = true
			return nil
		}
		additional = o.AdditionalProperties
	}
	if f.sealed != nil {
		return b.seal(t, f, schemas, additional)
	}
	if additional != nil {
		t.Extra = b.extra(additional)
	}
	return additional
}

// extra is the shape of members without a field; nil when there are none.
func (b *builder) extra(additional *schema.Schema) *Shape {
	if isFalse(additional) {
		return nil
	}
	return b.shape(additional)
}

// seal applies unevaluatedProperties. Where every member that is evaluated is
// so by its name, it says what additionalProperties of all names would say.
func (b *builder) seal(t *Type, f *facts, schemas []*schema.Schema, additional *schema.Schema) *schema.Schema {
	switch {
	case additional != nil: // evaluates every member
		t.Extra = b.extra(additional)
		return additional
	case f.hasOpenObject():
		return nil
	case f.inexact, f.choices != nil, len(schemas) != 1, f.sealed != schemas[0]:
		f.inexact = true
		return nil
	}
	t.Extra = b.extra(f.sealed.UnevaluatedProperties)
	return f.sealed.UnevaluatedProperties
}

// hasOpenObject reports additionalProperties: true, which evaluates every member.
func (f *facts) hasOpenObject() bool {
	return slices.ContainsFunc(f.objects, func(o *schema.Schema) bool { return o.AdditionalProperties != nil })
}

// fields declares a field for every property, and for every member that must be
// there.
func (b *builder) fields(t *Type, f *facts, additional *schema.Schema) {
	required := map[string]bool{}
	for _, name := range f.required {
		required[name] = true
	}
	for _, p := range f.properties {
		t.Fields = append(t.Fields, b.field(p, required[p.name]))
		delete(required, p.name)
	}
	for _, name := range f.required {
		if !required[name] {
			continue
		}
		p := property{name: name}
		if additional != nil {
			p.schemas = []*schema.Schema{additional}
		}
		t.Fields = append(t.Fields, b.field(p, true))
	}
}

func (b *builder) field(p property, required bool) *Field {
	f := &Field{Name: p.name, Required: required, Shape: b.shape(p.schemas...)}
	f.Secret = f.Shape.Secret
	for _, s := range p.schemas {
		annotate(f, s)
		f.wanted = cmp.Or(f.wanted, b.fieldName(f, s))
	}
	if b.opts.Defaults {
		f.schemas = p.schemas
	}
	return f
}

// fieldName is the name that the property's own schema asks for. What x-go-name
// names is the type, where the schema becomes one.
func (b *builder) fieldName(f *Field, s *schema.Schema) string {
	if name := b.annotated(s, keywordFieldName); name != "" {
		return name
	}
	t := f.Shape.Type
	if t != nil && t.File == s.File.Path && t.Pointer == s.Pointer {
		return ""
	}
	return b.annotated(s, keywordGoName)
}
