package model

import (
	"slices"

	"github.com/pgque/pgque-go/gen/schema"
)

// facts are what a list of schemas, all of which hold for one value, say about
// it, as far as a Go type and its rules can express that. Everything else makes
// the facts inexact: then the type holds at least every valid value, and the
// exact predicates decide.
type facts struct {
	kinds   schema.Kinds // allowed; Number stands for integers, too, unless integer
	integer bool         // numbers have no fractional part
	inexact bool

	rules    Rules
	literals []Literal // allowed values, when enumerated
	isEnum   bool

	properties []property
	index      map[string]int // of properties
	required   []string
	objects    []*schema.Schema // those that say something about members
	arrays     []*schema.Schema // those that say something about items
	names      []*schema.Schema // propertyNames
	choices    []*schema.Schema // those with anyOf or oneOf
	sealed     *schema.Schema   // the one with unevaluatedProperties

	seen    map[*schema.Schema]bool
	members []*schema.Schema // those of seen that are objects, in their order
}

// A property is a member with everything that is said about it.
type property struct {
	name    string
	schemas []*schema.Schema
}

const allKinds = schema.Null | schema.Boolean | schema.Number | schema.String | schema.Array | schema.Object

// maxConjunction bounds how many schemas one value's facts are gathered from.
const maxConjunction = 256

func gather(schemas []*schema.Schema) *facts {
	f := &facts{kinds: allKinds, seen: map[*schema.Schema]bool{}}
	for _, s := range schemas {
		f.add(s)
	}
	f.narrow()
	return f
}

// add takes in one more schema that holds for the value.
func (f *facts) add(s *schema.Schema) {
	if f.seen[s] {
		return
	}
	if len(f.seen) >= maxConjunction {
		f.inexact = true
		return
	}
	f.seen[s] = true
	if s.Bool != nil {
		f.addBool(*s.Bool)
		return
	}
	f.members = append(f.members, s)
	if s.Ref != nil {
		f.add(s.Ref.Target)
	}
	if s.DynamicRef != nil {
		f.inexact = true
	}
	f.addTypes(s)
	f.addValues(s)
	f.addNumber(s)
	f.addString(s)
	f.addArray(s)
	f.addObject(s)
	f.addCombinations(s)
}

func (f *facts) addBool(accept bool) {
	if !accept {
		f.kinds = 0
		f.inexact = true
	}
}

func (f *facts) addTypes(s *schema.Schema) {
	if s.Types == 0 {
		return
	}
	kinds := s.Types
	if kinds&schema.Integer != 0 && kinds&schema.Number == 0 {
		f.integer = true
		kinds |= schema.Number
	}
	f.kinds &= kinds &^ schema.Integer
}

// addValues takes in enum and const. Two enumerations of one value are left to
// the predicates.
func (f *facts) addValues(s *schema.Schema) {
	if s.HasEnum {
		list := make([]Literal, len(s.Enum))
		for i, n := range s.Enum {
			list[i] = *checkLiteral(n)
		}
		f.restrict(list)
	}
	if s.Const != nil {
		lit := checkLiteral(s.Const)
		if f.rules.Const == nil && !f.isEnum {
			f.rules.Const = lit
		} else {
			f.inexact = true
		}
		f.kinds &= lit.Kind
	}
}

func (f *facts) restrict(list []Literal) {
	if f.isEnum || f.rules.Const != nil {
		f.inexact = true
		return
	}
	f.isEnum = true
	f.literals = list
}

func (f *facts) addNumber(s *schema.Schema) {
	rules := NumberRules{
		Minimum: s.Minimum, ExclusiveMinimum: s.ExclusiveMinimum,
		Maximum: s.Maximum, ExclusiveMaximum: s.ExclusiveMaximum,
		MultipleOf: s.MultipleOf,
	}
	if rules != (NumberRules{}) {
		f.rules.Numbers = append(f.rules.Numbers, rules)
	}
}

func (f *facts) addString(s *schema.Schema) {
	if s.MinLength != nil || s.MaxLength != nil {
		f.rules.Lengths = append(f.rules.Lengths, Bounds{s.MinLength, s.MaxLength})
	}
	if s.Pattern != nil {
		f.rules.Patterns = append(f.rules.Patterns, Pattern{Source: s.Pattern.Source, RE2: s.Pattern.RE2})
	}
	if s.FormatAsserted && knownFormats[s.Format] && !slices.Contains(f.rules.Formats, s.Format) {
		f.rules.Formats = append(f.rules.Formats, s.Format)
	}
}

func (f *facts) addArray(s *schema.Schema) {
	if s.MinItems != nil || s.MaxItems != nil {
		f.rules.Items = append(f.rules.Items, Bounds{s.MinItems, s.MaxItems})
	}
	f.rules.Unique = f.rules.Unique || s.UniqueItems
	if s.Items != nil || s.PrefixItems != nil {
		f.arrays = append(f.arrays, s)
	}
	if s.Contains != nil || s.UnevaluatedItems != nil {
		f.inexact = true
	}
}

func (f *facts) addObject(s *schema.Schema) {
	if s.MinProperties != nil || s.MaxProperties != nil {
		f.rules.Members = append(f.rules.Members, Bounds{s.MinProperties, s.MaxProperties})
	}
	for _, p := range s.Properties {
		f.addProperty(p)
	}
	for _, r := range s.Required {
		if !slices.Contains(f.required, r.Text) {
			f.required = append(f.required, r.Text)
		}
	}
	if s.Properties != nil || s.PatternProperties != nil || s.AdditionalProperties != nil {
		f.objects = append(f.objects, s)
	}
	if s.PropertyNames != nil {
		f.names = append(f.names, s.PropertyNames)
	}
	if s.DependentRequired != nil || s.DependentSchemas != nil {
		f.inexact = true
	}
	if s.UnevaluatedProperties != nil {
		f.inexact = f.inexact || f.sealed != nil
		f.sealed = s
	}
}

func (f *facts) addProperty(p schema.Property) {
	if i, ok := f.index[p.Name]; ok {
		f.properties[i].schemas = append(f.properties[i].schemas, p.Schema)
		return
	}
	if f.index == nil {
		f.index = map[string]int{}
	}
	f.index[p.Name] = len(f.properties)
	f.properties = append(f.properties, property{p.Name, []*schema.Schema{p.Schema}})
}

func (f *facts) addCombinations(s *schema.Schema) {
	for _, sub := range s.AllOf {
		f.add(sub)
	}
	if s.AnyOf != nil || s.OneOf != nil {
		f.choices = append(f.choices, s)
	}
	if s.Not != nil || s.If != nil && (s.Then != nil || s.Else != nil) {
		f.inexact = true
	}
}

// narrow takes from kinds what the enumerated values exclude, and from the
// values what kinds exclude.
func (f *facts) narrow() {
	if !f.isEnum {
		return
	}
	var kinds schema.Kinds
	var kept []Literal
	seen := make(map[Literal]bool, len(f.literals))
	for _, lit := range f.literals {
		if f.kinds&lit.Kind == 0 || seen[lit] {
			continue
		}
		seen[lit] = true
		kinds |= lit.Kind
		kept = append(kept, lit)
	}
	f.kinds &= kinds
	f.literals = kept
}

// plain reports that s is nothing but a reference, with annotations at most.
func plain(s *schema.Schema) bool {
	if s.Bool != nil || s.Ref == nil || s.DynamicRef != nil {
		return false
	}
	g := &facts{kinds: allKinds, seen: map[*schema.Schema]bool{s.Ref.Target: true}}
	g.add(s)
	return g.saysNothing()
}

func (f *facts) saysNothing() bool {
	r := f.rules
	return f.kinds == allKinds && !f.integer && !f.inexact && !f.isEnum && r.Const == nil &&
		r.Numbers == nil && r.Lengths == nil && r.Patterns == nil && r.Formats == nil &&
		r.Items == nil && r.Members == nil && !r.Unique &&
		f.properties == nil && f.required == nil && f.objects == nil && f.arrays == nil &&
		f.names == nil && f.choices == nil && f.sealed == nil
}

// follow leads from a schema that is only a reference to what it refers to.
func follow(s *schema.Schema) *schema.Schema {
	for range maxConjunction {
		if !plain(s) {
			return s
		}
		s = s.Ref.Target
	}
	return s
}
