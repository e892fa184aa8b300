package wire

import (
	"strconv"
	"strings"
)

// A Predicate decides a value: whether it is valid. It marks what it looked at
// in ev and reports violations to r; either may be nil.
type Predicate func(v *Value, ev *Evaluated, r *Report) bool

// maxBranches bounds the alternatives that a message speaks about.
const maxBranches = 3

// maxNested bounds how deep alternatives within alternatives are explained.
const maxNested = 3

// AnyOf fails anyOf: v is valid for none of the branches. When only one of them
// is meant, going by the types and the constants in them, its violations are
// reported instead.
func (r *Report) AnyOf(v *Value, branches ...Predicate) { r.noBranch("anyOf", v, branches) }

// OneOf fails oneOf: v is valid for none of the branches, as for AnyOf, or for
// more than one.
func (r *Report) OneOf(v *Value, matches int, branches ...Predicate) {
	if matches > 1 {
		r.Fail("oneOf", "matches more than one alternative")
		return
	}
	r.noBranch("oneOf", v, branches)
}

// Name fails propertyNames for the name of member i of the object v, and says
// why.
func (r *Report) Name(v *Value, i int, names Predicate) {
	if r == nil {
		return
	}
	why := r.trial(v.NameValue(i), names)
	message := "the name " + Quote(v.Name(i)) + " is not allowed"
	if len(why) > 0 {
		message = "the name " + why[0].Message
	}
	r.Fail("propertyNames", message)
}

// NameValue returns the name of member i of an object as a string value. It is
// good until the next call: the names of an object share one Value, so that
// looking at them allocates nothing.
func (v *Value) NameValue(i int) *Value {
	name := &v.children.name
	*name = Value{kind: String, text: v.children.names[i]}
	return name
}

func (r *Report) noBranch(keyword string, v *Value, branches []Predicate) {
	if r == nil || r.done {
		return
	}
	if r.Limit <= -maxNested {
		r.Fail(keyword, "matches none of the alternatives")
		return
	}
	trials := make([][]Violation, len(branches))
	for i, branch := range branches {
		trials[i] = r.trial(v, branch)
	}
	if meant := onlyMeant(trials); meant != nil {
		r.adopt(meant)
		return
	}
	r.Fail(keyword, summary(trials))
}

// trial returns the violations of a value by one predicate, with pointers
// relative to the value. A negative Limit counts how deep trials nest.
func (r *Report) trial(v *Value, p Predicate) []Violation {
	sub := Report{Limit: min(r.Limit, 0) - 1, concealed: r.concealed}
	p(v, nil, &sub)
	return sub.violations
}

// adopt reports violations found at the current pointer.
func (r *Report) adopt(found []Violation) {
	at := r.shown()
	for _, v := range found {
		if r.done {
			return
		}
		r.violations = append(r.violations, Violation{at + v.Pointer, v.Keyword, v.Message})
		r.done = len(r.violations) >= r.limit()
	}
}

// onlyMeant returns the violations of the only branch that the value is not
// altogether different from; nil when there is no such branch, or several.
func onlyMeant(trials [][]Violation) []Violation {
	var meant []Violation
	for _, found := range trials {
		if len(found) == 0 || otherKind(found) {
			continue
		}
		if meant != nil {
			return nil
		}
		meant = found
	}
	return meant
}

// otherKind tells that a value is of another type than a branch wants, or that
// a constant that tells branches apart is another one.
func otherKind(found []Violation) bool {
	for _, v := range found {
		depth := strings.Count(v.Pointer, "/")
		switch v.Keyword {
		case "type":
			if depth == 0 {
				return true
			}
		case "const", "enum":
			if depth <= 1 {
				return true
			}
		}
	}
	return false
}

func summary(trials [][]Violation) string {
	var b strings.Builder
	b.WriteString("matches none of " + strconv.Itoa(len(trials)) + " alternatives")
	for i, found := range trials[:min(len(trials), maxBranches)] {
		if len(found) == 0 {
			continue
		}
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		b.WriteString(separator + "(" + strconv.Itoa(i+1) + ") ")
		if found[0].Pointer != "" {
			b.WriteString(printable(found[0].Pointer) + ": ")
		}
		b.WriteString(found[0].Message)
	}
	if len(trials) > maxBranches {
		b.WriteString("; …")
	}
	return b.String()
}
