package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// pathRand is the package of random numbers.
const pathRand = "math/rand/v2"

// pathSample is the package that makes the values.
const pathSample = pathWire + "/sample"

// exampleFile is the name of the file with the generators of examples.
const exampleFile = "examples.go"

// declareExamples renders, for every event, a function that makes valid ones and
// one that makes invalid ones.
func declareExamples(f *jen.File, m *model.Model) {
	random := func() *jen.Statement { return jen.Id("r").Op("*").Qual(pathRand, "Rand") }
	for _, ev := range m.Events {
		// func OrderCreatedExample(r *rand.Rand) (OrderCreated, bool) {
		// 	return sample.Valid(r, exampleOrderCreated)
		// }
		f.Comment("// " + ev.Go + "Example returns a random valid event for tests; false when none was")
		f.Comment("// found. The same r gives the same event.")
		f.Func().Add(id(ev.Go+"Example")).Params(random()).Params(id(ev.Go), jen.Bool()).Block(
			jen.Return(jen.Qual(pathSample, "Valid").Call(jen.Id("r"), jen.Id("example"+ev.Go))),
		).Line()
		// func OrderCreatedCounterexample(r *rand.Rand) ([]byte, bool) {
		// 	return sample.Invalid(r, OrderCreatedExample, func(b []byte) error { return new(OrderCreated).UnmarshalJSON(b) })
		// }
		f.Comment("// " + ev.Go + "Counterexample returns the text of a valid event with one change that")
		f.Comment("// makes it invalid; false when none was found.")
		f.Func().Add(id(ev.Go+"Counterexample")).Params(random()).Params(jen.Index().Byte(), jen.Bool()).Block(
			jen.Return(jen.Qual(pathSample, "Invalid").Call(jen.Id("r"), id(ev.Go+"Example"),
				jen.Func().Params(jen.Id("b").Index().Byte()).Error().Block(
					jen.Return(jen.New(id(ev.Go)).Dot("UnmarshalJSON").Call(jen.Id("b"))),
				))),
		).Line()
	}
	for _, t := range m.Types {
		e := &exampler{t: t}
		// func exampleOrderCreated(r *rand.Rand, depth int) (v OrderCreated) { …; return v }
		f.Func().Id("example"+t.Go).Params(random(), jen.Id("depth").Int()).Params(jen.Id("v").Add(id(t.Go))).Block(
			append(e.body(), jen.Return(jen.Id("v")))...,
		).Line()
	}
}

// maxExampleDepth ends the recursion of types whose values cannot end.
const maxExampleDepth = 24

// An exampler renders the function that makes values of one type.
type exampler struct {
	t     *model.Type
	depth int
}

func (e *exampler) body() []jen.Code {
	v := jen.Id("v")
	stop := jen.If(jen.Id("depth").Op(">").Lit(maxExampleDepth)).Block(jen.Return(jen.Id("v")))
	switch e.t.Kind {
	case model.Enum:
		if len(e.t.Values) == 0 {
			return nil
		}
		return []jen.Code{v.Op("=").Qual(pathSample, "Pick").Call(append([]jen.Code{jen.Id("r")}, constants(e.t)...)...)}
	case model.Tuple:
		return append([]jen.Code{stop}, e.tuple()...)
	case model.Defined:
		inner := e.assign(jen.Id("inner"), e.t.Of)
		body := append([]jen.Code{stop, jen.Var().Id("inner").Add(baseType(e.t.Of))}, inner...)
		return append(body, v.Op("=").Add(id(e.t.Go)).Call(jen.Id("inner")))
	case model.Wrapped:
		return append([]jen.Code{stop}, e.item(v.Dot(wrappedField(e.t)), e.t.Of)...)
	case model.Union, model.Sum:
		return append([]jen.Code{stop}, e.choose()...)
	}
	body := []jen.Code{stop}
	for _, f := range e.t.Fields {
		body = append(body, e.field(f)...)
	}
	return body
}

// choose yields one of the alternatives.
func (e *exampler) choose() []jen.Code {
	var bodies [][]jen.Code
	for _, o := range e.t.Union.Options {
		if o.Shape.Basic == model.Raw {
			continue
		}
		body := []jen.Code{jen.Var().Id("option").Add(itemType(o.Shape))}
		body = append(body, e.item(jen.Id("option"), o.Shape)...)
		value := jen.Id("option")
		if e.t.Kind == model.Sum {
			value = id(o.Maker).Call(value)
		}
		bodies = append(bodies, append(body, jen.Id("v").Op("=").Add(value)))
	}
	switch len(bodies) {
	case 0:
		return nil
	case 1:
		return bodies[0]
	}
	var cases []jen.Code
	for i, body := range bodies {
		cases = append(cases, jen.Case(jen.Lit(i)).Block(body...))
	}
	return []jen.Code{jen.Switch(jen.Id("r").Dot("IntN").Call(jen.Lit(len(cases)))).Block(cases...)}
}

// field yields a member; one that may be absent is there half of the time, and
// never deep inside.
func (e *exampler) field(f *model.Field) []jen.Code {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	var body []jen.Code
	switch {
	case !f.Required && s.Nullable:
		value := jen.Id("value")
		inner := []jen.Code{jen.Var().Add(value.Clone()).Add(baseType(s))}
		set := value
		if s.Boxed {
			set = jen.Op("&").Add(value.Clone())
		}
		inner = append(inner, e.assign(value.Clone(), s)...)
		inner = append(inner, place.Dot("Set").Call(set))
		body = inner
	case isNilable(s) || f.Required && !s.Nullable && !s.Boxed:
		body = e.assign(place, s)
	default:
		body = e.pointer(place, s)
	}
	if f.Required || f.Item > 0 {
		return body
	}
	return []jen.Code{jen.If(jen.Id("depth").Op("<").Lit(3).Op("&&").Id("r").Dot("IntN").Call(jen.Lit(2)).Op("==").Lit(0)).Block(body...)}
}

func (e *exampler) pointer(place *jen.Statement, s *model.Shape) []jen.Code {
	alloc := place.Clone().Op("=").New(baseType(s))
	return append([]jen.Code{alloc}, e.assign(jen.Op("*").Add(place.Clone()), s)...)
}

// item yields a value that is never absent.
func (e *exampler) item(place *jen.Statement, s *model.Shape) []jen.Code {
	if s.Nullable && !isNilable(s) {
		return e.pointer(place, s)
	}
	return e.assign(place, s)
}

// assign yields a value that is there and not null.
func (e *exampler) assign(place *jen.Statement, s *model.Shape) []jen.Code {
	random := jen.Id("r")
	set := func(value *jen.Statement) []jen.Code { return []jen.Code{place.Clone().Op("=").Add(value)} }
	sampled := func(name string, args ...jen.Code) *jen.Statement {
		return jen.Qual(pathSample, name).Call(append([]jen.Code{random.Clone()}, args...)...)
	}
	switch s.Basic {
	case model.Bool:
		if c := s.Rules.Const; c != nil {
			return set(jen.Lit(c.Text == "true"))
		}
		return set(sampled("Pick", jen.True(), jen.False()))
	case model.Int, model.Uint:
		return set(e.integer(s))
	case model.Float:
		return set(e.number(s))
	case model.String:
		return set(e.text(s))
	case model.Time:
		return set(sampled("Time"))
	case model.UUID:
		return set(sampled("UUID"))
	case model.Date:
		return set(jen.Qual(pathWire, "DateOf").Call(sampled("Time")))
	case model.TimeOfDay, model.Duration:
		parse := "Parse" + string(s.Basic)[len("wire."):]
		return []jen.Code{jen.List(place.Clone(), jen.Id("_")).Op("=").Qual(pathWire, parse).Call(sampled("Pick", literals(model.Samples(sampledFormats[s.Basic]))...))}
	case model.Raw:
		return set(jen.Qual(pathJSON, "RawMessage").Call(sampled("Pick", literals([]string{"null", "true", "12", `"text"`, "[]", "{}"})...)))
	case model.Foreign:
		return e.foreign(place, s)
	case model.Named:
		return set(jen.Id("example"+s.Name).Call(random, jen.Id("depth").Op("+").Lit(1)))
	case model.Slice:
		return e.slice(place, s)
	case model.Map:
		return e.members(place, s)
	}
	panic("emit: no basic type: " + string(s.Basic))
}

// sampledFormats are the formats of which there are samples.
var sampledFormats = map[model.Basic]string{model.TimeOfDay: "time", model.Duration: "duration"}

func (e *exampler) slice(place *jen.Statement, s *model.Shape) []jen.Code {
	e.depth++
	defer func() { e.depth-- }()
	low, high := bounds(s.Rules.Items, 3)
	item := jen.Id("item" + strconv.Itoa(e.depth))
	// v.X = []T{}
	// for range sample.Size(r, depth, 1, 4) { … }
	loop := append([]jen.Code{jen.Var().Add(item.Clone()).Add(itemType(s.Elem))}, e.item(item.Clone(), s.Elem)...)
	loop = append(loop, place.Clone().Op("=").Append(place.Clone(), item.Clone()))
	return []jen.Code{
		place.Clone().Op("=").Index().Add(itemType(s.Elem)).Values(),
		jen.For(jen.Range().Qual(pathSample, "Size").Call(jen.Id("r"), jen.Id("depth"), jen.Lit(low), jen.Lit(high))).Block(loop...),
	}
}

func (e *exampler) members(place *jen.Statement, s *model.Shape) []jen.Code {
	e.depth++
	defer func() { e.depth-- }()
	low, high := bounds(s.Rules.Members, 3)
	item := jen.Id("item" + strconv.Itoa(e.depth))
	name := jen.Qual(pathSample, "Text").Call(jen.Id("r"), jen.Lit(3), jen.Lit(8))
	if s.Key != nil {
		name = e.text(s.Key)
	}
	loop := append([]jen.Code{jen.Var().Add(item.Clone()).Add(itemType(s.Elem))}, e.item(item.Clone(), s.Elem)...)
	m := place.Clone()
	if place.GoString()[0] == '*' {
		m = jen.Parens(m)
	}
	loop = append(loop, m.Index(name).Op("=").Add(item.Clone()))
	return []jen.Code{
		place.Clone().Op("=").Map(jen.String()).Add(itemType(s.Elem)).Values(),
		jen.For(jen.Range().Qual(pathSample, "Size").Call(jen.Id("r"), jen.Id("depth"), jen.Lit(low), jen.Lit(high))).Block(loop...),
	}
}
