package wire

import "bytes"

// Add adds a zero item to the list that is made of the array that d reads, and returns
// where it is. The first call looks ahead for how many there will be.
//
//go:noinline
func Add[T any](d *Decoder, list *[]T) *T {
	n := len(*list)
	if n == cap(*list) {
		room := d.expected()
		if n > 0 {
			room = 2 * n
		}
		*list = append(make([]T, 0, room), *list...)
	}
	*list = (*list)[:n+1] // zero, as it was made
	return &(*list)[n]
}

// NewName returns the name of the current member, for a map of those that were read. A
// name that the map already has is a Duplicate.
//
//go:noinline
func NewName[T any](d *Decoder, m map[string]T, rules *TextRules) string {
	name := d.Name()
	if _, has := m[name]; has {
		d.Duplicate()
	}
	if !rules.holds(name) {
		rules.report(name, &d.Report)
	}
	return name
}

// maxExpected bounds the items for which there is room before they were read.
const maxExpected = 64

// expected guesses how many items the array has whose first item is next: exactly
// for scalars and flat objects without brackets in strings. It is at least 1.
func (d *Decoder) expected() int {
	const window = 16 << 10
	first := d.next()
	rest := d.buf[d.pos:min(len(d.buf), d.pos+window)]
	if end := bytes.IndexByte(rest, ']'); end >= 0 {
		rest = rest[:end]
	}
	if first == '{' {
		return max(1, min(bytes.Count(rest, openBrace), maxExpected))
	}
	return min(bytes.Count(rest, comma)+1, maxExpected)
}

var openBrace, comma = []byte{'{'}, []byte{','}
