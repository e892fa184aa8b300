package wire

import "encoding/json"

// Text is NotText unless JSON can say s.
func (r *Report) Text(s string) bool {
	if ValidString(s) {
		return true
	}
	r.NotText()
	return false
}

// NotText fails the keyword type for text that JSON cannot say: see ValidString.
//
//go:noinline
func (r *Report) NotText() { r.failUnshown("type", "text that is not UTF-8") }

// NotFinite fails the keyword type for a number that JSON cannot say: see
// ValidFloat. One that is remembered as 1e400 can be said.
//
//go:noinline
func (r *Report) NotFinite() {
	const message = "not a number that JSON has"
	if r != nil && r.restored.knows(r.Pointer()) {
		r.Fail("type", message)
		return
	}
	r.failUnshown("type", message)
}

// A Float is a number that is about to be sent: its exact value is that of the
// text that AppendFloat writes.
type Float float64

// Compare returns -1, 0 or 1 as f is less than, equal to or greater than d.
func (f Float) Compare(d *Decimal) int {
	// Rounding keeps the order: only numbers with the same nearest float64 are
	// looked at digit by digit.
	switch {
	case float64(f) < d.near:
		return -1
	case float64(f) > d.near:
		return 1
	}
	return f.number().Compare(d)
}

// MultipleOf says whether f is d times an integer, exactly. d is positive.
func (f Float) MultipleOf(d *Decimal) bool { return f.number().MultipleOf(d) }

// Text is the number as it is sent.
//
//go:noinline
func (f Float) Text() Number { return f.number() }

func (f Float) number() Number {
	var text [32]byte
	return Number(AppendFloat(text[:0], float64(f)))
}

// JSON fails the keyword type for text that is not one JSON value.
func (r *Report) JSON(text json.RawMessage) {
	if len(text) == 0 {
		r.failUnshown("type", "has no value")
		return
	}
	d := Open(text)
	d.Skip()
	if err := d.Close("value"); err != nil {
		r.failUnshown("type", err.Error())
	}
}

// Other is JSON for what stands in the place of an object. An object has fields, whose
// rules nobody would ask about.
func (r *Report) Other(text json.RawMessage) {
	if first := skipSpace(text, 0); first < len(text) && text[first] == '{' {
		r.failUnshown("type", "an object in Other; set the fields")
		return
	}
	r.JSON(text)
}

// Distinct says that no two items are equal.
func Distinct[T comparable](items []T) bool {
	if len(items) <= few {
		return distinctFew(items)
	}
	seen := make(map[T]struct{}, len(items))
	for _, item := range items {
		seen[item] = struct{}{}
	}
	return len(seen) == len(items)
}

// few items are compared one by one.
const few = 8

func distinctFew[T comparable](items []T) bool {
	for i, a := range items {
		for _, b := range items[:i] {
			if a == b {
				return false
			}
		}
	}
	return true
}

// EndObject ends an object whose members each have a comma behind them: the last
// comma becomes the brace.
//
//go:noinline
func EndObject(b []byte) []byte {
	if last := len(b) - 1; b[last] == ',' {
		b[last] = '}'
		return b
	}
	return append(b, '}')
}
