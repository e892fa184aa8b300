package gen

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// HasErrors reports whether anything keeps the package from being generated.
func HasErrors(diags []schema.Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d schema.Diagnostic) bool { return !d.Warning })
}

// Format renders a diagnostic for people and editors:
//
//	schemas/orders/order.created.json:14:7: /properties/total/multipleOf: must be positive
//
// What belongs to no place has no place in front.
func Format(d schema.Diagnostic) string {
	var b strings.Builder
	if d.Pos.File != "" {
		b.WriteString(d.Pos.File + ":" + strconv.Itoa(d.Pos.Line) + ":" + strconv.Itoa(d.Pos.Column) + ": ")
	}
	if d.Warning {
		b.WriteString("warning: ")
	}
	if d.Pointer != "" {
		b.WriteString(d.Pointer + ": ")
	}
	b.WriteString(d.Message)
	return b.String()
}
