package model

import (
	"slices"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// A checkScope is the dynamic scope of a check, as far as it can matter: for every
// dynamic anchor the outermost resource on the way here that has it. Entering
// schemas only ever adds anchors, so there are finitely many scopes, and a
// dynamic reference within one is a static call.
type checkScope []checkBinding

// A checkBinding of the anchor "" is the outermost $recursiveAnchor.
type checkBinding struct {
	anchor string
	target *schema.Schema
}

// enter returns the scope inside of r: its dynamic anchors are bound unless an
// outer resource bound them before.
func (s checkScope) enter(r *schema.Resource) checkScope {
	inner := s
	add := func(anchor string, target *schema.Schema) {
		if inner.lookup(anchor) == nil {
			inner = append(slices.Clip(inner), checkBinding{anchor, target})
		}
	}
	for _, a := range r.DynamicAnchors {
		add(a.Name, a.Schema)
	}
	if r.Recursive {
		add("", r.Root)
	}
	slices.SortFunc(inner, func(a, b checkBinding) int { return strings.Compare(a.anchor, b.anchor) })
	return inner
}

func (s checkScope) lookup(anchor string) *schema.Schema {
	for _, b := range s {
		if b.anchor == anchor {
			return b.target
		}
	}
	return nil
}

// target returns where the reference leads in this scope.
func (s checkScope) target(ref *schema.DynamicRef) *schema.Schema {
	if ref.Anchor == "" && !ref.Target.Resource.Recursive {
		return ref.Target
	}
	if outer := s.lookup(ref.Anchor); outer != nil {
		return outer
	}
	return ref.Target
}

// key is equal for equal scopes, whatever the run.
func (s checkScope) key() string {
	var b strings.Builder
	for _, bound := range s {
		b.WriteString(bound.anchor)
		b.WriteByte('\n')
		b.WriteString(bound.target.Resource.URI)
		b.WriteByte('\n')
		b.WriteString(bound.target.File.Path)
		b.WriteByte('#')
		b.WriteString(bound.target.Pointer)
		b.WriteByte('\n')
	}
	return b.String()
}

// checkDynamics knows the schemas from which a dynamic reference can be reached:
// for all others the scope is of no account.
type checkDynamics struct {
	known map[*schema.Schema]bool
}

// reaches tells whether evaluating s can lead to a dynamic reference.
func (d *checkDynamics) reaches(s *schema.Schema) bool {
	if reach, ok := d.known[s]; ok {
		return reach
	}
	d.learn(s)
	return d.known[s]
}

// learn settles every schema that s leads to.
func (d *checkDynamics) learn(s *schema.Schema) {
	found := []*schema.Schema{s}
	callers := map[*schema.Schema][]*schema.Schema{}
	d.known[s] = false
	var dynamic []*schema.Schema
	for i := 0; i < len(found); i++ {
		from := found[i]
		if from.DynamicRef != nil {
			dynamic = append(dynamic, from)
		}
		subschemas(from, func(to *schema.Schema) {
			settled, known := d.known[to]
			switch {
			case !known:
				d.known[to] = false
				found = append(found, to)
			case settled:
				dynamic = append(dynamic, from)
			}
			callers[to] = append(callers[to], from)
		})
	}
	for len(dynamic) > 0 {
		last := dynamic[len(dynamic)-1]
		dynamic = dynamic[:len(dynamic)-1]
		if d.known[last] {
			continue
		}
		d.known[last] = true
		dynamic = append(dynamic, callers[last]...)
	}
}

// subschemas visits every schema that s applies, and those it refers to.
func subschemas(s *schema.Schema, visit func(*schema.Schema)) {
	for _, list := range [][]*schema.Schema{s.PrefixItems, s.AllOf, s.AnyOf, s.OneOf} {
		for _, sub := range list {
			visit(sub)
		}
	}
	for _, list := range [][]schema.Property{s.Properties, s.DependentSchemas} {
		for _, p := range list {
			visit(p.Schema)
		}
	}
	for _, p := range s.PatternProperties {
		visit(p.Schema)
	}
	for _, sub := range []*schema.Schema{
		s.Items, s.Contains, s.UnevaluatedItems,
		s.AdditionalProperties, s.PropertyNames, s.UnevaluatedProperties,
		s.Not, s.If, s.Then, s.Else,
	} {
		if sub != nil {
			visit(sub)
		}
	}
	if s.Ref != nil {
		visit(s.Ref.Target)
	}
	if s.DynamicRef != nil {
		visit(s.DynamicRef.Target)
	}
}
