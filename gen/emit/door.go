package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// declareDoor renders the methods through which the type is used.
func declareDoor(f *jen.File, t *model.Type) {
	if isEnum(t) {
		declareWordDoor(f, t)
		return
	}
	declareReading(f, t)
	// func (v T) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil) }
	marshal := jen.Return(jen.Id("v").Dot("AppendJSON").Call(jen.Nil()))
	// func (v T) AppendJSON(b []byte) ([]byte, error) {
	// 	e := wire.Encode(b)
	// 	v.encode(e)
	// 	return e.Close("T")
	// }
	write := append(encodeAll(t, jen.Id("b")), jen.Return(jen.Id("e").Dot("Close").Call(errorName(t))))
	// func (v T) Validate() error {
	// 	e := wire.Encode(nil)
	// 	v.encode(e)
	// 	return e.Err("T")
	// }
	validate := append(encodeAll(t, jen.Nil()), jen.Return(jen.Id("e").Dot("Err").Call(errorName(t))))
	declareWriting(f, t, []jen.Code{marshal}, write, validate)
}

// declareWriting renders the methods that write and validate a value.
func declareWriting(f *jen.File, t *model.Type, marshal, write, validate []jen.Code) {
	receiver := jen.Id("v").Add(id(t.Go))
	f.Comment("// MarshalJSON is AppendJSON to nothing.")
	f.Func().Params(receiver.Clone()).Id("MarshalJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(marshal...).Line()
	f.Comment("// AppendJSON appends the value as JSON; an invalid one is an error.")
	f.Func().Params(receiver.Clone()).Id("AppendJSON").Params(jen.Id("b").Index().Byte()).Params(jen.Index().Byte(), jen.Error()).Block(write...).Line()
	f.Comment("// Validate returns a *wire.ValidationError unless the schema accepts the value.")
	f.Func().Params(receiver.Clone()).Id("Validate").Params().Error().Block(validate...).Line()
}

// declareWordDoor renders the methods of an enumeration, which its words have.
func declareWordDoor(f *jen.File, t *model.Type) {
	call := func(method string, args ...jen.Code) []jen.Code {
		return []jen.Code{jen.Return(id("words" + t.Go).Dot(method).Call(args...))}
	}
	value := jen.String().Parens(jen.Id("v"))
	commentReading(f)
	// func (v *T) UnmarshalJSON(b []byte) error { return wordsT.Unmarshal((*string)(v), b) }
	f.Func().Params(jen.Id("v").Op("*").Add(id(t.Go))).Id("UnmarshalJSON").Params(jen.Id("b").Index().Byte()).Error().
		Block(call("Unmarshal", asText(jen.Id("v")), jen.Id("b"))...).Line()
	// wordsT.Append(nil, string(v)), wordsT.Append(b, string(v)), wordsT.Validate(string(v))
	declareWriting(f, t, call("Append", jen.Nil(), value), call("Append", jen.Id("b"), value), call("Validate", value))
}

// encodeAll yields
//
//	e := wire.Encode(b)
//	v.encode(e)
//
// An event with remembered spellings is written with them.
func encodeAll(t *model.Type, b jen.Code) []jen.Code {
	open := jen.Id("e").Op(":=").Qual(pathWire, "Encode").Call(b)
	write := jen.Id("v").Dot("encode").Call(withMark(t, jen.Id("e"), jen.False())...)
	if !remembers(t) {
		return []jen.Code{open, concealing(t, onEncoder), write}
	}
	// e.Remember(v.spellings)
	// v.encode(e)
	// if v.spellings != nil {
	// 	e.Restore(new(T))
	// }
	spellings := jen.Id("v").Dot("spellings")
	return []jen.Code{
		open,
		concealing(t, onEncoder),
		jen.Id("e").Dot("Remember").Call(spellings),
		write,
		jen.If(spellings.Clone().Op("!=").Nil()).Block(jen.Id("e").Dot("Restore").Call(jen.New(id(t.Go)))),
	}
}

// declareReading renders how bytes become a value. Events are also read from the
// strings in which they arrive.
func declareReading(f *jen.File, t *model.Type) {
	receiver := jen.Id("v").Op("*").Add(id(t.Go))
	open := jen.Qual(pathWire, "Open").Call(jen.Id("b"))
	body := []jen.Code{
		jen.Var().Id("fresh").Add(id(t.Go)),
		concealing(t, onDecoder),
		jen.Id("fresh").Dot("decode").Call(withMark(t, jen.Id("d"), jen.False())...),
		keepSpellings(t),
		jen.If(jen.Err().Op(":=").Id("d").Dot("Close").Call(errorName(t)), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err())),
		jen.Op("*").Id("v").Op("=").Id("fresh"),
		jen.Return(jen.Nil()),
	}
	// func (v *T) UnmarshalJSON(b []byte) error { return v.read(wire.Open(b)) }
	door := []jen.Code{jen.Return(jen.Id("v").Dot("read").Call(open))}
	if t.Event == nil {
		// func (v *T) UnmarshalJSON(b []byte) error { … }
		door = append([]jen.Code{jen.Id("d").Op(":=").Add(open)}, body...)
	}
	commentReading(f)
	f.Func().Params(receiver.Clone()).Id("UnmarshalJSON").Params(jen.Id("b").Index().Byte()).Error().Block(door...).Line()
	if t.Event == nil {
		return
	}
	// func (v *T) read(d *wire.Decoder) error { … }
	f.Comment("// read is UnmarshalJSON of the text that d was opened for. It closes d.")
	f.Func().Params(receiver.Clone()).Id("read").Params(jen.Id("d").Op("*").Qual(pathWire, "Decoder")).Error().Block(body...).Line()
}

func commentReading(f *jen.File) {
	f.Comment("// UnmarshalJSON accepts exactly what the schema accepts. On an error v stays")
	f.Comment("// as it was.")
}

// concealing yields, for a type that is secret itself,
//
//	d.Conceal()
func concealing(t *model.Type, r reporter) jen.Code {
	if !t.Hidden {
		return jen.Null()
	}
	return r.call("Conceal")
}

// keepSpellings yields
//
//	fresh.spellings = d.Spellings()
func keepSpellings(t *model.Type) jen.Code {
	if !remembers(t) {
		return jen.Null()
	}
	return jen.Id("fresh").Dot("spellings").Op("=").Id("d").Dot("Spellings").Call()
}

// errorName is what errors call the type.
func errorName(t *model.Type) *jen.Statement {
	if t.Event != nil {
		return id(t.Event.Const)
	}
	return jen.Lit(t.Go)
}

// withMark adds the argument that says whether predicates have accepted the
// value already, for types that have any.
func withMark(t *model.Type, arg, mark jen.Code) []jen.Code {
	if t.Checked {
		return []jen.Code{arg, mark}
	}
	return []jen.Code{arg}
}
