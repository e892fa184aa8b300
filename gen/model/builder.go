package model

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// A builder turns schemas into shapes and types.
type builder struct {
	opts   Options
	checks *Checks
	events map[*schema.File]*Event

	shapes   map[string]*Shape // what is decided, by the schemas it stands for
	open     map[string]*Shape // what is being decided; not nil once its parts may refer to it
	types    typeMappings
	declared []*Type
	hints    map[string]string // what alternatives are called, by place
	merged   int               // shapes of several schemas that the event has needed
	diags    []schema.Diagnostic
}

// shape decides how the value that all schemas hold for is stored. None: any
// value.
func (b *builder) shape(schemas ...*schema.Schema) *Shape {
	secret := slices.ContainsFunc(schemas, b.checks.secrets.has)
	s := b.shapeOf(b.targets(schemas))
	s.Secret = s.Secret || secret
	s.Secrets = s.Secrets || slices.ContainsFunc(schemas, b.checks.secrets.inside)
	return s
}

// shapeOf is shape for schemas that are no mere references.
func (b *builder) shapeOf(schemas []*schema.Schema) *Shape {
	if len(schemas) == 0 {
		return &Shape{Basic: Raw}
	}
	k := key(schemas)
	if known := b.shapes[k]; known != nil {
		return known.copy()
	}
	if self, busy := b.open[k]; busy {
		if self == nil {
			self = &Shape{Basic: Named, Type: b.newType(Defined, schemas)}
			b.open[k] = self
		}
		return self.copy()
	}
	if len(schemas) > 1 && !b.admitsMerged(schemas) {
		s := &Shape{Basic: Raw}
		b.attach(s, schemas)
		b.shapes[k] = s
		return s.copy()
	}
	b.open[k] = nil
	s := b.decide(k, schemas, nil)
	if self := b.open[k]; self != nil && self.Type != s.Type {
		s = b.define(self.Type, s)
	}
	delete(b.open, k)
	b.shapes[k] = s
	return s.copy()
}

// maxMerged bounds the shapes that one event may need of values for which several
// schemas hold: there may be one for every subset of them. What is beyond is held as
// JSON; predicates decide about it.
const maxMerged = 2000

// admitsMerged counts a shape against the limit.
func (b *builder) admitsMerged(schemas []*schema.Schema) bool {
	b.merged++
	if b.merged == maxMerged+1 {
		b.diags = append(b.diags, schema.Diagnostic{
			Pos: schemas[0].Pos, Pointer: schemas[0].Pointer, Warning: true,
			Message: fmt.Sprintf("schemas that hold for the same value meet in more than %d ways: from here on such values become json.RawMessage", maxMerged),
		})
	}
	return b.merged <= maxMerged
}

func (s *Shape) copy() *Shape {
	c := *s
	return &c
}

// define gives the shape to a type that stands for it.
func (b *builder) define(t *Type, s *Shape) *Shape {
	t.Kind = Defined
	if s.Nullable || !isDefinable(s.Basic) {
		t.Kind = Wrapped
	}
	t.Of = s
	return &Shape{Basic: Named, Type: t}
}

// isDefinable reports whether type X T loses nothing that T had.
func isDefinable(basic Basic) bool {
	switch basic {
	case Slice, Map, String, Int, Uint, Bool:
		return true
	}
	return false
}

func (b *builder) newType(kind Kind, schemas []*schema.Schema) *Type {
	s := schemas[0]
	b.annotated(s, keywordGoName)
	t := &Type{
		Kind: kind, File: s.File.Path, Pointer: s.Pointer, Pos: s.Pos,
		Doc: documentation(s), schemas: schemas,
		Hidden: b.checks.secrets.alone(schemas),
		Secret: slices.ContainsFunc(schemas, b.checks.secrets.inside),
	}
	if ev := b.events[s.File]; ev != nil {
		t.Home = ev.Queue
	}
	b.declared = append(b.declared, t)
	return t
}

// targets follows references and drops what says nothing or comes twice.
func (b *builder) targets(schemas []*schema.Schema) []*schema.Schema {
	var list []*schema.Schema
	for _, s := range schemas {
		if s == nil {
			continue
		}
		s = b.follow(s)
		if s.Bool != nil && *s.Bool || slices.Contains(list, s) {
			continue
		}
		list = append(list, s)
	}
	return list
}

// follow leads from a schema that is only a reference to what it refers to, unless
// it asks for a Go type.
func (b *builder) follow(s *schema.Schema) *schema.Schema {
	for range maxConjunction {
		if !plain(s) || b.wishOf(s) != nil {
			break
		}
		s = s.Ref.Target
	}
	return s
}

func key(schemas []*schema.Schema) string {
	var b strings.Builder
	for _, s := range schemas {
		b.WriteString(s.File.URI)
		b.WriteByte('#')
		b.WriteString(s.Pointer)
		b.WriteByte('\n')
	}
	return b.String()
}

// announce makes references to an event's schema lead to the event's type.
func (b *builder) announce(ev *Event) {
	schemas := ev.schemas()
	t := b.newType(Wrapped, schemas)
	t.Home, t.Event, ev.Root = ev.Queue, ev, t
	b.annotated(ev.root, keywordGoName)
	if doc := documentation(ev.root); doc != nil {
		t.Doc = doc
	}
	b.shapes[key(schemas)] = &Shape{Basic: Named, Type: t}
}

// schemas are what an event's type stands for: its root, or the definition in
// the same file that the root is only a name for.
func (ev *Event) schemas() []*schema.Schema {
	if target := follow(ev.root); target.File == ev.root.File {
		return []*schema.Schema{target}
	}
	return []*schema.Schema{ev.root}
}

// event decides the type of an event, whatever its schema.
func (b *builder) event(ev *Event) {
	schemas, t := ev.schemas(), ev.Root
	b.merged = 0
	if s := b.decide(key(schemas), schemas, t); s.Type != t {
		b.define(t, s)
	}
	if b.checks.dynamic.reaches(ev.root) {
		t.Checks = []string{b.checks.Of(ev.root).Func}
	}
}

// predicates are the functions that decide what the rules of one pass do not.
// What depends on the dynamic scope is decided where an event begins.
func (b *builder) predicates(schemas []*schema.Schema) []string {
	var names []string
	for _, s := range schemas {
		if !b.checks.dynamic.reaches(s) {
			names = append(names, b.checks.Of(s).Func)
		}
	}
	return names
}

// annotated returns the identifier that an annotation asks for; "" is none.
func (b *builder) annotated(s *schema.Schema, keyword string) string {
	name, bad := goName(s, keyword)
	if bad != nil && !slices.Contains(b.diags, *bad) {
		b.diags = append(b.diags, *bad)
	}
	return name
}

func goName(s *schema.Schema, keyword string) (string, *schema.Diagnostic) {
	node := annotation(s, keyword)
	if node == nil {
		return "", nil
	}
	if node.Kind != schema.String || !token.IsIdentifier(node.Text) || !token.IsExported(node.Text) {
		return "", &schema.Diagnostic{
			Pos: node.Pos, Pointer: s.Pointer + "/" + keyword,
			Message: "must be a Go identifier that begins with a capital letter",
		}
	}
	return node.Text, nil
}
