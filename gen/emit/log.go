package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// pathLog is the package of structured logs.
const pathLog = "log/slog"

// declareLogValue renders what logs show of a type that has secrets inside.
// Where a secret may be within a value that cannot say so itself, nothing of it is
// shown; neither are members that the schema does not name.
func declareLogValue(f *jen.File, t *model.Type) {
	if !t.Secret || t.Kind == model.Union {
		return
	}
	f.Comment("// LogValue is the value without what the schema calls secret.")
	method := jen.Func().Params(jen.Id("v").Add(id(t.Go))).Id("LogValue").Params().Qual(pathLog, "Value")
	if t.Kind != model.Struct || t.Hidden {
		// func (v X) LogValue() slog.Value { return slog.StringValue("[hidden]") }
		f.Add(method.Block(jen.Return(jen.Qual(pathLog, "StringValue").Call(jen.Lit("[hidden]"))))).Line()
		return
	}
	// func (v X) LogValue() slog.Value {
	// 	attrs := make(wire.Attrs, 0, 2)
	// 	attrs.Add("order_id", v.OrderID)
	// 	if v.Card != nil {
	// 		attrs.Hide("card")
	// 	}
	// 	return attrs.Value()
	// }
	body := []jen.Code{jen.Id("attrs").Op(":=").Make(jen.Qual(pathWire, "Attrs"), jen.Lit(0), jen.Lit(len(t.Fields)))}
	for _, field := range t.Fields {
		body = append(body, logField(field))
	}
	body = append(body, jen.Return(jen.Id("attrs").Dot("Value").Call()))
	f.Add(method.Block(body...)).Line()
}

func logField(f *model.Field) jen.Code {
	place := jen.Id("v").Dot(f.Go)
	s := f.Shape
	add := func(value *jen.Statement) *jen.Statement {
		if isHidden(s) {
			return jen.Id("attrs").Dot("Hide").Call(jen.Lit(f.Name))
		}
		return jen.Id("attrs").Dot("Add").Call(jen.Lit(f.Name), value)
	}
	switch {
	case !f.Required && s.Nullable && isHidden(s):
		return jen.If(jen.Op("!").Add(place.Clone()).Dot("IsAbsent").Call()).Block(add(nil))
	case !f.Required && s.Nullable:
		return jen.If(jen.List(jen.Id("value"), jen.Id("ok")).Op(":=").Add(place.Clone()).Dot("Get").Call(), jen.Id("ok")).
			Block(add(jen.Id("value")))
	case isNilable(s) && !f.Required:
		return jen.If(place.Clone().Op("!=").Nil()).Block(add(place))
	case isNilable(s) || f.Required && !s.Nullable && !s.Boxed:
		return add(place)
	}
	return jen.If(place.Clone().Op("!=").Nil()).Block(add(jen.Op("*").Add(place.Clone())))
}

// isHidden reports a value of which logs show nothing: it is secret, or has secrets
// and is no struct of ours, which shows itself through LogValue.
func isHidden(s *model.Shape) bool {
	return s.Secret || s.Secrets && !(s.Type != nil && s.Type.Kind == model.Struct && s.Type.Secret)
}
