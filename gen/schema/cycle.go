package schema

import (
	"slices"
	"strings"
)

// A reference that leads back to its own schema without a step into the
// instance would have validation run forever. Whether it does may depend on
// the dynamic scope, so the search walks pairs of a schema and what the
// dynamic anchors are bound to around it.

// maxCycleStates bounds the walk where dynamic references multiply the pairs.
const maxCycleStates = 200_000

type cycleState struct {
	schema *Schema
	scope  int // index into cycleSearch.scopes
}

// bindings are the dynamic anchors of a scope, the outermost binding of each.
// The name "" stands for $recursiveAnchor.
type bindings map[string]*Schema

type cycleSearch struct {
	rep     *report
	dynamic bool // there are dynamic references at all
	scopes  []bindings
	byKey   map[string]int
	done    map[cycleState]bool // false: on the path
	path    []step
	guarded []cycleState // reached by a step into the instance, still to walk
}

// step is a reference or an applicator that leads to a state. Pos is zero for
// an applicator.
type step struct {
	to   cycleState
	pos  Position
	text string
	at   string
}

// checkCycles reports every endless reference it meets.
func (l *loader) checkCycles() {
	c := &cycleSearch{rep: &l.rep, scopes: []bindings{{}}, byKey: map[string]int{"": 0}, done: map[cycleState]bool{}}
	starts := l.schemasInOrder()
	c.dynamic = slices.ContainsFunc(starts, func(s *Schema) bool { return s.DynamicRef != nil })
	reached := map[*Schema]bool{}
	for _, s := range starts {
		if !reached[s] {
			c.walkFrom(s, reached)
		}
	}
}

// schemasInOrder lists the roots of the files, and then all other schemas.
func (l *loader) schemasInOrder() []*Schema {
	var roots, rest []*Schema
	for _, p := range l.places {
		if p.schema.Pointer == "" {
			roots = append(roots, p.schema)
		} else {
			rest = append(rest, p.schema)
		}
	}
	slices.SortFunc(roots, compareSchemas)
	slices.SortFunc(rest, compareSchemas)
	return append(roots, rest...)
}

func compareSchemas(a, b *Schema) int {
	return compareDiagnostics(Diagnostic{Pos: a.Pos, Pointer: a.Pointer}, Diagnostic{Pos: b.Pos, Pointer: b.Pointer})
}

func (c *cycleSearch) walkFrom(s *Schema, reached map[*Schema]bool) {
	c.guarded = append(c.guarded, cycleState{schema: s})
	for len(c.guarded) > 0 && len(c.done) < maxCycleStates {
		next := c.guarded[len(c.guarded)-1]
		c.guarded = c.guarded[:len(c.guarded)-1]
		next.scope = c.enter(next.scope, next.schema)
		if _, seen := c.done[next]; !seen {
			c.walk(step{to: next}, reached)
		}
	}
	c.guarded = c.guarded[:0]
}

// walk follows the references and applicators that apply to the same instance.
func (c *cycleSearch) walk(in step, reached map[*Schema]bool) {
	st := in.to
	reached[st.schema] = true
	c.done[st] = false
	c.path = append(c.path, in)
	for _, out := range c.inPlace(st) {
		out.to.scope = c.enter(st.scope, out.to.schema)
		finished, seen := c.done[out.to]
		switch {
		case seen && !finished:
			c.reportCycle(out)
		case !seen:
			c.walk(out, reached)
		}
	}
	c.path = c.path[:len(c.path)-1]
	c.done[st] = true
	for _, s := range intoInstance(st.schema) {
		c.guarded = append(c.guarded, cycleState{s, st.scope})
	}
}

// reportCycle names the last reference on the way round.
func (c *cycleSearch) reportCycle(closing step) {
	way := []step{closing}
	for i := len(c.path) - 1; i >= 0 && c.path[i].to != closing.to; i-- {
		way = append(way, c.path[i])
	}
	for _, s := range way {
		if s.text != "" {
			c.rep.errorf(s.pos, s.at, "the reference %s leads back to itself without a step into the instance, so validation would never end; put it below properties or items", quote(s.text))
			return
		}
	}
}

// enter returns the scope inside the resource of s.
func (c *cycleSearch) enter(scope int, s *Schema) int {
	r := s.Resource
	if !c.dynamic || len(r.DynamicAnchors) == 0 && !r.Recursive {
		return scope
	}
	b := bindings{}
	for name, bound := range c.scopes[scope] {
		b[name] = bound
	}
	for _, a := range r.DynamicAnchors {
		b.bind(a.Name, a.Schema)
	}
	if r.Recursive {
		b.bind("", r.Root)
	}
	if len(b) == len(c.scopes[scope]) {
		return scope
	}
	return c.intern(b)
}

func (b bindings) bind(name string, s *Schema) {
	if b[name] == nil {
		b[name] = s
	}
}

func (c *cycleSearch) intern(b bindings) int {
	var names []string
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	var key strings.Builder
	for _, name := range names {
		key.WriteString(name)
		key.WriteByte(0)
		key.WriteString(b[name].Resource.URI)
		key.WriteByte(0)
	}
	id, ok := c.byKey[key.String()]
	if !ok {
		id = len(c.scopes)
		c.scopes = append(c.scopes, b)
		c.byKey[key.String()] = id
	}
	return id
}

// inPlace lists what applies to the same instance as st.
func (c *cycleSearch) inPlace(st cycleState) []step {
	s := st.schema
	var list []step
	add := func(subs ...*Schema) {
		for _, sub := range subs {
			if sub != nil {
				list = append(list, step{to: cycleState{schema: sub}})
			}
		}
	}
	if r := s.Ref; r != nil {
		list = append(list, step{cycleState{schema: r.Target}, r.Pos, r.Text, s.Pointer + "/$ref"})
	}
	if r := s.DynamicRef; r != nil {
		t := c.scopes[st.scope][r.Anchor]
		if t == nil {
			t = r.Target
		}
		list = append(list, step{cycleState{schema: t}, r.Pos, r.Text, s.Pointer})
	}
	add(s.AllOf...)
	add(s.AnyOf...)
	add(s.OneOf...)
	add(s.Not, s.If, s.Then, s.Else)
	for _, d := range s.DependentSchemas {
		add(d.Schema)
	}
	return list
}

// intoInstance lists the schemas that apply to parts of the instance.
func intoInstance(s *Schema) []*Schema {
	var list []*Schema
	add := func(subs ...*Schema) {
		for _, sub := range subs {
			if sub != nil {
				list = append(list, sub)
			}
		}
	}
	add(s.PrefixItems...)
	add(s.Items, s.Contains, s.UnevaluatedItems)
	for _, p := range s.Properties {
		add(p.Schema)
	}
	for _, p := range s.PatternProperties {
		add(p.Schema)
	}
	add(s.AdditionalProperties, s.PropertyNames, s.UnevaluatedProperties)
	return list
}
