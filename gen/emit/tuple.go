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
//	d.CountItems(n, &countT)
func (k *codec) decodeTuple() []jen.Code {
	var cases []jen.Code
	for i, f := range k.t.Fields {
		k.place = f.Go
		read := k.decodeField(f)
		if f.Secret {
			read = concealedRead(read)
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
	if hasLimits(k.t.Items) {
		k.place = ""
		body = append(body, jen.Id("d").Dot("CountItems").Call(jen.Id("n"), k.count(k.t.Items)))
	}
	return body
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

// encodeTuple yields
//
//	e.Tuple(&countT, len(v.Rest), true, v.Item2 != nil)
//	…
//	e.Text("]")
//
// Items can only be left out at the end.
func (k *codec) encodeTuple() writing {
	k.place = ""
	rest := jen.Lit(0)
	if k.t.Extra != nil {
		rest = jen.Len(jen.Id("v").Dot("Rest"))
	}
	args := []jen.Code{k.count(k.t.Items), rest}
	for _, f := range k.t.Fields {
		args = append(args, isThere(f))
	}
	body := writing{jen.Id("e").Dot("Tuple").Call(args...)}
	for i, f := range k.t.Fields {
		k.place = f.Go
		body = append(body, k.encodeField(f, k.separator(i))...)
	}
	if k.t.Extra != nil {
		// for i := range v.Rest { … }
		k.place = "Rest"
		k.depth++
		item := append(comma(), k.encodePart(at(jen.Id("v").Dot("Rest").Index(jen.Id("i"))), k.t.Extra)...)
		k.depth--
		body = append(body, jen.For(jen.Id("i").Op(":=").Range().Id("v").Dot("Rest")).Block(item.code()...))
	}
	return append(body, text("]"))
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
