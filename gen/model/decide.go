package model

import (
	"strconv"

	"github.com/pgque/pgque-go/gen/schema"
)

// decide chooses the shape for the value that all schemas hold for. A type that
// it declares is named into, if there is one and null is no valid value.
func (b *builder) decide(k string, schemas []*schema.Schema, into *Type) *Shape {
	f := gather(schemas)
	s := &Shape{Nullable: f.kinds&schema.Null != 0}
	if g := b.goType(schemas, f); g != nil {
		b.decideForeign(s, f, g)
		if f.inexact {
			b.attach(s, schemas)
		}
		return s
	}
	switch rest := f.kinds &^ schema.Null; {
	case b.choose(k, s, schemas, f, into):
	case rest == schema.Boolean:
		decideBool(s, f)
	case rest == schema.Number:
		decideNumber(s, f)
	case rest == schema.String:
		b.decideString(k, s, schemas, f, into)
	case rest == schema.Array && f.isTuple():
		b.decideTuple(k, s, schemas, f, into)
	case rest == schema.Array:
		b.decideArray(s, f)
	case rest == schema.Object, f.kinds == allKinds && f.hasMembers():
		b.decideObject(k, s, schemas, f, into)
	default:
		b.decideKinds(k, s, schemas, f, into)
	}
	if f.inexact || f.choices != nil {
		b.attach(s, schemas)
	}
	return s
}

// attach makes the exact predicates decide. They stand at the type, if there is
// one; but null never reaches a type, so that a place which may be null has
// them, too.
func (b *builder) attach(s *Shape, schemas []*schema.Schema) {
	names := b.predicates(schemas)
	if s.Type != nil {
		s.Type.Checks = names
	}
	if s.Type == nil || s.Nullable {
		s.Checks = names
	}
}

func (f *facts) hasMembers() bool {
	return f.properties != nil
}

func decideRaw(s *Shape, f *facts) {
	s.Basic = Raw
	s.Nullable = false
	if !f.allowsEverything() {
		f.inexact = true
	}
}

// allowsEverything reports that no rule is there, whatever the value's type.
func (f *facts) allowsEverything() bool { return f.saysNothing() }

func decideBool(s *Shape, f *facts) {
	s.Basic = Bool
	if f.rules.Const != nil {
		s.Rules.Const = f.rules.Const
	}
	if f.isEnum && len(f.literalsOf(schema.Boolean)) == 1 {
		s.Rules.Const = &f.literalsOf(schema.Boolean)[0]
	}
	f.inexact = f.inexact || f.isEnum && f.rules.Const != nil
}

func (f *facts) literalsOf(kind schema.Kinds) []Literal {
	var list []Literal
	for _, lit := range f.literals {
		if lit.Kind == kind {
			list = append(list, lit)
		}
	}
	return list
}

// decideNumber chooses int64 where only integers are valid, uint64 where
// int64 would be too small, and float64 for the rest.
func decideNumber(s *Shape, f *facts) {
	if !f.onlyIntegers() {
		s.Basic = Float
		s.Rules.Numbers = f.rules.Numbers
		f.inexact = f.inexact || f.isEnum || f.rules.Const != nil
		return
	}
	s.Basic = Int
	if !f.isEnum && f.rules.Const == nil && needsUnsigned(f.rules.Numbers) {
		s.Basic = Uint
	}
	s.Rules.Enum = f.literalsOf(schema.Number)
	s.Rules.Const = f.rules.Const
	for _, rules := range f.rules.Numbers {
		list, exact := integerRules(rules, s.Basic)
		s.Rules.Integers = append(s.Rules.Integers, list...)
		f.inexact = f.inexact || !exact
	}
	s.Rules.normaliseIntegers()
}

// onlyIntegers reports that every valid number is an integer that fits int64,
// or is declared to be one.
func (f *facts) onlyIntegers() bool {
	if c := f.rules.Const; c != nil {
		_, ok := integer(c.Text)
		return ok
	}
	if f.isEnum {
		for _, lit := range f.literalsOf(schema.Number) {
			if _, ok := integer(lit.Text); !ok {
				return false
			}
		}
		return true
	}
	return f.integer
}

// normaliseIntegers writes the values of enum and const as plain digits.
func (r *Rules) normaliseIntegers() {
	for i, lit := range r.Enum {
		n, _ := integer(lit.Text)
		r.Enum[i].Text = strconv.FormatInt(n, 10)
	}
	if r.Const != nil {
		n, _ := integer(r.Const.Text)
		r.Const = &Literal{r.Const.Kind, strconv.FormatInt(n, 10)}
	}
}

// decideString chooses a named type for enumerations, a type of its own for the
// formats that have one, and string for the rest.
func (b *builder) decideString(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) {
	s.Basic = String
	s.Rules.Lengths, s.Rules.Patterns = f.rules.Lengths, f.rules.Patterns
	s.Rules.Const = f.rules.Const
	s.Rules.Formats = f.rules.Formats
	ruled := s.Rules.Lengths != nil || s.Rules.Patterns != nil || len(s.Rules.Formats) > 0
	switch {
	case f.isEnum:
		f.inexact = f.inexact || ruled
		b.decideEnum(k, s, schemas, f, into)
	case s.Rules.Const != nil:
		f.inexact = f.inexact || ruled
		s.Rules = Rules{Const: s.Rules.Const}
	case len(s.Rules.Formats) == 1 && s.Rules.Lengths == nil && s.Rules.Patterns == nil:
		s.useFormat(s.Rules.Formats[0])
	}
}

// formatBasics are the formats whose Go type holds exactly the valid strings.
var formatBasics = map[string]Basic{
	"date-time": Time,
	"date":      Date,
	"time":      TimeOfDay,
	"duration":  Duration,
	"uuid":      UUID,
}

func (s *Shape) useFormat(format string) {
	if basic, ok := formatBasics[format]; ok {
		s.Basic = basic
		s.Rules.Formats = nil
	}
}

func (b *builder) decideEnum(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) {
	t := b.declare(k, s, Enum, schemas, into)
	s.Rules = Rules{}
	for _, lit := range f.literalsOf(schema.String) {
		t.Values = append(t.Values, Value{Text: lit.Text})
	}
}

// declare makes s the shape of a named type and lets its parts refer to it.
func (b *builder) declare(k string, s *Shape, kind Kind, schemas []*schema.Schema, into *Type) *Type {
	t := into
	if t == nil || s.Nullable {
		t = b.newType(kind, schemas)
		if into != nil {
			t.suffix = "Value"
		}
	}
	t.Kind = kind
	s.Basic, s.Type = Named, t
	if into == nil {
		b.open[k] = s.copy()
	}
	return t
}

func (b *builder) decideArray(s *Shape, f *facts) {
	s.Basic = Slice
	s.Rules.Items = f.rules.Items
	s.Elem = b.elements(f)
	f.inexact = f.inexact || f.rules.Const != nil || f.isEnum
	if f.rules.Unique {
		exact := !s.Elem.Nullable && s.Elem.Checks == nil && (s.Elem.Basic == String || s.Elem.Basic == Int)
		s.Rules.Unique = exact
		f.inexact = f.inexact || !exact
	}
}

// elements is the shape of an array's items. Places that have schemas of their
// own are left to the predicates.
func (b *builder) elements(f *facts) *Shape {
	var items []*schema.Schema
	for _, s := range f.arrays {
		if s.PrefixItems != nil {
			f.inexact = true
			return &Shape{Basic: Raw}
		}
		items = append(items, s.Items)
	}
	return b.shape(items...)
}
