package wire

import "sort"

// Unknown is Report.Unknown for the current member: it points at the object.
func (d *Decoder) Unknown(keyword, name string) {
	top := &d.path[len(d.path)-1]
	top.index = noStep
	d.Report.Unknown(keyword, name)
	top.index = nameStep
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
