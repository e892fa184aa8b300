package emit

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// isUnion reports a value of an interface type. Functions read and write it,
// since interfaces have no methods of ours.
func isUnion(s *model.Shape) bool { return s.Type != nil && s.Type.Kind == model.Union }

// unionType yields
//
//	interface {
//		Validate() error
//		AppendJSON(b []byte) ([]byte, error)
//		isPayment()
//	}
func unionType(t *model.Type) *jen.Statement {
	return jen.Interface(
		jen.Id("Validate").Params().Error(),
		jen.Id("AppendJSON").Params(jen.Id("b").Index().Byte()).Params(jen.Index().Byte(), jen.Error()),
		jen.Id("is"+t.Go).Params(),
	)
}

// declareUnion renders what belongs to an interface.
func declareUnion(f *jen.File, k *codec) {
	t := k.t
	for _, o := range t.Union.Options {
		// func (PaymentCard) isPayment() {}
		f.Func().Params(id(o.Shape.Name)).Id("is" + t.Go).Params().Block()
	}
	f.Line()
	declareSwitch(f, t)
	f.Add(k.decodeUnion()).Line()
	f.Add(k.encodeUnion()).Line()
}

// declareSwitch renders the function that takes the interface apart.
func declareSwitch(f *jen.File, t *model.Type) {
	params := []jen.Code{jen.Id("v").Add(id(t.Go))}
	for _, o := range t.Union.Options {
		params = append(params, jen.Id("on"+o.Go).Func().Params(id(o.Shape.Name)).Error())
	}
	// func SwitchPayment(v Payment, onCard func(PaymentCard) error, …) error {
	// 	switch o := v.(type) {
	// 	case PaymentCard:
	// 		return onCard(o)
	// 	case *PaymentCard:
	// 		if o != nil {
	// 			return onCard(*o)
	// 		}
	// 	}
	// 	return nil
	// }
	f.Comment("// " + t.Union.Switch + " calls the function for what v is and returns its error; for nil")
	f.Comment("// it calls none. An alternative that the schema gains is a compile error here.")
	f.Func().Add(id(t.Union.Switch)).Params(params...).Error().Block(
		eachOption(t, func(o *model.Alternative, value *jen.Statement) []jen.Code {
			return []jen.Code{jen.Return(jen.Id("on" + o.Go).Call(value))}
		}),
		jen.Return(jen.Nil()),
	).Line()
}

// decodeUnion yields
//
//	func decodePayment(d *wire.Decoder) Payment {
//		name, ok := d.Tag("kind")
//		if !ok {
//			return nil
//		}
//		switch name {
//		case "card":
//			var v PaymentCard
//			v.decode(d)
//			return v
//		}
//		d.UnknownTag("kind", name)
//		return nil
//	}
func (k *codec) decodeUnion() *jen.Statement {
	property := jen.Lit(k.t.Union.Property)
	var cases []jen.Code
	for _, o := range k.t.Union.Options {
		cases = append(cases, jen.Case(literals(o.Tags)...).Block(
			jen.Var().Id("v").Add(id(o.Shape.Name)),
			jen.Id("v").Dot("decode").Call(withMark(o.Shape.Type, jen.Id("d"), jen.Id("accepted"))...),
			jen.Return(jen.Id("v")),
		))
	}
	unknown := []jen.Code{jen.Id("d").Dot("UnknownTag").Call(property.Clone(), jen.Id("name"))}
	if hasSecretTag(k.t.Union) {
		unknown = concealedRead(unknown)
	}
	return jen.Func().Id("decode" + k.t.Go).Params(markParam(k.t, decoder())...).Add(id(k.t.Go)).Block(slices.Concat(
		[]jen.Code{
			jen.List(jen.Id("name"), jen.Id("ok")).Op(":=").Id("d").Dot("Tag").Call(property),
			jen.If(jen.Op("!").Id("ok")).Block(jen.Return(jen.Nil())),
			jen.Switch(jen.Id("name")).Block(cases...),
		},
		unknown,
		[]jen.Code{jen.Return(jen.Nil())},
	)...)
}

// hasSecretTag reports alternatives that a secret tells apart.
func hasSecretTag(u *model.Alternatives) bool {
	return slices.ContainsFunc(u.Options, func(o *model.Alternative) bool {
		return slices.ContainsFunc(o.Shape.Type.Fields, func(f *model.Field) bool { return f.Name == u.Property && f.Secret })
	})
}

// eachOption yields a type switch over the alternatives and pointers to them. value is
// that of the alternative: o or *o.
func eachOption(t *model.Type, use func(o *model.Alternative, value *jen.Statement) []jen.Code) *jen.Statement {
	var cases []jen.Code
	for _, o := range t.Union.Options {
		cases = append(cases,
			jen.Case(id(o.Shape.Name)).Block(use(o, jen.Id("o"))...),
			jen.Case(jen.Op("*").Add(id(o.Shape.Name))).Block(
				jen.If(jen.Id("o").Op("!=").Nil()).Block(use(o, jen.Op("*").Id("o"))...),
			),
		)
	}
	return jen.Switch(jen.Id("o").Op(":=").Id("v").Assert(jen.Type())).Block(cases...)
}

func (k *codec) encodeUnion() *jen.Statement {
	// func encodePayment(v Payment, e *wire.Encoder) {
	// 	switch o := v.(type) {
	// 	case PaymentCard:
	// 		o.encode(e)
	// 		return
	// 	…
	// 	}
	// 	e.Fail("type", "nil is none of the alternatives")
	// 	e.Text("null")
	// }
	params := append([]jen.Code{jen.Id("v").Add(id(k.t.Go))}, markParam(k.t, encoder())...)
	return jen.Func().Id("encode"+k.t.Go).Params(params...).Block(
		eachOption(k.t, func(o *model.Alternative, _ *jen.Statement) []jen.Code {
			return []jen.Code{
				jen.Id("o").Dot("encode").Call(withMark(o.Shape.Type, jen.Id("e"), jen.Id("accepted"))...),
				jen.Return(),
			}
		}),
		jen.Id("e").Dot("Fail").Call(jen.Lit("type"), jen.Lit("nil is none of the alternatives")),
		jen.Id("e").Dot("Text").Call(jen.Lit("null")),
	)
}

// declareAccessors renders, for each alternative of a Sum, the method that
// returns it and the function that makes it.
func declareAccessors(f *jen.File, k *codec) {
	for _, o := range k.t.Union.Options {
		if o.Shape.Basic == model.Raw {
			continue
		}
		k.place = o.Go
		declareAccessor(f, k, o)
		declareMaker(f, k, o)
	}
}

func declareAccessor(f *jen.File, k *codec, o *model.Alternative) {
	read := k.decodeItem(at(jen.Id("value")), o.Shape)
	body := []jen.Code{jen.Id("d").Op(":=").Qual(pathWire, "Open").Call(jen.Id("v").Dot("Raw"))}
	if asksMark(o.Shape) {
		body = append(body, jen.Const().Id("accepted").Op("=").False())
	}
	body = append(body, read...)
	// func (v Reference) AsString() (value string, ok bool) {
	// 	d := wire.Open(v.Raw)
	// 	d.String(&value)
	// 	return value, d.Close("Reference") == nil
	// }
	f.Comment("// As" + o.Go + " returns the value if it is of that kind.")
	f.Func().Params(jen.Id("v").Add(id(k.t.Go))).Id("As"+o.Go).Params().
		Params(jen.Id("value").Add(itemType(o.Shape)), jen.Id("ok").Bool()).Block(
		append(body, jen.Id("ok").Op("=").Id("d").Dot("Close").Call(errorName(k.t)).Op("==").Nil(), jen.Return(jen.Id("value"), jen.Id("ok")))...,
	).Line()
}

func declareMaker(f *jen.File, k *codec, o *model.Alternative) {
	body := []jen.Code{jen.Id("e").Op(":=").Qual(pathWire, "Encode").Call(jen.Nil())}
	if asksMark(o.Shape) {
		body = append(body, jen.Const().Id("accepted").Op("=").True())
	}
	body = append(body, k.encodeItem(at(jen.Id("value")), o.Shape).code()...)
	// func ReferenceOfString(value string) Reference {
	// 	e := wire.Encode(nil)
	// 	e.String("", value, rules)
	// 	return Reference{Raw: e.Take()}
	// }
	f.Comment("// " + o.Maker + " holds value. Validate tells whether the schema accepts it.")
	f.Func().Add(id(o.Maker)).Params(jen.Id("value").Add(itemType(o.Shape))).Add(id(k.t.Go)).Block(
		append(body, jen.Return(id(k.t.Go).Values(jen.Id("Raw").Op(":").Id("e").Dot("Take").Call())))...,
	).Line()
}
