package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// foreignType is a type that is not generated: uuid.UUID or *big.Int.
func foreignType(g *model.GoType) *jen.Statement {
	name := id(g.Name)
	if g.Path != "" {
		name = jen.Qual(g.Path, g.Name)
	}
	if g.Pointer {
		return jen.Op("*").Add(name)
	}
	return name
}

// foreign yields an example made of the JSON that stands for the value:
//
//	wire.Hold(&v.X, wire.AppendString(nil, sample.Pick(r, "a", "b")))
//
// Where that is no string or number, the value stays as it is.
func (e *exampler) foreign(place *jen.Statement, s *model.Shape) []jen.Code {
	if s.Held == nil {
		return nil
	}
	held, write := e.integer(s.Held), "AppendInt"
	switch s.Held.Basic {
	case model.String:
		held, write = e.text(s.Held), "AppendString"
	case model.Float:
		held, write = e.number(s.Held), "AppendFloat"
	case model.Uint:
		write = "AppendUint"
	}
	text := jen.Qual(pathWire, write).Call(jen.Nil(), held)
	return []jen.Code{jen.Qual(pathSample, "Hold").Call(target{place: place}.ptr(), text)}
}
