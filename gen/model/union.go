package model

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// choose decides a value that is one of several alternatives and has no other
// rules. False: it is not such a value, and nothing was decided.
func (b *builder) choose(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) bool {
	branches, null := f.branches()
	switch {
	case len(branches) == 0:
		return false
	case len(branches) == 1:
		return b.only(s, schemas, f, branches[0], null)
	}
	s.Nullable = null
	t := b.declare(k, s, Sum, schemas, into)
	t.Union = &Alternatives{}
	for i, branch := range branches {
		t.Union.Options = append(t.Union.Options, &Alternative{Shape: b.shape(branch), number: i + 1})
	}
	if property := t.Union.discriminator(); property != "" && !f.inexact {
		b.discriminate(s, t, into, property, branches)
		f.choices = nil
	}
	return true
}

// branches are the alternatives but null, if oneOf or anyOf is all there is.
func (f *facts) branches() (branches []*schema.Schema, null bool) {
	if len(f.choices) != 1 || !f.onlyChoice() {
		return nil, false
	}
	c := f.choices[0]
	if c.OneOf != nil && c.AnyOf != nil {
		return nil, false
	}
	for _, branch := range append(slices.Clone(c.OneOf), c.AnyOf...) {
		if g := gather([]*schema.Schema{branch}); g.kinds == schema.Null && !g.inexact && !null {
			null = true
			continue
		}
		branches = append(branches, branch)
	}
	return branches, null
}

func (f *facts) onlyChoice() bool {
	several := f.kinds&(f.kinds-1) != 0
	g := *f
	g.choices, g.kinds = nil, allKinds
	return (several || f.kinds == schema.Object) && g.saysNothing()
}

// only decides a value with one alternative beside null.
func (b *builder) only(s *Shape, schemas []*schema.Schema, f *facts, branch *schema.Schema, null bool) bool {
	if f.kinds != allKinds {
		return false
	}
	nullable := gather([]*schema.Schema{branch}).kinds&schema.Null != 0
	if null && nullable && f.choices[0].OneOf != nil {
		return false // null is valid for both, and so for neither
	}
	b.hints[hintKey(branch)] = sameName
	*s = *b.shape(branch)
	f.choices = nil
	if null && s.Basic == Raw {
		f.inexact = true
		return true
	}
	s.Nullable = s.Nullable || null
	if null && s.Checks != nil { // they would see null
		s.Checks = b.predicates(schemas)
	}
	return true
}

// discriminator is the member whose value tells all alternatives apart; "" when
// there is none.
func (a *Alternatives) discriminator() string {
	for _, f := range a.Options[0].fields() {
		if f.tags() != nil && a.isDiscriminator(f.Name) {
			return f.Name
		}
	}
	return ""
}

func (a *Alternatives) isDiscriminator(name string) bool {
	seen := map[string]bool{}
	types := map[*Type]bool{}
	for _, o := range a.Options {
		tags := o.tagsOf(name)
		if tags == nil || types[o.Shape.Type] {
			return false
		}
		types[o.Shape.Type] = true
		for _, tag := range tags {
			if seen[tag] {
				return false
			}
			seen[tag] = true
		}
	}
	return true
}

// fields are those of an alternative that is a struct and nothing else.
func (o *Alternative) fields() []*Field {
	s := o.Shape
	if s.Type == nil || s.Type.Kind != Struct || s.Nullable || s.Type.Other || len(s.Checks) > 0 {
		return nil
	}
	return s.Type.Fields
}

func (o *Alternative) tagsOf(name string) []string {
	for _, f := range o.fields() {
		if f.Name == name {
			return f.tags()
		}
	}
	return nil
}

// tags are the values that a required field can have; nil when they are not a
// few strings.
func (f *Field) tags() []string {
	s := f.Shape
	switch {
	case !f.Required || s.Nullable || len(s.Checks) > 0:
		return nil
	case s.Basic == String && s.Rules.Const != nil && s.Rules.Const.Kind == schema.String:
		return []string{s.Rules.Const.Text}
	case s.Type == nil || s.Type.Kind != Enum || len(s.Type.Checks) > 0:
		return nil
	}
	var tags []string
	for _, v := range s.Type.Values {
		tags = append(tags, v.Text)
	}
	return tags
}

// discriminate makes t an interface that the alternatives implement. An event
// cannot be one: it holds one.
func (b *builder) discriminate(s *Shape, t, into *Type, property string, branches []*schema.Schema) {
	if t == into {
		t = b.newType(Union, t.schemas)
		t.suffix = "Value"
		t.Union, into.Union = into.Union, nil
		into.Kind = Wrapped
		s.Type = t
	}
	t.Kind = Union
	t.Union.Property = property
	for i, o := range t.Union.Options {
		o.Tags = o.tagsOf(property)
		if len(o.Tags) == 1 {
			b.hints[hintKey(branches[i])] = o.Tags[0]
		}
	}
}

func hintKey(s *schema.Schema) string { return s.File.URI + "#" + s.Pointer }

// decideKinds holds a value that may be of several types as its text, with an
// accessor for each type.
func (b *builder) decideKinds(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) {
	rest := f.kinds &^ schema.Null
	if f.kinds == allKinds || rest&(rest-1) == 0 {
		decideRaw(s, f)
		return
	}
	f.inexact = true
	t := b.declare(k, s, Sum, schemas, into)
	t.Union = &Alternatives{}
	for i, basic := range f.basics(rest) {
		t.Union.Options = append(t.Union.Options, &Alternative{Shape: basic, number: i + 1})
	}
}

// basics are the shapes of the types in kinds. The rules are left to the
// predicates.
func (f *facts) basics(kinds schema.Kinds) []*Shape {
	var list []*Shape
	add := func(kind schema.Kinds, s *Shape) {
		if kinds&kind != 0 {
			list = append(list, s)
		}
	}
	number := Float
	if f.onlyIntegers() {
		number = Int
	}
	add(schema.String, &Shape{Basic: String})
	add(schema.Number, &Shape{Basic: number})
	add(schema.Boolean, &Shape{Basic: Bool})
	add(schema.Array, &Shape{Basic: Slice, Elem: &Shape{Basic: Raw}})
	add(schema.Object, &Shape{Basic: Map, Elem: &Shape{Basic: Raw}})
	return list
}

// basicNames are what accessors of a Sum are called.
var basicNames = map[Basic]string{
	Bool: "Bool", Int: "Int64", Uint: "Uint64", Float: "Float64", String: "String",
	Time: "Time", UUID: "UUID", Date: "Date", TimeOfDay: "TimeOfDay", Duration: "Duration",
	Slice: "List", Map: "Map",
}

// options names the alternatives of unions and sums.
func (n *namer) options(t *Type) {
	if t.Union == nil {
		return
	}
	var claims []*claim
	for _, o := range t.Union.Options {
		name := basicNames[o.Shape.Basic]
		switch {
		case o.Shape.Type != nil:
			name = within(t.Go, o.Shape.Type.Go)
		case o.Shape.Go != nil:
			name = startUpper(o.Shape.Go.Name)
		}
		unique := "Option" + strconv.Itoa(o.number)
		if name == "" {
			name = unique
		}
		claims = append(claims, &claim{
			candidates: []string{name, unique},
			set:        func(s string) { o.Go = s },
		})
	}
	settle(claims, map[string]bool{})
	n.makers(t)
}

// within is the name of a type without that of the union that it is an alternative of:
// AsOption1 says as much as AsResultOption1.
func within(union, name string) string {
	if rest, ok := strings.CutPrefix(name, union); ok && token.IsExported(rest) {
		return rest
	}
	return name
}

// makers names the functions that make a Sum out of an alternative, and the one
// that takes a Union apart.
func (n *namer) makers(t *Type) {
	var claims []*claim
	for _, o := range t.Union.Options {
		claims = append(claims, &claim{
			candidates: []string{t.Go + "Of" + o.Go, t.Go + "Of" + o.Go + mark(fmt.Sprint(o.number, t.Go))},
			set:        func(s string) { o.Maker = s },
		})
	}
	claims = append(claims, &claim{
		candidates: []string{"Switch" + t.Go, "Switch" + t.Go + mark(t.Go)},
		set:        func(s string) { t.Union.Switch = s },
	})
	settle(claims, n.taken)
}
