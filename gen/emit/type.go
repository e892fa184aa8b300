package emit

import (
	"maps"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// declareType renders a named type with its codec. It returns the names of the
// variables that the codec uses.
func (u *unit) declareType(f *jen.File, t *model.Type) []string {
	k := &codec{model: u.model, t: t, known: map[use]string{}, taken: u.taken}
	f.Add(documented(t), jen.Type().Add(id(t.Go)).Add(underlying(t))).Line()
	switch t.Kind {
	case model.Union:
		declareUnion(f, k)
		return nil
	case model.Enum:
		declareValues(f, t)
	case model.Sum:
		declareAccessors(f, k)
	}
	if t.Event != nil {
		declareEventType(f, t)
	}
	declareDoor(f, t)
	declareLogValue(f, t)
	var body []jen.Code
	if !isEnum(t) {
		body = append(body, k.decodeMethod(), k.encodeMethod())
	}
	f.Add(k.variables()...)
	for _, code := range body {
		f.Add(code).Line()
	}
	return slices.Collect(maps.Values(k.known))
}

// documented yields the type's comment.
func documented(t *model.Type) *jen.Statement {
	doc := t.Doc
	if len(doc) == 0 {
		what := "is " + t.Pointer + " of " + t.File
		if t.Event != nil {
			what = "is the event " + t.Event.Type + " of the queue " + t.Event.Queue
		}
		doc = []string{t.Go + " " + what + "."}
	}
	return comment(doc...).Line()
}

// underlying yields what stands behind type X.
func underlying(t *model.Type) *jen.Statement {
	switch t.Kind {
	case model.Struct, model.Tuple:
		return structType(t)
	case model.Enum:
		return jen.String()
	case model.Defined:
		return baseType(t.Of)
	case model.Union:
		return unionType(t)
	case model.Sum:
		return jen.Struct(comment("Raw is the value as JSON.").Line().Id("Raw").Qual(pathJSON, "RawMessage"))
	case model.Wrapped:
		// struct { Value *T }
		return jen.Struct(append([]jen.Code{id(wrappedField(t)).Add(itemType(t.Of))}, memoryField(t)...)...)
	}
	panic("emit: no kind of type: " + string(t.Kind))
}

// wrappedField is the name of the field that holds the value of a wrapped type.
func wrappedField(t *model.Type) string {
	if t.Of.Basic == model.Raw {
		return "Raw"
	}
	return "Value"
}

func structType(t *model.Type) *jen.Statement {
	var fields []jen.Code
	for _, f := range t.Fields {
		field := id(f.Go).Add(fieldType(f))
		if len(f.Doc) > 0 {
			field = comment(f.Doc...).Line().Add(field)
		}
		fields = append(fields, field)
	}
	switch {
	case t.Extra == nil:
	case t.Kind == model.Tuple:
		fields = append(fields,
			comment("Rest holds the items behind those.").Line().
				Id("Rest").Index().Add(itemType(t.Extra)))
	default:
		fields = append(fields,
			comment("Extra holds the members that the schema does not name.").Line().
				Id("Extra").Map(jen.String()).Add(itemType(t.Extra)))
	}
	if t.Other {
		fields = append(fields,
			comment("Other holds the whole value when it is no object; then the rest is unused.").Line().
				Id("Other").Qual(pathJSON, "RawMessage"))
	}
	return jen.Struct(append(fields, memoryField(t)...)...)
}

// remembers reports an event that keeps how values were spelled which Go writes
// in another way.
func remembers(t *model.Type) bool {
	return t.Event != nil && t.Respelled && (t.Kind == model.Struct || t.Kind == model.Tuple || t.Kind == model.Wrapped)
}

func memoryField(t *model.Type) []jen.Code {
	if !remembers(t) {
		return nil
	}
	return []jen.Code{jen.Line().Id("spellings").Op("*").Qual(pathWire, "Spellings")}
}

// fieldType tells absence and null apart as the field needs.
func fieldType(f *model.Field) *jen.Statement {
	base := baseType(f.Shape)
	switch {
	case isNilable(f.Shape) && !(f.Shape.Nullable && !f.Required):
		return base
	case f.Required && !f.Shape.Nullable:
		if f.Shape.Boxed {
			return jen.Op("*").Add(base)
		}
		return base
	case !f.Required && f.Shape.Nullable:
		if f.Shape.Boxed {
			return jen.Qual(pathWire, "Nullable").Types(jen.Op("*").Add(base))
		}
		return jen.Qual(pathWire, "Nullable").Types(base)
	}
	return jen.Op("*").Add(base)
}

// itemType is the type of a value that is never absent.
func itemType(s *model.Shape) *jen.Statement {
	if s.Nullable && !isNilable(s) {
		return jen.Op("*").Add(baseType(s))
	}
	return baseType(s)
}

// isNilable reports types that have nil, which stands for absence or null.
func isNilable(s *model.Shape) bool {
	return s.Basic == model.Slice || s.Basic == model.Map || s.Basic == model.Raw || isUnion(s) || s.Basic == model.Foreign && s.Go.Pointer
}

// baseType is the Go type of a value that is there and not null.
func baseType(s *model.Shape) *jen.Statement {
	switch s.Basic {
	case model.Bool:
		return jen.Bool()
	case model.Int:
		return jen.Int64()
	case model.Uint:
		return jen.Uint64()
	case model.Float:
		return jen.Float64()
	case model.String:
		return jen.String()
	case model.Time:
		return jen.Qual("time", "Time")
	case model.UUID:
		return jen.Qual(pathWire, "UUID")
	case model.Date:
		return jen.Qual(pathWire, "Date")
	case model.TimeOfDay:
		return jen.Qual(pathWire, "TimeOfDay")
	case model.Duration:
		return jen.Qual(pathWire, "Duration")
	case model.Raw:
		return jen.Qual(pathJSON, "RawMessage")
	case model.Slice:
		return jen.Index().Add(itemType(s.Elem))
	case model.Map:
		return jen.Map(jen.String()).Add(itemType(s.Elem))
	case model.Foreign:
		return foreignType(s.Go)
	case model.Named:
		return id(s.Name)
	}
	panic("emit: no basic type: " + string(s.Basic))
}

// declareValues renders the constants of an enumeration.
func declareValues(f *jen.File, t *model.Type) {
	f.Add(declareWords(t)).Line()
	if len(t.Values) == 0 {
		return
	}
	// const (
	// 	CurrencyEUR Currency = "EUR"
	// )
	f.Comment("// The values of " + t.Go + ".")
	f.Const().DefsFunc(func(g *jen.Group) {
		for _, v := range t.Values {
			g.Add(id(v.Go)).Add(id(t.Go)).Op("=").Lit(v.Text)
		}
	})
	f.Line()
	// func (v Currency) Valid() bool { return wordsCurrency.Has(string(v)) }
	f.Comment("// Valid reports whether v is one of the values that the schema allows.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("Valid").Params().Bool().Block(
		jen.Return(id("words" + t.Go).Dot("Has").Call(jen.String().Parens(jen.Id("v")))),
	).Line()
}

func constants(t *model.Type) []jen.Code {
	var list []jen.Code
	for _, v := range t.Values {
		list = append(list, id(v.Go))
	}
	return list
}

// declareEventType renders what makes a type an event's.
func declareEventType(f *jen.File, t *model.Type) {
	// func (OrderCreated) EventType() string { return TypeOrderCreated }
	f.Comment("// EventType returns " + t.Event.Const + ".")
	f.Func().Params(id(t.Go)).Id("EventType").Params().String().Block(jen.Return(id(t.Event.Const))).Line()
}
