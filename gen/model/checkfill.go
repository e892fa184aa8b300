package model

import (
	"slices"

	"github.com/pgque/pgque-go/gen/schema"
)

// everyKind is every type; Integer is a part of Number.
const everyKind = schema.Null | schema.Boolean | schema.Number | schema.String | schema.Array | schema.Object

// A checkFiller turns the keywords of one schema into the rules of its check.
type checkFiller struct {
	checks *Checks
	check  *Check
	schema *schema.Schema
	scope  checkScope
}

func (c *Checks) fill(check *Check, s *schema.Schema, inner checkScope) {
	f := &checkFiller{checks: c, check: check, schema: s, scope: inner}
	if s.Bool != nil {
		check.Nothing = !*s.Bool
		return
	}
	f.ownRules()
	f.combinations()
	f.arrayParts()
	f.objectParts()
}

// ownRules are the rules that need no other schema.
func (f *checkFiller) ownRules() {
	s, c := f.schema, f.check
	if s.Types&everyKind != everyKind {
		c.Types = s.Types
	}
	if s.Const != nil {
		c.Const = checkLiteral(s.Const)
	}
	c.HasEnum = s.HasEnum
	for _, n := range s.Enum {
		c.Enum = append(c.Enum, *checkLiteral(n))
	}
	c.Number = NumberRules{
		Minimum:          s.Minimum,
		ExclusiveMinimum: s.ExclusiveMinimum,
		Maximum:          s.Maximum,
		ExclusiveMaximum: s.ExclusiveMaximum,
		MultipleOf:       s.MultipleOf,
	}
	c.String = StringRules{MinLength: atLeast(s.MinLength), MaxLength: s.MaxLength}
	if s.Pattern != nil {
		c.String.Pattern = &CheckPattern{s.Pattern.Source, s.Pattern.RE2}
	}
	if s.FormatAsserted && knownFormats[s.Format] {
		c.String.Format = s.Format
	}
	c.Array.MinItems, c.Array.MaxItems, c.Array.Unique = atLeast(s.MinItems), s.MaxItems, s.UniqueItems
	c.Object.MinProperties, c.Object.MaxProperties = atLeast(s.MinProperties), s.MaxProperties
	c.Object.Required = distinctTexts(s.Required)
	for _, d := range s.DependentRequired {
		if len(d.Required) > 0 {
			c.Object.Requires = append(c.Object.Requires, Requirement{d.Name, distinctTexts(d.Required)})
		}
	}
}

// atLeast drops a minimum that everything has.
func atLeast(n *int64) *int64 {
	if n != nil && *n <= 0 {
		return nil
	}
	return n
}

// distinctTexts returns the distinct texts in their order.
func distinctTexts(list []schema.Located) []string {
	var out []string
	seen := map[string]bool{}
	for _, l := range list {
		if !seen[l.Text] {
			seen[l.Text] = true
			out = append(out, l.Text)
		}
	}
	return out
}

// knownFormats are the formats that can be asserted.
var knownFormats = map[string]bool{
	"date-time": true, "date": true, "time": true, "duration": true,
	"email": true, "idn-email": true, "hostname": true, "idn-hostname": true,
	"ipv4": true, "ipv6": true, "uri": true, "uri-reference": true,
	"iri": true, "iri-reference": true, "uuid": true, "uri-template": true,
	"json-pointer": true, "relative-json-pointer": true, "regex": true,
}

// combinations are the schemas that decide the same value.
func (f *checkFiller) combinations() {
	s, c := f.schema, f.check
	if s.Ref != nil {
		c.All = append(c.All, f.call(s.Ref.Target))
	}
	if s.DynamicRef != nil {
		c.All = append(c.All, f.call(f.scope.target(s.DynamicRef)))
	}
	c.All = append(c.All, f.calls(s.AllOf)...)
	c.Any = f.calls(s.AnyOf)
	for _, call := range f.calls(s.OneOf) {
		c.One = append(c.One, Branch{call, 1})
	}
	c.Not = f.maybe(s.Not)
	if s.If != nil {
		c.If, c.Then, c.Else = f.maybe(s.If), f.maybe(s.Then), f.maybe(s.Else)
	}
	for _, d := range s.DependentSchemas {
		c.Object.Implies = append(c.Object.Implies, MemberRule{Name: d.Name, Call: f.call(d.Schema)})
	}
}

func (f *checkFiller) arrayParts() {
	s, a := f.schema, &f.check.Array
	a.Prefix = f.calls(s.PrefixItems)
	a.Rest = f.maybe(s.Items)
	a.Unevaluated = f.maybe(s.UnevaluatedItems)
	a.Secret = slices.ContainsFunc(append(slices.Clone(s.PrefixItems), s.Items, s.UnevaluatedItems), f.checks.secrets.has)
	if s.Contains == nil {
		return
	}
	a.Contains = &ContainsRule{Call: f.call(s.Contains), Min: 1, Max: s.MaxContains, Evaluates: s.ContainsEvaluates}
	if s.MinContains != nil {
		a.Contains.Min = *s.MinContains
	}
}

func (f *checkFiller) objectParts() {
	s, o := f.schema, &f.check.Object
	for _, p := range s.Properties {
		o.Properties = append(o.Properties, MemberRule{Name: p.Name, Call: f.call(p.Schema), Secret: f.checks.secrets.has(p.Schema)})
	}
	for _, p := range s.PatternProperties {
		o.Patterns = append(o.Patterns, PatternRule{
			Pattern: CheckPattern{p.Pattern.Source, p.Pattern.RE2}, Call: f.call(p.Schema), Secret: f.checks.secrets.has(p.Schema),
		})
	}
	o.Rest, o.SecretRest = f.maybe(s.AdditionalProperties), f.checks.secrets.has(s.AdditionalProperties)
	o.Names = f.maybe(s.PropertyNames)
	o.Unevaluated, o.SecretUnevaluated = f.maybe(s.UnevaluatedProperties), f.checks.secrets.has(s.UnevaluatedProperties)
}

func (f *checkFiller) call(s *schema.Schema) Call {
	return Call(f.checks.in(s, f.scope).Func)
}

func (f *checkFiller) calls(list []*schema.Schema) []Call {
	var out []Call
	for _, s := range list {
		out = append(out, f.call(s))
	}
	return out
}

func (f *checkFiller) maybe(s *schema.Schema) *Call {
	if s == nil {
		return nil
	}
	call := f.call(s)
	return &call
}

// trivial tells that the check accepts everything and evaluates nothing.
func (c *Check) trivial() bool {
	return !c.Nothing && c.Types == 0 && c.Const == nil && !c.HasEnum &&
		c.Number == (NumberRules{}) && c.String == (StringRules{}) &&
		c.Array.empty() && c.Object.empty() &&
		len(c.All)+len(c.Any)+len(c.One) == 0 && c.Not == nil && c.If == nil
}

func (a *ArrayRules) empty() bool {
	return a.MinItems == nil && a.MaxItems == nil && !a.Unique && len(a.Prefix) == 0 &&
		a.Rest == nil && a.Contains == nil && a.Unevaluated == nil
}

func (o *ObjectRules) empty() bool {
	return o.MinProperties == nil && o.MaxProperties == nil && len(o.Required) == 0 &&
		len(o.Properties) == 0 && len(o.Patterns) == 0 && o.Rest == nil && o.Names == nil &&
		len(o.Requires) == 0 && len(o.Implies) == 0 && o.Unevaluated == nil
}

// checkLiteral returns the value of a node.
func checkLiteral(n *schema.Node) *Literal {
	switch n.Kind {
	case schema.String, schema.Number, schema.Boolean:
		return &Literal{n.Kind, n.Text}
	case schema.Null:
		return &Literal{n.Kind, "null"}
	}
	return &Literal{n.Kind, string(appendNodeJSON(nil, n))}
}

// appendNodeJSON appends the JSON text of a node.
func appendNodeJSON(b []byte, n *schema.Node) []byte {
	switch n.Kind {
	case schema.String:
		return appendJSONString(b, n.Text)
	case schema.Null:
		return append(b, "null"...)
	case schema.Array:
		b = append(b, '[')
		for i, item := range n.Items {
			b = appendNodeJSON(commaBefore(b, i), item)
		}
		return append(b, ']')
	case schema.Object:
		b = append(b, '{')
		for i, m := range n.Members {
			b = append(appendJSONString(commaBefore(b, i), m.Name), ':')
			b = appendNodeJSON(b, m.Value)
		}
		return append(b, '}')
	}
	return append(b, n.Text...)
}

func commaBefore(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}
