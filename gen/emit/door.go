package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// declareDoor renders the methods through which the type is used.
func declareDoor(f *jen.File, t *model.Type) {
	declareReading(f, t)
	// func (v T) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil) }
	f.Comment("// MarshalJSON is AppendJSON to nothing.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("MarshalJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(
		jen.Return(jen.Id("v").Dot("AppendJSON").Call(jen.Nil())),
	).Line()
	// func (v T) AppendJSON(b []byte) ([]byte, error) { … }
	f.Comment("// AppendJSON appends the value as JSON; an invalid one is an error.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("AppendJSON").Params(jen.Id("b").Index().Byte()).Params(jen.Index().Byte(), jen.Error()).Block(
		jen.If(jen.Err().Op(":=").Id("v").Dot("Validate").Call(), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Id("b"), jen.Err())),
		whenSpelled(t, jen.Return(jen.Id("v").Dot("spellings").Dot("AppendRestored").Call(jen.Id("b"), jen.Id("v").Dot("append").Call(jen.Nil())), jen.Nil())),
		jen.Return(jen.Qual(pathWire, "Append").Call(jen.Id("b"), jen.Id("v").Dot("append")), jen.Nil()),
	).Line()
	// func (v T) Validate() error { … }
	f.Comment("// Validate returns a *wire.ValidationError unless the schema accepts the value.")
	f.Func().Params(jen.Id("v").Add(id(t.Go))).Id("Validate").Params().Error().Block(
		jen.Id("r").Op(":=").Qual(pathWire, "OpenReport").Call(),
		whenSpelled(t, jen.Id("r").Dot("Restored").Call(jen.Id("v").Dot("spellings"), jen.Id("v").Dot("append").Call(jen.Nil()), jen.New(id(t.Go)))),
		concealing(t, onReport),
		jen.Id("v").Dot("validate").Call(withMark(t, jen.Id("r"), jen.False())...),
		jen.Return(jen.Id("r").Dot("Close").Call(errorName(t))),
	).Line()
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
	f.Comment("// UnmarshalJSON accepts exactly what the schema accepts. On an error v stays")
	f.Comment("// as it was.")
	f.Func().Params(receiver.Clone()).Id("UnmarshalJSON").Params(jen.Id("b").Index().Byte()).Error().Block(door...).Line()
	if t.Event == nil {
		return
	}
	// func (v *T) read(d *wire.Decoder) error { … }
	f.Comment("// read is UnmarshalJSON of the text that d was opened for. It closes d.")
	f.Func().Params(receiver.Clone()).Id("read").Params(jen.Id("d").Op("*").Qual(pathWire, "Decoder")).Error().Block(body...).Line()
	// func (v *T) readText(text string) error { return v.read(wire.OpenText(text)) }
	f.Func().Params(receiver.Clone()).Id("readText").Params(jen.Id("text").String()).Error().Block(
		jen.Return(jen.Id("v").Dot("read").Call(jen.Qual(pathWire, "OpenText").Call(jen.Id("text")))),
	).Line()
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

// whenSpelled yields what is done with an event that has remembered spellings:
//
//	if v.spellings != nil { … }
func whenSpelled(t *model.Type, done jen.Code) jen.Code {
	if !remembers(t) {
		return jen.Null()
	}
	return jen.If(jen.Id("v").Dot("spellings").Op("!=").Nil()).Block(done)
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
