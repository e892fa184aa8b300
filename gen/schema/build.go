package schema

// builder fills one schema object from its members.
type builder struct {
	*loader
	schema  *Schema
	scope   scope
	pointer string // of the schema

	// What only finish can judge, because it depends on another keyword.
	itemsIsArray    bool
	additionalItems *Schema
	minContains     *int64
	maxContains     *int64
	exclusiveMin    bool // draft-04
	exclusiveMax    bool
	thenSchema      *Schema
	elseSchema      *Schema
}

// at is the pointer of a member of the schema.
func (b *builder) at(name string) string { return b.pointer + "/" + pointerToken(name) }

// schema returns the schema at n, built once whoever asks.
func (l *loader) schema(n *Node, pointer string, sc scope) *Schema {
	if p := l.places[n]; p != nil {
		return p.schema
	}
	s := &Schema{Pos: n.Pos, Pointer: pointer, File: sc.doc.file, Source: n}
	p := &place{schema: s, scope: sc}
	l.places[n] = p
	switch {
	case n.Kind == Object:
		p.scope = l.identify(n, pointer, sc)
		l.buildObject(p)
	default:
		if sc.res == nil {
			p.scope = l.identify(n, pointer, sc)
		}
		l.buildBoolean(n, s, pointer)
	}
	s.Draft, s.Resource = p.scope.dialect.draft, p.scope.res.pub
	return s
}

func (l *loader) buildBoolean(n *Node, s *Schema, pointer string) {
	if n.Kind != Boolean {
		l.rep.errorf(n.Pos, pointer, "a schema must be an object, true or false, not %s", kindName(n))
	}
	verdict := n.Text == "true"
	s.Bool = &verdict
}

func (l *loader) buildObject(p *place) {
	b := &builder{loader: l, schema: p.schema, scope: p.scope, pointer: p.schema.Pointer}
	refOnly := l.isRefOnly(p.schema.Source, p.scope)
	for _, m := range p.schema.Source.Members {
		if k, ok := l.keywords[m.Name]; ok && k.in(p.scope.dialect) && (!refOnly || k.besideRef) {
			k.read(b, m)
		}
	}
	b.finish()
}

// finish folds the keywords that depend on each other.
func (b *builder) finish() {
	s := b.schema
	if b.itemsIsArray {
		s.Items = b.additionalItems
	}
	if s.Contains != nil {
		s.MinContains, s.MaxContains = b.minContains, b.maxContains
		s.ContainsEvaluates = b.scope.dialect.draft >= Draft2020
	}
	if s.If != nil {
		s.Then, s.Else = b.thenSchema, b.elseSchema
	}
	if b.exclusiveMin {
		s.Minimum, s.ExclusiveMinimum = "", s.Minimum
	}
	if b.exclusiveMax {
		s.Maximum, s.ExclusiveMaximum = "", s.Maximum
	}
	asserts := b.loader.opts.AssertFormat || b.scope.dialect.vocabularies&vocabFormatAssertion != 0
	s.FormatAsserted = s.Format != "" && asserts
}

// sub builds the schema at n, which lies at pointer.
func (b *builder) sub(n *Node, pointer string) *Schema {
	return b.loader.schema(n, pointer, b.scope)
}

// wrong reports a keyword whose value has the wrong shape.
func (b *builder) wrong(m Member, want string) {
	b.rep.errorf(m.Value.Pos, b.at(m.Name), "%s must be %s, not %s", m.Name, want, kindName(m.Value))
}

// kindName names a value for a message.
func kindName(n *Node) string {
	switch n.Kind {
	case Null:
		return "null"
	case Boolean:
		return n.Text
	case Number:
		if len(n.Text) <= 40 {
			return n.Text
		}
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	}
	return "an object"
}
