package wire

import "sort"

// Once marks bit in seen. When it is marked already, the current member is a
// Duplicate, and its value is not read.
func (d *Decoder) Once(seen *uint64, bit uint64) {
	if *seen&bit != 0 {
		d.Duplicate()
	}
	*seen |= bit
}

// Unknown is Report.Unknown for the current member: it points at the object.
func (d *Decoder) Unknown(keyword, name string) {
	top := &d.path[len(d.path)-1]
	top.index = noStep
	d.Report.Unknown(keyword, name)
	top.index = nameStep
}

// Missing fails required for every name whose bit, counted from the least
// significant one, is not in seen; one at least is missing. Empty names stand for
// members that are not required, so that the member with the empty name is what is
// missing when all others are there.
//
//go:noinline
func (r *Report) Missing(seen uint64, required []string) {
	told := false
	for i, name := range required {
		if name != "" && seen&(1<<i) == 0 {
			r.Required(name)
			told = true
		}
	}
	if !told {
		r.Required("")
	}
}

// SortedKeys returns the names of a map in the order in which they are written.
//
//go:noinline
func SortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
