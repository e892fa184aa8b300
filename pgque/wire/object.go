package wire

import "sort"

// First marks bit in seen and returns true, or reports the current member as a
// Duplicate when the bit is marked already.
func (d *Decoder) First(seen *uint64, bit uint64) bool {
	if *seen&bit != 0 {
		d.Duplicate()
		return false
	}
	*seen |= bit
	return true
}

// Unknown is Report.Unknown for the current member: it points at the object.
func (d *Decoder) Unknown(keyword, name string) {
	top := &d.path[len(d.path)-1]
	top.index = noStep
	d.Report.Unknown(keyword, name)
	top.index = nameStep
}

// Missing fails required for every name whose bit, counted from the least
// significant one, is not in seen. Empty names stand for members that are not
// required.
func (r *Report) Missing(seen uint64, required []string) {
	for i, name := range required {
		if name != "" && seen&(1<<i) == 0 {
			r.Required(name)
		}
	}
}

// SortedKeys returns the names of a map in the order in which they are written.
func SortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
