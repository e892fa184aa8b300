package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// A codec renders the decode and encode methods of one type.
type codec struct {
	model *model.Model
	t     *model.Type
	place string // Go names on the way to the place being rendered
	depth int    // of nested loops, for the names of their variables
	vars  []jen.Code
	known map[use]string
	taken map[string]bool // variables of the package
}

// variables yields what the methods use: the rules of each place.
func (k *codec) variables() []jen.Code {
	if len(k.vars) == 0 {
		return nil
	}
	return []jen.Code{jen.Var().Defs(k.vars...).Line()}
}

// A use is what a variable is for: the shape or the limits that a place has.
type use struct {
	kind, place string
	of          any
}

// variable yields the name of a variable that holds the rules.
func (k *codec) variable(kind, place string, of any, rules *jen.Statement) *jen.Statement {
	key := use{kind, place, of}
	name, ok := k.known[key]
	if !ok {
		base := kind + k.t.Go + place
		name = base
		for i := 2; k.taken[name]; i++ {
			name = base + "No" + strconv.Itoa(i)
		}
		k.known[key], k.taken[name] = name, true
		k.vars = append(k.vars, id(name).Op("=").Add(rules))
	}
	return id(name)
}

// name yields a variable that no loop around uses.
func (k *codec) name(base string) string {
	if k.depth <= 1 {
		return base
	}
	return base + strconv.Itoa(k.depth)
}
