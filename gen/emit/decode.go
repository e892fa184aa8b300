package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

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

// self yields what methods with a pointer receiver are called on.
func (t target) self() *jen.Statement { return t.place.Clone() }

// decodeMethod yields
//
//	func (v *T) decode(d *wire.Decoder) { … }
func (k *codec) decodeMethod() *jen.Statement {
	params := []jen.Code{jen.Id("d").Op("*").Qual(pathWire, "Decoder")}
	if k.t.Checked {
		params = append(params, jen.Id("accepted").Bool())
	}
	return jen.Func().Params(jen.Id("v").Op("*").Add(id(k.t.Go))).Id("decode").Params(params...).Block(k.decodeBody()...)
}

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
		return append(body, k.decodeEnum()...)
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
	// if !d.Object() {
	// 	return
	// }
	body = append(body, jen.If(jen.Op("!").Id("d").Dot("Object").Call()).Block(jen.Return()))
	if n := len(k.t.Fields); n > 64 {
		body = append(body, jen.Var().Id("seen").Index(jen.Lit((n+63)/64)).Uint64())
	} else if n > 0 {
		body = append(body, jen.Var().Id("seen").Uint64())
	}
	if len(k.t.Fields) == 0 {
		// for d.Member() { … }
		return append(body, jen.For(jen.Id("d").Dot("Member").Call()).Block(k.decodeUnknown()...))
	}
	var cases []jen.Code
	for i, f := range k.t.Fields {
		cases = append(cases, k.decodeCase(i, f))
	}
	cases = append(cases, jen.Default().Block(k.decodeUnknown()...))
	// for d.Member() {
	// 	switch string(d.Key()) { … }
	// }
	body = append(body, jen.For(jen.Id("d").Dot("Member").Call()).Block(
		jen.Switch(jen.String().Parens(jen.Id("d").Dot("Key").Call())).Block(cases...),
	))
	body = append(body, k.decodeMissing()...)
	return append(body, k.decodeDefaults()...)
}

// decodeDefaults yields, for each absent member with a default,
//
//	if seen&(1<<3) == 0 {
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
		absent := k.seenWord(i, false).Op("&").Parens(jen.Lit(1).Op("<<").Lit(i % 64)).Op("==").Lit(0)
		body = append(body, jen.If(absent).Block(
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
//	if seen&(1<<3) == 0 {
//		d := wire.NewDecoder([]byte("[1,2]"))
//		…
//	}
func (k *codec) decodeDefault(i int, f *model.Field) jen.Code {
	absent := k.seenWord(i, false).Op("&").Parens(jen.Lit(1).Op("<<").Lit(i % 64)).Op("==").Lit(0)
	open := jen.Id("d").Op(":=").Qual(pathWire, "NewDecoder").Call(jen.Index().Byte().Parens(jen.Lit(f.Default.Text)))
	return jen.If(absent).Block(append([]jen.Code{open}, k.decodeField(f)...)...)
}

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

// decodeCase yields
//
//	case "name":
//		d.Once(&seen, 1<<3)
//		…
func (k *codec) decodeCase(i int, f *model.Field) jen.Code {
	k.place = f.Go
	once := jen.Id("d").Dot("Once").Call(k.seenWord(i, true), jen.Lit(1).Op("<<").Lit(i%64))
	read := k.decodeField(f)
	if f.Secret {
		// d.Conceal()
		// …
		// d.Reveal()
		read = concealed(onDecoder, read)
	}
	return jen.Case(jen.Lit(f.Name)).Block(append([]jen.Code{once}, read...)...)
}

// concealed keeps what the code reports free of values.
func concealed(r reporter, body []jen.Code) []jen.Code {
	return append(append([]jen.Code{r.call("Conceal")}, body...), r.call("Reveal"))
}

func (k *codec) seenWord(i int, addr bool) *jen.Statement {
	word := jen.Id("seen")
	if addr {
		word = jen.Op("&").Id("seen")
	}
	if len(k.t.Fields) > 64 {
		word = word.Index(jen.Lit(i / 64))
	}
	return word
}

// decodeMissing yields, for each word of the members' bits,
//
//	if seen&required != required { d.Missing(seen, []string{…}) }
func (k *codec) decodeMissing() []jen.Code {
	var body []jen.Code
	for from := 0; from < len(k.t.Fields); from += 64 {
		fields := k.t.Fields[from:min(from+64, len(k.t.Fields))]
		var mask uint64
		names := []jen.Code{}
		for i, f := range fields {
			name := ""
			if f.Required {
				mask |= 1 << i
				name = f.Name
			}
			names = append(names, jen.Lit(name))
		}
		if mask == 0 {
			continue
		}
		for len(names) > 0 && !fields[len(names)-1].Required {
			names = names[:len(names)-1]
		}
		word := k.seenWord(from, false)
		body = append(body, jen.If(word.Clone().Op("&").Add(bits(mask)).Op("!=").Add(bits(mask))).Block(
			jen.Id("d").Dot("Missing").Call(word.Clone(), jen.Index().String().Values(names...)),
		))
	}
	return body
}

// bits yields a mask.
func bits(mask uint64) *jen.Statement { return jen.Op("0x" + strconv.FormatUint(mask, 16)) }

// decodeUnknown yields what becomes of a member that no field names.
func (k *codec) decodeUnknown() []jen.Code {
	k.place = "Extra"
	switch {
	case k.t.Extra == nil:
		// d.Unknown("additionalProperties", string(d.Key()))
		// d.Skip()
		return []jen.Code{
			jen.Id("d").Dot("Unknown").Call(jen.Lit("additionalProperties"), jen.String().Parens(jen.Id("d").Dot("Key").Call())),
			jen.Id("d").Dot("Skip").Call(),
		}
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
	// name := d.Name()
	// if _, has := m[name]; has {
	// 	d.Duplicate()
	// }
	// var item T
	// …
	// m[name] = item
	body := []jen.Code{
		jen.Id(name).Op(":=").Id("d").Dot("Name").Call(),
		jen.If(jen.List(jen.Id("_"), jen.Id("has")).Op(":=").Add(m.Clone()).Index(jen.Id(name)), jen.Id("has")).Block(
			jen.Id("d").Dot("Duplicate").Call(),
		),
	}
	if key != nil {
		body = append(body, k.tests(at(jen.Id(name)), key, onDecoder)...)
	}
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
//		var value T
//		…
//		v.Name.Set(value)
//	}
func (k *codec) decodeNullable(place *jen.Statement, s *model.Shape) []jen.Code {
	var read []jen.Code
	value := jen.Id("value")
	if s.Boxed {
		read = append(read, value.Clone().Op(":=").New(baseType(s)))
		read = append(read, k.decodeBase(behind(value), s)...)
	} else {
		read = append(read, jen.Var().Add(value.Clone()).Add(baseType(s)))
		read = append(read, k.decodeBase(at(value), s)...)
	}
	read = append(read, place.Clone().Dot("Set").Call(value.Clone()))
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
		return concealed(onDecoder, k.decodeItem(t, s))
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
	case model.Float:
		return k.decodeFloat(t, s)
	}
	// if d.String(&v.X) { … }
	read := jen.Id("d").Dot(readers[s.Basic]).Call(t.ptr())
	tests := k.tests(t, s, onDecoder)
	if len(tests) == 0 {
		return []jen.Code{read}
	}
	return []jen.Code{jen.If(read).Block(tests...)}
}

// readers are the Decoder's methods.
var readers = map[model.Basic]string{
	model.Bool:      "Bool",
	model.Int:       "Int64",
	model.Uint:      "Uint64",
	model.String:    "String",
	model.Time:      "Time",
	model.UUID:      "UUID",
	model.Date:      "Date",
	model.TimeOfDay: "TimeOfDay",
	model.Duration:  "Duration",
}

// decodeFloat reads a number whose rules speak about its exact digits.
func (k *codec) decodeFloat(t target, s *model.Shape) []jen.Code {
	if len(s.Rules.Numbers) == 0 {
		// d.Exact(&v.X)
		return []jen.Code{jen.Id("d").Dot("Exact").Call(t.ptr())}
	}
	// if n, ok := d.Exact(&v.X); ok { … }
	return []jen.Code{jen.If(
		jen.List(jen.Id("n"), jen.Id("ok")).Op(":=").Id("d").Dot("Exact").Call(t.ptr()), jen.Id("ok"),
	).Block(k.tests(t, s, onDecoder)...)}
}

func (k *codec) decodeSlice(t target, s *model.Shape) []jen.Code {
	k.depth++
	defer func() { k.depth-- }()
	var loop []jen.Code
	list := k.name("list")
	if isComposite(s.Elem) && !s.Elem.Nullable {
		// list = append(wire.Room(d, list), T{})
		// list[len(list)-1].decode(d)
		last := jen.Id(list).Index(jen.Len(jen.Id(list)).Op("-").Lit(1))
		loop = append(loop, jen.Id(list).Op("=").Append(room(list), baseType(s.Elem).Values()))
		loop = append(loop, k.decodePart(at(last), s.Elem)...)
	} else {
		// list = wire.Room(d, list)
		// var item T
		// …
		// list = append(list, item)
		item := k.name("item")
		loop = append(loop, jen.Id(list).Op("=").Add(room(list)))
		loop = append(loop, jen.Var().Id(item).Add(itemType(s.Elem)))
		loop = append(loop, k.decodePart(at(jen.Id(item)), s.Elem)...)
		loop = append(loop, jen.Id(list).Op("=").Append(jen.Id(list), jen.Id(item)))
	}
	body := []jen.Code{
		jen.Id(list).Op(":=").Index().Add(itemType(s.Elem)).Values(),
		jen.For(jen.Id("d").Dot("Item").Call()).Block(loop...),
	}
	body = append(body, k.tests(at(jen.Id(list)), s, onDecoder)...)
	body = append(body, t.val().Op("=").Id(list))
	return []jen.Code{jen.If(jen.Id("d").Dot("Array").Call()).Block(body...)}
}

// room yields wire.Room(d, list).
func room(list string) *jen.Statement {
	return jen.Qual(pathWire, "Room").Call(jen.Id("d"), jen.Id(list))
}

// isComposite reports types that are Go structs.
func isComposite(s *model.Shape) bool {
	if s.Type == nil {
		return false
	}
	switch s.Type.Kind {
	case model.Struct, model.Wrapped, model.Sum, model.Tuple:
		return true
	}
	return false
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
	body = append(body, k.tests(at(jen.Id(m)), s, onDecoder)...)
	body = append(body, t.val().Op("=").Id(m))
	return []jen.Code{jen.If(jen.Id("d").Dot("Object").Call()).Block(body...)}
}

func (k *codec) decodeEnum() []jen.Code {
	// if d.String((*string)(v)) && !v.Valid() {
	// 	d.Enum(string(*v))
	// }
	read := jen.Id("d").Dot("String").Call(jen.Parens(jen.Op("*").String()).Parens(jen.Id("v")))
	fail := jen.Id("d").Dot("Enum").Call(jen.String().Parens(jen.Op("*").Id("v")))
	if len(k.t.Values) == 0 {
		return []jen.Code{jen.If(read).Block(fail)}
	}
	return []jen.Code{jen.If(read.Op("&&").Op("!").Id("v").Dot("Valid").Call()).Block(fail)}
}
