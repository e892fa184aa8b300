package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// A codec renders the decode, validate and append methods of one type.
type codec struct {
	model  *model.Model
	t      *model.Type
	place  string   // Go names on the way to the place being rendered
	depth  int      // of nested loops, for the names of their variables
	report reporter // of the values being validated
	vars   []jen.Code
	known  map[string]string // rule → variable
}

// rules yields the constants that the methods use.
func (k *codec) rules() []jen.Code {
	if len(k.vars) == 0 {
		return nil
	}
	return []jen.Code{jen.Var().Defs(k.vars...).Line()}
}

// prepared yields the name of a variable that holds the constant: a pattern or
// a decimal, made once.
func (k *codec) prepared(kind, constructor, text string) *jen.Statement {
	key := kind + "\x00" + text
	name, ok := k.known[key]
	if !ok {
		if k.known == nil {
			k.known = map[string]string{}
		}
		base := kind + k.t.Go + k.place
		name = base
		for i := 2; k.uses(name); i++ {
			name = base + "No" + strconv.Itoa(i)
		}
		k.known[key] = name
		// patternOrderSKU = wire.MustPattern("…")
		k.vars = append(k.vars, id(name).Op("=").Qual(pathWire, constructor).Call(jen.Lit(text)))
	}
	return id(name)
}

func (k *codec) uses(name string) bool {
	for _, known := range k.known {
		if known == name {
			return true
		}
	}
	return false
}

// name yields a variable that no loop around uses.
func (k *codec) name(base string) string {
	if k.depth <= 1 {
		return base
	}
	return base + strconv.Itoa(k.depth)
}
