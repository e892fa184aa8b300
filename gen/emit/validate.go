package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// validateMethod yields
//
//	func (v *T) validate(r *wire.Report) { … }
func (k *codec) validateMethod() *jen.Statement {
	params := []jen.Code{jen.Id("r").Op("*").Qual(pathWire, "Report")}
	if k.t.Checked {
		params = append(params, jen.Id("accepted").Bool())
	}
	return jen.Func().Params(jen.Id("v").Op("*").Add(id(k.t.Go))).Id("validate").Params(params...).Block(k.validateBody()...)
}

func (k *codec) validateBody() []jen.Code {
	var body []jen.Code
	switch k.t.Kind {
	case model.Struct:
		body = k.validateStruct()
	case model.Tuple:
		body = k.validateTuple()
	case model.Enum:
		body = []jen.Code{k.validateEnum()}
	case model.Defined:
		// p := (*[]T)(v)
		if inner := k.validateItem(behind(jen.Id("p")), k.t.Of); len(inner) > 0 {
			body = append(body, jen.Id("p").Op(":=").Parens(jen.Op("*").Add(baseType(k.t.Of))).Parens(jen.Id("v")))
			body = append(body, inner...)
		}
	case model.Sum:
		// r.JSON(v.Raw)
		body = []jen.Code{jen.Id("r").Dot("JSON").Call(jen.Id("v").Dot("Raw"))}
	case model.Wrapped:
		body = k.validateItem(at(jen.Id("v").Dot(wrappedField(k.t))), k.t.Of)
	}
	return append(body, k.decideWhole()...)
}

// decideWhole yields the verdict of the type's predicates on the whole value.
func (k *codec) decideWhole() []jen.Code {
	if len(k.t.Checks) == 0 {
		return nil
	}
	// if !accepted {
	// 	r.Decide(v.append(nil), checkX)
	// }
	return []jen.Code{jen.If(jen.Op("!").Id("accepted")).Block(decide(jen.Id("v").Dot("append").Call(jen.Nil()), k.t.Checks))}
}

// decide yields the predicates' verdict on a value's text.
func decide(text *jen.Statement, checks []string) *jen.Statement {
	return jen.Id("r").Dot("Decide").Call(append([]jen.Code{text}, identifiers(checks)...)...)
}

func (k *codec) validateEnum() jen.Code {
	// if !v.Valid() {
	// 	r.Enum(string(*v))
	// }
	fail := jen.Id("r").Dot("Enum").Call(jen.String().Parens(jen.Op("*").Id("v")))
	if len(k.t.Values) == 0 {
		return fail
	}
	return jen.If(jen.Op("!").Id("v").Dot("Valid").Call()).Block(fail)
}

func (k *codec) validateStruct() []jen.Code {
	var body []jen.Code
	if k.t.Other {
		// if v.Other != nil {
		// 	r.Other(v.Other)
		// 	…
		// 	return
		// }
		other := append([]jen.Code{jen.Id("r").Dot("Other").Call(jen.Id("v").Dot("Other"))}, k.decideWhole()...)
		body = append(body, jen.If(jen.Id("v").Dot("Other").Op("!=").Nil()).Block(append(other, jen.Return())...))
	}
	for _, f := range k.t.Fields {
		k.place = f.Go
		body = append(body, k.validateField(f)...)
	}
	if k.t.Extra != nil {
		k.place = "Extra"
		body = append(body, k.validateExtra()...)
	}
	return body
}

// validateField yields the rules of a member that may be absent or null.
func (k *codec) validateField(f *model.Field) []jen.Code {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	switch {
	case s.Basic == model.Raw:
		return k.validateRaw(f, place)
	case !f.Required && s.Nullable:
		// if value, ok := v.X.Get(); ok { … }
		t := at(jen.Id("value"))
		if s.Boxed {
			t = behind(jen.Id("value"))
		}
		inner := k.validateMember(f, t)
		if inner == nil {
			return nil
		}
		present := jen.If(jen.List(jen.Id("value"), jen.Id("ok")).Op(":=").Add(place.Clone()).Dot("Get").Call(), jen.Id("ok")).Block(inner...)
		if len(s.Checks) > 0 {
			// else if v.X.IsNull() { … }
			present.Else().If(place.Clone().Dot("IsNull").Call()).Block(entered(f, decideNull(s))...)
		}
		return []jen.Code{present}
	case isNilable(s):
		inner := k.validateMember(f, at(place))
		if inner == nil || f.Required && !s.Nullable {
			return inner
		}
		return []jen.Code{orElse(jen.If(place.Clone().Op("!=").Nil()).Block(inner...), entered(f, decideNull(s)))}
	case f.Required && !s.Nullable && !s.Boxed:
		inner := k.validateMember(f, at(place))
		if inner != nil && isConstant(f) {
			// if v.Version != 0 { … }
			return []jen.Code{jen.If(place.Clone().Op("!=").Add(zero(s))).Block(inner...)}
		}
		return inner
	}
	inner := k.validateMember(f, behind(place))
	if f.Required && !s.Nullable { // boxed
		return []jen.Code{jen.If(place.Clone().Op("==").Nil()).Block(
			jen.Id("r").Dot("Required").Call(jen.Lit(f.Name)),
		).Else().Block(inner...)}
	}
	if inner == nil {
		return nil
	}
	return []jen.Code{orElse(jen.If(place.Clone().Op("!=").Nil()).Block(inner...), entered(f, decideNull(s)))}
}

// decideNull yields the predicates' verdict on null, where that is a value. Its
// schema may refuse it although its type does not.
func decideNull(s *model.Shape) []jen.Code {
	if !s.Nullable || len(s.Checks) == 0 {
		return nil
	}
	// if !accepted { r.Decide([]byte("null"), checkX) }
	null := jen.Index().Byte().Parens(jen.Lit("null"))
	return []jen.Code{jen.If(jen.Op("!").Id("accepted")).Block(decide(null, s.Checks))}
}

// orElse adds what is done otherwise, if anything.
func orElse(s *jen.Statement, body []jen.Code) *jen.Statement {
	if len(body) > 0 {
		s.Else().Block(body...)
	}
	return s
}

func zero(s *model.Shape) *jen.Statement {
	if s.Basic == model.String {
		return jen.Lit("")
	}
	return jen.Lit(0)
}

// validateRaw asks for one JSON value; a required one cannot be left out.
func (k *codec) validateRaw(f *model.Field, place *jen.Statement) []jen.Code {
	check := entered(f, k.validateBase(at(place), f.Shape))
	if f.Required {
		return []jen.Code{jen.If(jen.Len(place.Clone()).Op("==").Lit(0)).Block(
			jen.Id("r").Dot("Required").Call(jen.Lit(f.Name)),
		).Else().Block(check...)}
	}
	return []jen.Code{jen.If(jen.Len(place.Clone()).Op("!=").Lit(0)).Block(check...)}
}

// validateMember yields the rules of a member that is there and not null. Those of a
// value without parts move the report's pointer only when one is broken.
func (k *codec) validateMember(f *model.Field, t target) []jen.Code {
	if f.Secret || !isPlain(f.Shape) {
		return entered(f, k.validateBase(t, f.Shape))
	}
	k.report = onReport.at(f.Name)
	defer func() { k.report = onReport }()
	return k.validateBase(t, f.Shape)
}

// isPlain reports a value without parts whose rules stand where it is.
func isPlain(s *model.Shape) bool {
	if len(s.Checks) > 0 {
		return false
	}
	switch s.Basic {
	case model.Slice, model.Map, model.Raw, model.Foreign:
		return false
	case model.Named:
		return isEnum(s)
	}
	return true
}

// isEnum reports an enumeration whose values Valid knows.
func isEnum(s *model.Shape) bool {
	return s.Type.Kind == model.Enum && len(s.Type.Values) > 0 && !s.Type.Checked
}

// entered yields what is done at the place of a member.
func entered(f *model.Field, body []jen.Code) []jen.Code {
	if len(body) == 0 {
		return nil
	}
	if f.Secret {
		body = concealed(onReport, body)
	}
	return append(append([]jen.Code{jen.Id("r").Dot("Enter").Call(jen.Lit(f.Name))}, body...), jen.Id("r").Dot("Leave").Call())
}

// validatePart checks an item, or a member without a field.
func (k *codec) validatePart(t target, s *model.Shape) []jen.Code {
	body := k.validateItem(t, s)
	if s.Secret && len(body) > 0 {
		return concealed(onReport, body)
	}
	return body
}

// validateItem checks a value that is never absent.
func (k *codec) validateItem(t target, s *model.Shape) []jen.Code {
	if !s.Nullable {
		return k.validateBase(t, s)
	}
	var inner []jen.Code
	if isNilable(s) {
		inner = k.validateBase(t, s)
	} else {
		inner = k.validateBase(behind(t.val()), s)
	}
	if len(inner) == 0 {
		return nil
	}
	return []jen.Code{orElse(jen.If(t.val().Op("!=").Nil()).Block(inner...), decideNull(s))}
}

// validateBase checks a value that is there and not null.
func (k *codec) validateBase(t target, s *model.Shape) []jen.Code {
	body := k.validateOwn(t, s)
	if len(s.Checks) == 0 {
		return body
	}
	// if !accepted { r.Decide(…, checkX) }
	text := jen.Func().Params(jen.Id("b").Index().Byte()).Index().Byte().Block(
		append(k.appendBase(t, s), jen.Return(jen.Id("b"))).code()...,
	).Call(jen.Nil())
	return append(body, jen.If(jen.Op("!").Id("accepted")).Block(decide(text, s.Checks)))
}

func (k *codec) validateOwn(t target, s *model.Shape) []jen.Code {
	switch s.Basic {
	case model.Named:
		if isEnum(s) {
			// if !v.X.Valid() { r.At("x").Enum(string(v.X)) }
			fail := k.report.call("Enum", jen.String().Parens(t.val()))
			return []jen.Code{jen.If(jen.Op("!").Add(t.self()).Dot("Valid").Call()).Block(fail)}
		}
		mark := jen.Id("accepted")
		if len(s.Type.Checks) == 0 && len(s.Checks) > 0 || len(k.t.Checks) > 0 {
			mark = jen.True()
		}
		if isUnion(s) {
			// validatePayment(v.X, r)
			return []jen.Code{jen.Id("validate" + s.Name).Call(append([]jen.Code{t.val()}, withMark(s.Type, jen.Id("r"), mark)...)...)}
		}
		return []jen.Code{t.self().Dot("validate").Call(withMark(s.Type, jen.Id("r"), mark)...)}
	case model.Raw:
		// r.JSON(v.X)
		return []jen.Code{jen.Id("r").Dot("JSON").Call(t.val())}
	case model.Foreign:
		// r.Value(&v.X)
		return []jen.Code{jen.Id("r").Dot("Value").Call(t.ptr())}
	case model.String:
		return k.validateString(t, s)
	case model.Float:
		return k.validateFloat(t, s)
	case model.Time:
		// if !wire.ValidTime(v.X) { r.At("x").Format(v.X.String(), "date-time") }
		return k.invalid(jen.Qual(pathWire, "ValidTime").Call(t.val()), t, "date-time")
	case model.Date, model.TimeOfDay, model.Duration:
		return k.invalid(t.self().Dot("Valid").Call(), t, basicFormats[s.Basic])
	case model.Slice:
		return append(k.tests(t, s, k.report), k.validateItems(t, s)...)
	case model.Map:
		return append(k.tests(t, s, k.report), k.validateMembers(t, s.Key, s.Elem, nil)...)
	}
	return k.tests(t, s, k.report)
}

var basicFormats = map[model.Basic]string{
	model.Date: "date", model.TimeOfDay: "time", model.Duration: "duration",
}

func (k *codec) invalid(valid *jen.Statement, t target, format string) []jen.Code {
	return []jen.Code{jen.If(jen.Op("!").Add(valid)).Block(
		k.report.call("Format", t.self().Dot("String").Call(), jen.Lit(format)),
	)}
}

// validateString asks for UTF-8, which JSON texts consist of, unless a rule
// implies it.
func (k *codec) validateString(t target, s *model.Shape) []jen.Code {
	tests := k.tests(t, s, k.report)
	if s.Rules.Const != nil {
		return tests
	}
	// if !wire.ValidString(v.X) { r.At("x").NotText() } else …
	return unless(jen.Op("!").Qual(pathWire, "ValidString").Call(t.val()), k.report.call("NotText"), tests)
}

func (k *codec) validateFloat(t target, s *model.Shape) []jen.Code {
	tests := k.tests(t, s, k.report)
	if len(tests) > 0 {
		tests = append([]jen.Code{jen.Id("n").Op(":=").Qual(pathWire, "Float").Call(t.val())}, tests...)
	}
	// if !wire.ValidFloat(v.X) {
	// 	r.At("x").NotFinite()
	// } else {
	// 	n := wire.Float(v.X)
	// 	…
	// }
	return unless(jen.Op("!").Qual(pathWire, "ValidFloat").Call(t.val()), k.report.call("NotFinite"), tests)
}

// unless yields the tests of a value that JSON can say.
func unless(broken, fail *jen.Statement, tests []jen.Code) []jen.Code {
	s := jen.If(broken).Block(fail)
	switch len(tests) {
	case 0:
	case 1:
		s.Else().Add(tests[0])
	default:
		s.Else().Block(tests...)
	}
	return []jen.Code{s}
}

func (k *codec) validateItems(t target, s *model.Shape) []jen.Code {
	k.depth++
	defer func() { k.depth-- }()
	i := k.name("i")
	place := jen.Parens(t.val()).Index(jen.Id(i))
	if !t.pointer {
		place = t.val().Index(jen.Id(i))
	}
	inner := k.validatePart(at(place), s.Elem)
	if len(inner) == 0 {
		return nil
	}
	// for i := range v.X {
	// 	r.EnterIndex(i)
	// 	…
	// 	r.Leave()
	// }
	body := append([]jen.Code{jen.Id("r").Dot("EnterIndex").Call(jen.Id(i))}, inner...)
	return []jen.Code{jen.For(jen.Id(i).Op(":=").Range().Add(t.val())).Block(append(body, jen.Id("r").Dot("Leave").Call())...)}
}

// validateMembers checks the names and values of a map.
func (k *codec) validateMembers(t target, key, elem *model.Shape, first []jen.Code) []jen.Code {
	k.depth++
	defer func() { k.depth-- }()
	name, item := k.name("name"), k.name("item")
	// for _, name := range wire.SortedKeys(m) {
	// 	item := m[name]
	// 	r.Enter(name)
	// 	…
	// 	r.Leave()
	// }
	names := []jen.Code{jen.Id("r").Dot("Text").Call(jen.Id(name))}
	if key != nil {
		names = append(names, k.tests(at(jen.Id(name)), key, onReport)...)
	}
	body := append(first, jen.Id("r").Dot("Enter").Call(jen.Id(name)))
	body = append(body, names...)
	if inner := k.validatePart(at(jen.Id(item)), elem); len(inner) > 0 {
		m := t.val()
		if t.pointer {
			m = jen.Parens(m)
		}
		body = append(body, jen.Id(item).Op(":=").Add(m).Index(jen.Id(name)))
		body = append(body, inner...)
	}
	body = append(body, jen.Id("r").Dot("Leave").Call())
	return []jen.Code{jen.For(jen.List(jen.Id("_"), jen.Id(name)).Op(":=").Range().Qual(pathWire, "SortedKeys").Call(t.val())).Block(body...)}
}

func (k *codec) validateExtra() []jen.Code {
	var first []jen.Code
	if len(k.t.Fields) > 0 {
		// switch name {
		// case "a", "b":
		// 	r.Unknown("additionalProperties", name)
		// }
		var names []jen.Code
		for _, f := range k.t.Fields {
			names = append(names, jen.Lit(f.Name))
		}
		first = append(first, jen.Switch(jen.Id("name")).Block(
			jen.Case(names...).Block(jen.Id("r").Dot("Unknown").Call(jen.Lit("additionalProperties"), jen.Id("name"))),
		))
	}
	return k.validateMembers(at(jen.Id("v").Dot("Extra")), nil, k.t.Extra, first)
}
