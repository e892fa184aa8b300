package emit

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// encodeMethod yields
//
//	func (v *T) encode(e *wire.Encoder) { … }
func (k *codec) encodeMethod() *jen.Statement {
	return jen.Func().Params(jen.Id("v").Op("*").Add(id(k.t.Go))).Id("encode").
		Params(markParam(k.t, encoder())...).Block(k.encodeBody()...)
}

// encoder yields e *wire.Encoder.
func encoder() jen.Code { return jen.Id("e").Op("*").Qual(pathWire, "Encoder") }

// markParam adds the parameter that withMark has an argument for.
func markParam(t *model.Type, param jen.Code) []jen.Code {
	return withMark(t, param, jen.Id("accepted").Bool())
}

func (k *codec) encodeBody() []jen.Code {
	if len(k.t.Checks) == 0 {
		return k.encodeParts().code()
	}
	return decided(k.encodeParts(), k.t.Checks)
}

// decidedPlace lets the predicates of a place decide what was written there, which may be
// null.
func decidedPlace(value writing, s *model.Shape) writing {
	if len(s.Checks) == 0 {
		return value
	}
	return writing{jen.Block(decided(value, s.Checks)...)}
}

// decided yields
//
//	mark := e.Mark()
//	…
//	if !accepted {
//		e.Decide(mark, checkX)
//	}
func decided(value writing, checks []string) []jen.Code {
	body := append([]jen.Code{jen.Id("mark").Op(":=").Id("e").Dot("Mark").Call()}, value.code()...)
	return append(body, decide(checks))
}

func decide(checks []string) jen.Code {
	return jen.If(jen.Op("!").Id("accepted")).Block(
		jen.Id("e").Dot("Decide").Call(append([]jen.Code{jen.Id("mark")}, identifiers(checks)...)...),
	)
}

func (k *codec) encodeParts() writing {
	switch k.t.Kind {
	case model.Struct:
		return k.encodeStruct()
	case model.Tuple:
		return k.encodeTuple()
	case model.Enum:
		return writing{word(k.t, jen.Op("*").Id("v"))}
	case model.Defined:
		// p := (*[]T)(v)
		body := writing{jen.Id("p").Op(":=").Parens(jen.Op("*").Add(baseType(k.t.Of))).Parens(jen.Id("v"))}
		return append(body, k.encodeItem(behind(jen.Id("p")), k.t.Of)...)
	case model.Sum:
		return writing{scalar{"Raw", []jen.Code{jen.Id("v").Dot("Raw")}}}
	case model.Wrapped:
		return k.encodeItem(at(jen.Id("v").Dot(wrappedField(k.t))), k.t.Of)
	}
	panic("emit: no kind of type: " + string(k.t.Kind))
}

// word writes a value of an enumeration.
func word(t *model.Type, value *jen.Statement) scalar {
	return scalar{"Word", []jen.Code{jen.String().Parens(value), words(t)}}
}

// A text is JSON that is always the same. Texts that follow each other become one.
type text string

// A scalar is a value that a method of the Encoder writes, with what comes behind the
// text before it.
type scalar struct {
	method string
	args   []jen.Code
}

// after yields e.String("text", v.X, rules).
func (s scalar) after(t text) *jen.Statement {
	return jen.Id("e").Dot(s.method).Call(append([]jen.Code{jen.Lit(string(t))}, s.args...)...)
}

// A writing is what writes a value: statements, scalars, and texts between them.
type writing []any

// code yields the statements.
func (w writing) code() []jen.Code {
	var list []jen.Code
	last := text("")
	flush := func() {
		if last != "" {
			// e.Text("text")
			list = append(list, jen.Id("e").Dot("Text").Call(jen.Lit(string(last))))
		}
		last = ""
	}
	for _, part := range w {
		switch part := part.(type) {
		case text:
			last += part
		case scalar:
			list = append(list, part.after(last))
			last = ""
		case jen.Code:
			flush()
			list = append(list, part)
		}
	}
	flush()
	return list
}

func (k *codec) encodeStruct() writing {
	var body writing
	if k.t.Other {
		// if v.Other != nil {
		// 	e.Other(v.Other)
		// 	return
		// }
		other := []jen.Code{jen.Id("e").Dot("Other").Call(jen.Id("v").Dot("Other"))}
		if len(k.t.Checks) > 0 {
			other = append(other, decide(k.t.Checks))
		}
		body = append(body, jen.If(jen.Id("v").Dot("Other").Op("!=").Nil()).Block(append(other, jen.Return())...))
	}
	body = append(body, text("{"))
	for i, f := range k.t.Fields {
		k.place = f.Go
		name := text(quoteJSON(f.Name) + ":")
		body = append(body, k.encodeField(f, append(k.separator(i), name))...)
	}
	if k.t.Extra != nil {
		k.place = "Extra"
		body = append(body, k.encodeMembers(at(jen.Id("v").Dot("Extra")), k.t.Extra, k.otherName)...)
	}
	return append(body, text("}"))
}

// separator is what stands before a field: nothing before the first one, a comma behind
// one that is always there, and otherwise
//
//	e.Comma()
func (k *codec) separator(field int) writing {
	always := slices.IndexFunc(k.t.Fields, func(f *model.Field) bool { return f.Required })
	switch {
	case field == 0:
		return nil
	case always >= 0 && always < field:
		return writing{text(",")}
	}
	return comma()
}

func comma() writing { return writing{jen.Id("e").Dot("Comma").Call()} }

// otherName yields
//
//	e.OtherName(name, &fieldsT)
func (k *codec) otherName(name string) jen.Code {
	if len(k.t.Fields) == 0 {
		return jen.Id("e").Dot("Name").Call(jen.Id(name), jen.Nil())
	}
	return jen.Id("e").Dot("OtherName").Call(jen.Id(name), k.fields())
}

// encodeField writes a member, with what stands before it, if it is there.
func (k *codec) encodeField(f *model.Field, name writing) writing {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	member := func(value writing) writing {
		if f.Secret {
			value = concealed(value)
		}
		return slices.Concat(name, value)
	}
	present := func(value writing) writing {
		return writing{jen.If(place.Clone().Op("!=").Nil()).Block(member(value).code()...)}
	}
	switch {
	case isConstant(f):
		return member(writing{scalar{constantMethods[s.Basic], []jen.Code{place, k.rules(s)}}})
	case s.Basic == model.Raw && f.Required:
		return orMissing(f, jen.Len(place.Clone()).Op("==").Lit(0), member(k.encodeBase(at(place), s)))
	case s.Basic == model.Raw:
		return writing{jen.If(jen.Len(place.Clone()).Op("!=").Lit(0)).Block(member(k.encodeBase(at(place), s)).code()...)}
	case !f.Required && s.Nullable:
		t := at(jen.Id("value"))
		if s.Boxed {
			t = behind(jen.Id("value"))
		}
		// if value, ok := v.X.Get(); ok { … } else if v.X.IsNull() { … }
		return writing{jen.If(jen.List(jen.Id("value"), jen.Id("ok")).Op(":=").Add(place.Clone()).Dot("Get").Call(), jen.Id("ok")).
			Block(member(k.encodeBase(t, s)).code()...).
			Else().If(place.Clone().Dot("IsNull").Call()).Block(member(decidedPlace(null, s)).code()...)}
	case f.Required && s.Boxed && !s.Nullable && !isNilable(s):
		return orMissing(f, place.Clone().Op("==").Nil(), member(k.encodeBase(behind(place), s)))
	case f.Required:
		return member(k.encodeItem(at(place), s))
	case isNilable(s):
		return present(k.encodeBase(at(place), s))
	}
	return present(k.encodeBase(behind(place), s))
}

// constantMethods are the Encoder's methods that write the one value that is allowed.
var constantMethods = map[model.Basic]string{
	model.String: "Constant",
	model.Int:    "ConstantInt64",
}

// orMissing yields
//
//	if v.X == nil {
//		e.Required("x")
//	} else {
//		…
//	}
func orMissing(f *model.Field, missing *jen.Statement, member writing) writing {
	return writing{jen.If(missing).Block(
		jen.Id("e").Dot("Required").Call(jen.Lit(f.Name)),
	).Else().Block(member.code()...)}
}

// concealed keeps a value out of what is reported. One that is always the same is no
// secret.
func concealed(value writing) writing {
	if _, always := value[0].(text); always && len(value) == 1 {
		return value
	}
	return append(append(writing{onEncoder.call("Conceal")}, value...), onEncoder.call("Reveal"))
}

var null = writing{text("null")}

// orNull writes null for nil.
func orNull(place *jen.Statement, value writing) writing {
	return writing{jen.If(place.Clone().Op("==").Nil()).Block(null.code()...).Else().Block(value.code()...)}
}

// encodePart writes an item, or a member without a field.
func (k *codec) encodePart(t target, s *model.Shape) writing {
	if s.Secret {
		return concealed(k.encodeItem(t, s))
	}
	return k.encodeItem(t, s)
}

// encodeItem writes a value that is never absent.
func (k *codec) encodeItem(t target, s *model.Shape) writing {
	switch {
	case !s.Nullable:
		return k.encodeBase(t, s)
	case isNilable(s):
		return decidedPlace(orNull(t.val(), k.encodeOwn(t, s)), s)
	}
	return decidedPlace(orNull(t.val(), k.encodeOwn(behind(t.val()), s)), s)
}

// encodeBase writes a value that is there and not null.
func (k *codec) encodeBase(t target, s *model.Shape) writing {
	return decidedPlace(k.encodeOwn(t, s), s)
}

// writers are the Encoder's methods.
var writers = map[model.Basic]string{
	model.Bool:      "Bool",
	model.Int:       "Int64",
	model.Uint:      "Uint64",
	model.Float:     "Float",
	model.String:    "String",
	model.Time:      "Time",
	model.UUID:      "UUID",
	model.Date:      "Date",
	model.TimeOfDay: "TimeOfDay",
	model.Duration:  "Duration",
}

func (k *codec) encodeOwn(t target, s *model.Shape) writing {
	switch s.Basic {
	case model.Raw:
		return writing{scalar{"Raw", []jen.Code{t.val()}}}
	case model.Foreign:
		return writing{scalar{"Value", []jen.Code{t.ptr()}}}
	case model.Named:
		return k.encodeNamed(t, s)
	case model.Slice:
		return k.encodeSlice(t, s)
	case model.Map:
		object := scalar{"Object", []jen.Code{jen.Len(t.val()), k.count(s.Rules.Members)}}
		body := k.encodeMembers(t, s.Elem, func(name string) jen.Code {
			return jen.Id("e").Dot("Name").Call(jen.Id(name), k.keyRules(s.Key))
		})
		return append(append(writing{object}, body...), text("}"))
	case model.Bool:
		if c := s.Rules.Const; c != nil {
			return writing{scalar{"ConstBool", []jen.Code{t.val(), jen.Lit(c.Text == "true")}}}
		}
	}
	args := []jen.Code{t.val()}
	if hasRules(s.Basic) {
		args = append(args, k.rules(s))
	}
	return writing{scalar{writers[s.Basic], args}}
}

func (k *codec) encodeNamed(t target, s *model.Shape) writing {
	if isEnum(s.Type) {
		return writing{word(s.Type, t.val())}
	}
	mark := jen.Id("accepted")
	if len(s.Type.Checks) == 0 && len(s.Checks) > 0 || len(k.t.Checks) > 0 {
		mark = jen.True()
	}
	if isUnion(s) {
		// encodePayment(v.X, e)
		return writing{jen.Id("encode" + s.Name).Call(append([]jen.Code{t.val()}, withMark(s.Type, jen.Id("e"), mark)...)...)}
	}
	// v.X.encode(e)
	return writing{t.self().Dot("encode").Call(withMark(s.Type, jen.Id("e"), mark)...)}
}

func (k *codec) encodeSlice(t target, s *model.Shape) writing {
	k.depth++
	defer func() { k.depth-- }()
	i := k.name("i")
	array := scalar{"Array", []jen.Code{jen.Len(t.val()), k.count(s.Rules.Items)}}
	// for i := range v.X {
	// 	e.Comma()
	// 	e.String("", v.X[i], rules)
	// }
	item := append(comma(), k.encodePart(at(t.index(jen.Id(i))), s.Elem)...)
	loop := jen.For(jen.Id(i).Op(":=").Range().Add(t.val())).Block(item.code()...)
	if !s.Rules.Unique {
		return writing{array, loop, text("]")}
	}
	// if !wire.Distinct(v.X) { e.Unique() }
	unique := jen.If(jen.Op("!").Qual(pathWire, "Distinct").Call(t.val())).Block(jen.Id("e").Dot("Unique").Call())
	return writing{unique, array, loop, text("]")}
}

// encodeMembers writes the members of a map, behind what writes their names.
func (k *codec) encodeMembers(t target, elem *model.Shape, write func(name string) jen.Code) writing {
	k.depth++
	defer func() { k.depth-- }()
	name, item := k.name("name"), k.name("item")
	// for _, name := range wire.SortedKeys(m) {
	// 	item := m[name]
	// 	e.Name(name, rules)
	// 	…
	// }
	body := append(writing{
		jen.Id(item).Op(":=").Add(t.index(jen.Id(name))),
		write(name),
	}, k.encodePart(at(jen.Id(item)), elem)...)
	return writing{jen.For(jen.List(jen.Id("_"), jen.Id(name)).Op(":=").Range().Qual(pathWire, "SortedKeys").Call(t.val())).Block(body.code()...)}
}

// keyRules yields the address of the rules of names; nil when there are none.
func (k *codec) keyRules(key *model.Shape) jen.Code {
	if key == nil {
		return jen.Nil()
	}
	return k.rules(key)
}

// hasRules reports values that are read and written with rules.
func hasRules(b model.Basic) bool {
	switch b {
	case model.Int, model.Uint, model.Float, model.String:
		return true
	}
	return false
}

// quoteJSON is text as a JSON string. It is written in Go through jen.Lit.
func quoteJSON(text string) string {
	return literalJSON(model.Literal{Kind: schema.String, Text: text})
}
