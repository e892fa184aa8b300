package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// decodeTuple yields
//
//	if !d.Array() {
//		return
//	}
//	n := 0
//	for d.Item() {
//		switch n++; n {
//		case 1:
//			d.String(&v.Item1)
//		default:
//			…
//		}
//	}
//	if n < 1 { … }
func (k *codec) decodeTuple() []jen.Code {
	var cases []jen.Code
	for i, f := range k.t.Fields {
		k.place = f.Go
		read := k.decodeField(f)
		if f.Secret {
			read = concealed(onDecoder, read)
		}
		cases = append(cases, jen.Case(jen.Lit(i+1)).Block(read...))
	}
	cases = append(cases, jen.Default().Block(k.decodeRest()...))
	body := []jen.Code{
		jen.If(jen.Op("!").Id("d").Dot("Array").Call()).Block(jen.Return()),
		jen.Id("n").Op(":=").Lit(0),
		jen.For(jen.Id("d").Dot("Item").Call()).Block(
			jen.Switch(jen.Id("n").Op("++"), jen.Id("n")).Block(cases...),
		),
	}
	return append(body, k.testItems(onDecoder)...)
}

// decodeRest reads an item behind those that have fields.
func (k *codec) decodeRest() []jen.Code {
	k.place = "Rest"
	if k.t.Extra == nil {
		// d.Never("items")
		// d.Skip()
		return []jen.Code{jen.Id("d").Dot("Never").Call(jen.Lit("items")), jen.Id("d").Dot("Skip").Call()}
	}
	// var item T
	// …
	// v.Rest = append(v.Rest, item)
	rest := jen.Id("v").Dot("Rest")
	read := append([]jen.Code{jen.Var().Id("item").Add(itemType(k.t.Extra))}, k.decodePart(at(jen.Id("item")), k.t.Extra)...)
	return append(read, rest.Clone().Op("=").Append(rest, jen.Id("item")))
}

// testItems yields the limits of the number of items.
func (k *codec) testItems(r reporter) []jen.Code {
	return k.testCount("Items", jen.Id("n"), k.t.Items, r)
}

// validateTuple yields the rules of the items, and of their number. Items can only be
// left out at the end.
func (k *codec) validateTuple() []jen.Code {
	var body, there []jen.Code
	for _, f := range k.t.Fields {
		k.place = f.Go
		body = append(body, k.validateField(f)...)
		there = append(there, isThere(f))
	}
	count := []jen.Code{jen.Id("r").Dot("Tuple").Call(there...)}
	if k.t.Extra != nil {
		k.place = "Rest"
		rest := &model.Shape{Basic: model.Slice, Elem: k.t.Extra}
		place := jen.Id("v").Dot("Rest")
		body = append(body, k.validateRest(at(place), rest)...)
		count[0] = jen.Id("r").Dot("Tuple").Call(append(there, jen.Len(place.Clone()).Op(">").Lit(0))...)
	}
	tests := k.testItems(onReport)
	if len(tests) == 0 {
		return append(body, count...)
	}
	// n := r.Tuple(true, v.Item2 != nil, len(v.Rest) > 0)
	count[0] = jen.Id("n").Op(":=").Add(count[0])
	if k.t.Extra != nil {
		// if len(v.Rest) > 0 {
		// 	n += len(v.Rest) - 1
		// }
		size := jen.Len(jen.Id("v").Dot("Rest"))
		count = append(count, jen.If(size.Clone().Op(">").Lit(0)).Block(jen.Id("n").Op("+=").Add(size).Op("-").Lit(1)))
	}
	return append(append(body, count...), tests...)
}

// isThere tells whether an item is not left out.
func isThere(f *model.Field) *jen.Statement {
	place := jen.Id("v").Dot(f.Go)
	switch {
	case f.Required:
		return jen.True()
	case f.Shape.Nullable:
		return jen.Op("!").Add(place).Dot("IsAbsent").Call()
	case f.Shape.Basic == model.Raw:
		return jen.Len(place).Op("!=").Lit(0)
	}
	return place.Op("!=").Nil()
}

// validateRest yields the rules of the items behind those that have fields.
func (k *codec) validateRest(t target, rest *model.Shape) []jen.Code {
	k.depth++
	defer func() { k.depth-- }()
	inner := k.validatePart(at(t.val().Index(jen.Id("i"))), rest.Elem)
	if len(inner) == 0 {
		return nil
	}
	// for i := range v.Rest {
	// 	r.EnterIndex(2 + i)
	// 	…
	// 	r.Leave()
	// }
	body := append([]jen.Code{jen.Id("r").Dot("EnterIndex").Call(jen.Lit(len(k.t.Fields)).Op("+").Id("i"))}, inner...)
	return []jen.Code{jen.For(jen.Id("i").Op(":=").Range().Add(t.val())).Block(append(body, jen.Id("r").Dot("Leave").Call())...)}
}

// appendTuple yields the items, each with a comma behind it; the last one becomes the
// bracket.
func (k *codec) appendTuple() []jen.Code {
	body := writing{text("[")}
	for _, f := range k.t.Fields {
		body = append(body, k.appendField(f, "", ",")...)
	}
	if k.t.Extra != nil {
		// for i := range v.Rest {
		// 	…
		// 	b = append(b, ',')
		// }
		k.depth++
		item := append(k.appendItem(at(jen.Id("v").Dot("Rest").Index(jen.Id("i"))), k.t.Extra), text(","))
		k.depth--
		body = append(body, jen.For(jen.Id("i").Op(":=").Range().Id("v").Dot("Rest")).Block(item.code()...))
	}
	// return wire.EndArray(b)
	return append(body, jen.Return(jen.Qual(pathWire, "EndArray").Call(jen.Id("b")))).code()
}

// tuple yields the items of an example: one that may be left out is there when those
// before it are, half of the time.
func (e *exampler) tuple() []jen.Code {
	var body []jen.Code
	for _, f := range e.t.Fields {
		if !f.Required {
			// if depth > 2 || r.IntN(2) == 0 {
			// 	return v
			// }
			body = append(body, jen.If(jen.Id("depth").Op(">").Lit(2).Op("||").Id("r").Dot("IntN").Call(jen.Lit(2)).Op("==").Lit(0)).Block(jen.Return(jen.Id("v"))))
		}
		body = append(body, e.field(f)...)
	}
	return body
}
