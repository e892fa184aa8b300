package schema

import "strconv"

var typeNames = map[string]Kinds{
	"null": Null, "boolean": Boolean, "integer": Integer, "number": Number,
	"string": String, "array": Array, "object": Object,
}

func readType(b *builder, m Member) {
	switch {
	case m.Value.Kind == String:
		b.schema.Types = b.typeName(m.Value, b.at(m.Name))
	case m.Value.Kind != Array:
		b.wrong(m, "a type or an array of types")
	case len(m.Value.Items) == 0:
		b.rep.errorf(m.Value.Pos, b.at(m.Name), "type must name at least one type")
	default:
		b.typeNames(m)
	}
}

func (b *builder) typeNames(m Member) {
	for i, n := range m.Value.Items {
		pointer := b.at(m.Name) + "/" + strconv.Itoa(i)
		kind := b.typeName(n, pointer)
		if kind != 0 && b.schema.Types&kind != 0 {
			b.rep.errorf(n.Pos, pointer, "type names %s twice; remove one", quote(n.Text))
		}
		b.schema.Types |= kind
	}
}

func (b *builder) typeName(n *Node, pointer string) Kinds {
	kind, ok := typeNames[n.Text]
	if n.Kind != String || !ok {
		what := kindName(n)
		if n.Kind == String {
			what = quote(n.Text)
		}
		b.rep.errorf(n.Pos, pointer, "type must be null, boolean, integer, number, string, array or object, not %s", what)
	}
	return kind
}

func readEnum(b *builder, m Member) {
	if m.Value.Kind != Array {
		b.wrong(m, "an array")
		return
	}
	if limit := b.opts.Limits.EnumValues; len(m.Value.Items) > limit {
		b.rep.errorf(m.Value.Pos, b.at(m.Name), "enum has %d values, more than the limit of %d", len(m.Value.Items), limit)
		return
	}
	b.schema.HasEnum, b.schema.Enum = true, m.Value.Items
}

func readConst(b *builder, m Member) { b.schema.Const = m.Value }

func readDefault(b *builder, m Member) { b.schema.Default = m.Value }

func readExamples(b *builder, m Member) {
	if m.Value.Kind != Array {
		b.wrong(m, "an array")
		return
	}
	b.schema.Examples = m.Value.Items
}

func readText(field func(*Schema) *string) func(*builder, Member) {
	return func(b *builder, m Member) {
		if m.Value.Kind != String {
			b.wrong(m, "a string")
			return
		}
		*field(b.schema) = m.Value.Text
	}
}

func readFlag(field func(*Schema) *bool) func(*builder, Member) {
	return func(b *builder, m Member) {
		if m.Value.Kind != Boolean {
			b.wrong(m, "true or false")
			return
		}
		*field(b.schema) = m.Value.Text == "true"
	}
}

func readNumber(field func(*Schema) *string) func(*builder, Member) {
	return func(b *builder, m Member) {
		if m.Value.Kind != Number {
			b.wrong(m, "a number")
			return
		}
		*field(b.schema) = m.Value.Text
	}
}

// readExclusive reads a limit of its own, or the flag of draft-04 that makes the
// limit beside it exclusive.
func readExclusive(flag func(*builder) *bool, field func(*Schema) *string) func(*builder, Member) {
	number := readNumber(field)
	return func(b *builder, m Member) {
		switch {
		case b.scope.dialect.draft > Draft4:
			number(b, m)
		case m.Value.Kind != Boolean:
			b.wrong(m, "true or false")
		default:
			*flag(b) = m.Value.Text == "true"
		}
	}
}

func readMultipleOf(b *builder, m Member) {
	d := parseDecimal(m.Value.Text)
	if m.Value.Kind != Number || d.negative || d.digits == "" {
		b.wrong(m, "a number greater than 0")
		return
	}
	b.schema.MultipleOf = m.Value.Text
}

// readMinimum reads a lower limit; one that no Go value can reach stays as the
// largest there is.
func readMinimum(field func(*builder) **int64) func(*builder, Member) {
	return func(b *builder, m Member) {
		if n, _, ok := b.natural(m); ok {
			*field(b) = &n
		}
	}
}

// readMaximum reads an upper limit; one that no Go value can exceed is none.
func readMaximum(field func(*builder) **int64) func(*builder, Member) {
	return func(b *builder, m Member) {
		if n, huge, ok := b.natural(m); ok && !huge {
			*field(b) = &n
		}
	}
}

func (b *builder) natural(m Member) (n int64, huge, ok bool) {
	if m.Value.Kind == Number {
		n, huge, ok = natural(m.Value.Text)
	}
	if !ok {
		b.wrong(m, "a natural number")
	}
	return n, huge, ok
}

func readPattern(b *builder, m Member) {
	if m.Value.Kind != String {
		b.wrong(m, "a regular expression in a string")
		return
	}
	b.schema.Pattern = b.pattern(m.Value.Text, m.Value.Pos, b.at(m.Name))
}
