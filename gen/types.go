package gen

import (
	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// ReadTypes reads a file of type mappings: an object, as JSON or, when the name ends
// so, YAML, from formats and places of schemas to Go types.
//
//	{ "uuid": "github.com/google/uuid.UUID", "shared/money.json#/$defs/cents": "*math/big.Int" }
func ReadTypes(src []byte, name string) ([]model.TypeMapping, []schema.Diagnostic) {
	root, diags := schema.Parse(src, name)
	if root == nil {
		return nil, diags
	}
	fail := func(n *schema.Node, message string) {
		diags = append(diags, schema.Diagnostic{Pos: n.Pos, Message: message})
	}
	if root.Kind != schema.Object {
		fail(root, "must be an object from formats and places to Go types")
	}
	var list []model.TypeMapping
	for _, m := range root.Members {
		g, err := model.ParseGoType(m.Value.Text)
		switch {
		case m.Value.Kind != schema.String:
			fail(m.Value, m.Name+": must be a Go type in quotes")
		case err != nil:
			fail(m.Value, m.Name+": "+err.Error())
		default:
			list = append(list, model.TypeMapping{Key: m.Name, Go: g, Pos: m.Value.Pos})
		}
	}
	return list, diags
}
