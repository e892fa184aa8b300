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
	habits           map[habit]*habitual
}

// A habit is a warning that a file most likely deserves in many places.
type habit struct{ file, message string }

// A habitual is where a habit shows first, and how often.
type habitual struct {
	first Diagnostic
	times int
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

// warnHabit warns once for each file and message, at the first place, and counts
// the others.
func (r *report) warnHabit(pos Position, pointer, format string, args ...any) {
	d := Diagnostic{Pos: pos, Pointer: pointer, Warning: true, Message: fmt.Sprintf(format, args...)}
	key := habit{pos.File, d.Message}
	known := r.habits[key]
	if known == nil {
		if r.warnings++; r.warnings > maxDiagnostics {
			return
		}
		if r.habits == nil {
			r.habits = map[habit]*habitual{}
		}
		known = &habitual{first: d}
		r.habits[key] = known
	}
	known.times++
	if compareDiagnostics(d, known.first) < 0 {
		known.first = d
	}
}

// settleHabits makes diagnostics of the habits.
func (r *report) settleHabits() {
	for _, h := range r.habits {
		if h.times > 1 {
			h.first.Message += fmt.Sprintf(" (%d times in this file)", h.times)
		}
		r.diags = append(r.diags, h.first)
	}
	r.habits = nil
}

func (r *report) failed() bool { return r.errors > 0 }

// sorted returns every distinct diagnostic once, by file, line and column.
func (r *report) sorted() []Diagnostic {
	r.settleHabits()
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
