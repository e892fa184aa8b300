package emit

import (
	"slices"

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
		return body.returned()
	case model.Sum:
		// return append(b, v.Raw...)
		return []jen.Code{jen.Return(jen.Append(jen.Id("b"), jen.Id("v").Dot("Raw").Op("...")))}
	case model.Wrapped:
		body := k.appendItem(at(jen.Id("v").Dot(wrappedField(k.t))), k.t.Of)
		return body.returned()
	}
	panic("emit: no kind of type: " + string(k.t.Kind))
}

// A text is JSON that is always the same. Texts that follow each other become
// one.
type text string

// write yields b = append(b, "text"...).
func write(t text) *jen.Statement { return jen.Id("b").Op("=").Add(appended(t)) }

// appended yields append(b, "text"...).
func appended(t text) *jen.Statement {
	if len(t) == 1 {
		return jen.Append(jen.Id("b"), jen.LitRune(rune(t[0])))
	}
	return jen.Append(jen.Id("b"), jen.Lit(string(t)).Op("..."))
}

// A scalar is a value that a function of wire writes.
type scalar struct {
	kind  string
	value *jen.Statement
}

// after yields b = wire.PutString(b, "text", v.X), or wire.AppendString(b, v.X) where
// no text precedes.
func (s scalar) after(t text) *jen.Statement {
	if t == "" {
		return jen.Id("b").Op("=").Qual(pathWire, "Append"+s.kind).Call(jen.Id("b"), s.value)
	}
	return jen.Id("b").Op("=").Qual(pathWire, "Put"+s.kind).Call(jen.Id("b"), jen.Lit(string(t)), s.value)
}

// A writing is what writes a value: statements, scalars, and texts between them.
type writing []any

// code yields the statements.
func (w writing) code() []jen.Code {
	list, last := w.split()
	if last != "" {
		list = append(list, write(last))
	}
	return list
}

// returned yields the statements, and one that returns the bytes.
func (w writing) returned() []jen.Code {
	list, last := w.split()
	if last != "" {
		return append(list, jen.Return(appended(last)))
	}
	return append(list, jen.Return(jen.Id("b")))
}

// split yields the statements, and the text behind them.
func (w writing) split() (list []jen.Code, last text) {
	for _, part := range w {
		switch part := part.(type) {
		case text:
			last += part
			continue
		case scalar:
			list = append(list, part.after(last))
		case jen.Code:
			if last != "" {
				list = append(list, write(last))
			}
			list = append(list, part)
		}
		last = ""
	}
	return list, last
}

// appendStruct writes commas before the members that follow one that is always there,
// and behind those that precede it. Without such a member every member is followed by
// a comma, the last of which becomes the closing brace.
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
	always := slices.IndexFunc(k.t.Fields, func(f *model.Field) bool { return f.Required })
	for i, f := range k.t.Fields {
		switch {
		case always < 0 || i < always:
			body = append(body, k.appendField(f, "", ",")...)
		case i == always:
			body = append(body, k.appendField(f, "", "")...)
		default:
			body = append(body, k.appendField(f, ",", "")...)
		}
	}
	if k.t.Extra != nil {
		before, after := text(","), text("")
		if always < 0 {
			before, after = "", ","
		}
		body = append(body, k.appendMembers(at(jen.Id("v").Dot("Extra")), k.t.Extra, before, after)...)
	}
	if always >= 0 || len(k.t.Fields) == 0 && k.t.Extra == nil {
		return append(body, text("}")).returned()
	}
	// return wire.EndObject(b)
	return append(body, jen.Return(jen.Qual(pathWire, "EndObject").Call(jen.Id("b")))).code()
}

// appendField writes a member with the texts before and after it, if it is there.
func (k *codec) appendField(f *model.Field, before, after text) writing {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	name := before + text(quoteJSON(f.Name)+":")
	if k.t.Kind == model.Tuple {
		name = before
	}
	member := func(value writing) writing {
		return append(append(writing{name}, value...), after)
	}
	present := func(value writing) writing {
		return writing{jen.If(place.Clone().Op("!=").Nil()).Block(member(value).code()...)}
	}
	switch {
	case isConstant(f):
		return writing{name + text(literalJSON(*s.Rules.Const)) + after}
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
			Else().If(place.Clone().Dot("IsNull").Call()).Block(write(name + "null" + after))}
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

// appenders are what functions of wire that write them are called after.
var appenders = map[model.Basic]string{
	model.Bool:      "Bool",
	model.Int:       "Int",
	model.Uint:      "Uint",
	model.Float:     "Float",
	model.String:    "String",
	model.Time:      "Time",
	model.UUID:      "UUID",
	model.Date:      "Date",
	model.TimeOfDay: "TimeOfDay",
	model.Duration:  "Duration",
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
		if s.Type.Kind == model.Enum {
			return writing{scalar{"String", jen.String().Parens(t.val())}}
		}
		if isUnion(s) {
			// b = appendPayment(v.X, b)
			return writing{jen.Id("b").Op("=").Id("append"+s.Name).Call(t.val(), jen.Id("b"))}
		}
		return writing{jen.Id("b").Op("=").Add(t.self()).Dot("append").Call(jen.Id("b"))}
	case model.Slice:
		return k.appendSlice(t, s)
	case model.Map:
		body := append(writing{text("{")}, k.appendMembers(t, s.Elem, "", ",")...)
		return append(body, jen.Id("b").Op("=").Qual(pathWire, "EndObject").Call(jen.Id("b")))
	}
	return writing{scalar{appenders[s.Basic], t.val()}}
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

// appendMembers writes the members of a map, each with the texts before and after it.
func (k *codec) appendMembers(t target, elem *model.Shape, before, after text) writing {
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
		before,
		scalar{"String", jen.Id(name)},
		text(":"),
	}
	body = append(body, k.appendItem(at(jen.Id(item)), elem)...)
	body = append(body, after)
	return writing{jen.For(jen.List(jen.Id("_"), jen.Id(name)).Op(":=").Range().Qual(pathWire, "SortedKeys").Call(t.val())).Block(body.code()...)}
}

// quoteJSON is text as a JSON string. It is written in Go through jen.Lit.
func quoteJSON(text string) string {
	return literalJSON(model.Literal{Kind: schema.String, Text: text})
}
