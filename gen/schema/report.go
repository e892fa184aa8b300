package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// maxDiagnostics bounds the errors, and the warnings, that are kept: a hostile
// file has one in every value.
const maxDiagnostics = 10_000

// report collects diagnostics in any order.
type report struct {
	diags            []Diagnostic
	errors, warnings int
}

func (r *report) errorf(pos Position, pointer, format string, args ...any) {
	if r.errors++; r.errors > maxDiagnostics {
		return
	}
	r.diags = append(r.diags, Diagnostic{Pos: pos, Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

func (r *report) warnf(pos Position, pointer, format string, args ...any) {
	if r.warnings++; r.warnings > maxDiagnostics {
		return
	}
	r.diags = append(r.diags, Diagnostic{Pos: pos, Pointer: pointer, Warning: true, Message: fmt.Sprintf(format, args...)})
}

func (r *report) failed() bool { return r.errors > 0 }

// sorted returns every distinct diagnostic once, by file, line and column.
func (r *report) sorted() []Diagnostic {
	slices.SortFunc(r.diags, compareDiagnostics)
	return slices.Compact(r.diags)
}

func compareDiagnostics(a, b Diagnostic) int {
	return cmp.Or(
		cmp.Compare(a.Pos.File, b.Pos.File),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Column, b.Pos.Column),
		cmp.Compare(a.Pointer, b.Pointer),
		cmp.Compare(a.Message, b.Message),
	)
}

// quote renders text of a schema for a message: printable ASCII on one line,
// and never long.
func quote(s string) string {
	const limit = 80
	if len(s) <= limit {
		return strconv.QuoteToASCII(s)
	}
	return strconv.QuoteToASCII(s[:limit]) + "..."
}
