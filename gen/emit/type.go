package emit

import (
	"maps"
	"slices"
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// declareType renders a named type with its codec. It returns the names of the
// variables that the codec uses.
func declareType(f *jen.File, m *model.Model, t *model.Type) []string {
	k := &codec{model: m, t: t, report: onReport}
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
	body = append(body, k.decodeMethod(), k.validateMethod(), k.appendMethod())
	f.Add(k.rules()...)
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
	// func (v Currency) Valid() bool { switch v { case CurrencyEUR: return true }; return false }
	f.Comment("// Valid reports whether v is one of the values that the schema allows.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("Valid").Params().Bool().Block(
		jen.Switch(jen.Id("v")).Block(
			jen.Case(constants(t)...).Block(jen.Return(jen.True())),
		),
		jen.Return(jen.False()),
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

// declareDoor renders the methods through which the type is used.
func declareDoor(f *jen.File, t *model.Type) {
	declareReading(f, t)
	// func (v T) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil) }
	f.Comment("// MarshalJSON is AppendJSON to nothing.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("MarshalJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(
		jen.Return(jen.Id("v").Dot("AppendJSON").Call(jen.Nil())),
	).Line()
	// func (v T) AppendJSON(b []byte) ([]byte, error) { … }
	f.Comment("// AppendJSON appends the value as JSON; an invalid one is an error.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("AppendJSON").Params(jen.Id("b").Index().Byte()).Params(jen.Index().Byte(), jen.Error()).Block(
		jen.If(jen.Err().Op(":=").Id("v").Dot("Validate").Call(), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Id("b"), jen.Err())),
		returnRestored(t, restored(jen.Id("b")), jen.Nil()),
		jen.Return(jen.Qual(pathWire, "Append").Call(jen.Id("b"), jen.Id("v").Dot("append")), jen.Nil()),
	).Line()
	// func (v T) Validate() error { … }
	f.Comment("// Validate returns a *wire.ValidationError unless the schema accepts the value.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("Validate").Params().Error().Block(
		returnRestored(t, jen.New(id(t.Go)).Dot("UnmarshalJSON").Call(restored(jen.Nil()))),
		jen.Id("r").Op(":=").Qual(pathWire, "OpenReport").Call(),
		concealing(t, onReport),
		jen.Id("v").Dot("validate").Call(withMark(t, jen.Id("r"), jen.False())...),
		jen.Return(jen.Id("r").Dot("Close").Call(errorName(t))),
	).Line()
}

// declareReading renders how bytes become a value. Events are also read from the
// strings in which they arrive.
func declareReading(f *jen.File, t *model.Type) {
	receiver := jen.Id("v").Op("*").Add(id(t.Go))
	open := jen.Qual(pathWire, "Open").Call(jen.Id("b"))
	body := []jen.Code{
		jen.Var().Id("fresh").Add(id(t.Go)),
		concealing(t, onDecoder),
		jen.Id("fresh").Dot("decode").Call(withMark(t, jen.Id("d"), jen.False())...),
		keepSpellings(t),
		jen.If(jen.Err().Op(":=").Id("d").Dot("Close").Call(errorName(t)), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err())),
		jen.Op("*").Id("v").Op("=").Id("fresh"),
		jen.Return(jen.Nil()),
	}
	// func (v *T) UnmarshalJSON(b []byte) error { return v.read(wire.Open(b)) }
	door := []jen.Code{jen.Return(jen.Id("v").Dot("read").Call(open))}
	if t.Event == nil {
		// func (v *T) UnmarshalJSON(b []byte) error { … }
		door = append([]jen.Code{jen.Id("d").Op(":=").Add(open)}, body...)
	}
	f.Comment("// UnmarshalJSON accepts exactly what the schema accepts. On an error v stays")
	f.Comment("// as it was.")
	f.Func().Params(receiver.Clone()).Id("UnmarshalJSON").Params(jen.Id("b").Index().Byte()).Error().Block(door...).Line()
	if t.Event == nil {
		return
	}
	// func (v *T) read(d *wire.Decoder) error { … }
	f.Comment("// read is UnmarshalJSON of the text that d was opened for. It closes d.")
	f.Func().Params(receiver.Clone()).Id("read").Params(jen.Id("d").Op("*").Qual(pathWire, "Decoder")).Error().Block(body...).Line()
	// func (v *T) readText(text string) error { return v.read(wire.OpenText(text)) }
	f.Func().Params(receiver.Clone()).Id("readText").Params(jen.Id("text").String()).Error().Block(
		jen.Return(jen.Id("v").Dot("read").Call(jen.Qual(pathWire, "OpenText").Call(jen.Id("text")))),
	).Line()
}

// concealing yields, for a type that is secret itself,
//
//	d.Conceal()
func concealing(t *model.Type, r reporter) jen.Code {
	if !t.Hidden {
		return jen.Null()
	}
	return r.call("Conceal")
}

// keepSpellings yields
//
//	fresh.spellings = d.Spellings()
func keepSpellings(t *model.Type) jen.Code {
	if !remembers(t) {
		return jen.Null()
	}
	return jen.Id("fresh").Dot("spellings").Op("=").Id("d").Dot("Spellings").Call()
}

// returnRestored yields what is returned for an event with remembered spellings:
//
//	if v.spellings != nil {
//		return …
//	}
func returnRestored(t *model.Type, results ...jen.Code) jen.Code {
	if !remembers(t) {
		return jen.Null()
	}
	return jen.If(jen.Id("v").Dot("spellings").Op("!=").Nil()).Block(jen.Return(results...))
}

// restored yields v.spellings.AppendRestored(b, v.append(nil)).
func restored(b *jen.Statement) *jen.Statement {
	return jen.Id("v").Dot("spellings").Dot("AppendRestored").Call(b, jen.Id("v").Dot("append").Call(jen.Nil()))
}

// errorName is what errors call the type.
func errorName(t *model.Type) *jen.Statement {
	if t.Event != nil {
		return id(t.Event.Const)
	}
	return jen.Lit(t.Go)
}

// withMark adds the argument that says whether predicates have accepted the
// value already, for types that have any.
func withMark(t *model.Type, arg, mark jen.Code) []jen.Code {
	if t.Checked {
		return []jen.Code{arg, mark}
	}
	return []jen.Code{arg}
}

// A codec renders the decode, validate and append methods of one type.
type codec struct {
	model  *model.Model
	t      *model.Type
	place  string   // Go names on the way to the place being rendered
	depth  int      // of nested loops, for the names of their variables
	report reporter // of the values being validated
	vars   []jen.Code
	known  map[string]string // rule → variable
}

// rules yields the constants that the methods use.
func (k *codec) rules() []jen.Code {
	if len(k.vars) == 0 {
		return nil
	}
	return []jen.Code{jen.Var().Defs(k.vars...).Line()}
}

// prepared yields the name of a variable that holds the constant: a pattern or
// a decimal, made once.
func (k *codec) prepared(kind, constructor, text string) *jen.Statement {
	key := kind + "\x00" + text
	name, ok := k.known[key]
	if !ok {
		if k.known == nil {
			k.known = map[string]string{}
		}
		base := kind + k.t.Go + k.place
		name = base
		for i := 2; k.uses(name); i++ {
			name = base + "No" + strconv.Itoa(i)
		}
		k.known[key] = name
		// patternOrderSKU = wire.MustPattern("…")
		k.vars = append(k.vars, id(name).Op("=").Qual(pathWire, constructor).Call(jen.Lit(text)))
	}
	return id(name)
}

func (k *codec) uses(name string) bool {
	for _, known := range k.known {
		if known == name {
			return true
		}
	}
	return false
}

// name yields a variable that no loop around uses.
func (k *codec) name(base string) string {
	if k.depth <= 1 {
		return base
	}
	return base + strconv.Itoa(k.depth)
}
