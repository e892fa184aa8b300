package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// A reporter names what violations are reported to.
type reporter string

const (
	onDecoder reporter = "d"
	onEncoder reporter = "e"
)

// call yields d.Conceal() or e.Conceal().
func (r reporter) call(method string) *jen.Statement { return jen.Id(string(r)).Dot(method).Call() }

// A target is the place in Go that a value is read into or written from.
type target struct {
	place   *jen.Statement
	pointer bool // place holds a pointer to the value
}

// at is a place that holds a value itself.
func at(place *jen.Statement) target { return target{place: place} }

// behind is a place that holds a pointer to the value.
func behind(place *jen.Statement) target { return target{place: place, pointer: true} }

// val yields the value, assignable: v.Name or *v.Name.
func (t target) val() *jen.Statement {
	if t.pointer {
		return jen.Op("*").Add(t.place.Clone())
	}
	return t.place.Clone()
}

// ptr yields the value's address: &v.Name or v.Name.
func (t target) ptr() *jen.Statement {
	if t.pointer {
		return t.place.Clone()
	}
	return jen.Op("&").Add(t.place.Clone())
}

// index yields a part of the value: v.Name[i] or (*v.Name)[i].
func (t target) index(i jen.Code) *jen.Statement {
	if t.pointer {
		return jen.Parens(t.val()).Index(i)
	}
	return t.val().Index(i)
}

// self yields what methods with a pointer receiver are called on.
func (t target) self() *jen.Statement { return t.place.Clone() }

// decodeMethod yields
//
//	func (v *T) decode(d *wire.Decoder) { … }
func (k *codec) decodeMethod() *jen.Statement {
	return jen.Func().Params(jen.Id("v").Op("*").Add(id(k.t.Go))).Id("decode").
		Params(markParam(k.t, decoder())...).Block(k.decodeBody()...)
}

// decoder yields d *wire.Decoder.
func decoder() jen.Code { return jen.Id("d").Op("*").Qual(pathWire, "Decoder") }

func (k *codec) decodeBody() []jen.Code {
	var body []jen.Code
	if len(k.t.Checks) > 0 {
		// if !accepted && !d.Accepts(checkX) {
		// 	return
		// }
		// accepted = true
		body = append(body, jen.If(jen.Op("!").Id("accepted").Op("&&").Op("!").Add(accepts(k.t.Checks))).Block(jen.Return()))
		if k.usesMark() {
			body = append(body, jen.Id("accepted").Op("=").True())
		}
	}
	switch k.t.Kind {
	case model.Struct:
		return append(body, k.decodeStruct()...)
	case model.Tuple:
		return append(body, k.decodeTuple()...)
	case model.Enum:
		// d.Word((*string)(v), &wordsT)
		return append(body, readWord(jen.Id("v"), k.t))
	case model.Defined:
		// p := (*[]T)(v)
		body = append(body, jen.Id("p").Op(":=").Parens(jen.Op("*").Add(baseType(k.t.Of))).Parens(jen.Id("v")))
		return append(body, k.decodeItem(behind(jen.Id("p")), k.t.Of)...)
	case model.Sum:
		// v.Raw, _ = d.Raw()
		return append(body, jen.List(jen.Id("v").Dot("Raw"), jen.Id("_")).Op("=").Id("d").Dot("Raw").Call())
	case model.Wrapped:
		return append(body, k.decodeItem(at(jen.Id("v").Dot(wrappedField(k.t))), k.t.Of)...)
	}
	panic("emit: no kind of type: " + string(k.t.Kind))
}

// usesMark tells that something inside asks whether it is accepted already.
func (k *codec) usesMark() bool {
	for _, f := range k.t.Fields {
		if asksMark(f.Shape) {
			return true
		}
	}
	return asksMark(k.t.Extra) || asksMark(k.t.Of)
}

// asksMark tells that the shape, or a part of it, has predicates.
func asksMark(s *model.Shape) bool {
	for ; s != nil; s = s.Elem {
		if len(s.Checks) > 0 || s.Type != nil && s.Type.Checked {
			return true
		}
	}
	return false
}

// accepts yields d.Accepts(checkX): the predicates' verdict on the next value.
func accepts(checks []string) *jen.Statement {
	return jen.Id("d").Dot("Accepts").Call(identifiers(checks)...)
}

func identifiers(names []string) []jen.Code {
	var list []jen.Code
	for _, name := range names {
		list = append(list, id(name))
	}
	return list
}

func (k *codec) decodeStruct() []jen.Code {
	var body []jen.Code
	if k.t.Other {
		// if d.Kind() != wire.Object {
		// 	v.Other, _ = d.Raw()
		// 	return
		// }
		body = append(body, jen.If(jen.Id("d").Dot("Kind").Call().Op("!=").Qual(pathWire, "Object")).Block(
			jen.List(jen.Id("v").Dot("Other"), jen.Id("_")).Op("=").Id("d").Dot("Raw").Call(),
			jen.Return(),
		))
	}
	// m := d.Fields(&fieldsT)
	// for m.Next(d) {
	// 	switch m.Field { … }
	// }
	body = append(body,
		jen.Id("m").Op(":=").Id("d").Dot("Fields").Call(k.fields()),
		jen.For(jen.Id("m").Dot("Next").Call(jen.Id("d"))).Block(k.decodeMembers()...),
	)
	return append(body, k.decodeDefaults()...)
}

// fields yields the address of the names of the members that have fields:
//
//	fieldsOrder = wire.Fields{Names: []string{"id", "total"}, Required: []uint64{0x3}}
func (k *codec) fields() jen.Code {
	const wordSize = 64
	var names, words []jen.Code
	required := make([]uint64, (len(k.t.Fields)+wordSize-1)/wordSize)
	used := 0
	for i, f := range k.t.Fields {
		names = append(names, jen.Lit(f.Name))
		if f.Required {
			required[i/wordSize] |= 1 << (i % wordSize)
			used = i/wordSize + 1
		}
	}
	for _, word := range required[:used] {
		words = append(words, bits(word))
	}
	values := []jen.Code{jen.Id("Names").Op(":").Index().String().Values(names...)}
	if len(words) > 0 {
		values = append(values, jen.Id("Required").Op(":").Index().Uint64().Values(words...))
	}
	if k.t.Extra != nil {
		values = append(values, jen.Id("Open").Op(":").True())
	}
	return jen.Op("&").Add(k.variable("fields", "", k.t, jen.Qual(pathWire, "Fields").Values(values...)))
}

// bits yields a mask.
func bits(mask uint64) *jen.Statement { return jen.Op("0x" + strconv.FormatUint(mask, 16)) }

// decodeMembers yields what reads the value of the current member. Those that are not
// allowed have been skipped.
func (k *codec) decodeMembers() []jen.Code {
	if len(k.t.Fields) == 0 {
		return k.decodeOther()
	}
	var cases []jen.Code
	for i, f := range k.t.Fields {
		k.place = f.Go
		read := k.decodeField(f)
		if f.Secret {
			read = concealedRead(read)
		}
		cases = append(cases, jen.Case(jen.Lit(i)).Block(read...))
	}
	if k.t.Extra != nil {
		cases = append(cases, jen.Default().Block(k.decodeOther()...))
	}
	return []jen.Code{jen.Switch(jen.Id("m").Dot("Field")).Block(cases...)}
}

// concealedRead keeps what is read out of what is reported.
func concealedRead(read []jen.Code) []jen.Code {
	return append(append([]jen.Code{onDecoder.call("Conceal")}, read...), onDecoder.call("Reveal"))
}

// decodeDefaults yields, for each absent member with a default,
//
//	if !m.Has(3) {
//		v.Name = new(T)
//		*v.Name = …
//	}
func (k *codec) decodeDefaults() []jen.Code {
	var body []jen.Code
	for i, f := range k.t.Fields {
		if f.Default == nil {
			continue
		}
		place := jen.Id("v").Dot(f.Go)
		if !isScalar(f.Shape) {
			body = append(body, k.decodeDefault(i, f))
			continue
		}
		body = append(body, jen.If(absent(i)).Block(
			place.Clone().Op("=").New(baseType(f.Shape)),
			jen.Op("*").Add(place.Clone()).Op("=").Add(constant(f)),
		))
	}
	return body
}

// isScalar reports a default that Go can write as a constant.
func isScalar(s *model.Shape) bool {
	switch s.Basic {
	case model.Bool, model.Int, model.Float, model.String:
		return true
	}
	return s.Type != nil && s.Type.Kind == model.Enum
}

// decodeDefault yields, for an absent member whose default has parts,
//
//	if !m.Has(3) {
//		d := wire.NewDecoder([]byte("[1,2]"))
//		…
//	}
func (k *codec) decodeDefault(i int, f *model.Field) jen.Code {
	open := jen.Id("d").Op(":=").Qual(pathWire, "NewDecoder").Call(jen.Index().Byte().Parens(jen.Lit(f.Default.Text)))
	return jen.If(absent(i)).Block(append([]jen.Code{open}, k.decodeField(f)...)...)
}

// absent yields !m.Has(3).
func absent(i int) *jen.Statement { return jen.Op("!").Id("m").Dot("Has").Call(jen.Lit(i)) }

// constant yields the default as a Go constant. Numbers are JSON's, which the
// model has read as what they are.
func constant(f *model.Field) *jen.Statement {
	switch f.Shape.Basic {
	case model.Bool:
		return jen.Lit(f.Default.Text == "true")
	case model.Int:
		return integer(f.Default.Text)
	case model.Float:
		n, err := strconv.ParseFloat(f.Default.Text, 64)
		if err != nil {
			panic("emit: not a number: " + f.Default.Text)
		}
		return jen.Lit(n)
	}
	return jen.Lit(f.Default.Text)
}

// decodeOther yields what becomes of a member that no field names.
func (k *codec) decodeOther() []jen.Code {
	k.place = "Extra"
	switch {
	case k.t.Extra == nil:
		return nil
	case k.t.Extra.Basic == model.Raw && len(k.t.Extra.Checks) == 0:
		// v.Extra = d.Extra(v.Extra)
		extra := jen.Id("v").Dot("Extra")
		return []jen.Code{extra.Clone().Op("=").Id("d").Dot("Extra").Call(extra)}
	}
	// if v.Extra == nil {
	// 	v.Extra = map[string]T{}
	// }
	extra := jen.Id("v").Dot("Extra")
	make := jen.If(extra.Clone().Op("==").Nil()).Block(
		extra.Clone().Op("=").Map(jen.String()).Add(itemType(k.t.Extra)).Values(),
	)
	return append([]jen.Code{make}, k.decodeMember(extra, nil, k.t.Extra)...)
}

// decodeMember reads the current member into a map.
func (k *codec) decodeMember(m *jen.Statement, key, elem *model.Shape) []jen.Code {
	k.depth++
	defer func() { k.depth-- }()
	name, item := k.name("name"), k.name("item")
	// name := wire.NewName(d, m, rules)
	// var item T
	// …
	// m[name] = item
	body := []jen.Code{jen.Id(name).Op(":=").Qual(pathWire, "NewName").Call(jen.Id("d"), m.Clone(), k.keyRules(key))}
	body = append(body, jen.Var().Id(item).Add(itemType(elem)))
	body = append(body, k.decodePart(at(jen.Id(item)), elem)...)
	return append(body, m.Clone().Index(jen.Id(name)).Op("=").Id(item))
}

// decodeField reads a member that is there into its field.
func (k *codec) decodeField(f *model.Field) []jen.Code {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	switch {
	case !f.Required && s.Nullable:
		return k.guarded(s, k.decodeNullable(place, s))
	case isNilable(s):
		return k.decodeItem(at(place), s)
	case f.Required && !s.Nullable && !s.Boxed:
		return k.decodeItem(at(place), s)
	}
	return k.guarded(s, k.unlessNull(s, k.decodePointer(place, s)))
}

// decodePointer yields
//
//	v.Name = new(T)
//	…
func (k *codec) decodePointer(place *jen.Statement, s *model.Shape) []jen.Code {
	alloc := place.Clone().Op("=").New(baseType(s))
	return append([]jen.Code{alloc}, k.decodeBase(behind(place), s)...)
}

// decodeNullable yields
//
//	if d.Null() {
//		v.Name.SetNull()
//	} else {
//		value := v.Name.New()
//		…
//	}
func (k *codec) decodeNullable(place *jen.Statement, s *model.Shape) []jen.Code {
	value := jen.Id("value")
	read := []jen.Code{value.Clone().Op(":=").Add(place.Clone()).Dot("New").Call()}
	if s.Boxed {
		// value := new(T)
		// …
		// v.Name.Set(value)
		read[0] = value.Clone().Op(":=").New(baseType(s))
	}
	read = append(read, k.decodeBase(behind(value), s)...)
	if s.Boxed {
		read = append(read, place.Clone().Dot("Set").Call(value.Clone()))
	}
	return []jen.Code{jen.If(jen.Id("d").Dot("Null").Call()).Block(
		place.Clone().Dot("SetNull").Call(),
	).Else().Block(read...)}
}

// guarded lets the predicates of a place decide first.
func (k *codec) guarded(s *model.Shape, read []jen.Code) []jen.Code {
	if len(s.Checks) == 0 {
		return read
	}
	// if accepted || d.Accepts(checkX) { … }
	return []jen.Code{jen.If(jen.Id("accepted").Op("||").Add(accepts(s.Checks))).Block(read...)}
}

// unlessNull yields
//
//	if !d.Null() { … }
func (k *codec) unlessNull(s *model.Shape, read []jen.Code) []jen.Code {
	if !s.Nullable {
		return read
	}
	return []jen.Code{jen.If(jen.Op("!").Id("d").Dot("Null").Call()).Block(read...)}
}

// decodePart reads an item, or a member without a field.
func (k *codec) decodePart(t target, s *model.Shape) []jen.Code {
	if s.Secret {
		return concealedRead(k.decodeItem(t, s))
	}
	return k.decodeItem(t, s)
}

// decodeItem reads a value that is never absent.
func (k *codec) decodeItem(t target, s *model.Shape) []jen.Code {
	if s.Nullable && !isNilable(s) {
		return k.guarded(s, k.unlessNull(s, k.decodePointer(t.val(), s)))
	}
	return k.guarded(s, k.unlessNull(s, k.decodeBase(t, s)))
}

// decodeBase reads a value that is there and not null.
func (k *codec) decodeBase(t target, s *model.Shape) []jen.Code {
	switch s.Basic {
	case model.Raw:
		// v.X, _ = d.Raw()
		return []jen.Code{jen.List(t.val(), jen.Id("_")).Op("=").Id("d").Dot("Raw").Call()}
	case model.Foreign:
		// d.Into(&v.X)
		return []jen.Code{jen.Id("d").Dot("Into").Call(t.ptr())}
	case model.Named:
		if isEnum(s.Type) {
			// d.Word((*string)(&v.X), &wordsT)
			return []jen.Code{readWord(t.ptr(), s.Type)}
		}
		// v.X.decode(d)
		mark := jen.Id("accepted")
		if len(s.Checks) > 0 {
			mark = jen.True()
		}
		if isUnion(s) {
			// v.X = decodePayment(d)
			return []jen.Code{t.val().Op("=").Id("decode" + s.Name).Call(withMark(s.Type, jen.Id("d"), mark)...)}
		}
		return []jen.Code{t.self().Dot("decode").Call(withMark(s.Type, jen.Id("d"), mark)...)}
	case model.Slice:
		return k.decodeSlice(t, s)
	case model.Map:
		return k.decodeMap(t, s)
	case model.Bool:
		if c := s.Rules.Const; c != nil {
			// d.ConstBool(&v.X, true)
			return []jen.Code{jen.Id("d").Dot("ConstBool").Call(t.ptr(), jen.Lit(c.Text == "true"))}
		}
	}
	// d.String(&v.X, rules)
	args := []jen.Code{t.ptr()}
	if hasRules(s.Basic) {
		args = append(args, k.rules(s))
	}
	return []jen.Code{jen.Id("d").Dot(writers[s.Basic]).Call(args...)}
}

// readWord reads a value of an enumeration.
func readWord(place *jen.Statement, t *model.Type) *jen.Statement {
	return jen.Id("d").Dot("Word").Call(asText(place), words(t))
}

func (k *codec) decodeSlice(t target, s *model.Shape) []jen.Code {
	k.depth++
	defer func() { k.depth-- }()
	// item := wire.Add(d, &v.X)
	// …
	item := k.name("item")
	loop := []jen.Code{jen.Id(item).Op(":=").Qual(pathWire, "Add").Call(jen.Id("d"), t.ptr())}
	place := behind(jen.Id(item))
	if s.Elem.Nullable && !isNilable(s.Elem) {
		place = at(jen.Parens(jen.Op("*").Id(item)))
	}
	// if d.Array() {
	// 	v.X = []T{}
	// 	for d.Item() { … }
	// }
	body := []jen.Code{
		t.val().Op("=").Index().Add(itemType(s.Elem)).Values(),
		jen.For(jen.Id("d").Dot("Item").Call()).Block(append(loop, k.decodePart(place, s.Elem)...)...),
	}
	if hasLimits(s.Rules.Items) {
		// d.CountItems(len(v.X), &countX)
		body = append(body, jen.Id("d").Dot("CountItems").Call(jen.Len(t.val()), k.count(s.Rules.Items)))
	}
	if s.Rules.Unique {
		// if !wire.Distinct(v.X) { d.Unique() }
		body = append(body, jen.If(jen.Op("!").Qual(pathWire, "Distinct").Call(t.val())).Block(jen.Id("d").Dot("Unique").Call()))
	}
	return []jen.Code{jen.If(jen.Id("d").Dot("Array").Call()).Block(body...)}
}

func (k *codec) decodeMap(t target, s *model.Shape) []jen.Code {
	k.depth++
	m := k.name("members")
	k.depth--
	body := []jen.Code{jen.Id(m).Op(":=").Map(jen.String()).Add(itemType(s.Elem)).Values()}
	if s.Elem.Basic == model.Raw && len(s.Elem.Checks) == 0 && s.Key == nil {
		// for d.Member() { m = d.Extra(m) }
		body = append(body, jen.For(jen.Id("d").Dot("Member").Call()).Block(
			jen.Id(m).Op("=").Id("d").Dot("Extra").Call(jen.Id(m)),
		))
	} else {
		body = append(body, jen.For(jen.Id("d").Dot("Member").Call()).Block(k.decodeMember(jen.Id(m), s.Key, s.Elem)...))
	}
	if hasLimits(s.Rules.Members) {
		// d.CountMembers(len(members), &countX)
		body = append(body, jen.Id("d").Dot("CountMembers").Call(jen.Len(jen.Id(m)), k.count(s.Rules.Members)))
	}
	body = append(body, t.val().Op("=").Id(m))
	return []jen.Code{jen.If(jen.Id("d").Dot("Object").Call()).Block(body...)}
}
