package wire

// A verdict is what a predicate said about a value.
type verdict struct {
	predicate string
	valid     bool
	evaluated *Evaluated // nil: nobody asked
}

// Once is decide, asked once for each value: what it said before, and what it has
// evaluated, is remembered by its name. It is asked again for what there is to report.
func (v *Value) Once(name string, decide Predicate, ev *Evaluated, r *Report) bool {
	said := v.said(name, decide, ev != nil)
	switch {
	case said.valid:
		ev.Merge(said.evaluated)
		return true
	case r == nil || r.Full():
		return false
	}
	return decide(v, nil, r)
}

// said asks decide unless it was asked before.
func (v *Value) said(name string, decide Predicate, evaluated bool) verdict {
	if v.children == nil {
		v.children = &children{}
	}
	for _, said := range v.children.verdicts {
		if said.predicate == name && (said.evaluated != nil || !evaluated) {
			return said
		}
	}
	said := verdict{predicate: name}
	if evaluated {
		said.evaluated = &Evaluated{}
	}
	said.valid = decide(v, said.evaluated, nil)
	v.children.verdicts = append(v.children.verdicts, said)
	return said
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
		v.children.verdicts = append(v.children.verdicts, verdict{predicate: predicate, valid: valid})
	}
	return valid
}
