package wire

// A sequence decides an expression whose texts all have one length, a number or a
// code of fixed format say: each byte is looked at for itself, not behind the one
// before it.
type sequence struct {
	length  int
	allowed [256]uint64 // by byte: the places where it may stand, as bits
}

// maxSequence is the number of places that a sequence can have.
const maxSequence = 64

// match returns the verdict, and false for ok at a byte beyond ASCII.
func (q *sequence) match(s string) (verdict, ok bool) {
	if len(s) != q.length {
		return false, isASCII(s)
	}
	for i := range len(s) {
		if q.allowed[s[i]]>>i&1 == 0 {
			return false, s[i] < asciiSize
		}
	}
	return true, true
}

// sequence returns the automaton as one; nil when it branches or loops.
func (a *automaton) sequence() *sequence {
	var q sequence
	state := uint8(startState)
	for ; !a.atEnd[state]; q.length++ {
		to := a.onlyNext(state)
		if to <= matched || q.length == maxSequence {
			return nil
		}
		for c, next := range a.next[state] {
			if next == to {
				q.allowed[c] |= 1 << q.length
			}
		}
		state = to
	}
	for _, next := range a.next[state] {
		if next != failed {
			return nil
		}
	}
	return &q
}

// onlyNext returns the state that follows, failed when there are several.
func (a *automaton) onlyNext(state uint8) uint8 {
	only := uint8(failed)
	for _, next := range a.next[state] {
		switch {
		case next == failed:
		case only != failed && next != only:
			return failed
		default:
			only = next
		}
	}
	return only
}
