package model

import (
	"cmp"
	"slices"

	"github.com/pgque/pgque-go/gen/schema"
)

// Options say how schemas become Go. The zero value is ready.
type Options struct {
	// Package is the name of the generated package. Defaults to "events".
	Package string
	// RootQueues names the queue of the files right in a root, by the root's
	// name. Defaults to the last part of the root's name.
	RootQueues map[string]string
	// Examples adds generators of valid and invalid events, for tests.
	Examples bool
	// Fuzz adds fuzz targets, and Examples for their seeds.
	Fuzz bool
	// Defaults fills in what a received event lacks and its schema has a default
	// for, where that is a string, a number or a boolean which the rules accept.
	Defaults bool
	// Types are Go types of the user's for formats and schemas.
	Types []TypeMapping
}

// Build decides everything about the package that the schemas become. With an
// error among the diagnostics the Model must not be rendered.
func Build(set *schema.Set, opts Options) (*Model, []schema.Diagnostic) {
	if opts.Package == "" {
		opts.Package = "events"
	}
	events, diags := findEvents(set, opts)
	m := &Model{
		Package: opts.Package, Events: events, Examples: opts.Examples || opts.Fuzz, Fuzz: opts.Fuzz,
	}
	m.sortEvents()
	checks := NewChecks(CheckOptions{Prefix: checkPrefixes(set)})
	for _, f := range set.Files {
		checks.secrets.add(f.Root)
	}
	diags = append(diags, checks.secrets.misspelled()...)
	types, more := newTypeMappings(opts.Types)
	diags = append(diags, more...)
	b := &builder{
		opts: opts, checks: checks, types: types, events: map[*schema.File]*Event{},
		shapes: map[string]*Shape{}, open: map[string]*Shape{}, hints: map[string]string{},
	}
	b.run(m)
	m.Types = b.declared
	m.Sources = sources(set, b.events)
	diags = append(diags, b.diags...)
	diags = append(diags, types.unused()...)
	diags = append(diags, m.name(b.hints)...)
	m.Checks = checks.All()
	diags = append(diags, checks.Diagnostics()...)
	return m, append(diags, m.finish()...)
}

func sources(set *schema.Set, events map[*schema.File]*Event) []Source {
	var list []Source
	for _, f := range set.Files {
		home := ""
		if ev := events[f]; ev != nil {
			home = ev.Queue
		}
		list = append(list, Source{File: f.Path, Home: home, Hash: f.Hash})
	}
	return list
}

// checkPrefixes names predicates by the file that they come from.
func checkPrefixes(set *schema.Set) func(*schema.File) string {
	var claims []*claim
	names := map[*schema.File]string{}
	for _, f := range set.Files {
		claims = append(claims, &claim{
			candidates: []string{exported(typeOf(f.Path)), exported(f.Path), exported(f.Path) + mark(f.URI)},
			set:        func(name string) { names[f] = name },
		})
	}
	settle(claims, map[string]bool{})
	return func(f *schema.File) string {
		if name, ok := names[f]; ok {
			return name
		}
		return exported(f.Path) + mark(f.URI)
	}
}

func (m *Model) sortEvents() {
	slices.SortFunc(m.Events, func(a, b *Event) int {
		return cmp.Or(cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Type, b.Type), cmp.Compare(a.File, b.File))
	})
	for _, ev := range m.Events {
		q := m.queue(ev.Queue)
		if q == nil {
			q = &Queue{Name: ev.Queue}
			m.Queues = append(m.Queues, q)
		}
		q.Events = append(q.Events, ev)
	}
}

// queue returns the queue of that name, or nil.
func (m *Model) queue(name string) *Queue {
	i, ok := slices.BinarySearchFunc(m.Queues, name, func(q *Queue, name string) int { return cmp.Compare(q.Name, name) })
	if !ok {
		return nil
	}
	return m.Queues[i]
}

// run declares the types of all events. All roots are known before the first
// is looked into, so that a reference to an event's schema is the event's type.
func (b *builder) run(m *Model) {
	for _, ev := range m.Events {
		b.events[ev.root.File] = ev
	}
	for _, ev := range m.Events {
		b.announce(ev)
	}
	for _, ev := range m.Events {
		b.event(ev)
	}
	b.unique(m.Events)
}

// unique refuses two files for one event.
func (b *builder) unique(events []*Event) {
	for i, ev := range events {
		if i > 0 && events[i-1].Queue == ev.Queue && events[i-1].Type == ev.Type {
			b.diags = append(b.diags, schema.Diagnostic{
				Pos:     ev.root.Pos,
				Message: "queue " + ev.Queue + " has the event " + ev.Type + " in " + events[i-1].root.Pos.File + " already: change " + keywordEvent + " or " + keywordQueue,
			})
		}
	}
}

// name decides all identifiers.
func (m *Model) name(hints map[string]string) []schema.Diagnostic {
	n := &namer{
		model: m, hints: hints,
		taken: map[string]bool{}, roots: map[*schema.File]string{},
	}
	n.run()
	return n.diags
}

// finish derives what depends on the names and on the whole, and tells of defaults
// that are not filled in.
func (m *Model) finish() []schema.Diagnostic {
	slices.SortFunc(m.Types, func(a, b *Type) int { return cmp.Compare(a.Go, b.Go) })
	m.eachShape(func(_ *Type, s *Shape) {
		if s.Type != nil {
			s.Name = s.Type.Go
		}
	})
	if m.Examples {
		m.eachShape(func(_ *Type, s *Shape) {
			if s.Basic == String {
				s.Samples = s.Rules.samples()
			}
		})
	}
	m.box()
	diags := m.defaults()
	m.spread(func(t *Type) *bool { return &t.Checked }, func(t *Type, s *Shape) bool {
		return len(t.Checks) > 0 || s != nil && len(s.Checks) > 0
	})
	m.spread(func(t *Type) *bool { return &t.Respelled }, func(_ *Type, s *Shape) bool {
		return s != nil && slices.Contains(respelled, s.Basic)
	})
	for _, ev := range m.Events {
		if ev.Root.Respelled && ev.Root.Kind == Defined { // which has no place to remember spellings
			ev.Root.Kind = Wrapped
		}
	}
	m.Imports = m.imports()
	return diags
}

// respelled are the shapes whose values have more spellings than one.
var respelled = []Basic{Float, Time, TimeOfDay, UUID, Foreign}

// eachShape visits every place of every type, nested ones included.
func (m *Model) eachShape(visit func(*Type, *Shape)) {
	for _, t := range m.Types {
		t.eachShape(func(s *Shape) { visit(t, s) })
	}
}

// ExtraName is the Go name of what holds Extra.
func (t *Type) ExtraName() string {
	if t.Kind == Tuple {
		return "Rest"
	}
	return "Extra"
}

func (t *Type) eachShape(visit func(*Shape)) {
	for _, f := range t.Fields {
		f.Shape.each(visit)
	}
	t.Extra.each(visit)
	t.Of.each(visit)
	if t.Union != nil {
		for _, o := range t.Union.Options {
			o.Shape.each(visit)
		}
	}
}

func (s *Shape) each(visit func(*Shape)) {
	if s == nil {
		return
	}
	visit(s)
	s.Elem.each(visit)
	s.Key.each(visit)
	s.Held.each(visit)
}

// spread sets a mark on every type that has a property itself or contains, at
// any depth, a type that has it.
func (m *Model) spread(flag func(*Type) *bool, has func(*Type, *Shape) bool) {
	users := map[*Type][]*Type{}
	var open []*Type
	note := func(t *Type) {
		if !*flag(t) {
			*flag(t) = true
			open = append(open, t)
		}
	}
	for _, t := range m.Types {
		if has(t, nil) {
			note(t)
		}
		t.eachShape(func(s *Shape) {
			if has(t, s) {
				note(t)
			}
			if s.Type != nil {
				users[s.Type] = append(users[s.Type], t)
			}
		})
	}
	for len(open) > 0 {
		t := open[len(open)-1]
		open = open[:len(open)-1]
		for _, user := range users[t] {
			note(user)
		}
	}
}

// box puts a pointer wherever a type would otherwise contain itself by value.
func (m *Model) box() {
	color := map[*Type]int{}
	var visit func(t *Type)
	visit = func(t *Type) {
		color[t] = 1
		t.eachValue(func(s *Shape) {
			switch color[s.Type] {
			case 0:
				visit(s.Type)
			case 1:
				s.Boxed = true
			}
		})
		color[t] = 2
	}
	for _, t := range m.Types {
		if color[t] == 0 {
			visit(t)
		}
	}
}

// eachValue visits the named types that t contains by value.
func (t *Type) eachValue(visit func(*Shape)) {
	for _, f := range t.Fields {
		byValue := f.Required != f.Shape.Nullable // neither a pointer for absence nor one for null
		if f.Shape.Basic == Named && byValue {
			visit(f.Shape)
		}
	}
	if t.Of != nil && t.Of.Basic == Named && !t.Of.Nullable {
		visit(t.Of)
	}
}
