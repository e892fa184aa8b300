package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// appendMethod yields
//
//	func (v *T) append(b []byte) []byte { … }
//
// The value has been validated.
func (k *codec) appendMethod() *jen.Statement {
	return jen.Func().Params(jen.Id("v").Op("*").Add(id(k.t.Go))).Id("append").
		Params(jen.Id("b").Index().Byte()).Index().Byte().Block(k.appendBody()...)
}

func (k *codec) appendBody() []jen.Code {
	switch k.t.Kind {
	case model.Struct:
		return k.appendStruct()
	case model.Tuple:
		return k.appendTuple()
	case model.Enum:
		// return wire.AppendString(b, string(*v))
		return []jen.Code{jen.Return(jen.Qual(pathWire, "AppendString").Call(jen.Id("b"), jen.String().Parens(jen.Op("*").Id("v"))))}
	case model.Defined:
		body := writing{jen.Id("p").Op(":=").Parens(jen.Op("*").Add(baseType(k.t.Of))).Parens(jen.Id("v"))}
		body = append(body, k.appendItem(behind(jen.Id("p")), k.t.Of)...)
		return append(body, jen.Return(jen.Id("b"))).code()
	case model.Sum:
		// return append(b, v.Raw...)
		return []jen.Code{jen.Return(jen.Append(jen.Id("b"), jen.Id("v").Dot("Raw").Op("...")))}
	case model.Wrapped:
		body := k.appendItem(at(jen.Id("v").Dot(wrappedField(k.t))), k.t.Of)
		return append(body, jen.Return(jen.Id("b"))).code()
	}
	panic("emit: no kind of type: " + string(k.t.Kind))
}

// A text is JSON that is always the same. Texts that follow each other become
// one.
type text string

// write yields b = append(b, "text"...).
func write(t text) *jen.Statement {
	if len(t) == 1 {
		return jen.Id("b").Op("=").Append(jen.Id("b"), jen.LitRune(rune(t[0])))
	}
	return jen.Id("b").Op("=").Append(jen.Id("b"), jen.Lit(string(t)).Op("..."))
}

// A writing is what writes a value: statements, and texts between them.
type writing []any

// code yields the statements.
func (w writing) code() []jen.Code {
	var list []jen.Code
	var pending text
	flush := func() {
		if pending != "" {
			list = append(list, write(pending))
			pending = ""
		}
	}
	for _, part := range w {
		if t, ok := part.(text); ok {
			pending += t
			continue
		}
		flush()
		list = append(list, part.(jen.Code))
	}
	flush()
	return list
}

// appendStruct writes the members that are always there with their commas; from
// the first on that may be absent, every member is followed by a comma, the last
// of which becomes the closing brace.
func (k *codec) appendStruct() []jen.Code {
	var body writing
	if k.t.Other {
		// if v.Other != nil {
		// 	return append(b, v.Other...)
		// }
		body = append(body, jen.If(jen.Id("v").Dot("Other").Op("!=").Nil()).Block(
			jen.Return(jen.Append(jen.Id("b"), jen.Id("v").Dot("Other").Op("..."))),
		))
	}
	body = append(body, text("{"))
	for _, f := range k.t.Fields {
		body = append(body, k.appendField(f)...)
	}
	if k.t.Extra != nil {
		body = append(body, k.appendMembers(at(jen.Id("v").Dot("Extra")), k.t.Extra)...)
	}
	if last, ok := body[len(body)-1].(text); ok { // nothing that may be absent
		body[len(body)-1] = text(strings.TrimSuffix(string(last), ",")) + "}"
		return append(body, jen.Return(jen.Id("b"))).code()
	}
	// return wire.EndObject(b)
	return append(body, jen.Return(jen.Qual(pathWire, "EndObject").Call(jen.Id("b")))).code()
}

func (k *codec) appendField(f *model.Field) writing {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	name := text(quoteJSON(f.Name) + ":")
	if k.t.Kind == model.Tuple {
		name = ""
	}
	member := func(value writing) writing {
		return append(append(writing{name}, value...), text(","))
	}
	present := func(value writing) writing {
		return writing{jen.If(place.Clone().Op("!=").Nil()).Block(member(value).code()...)}
	}
	switch {
	case isConstant(f):
		return writing{name + text(literalJSON(*s.Rules.Const)) + ","}
	case s.Basic == model.Raw && !f.Required:
		return writing{jen.If(jen.Len(place.Clone()).Op("!=").Lit(0)).Block(member(k.appendBase(at(place), s)).code()...)}
	case !f.Required && s.Nullable:
		t := at(jen.Id("value"))
		if s.Boxed {
			t = behind(jen.Id("value"))
		}
		// if value, ok := v.X.Get(); ok { … } else if v.X.IsNull() { … }
		return writing{jen.If(jen.List(jen.Id("value"), jen.Id("ok")).Op(":=").Add(place.Clone()).Dot("Get").Call(), jen.Id("ok")).
			Block(member(k.appendBase(t, s)).code()...).
			Else().If(place.Clone().Dot("IsNull").Call()).Block(write(name + "null,"))}
	case isNilable(s) && f.Required:
		return member(k.appendItem(at(place), s))
	case isNilable(s):
		return present(k.appendBase(at(place), s))
	case f.Required && !s.Nullable && !s.Boxed:
		return member(k.appendBase(at(place), s))
	case f.Required && s.Nullable:
		return member(k.appendItem(at(place), s))
	case f.Required: // boxed
		return member(orNull(place, k.appendBase(behind(place), s)))
	}
	return present(k.appendBase(behind(place), s))
}

// orNull writes null for nil.
func orNull(place *jen.Statement, value writing) writing {
	return writing{jen.If(place.Clone().Op("==").Nil()).Block(write("null")).Else().Block(value.code()...)}
}

// appendItem writes a value that is never absent.
func (k *codec) appendItem(t target, s *model.Shape) writing {
	switch {
	case !s.Nullable:
		return k.appendBase(t, s)
	case isNilable(s):
		return orNull(t.val(), k.appendBase(t, s))
	}
	return orNull(t.val(), k.appendBase(behind(t.val()), s))
}

// appenders are functions of wire.
var appenders = map[model.Basic]string{
	model.Bool:      "AppendBool",
	model.Int:       "AppendInt",
	model.Uint:      "AppendUint",
	model.Float:     "AppendFloat",
	model.String:    "AppendString",
	model.Time:      "AppendTime",
	model.UUID:      "AppendUUID",
	model.Date:      "AppendDate",
	model.TimeOfDay: "AppendTimeOfDay",
	model.Duration:  "AppendDuration",
}

// appendBase writes a value that is there and not null.
func (k *codec) appendBase(t target, s *model.Shape) writing {
	switch s.Basic {
	case model.Raw:
		return writing{jen.Id("b").Op("=").Append(jen.Id("b"), t.val().Op("..."))}
	case model.Foreign:
		// b = wire.AppendValue(b, &v.X)
		return writing{jen.Id("b").Op("=").Qual(pathWire, "AppendValue").Call(jen.Id("b"), t.ptr())}
	case model.Named:
		if isUnion(s) {
			// b = appendPayment(v.X, b)
			return writing{jen.Id("b").Op("=").Id("append"+s.Name).Call(t.val(), jen.Id("b"))}
		}
		return writing{jen.Id("b").Op("=").Add(t.self()).Dot("append").Call(jen.Id("b"))}
	case model.Slice:
		return k.appendSlice(t, s)
	case model.Map:
		body := append(writing{text("{")}, k.appendMembers(t, s.Elem)...)
		return append(body, jen.Id("b").Op("=").Qual(pathWire, "EndObject").Call(jen.Id("b")))
	}
	// b = wire.AppendString(b, v.X)
	return writing{jen.Id("b").Op("=").Qual(pathWire, appenders[s.Basic]).Call(jen.Id("b"), t.val())}
}

func (k *codec) appendSlice(t target, s *model.Shape) writing {
	k.depth++
	defer func() { k.depth-- }()
	i := k.name("i")
	list := t.val()
	if t.pointer {
		list = jen.Parens(list)
	}
	// for i := range v.X {
	// 	if i > 0 {
	// 		b = append(b, ',')
	// 	}
	// 	…
	// }
	body := writing{jen.If(jen.Id(i).Op(">").Lit(0)).Block(write(","))}
	body = append(body, k.appendItem(at(list.Index(jen.Id(i))), s.Elem)...)
	return writing{
		text("["),
		jen.For(jen.Id(i).Op(":=").Range().Add(t.val())).Block(body.code()...),
		text("]"),
	}
}

// appendMembers writes the members of a map, each with a comma behind it.
func (k *codec) appendMembers(t target, elem *model.Shape) writing {
	k.depth++
	defer func() { k.depth-- }()
	name, item := k.name("name"), k.name("item")
	m := t.val()
	if t.pointer {
		m = jen.Parens(m)
	}
	// for _, name := range wire.SortedKeys(m) {
	// 	item := m[name]
	// 	b = wire.AppendString(b, name)
	// 	b = append(b, ':')
	// 	…
	// 	b = append(b, ',')
	// }
	body := writing{
		jen.Id(item).Op(":=").Add(m).Index(jen.Id(name)),
		jen.Id("b").Op("=").Qual(pathWire, "AppendString").Call(jen.Id("b"), jen.Id(name)),
		text(":"),
	}
	body = append(body, k.appendItem(at(jen.Id(item)), elem)...)
	body = append(body, text(","))
	return writing{jen.For(jen.List(jen.Id("_"), jen.Id(name)).Op(":=").Range().Qual(pathWire, "SortedKeys").Call(t.val())).Block(body.code()...)}
}

// quoteJSON is text as a JSON string. It is written in Go through jen.Lit.
func quoteJSON(text string) string {
	return literalJSON(model.Literal{Kind: schema.String, Text: text})
}
