package wire

// A verdict is what a predicate said about a value.
type verdict struct {
	predicate string
	valid     bool
}

// Recall returns what Remember was told about v. Scalars, and arrays and objects
// without children, are never remembered: looking again costs nothing.
func (v *Value) Recall(predicate string) (valid, known bool) {
	if v.children == nil {
		return false, false
	}
	for _, said := range v.children.verdicts {
		if said.predicate == predicate {
			return said.valid, true
		}
	}
	return false, false
}

// Remember notes the bare verdict of a predicate on v and returns it. Alternatives
// of a recursive schema that lead to the same value would otherwise each look at
// all that is below it, which doubles the work with every level.
func (v *Value) Remember(predicate string, valid bool) bool {
	if v.children != nil {
		v.children.verdicts = append(v.children.verdicts, verdict{predicate, valid})
	}
	return valid
}
