package wire

// Evaluated is the set of children of one array or object that a schema has
// looked at, by their index in the Value. Predicates pass nil where nobody asks:
// all methods do nothing on a nil *Evaluated, and Has is false.
type Evaluated struct {
	all   bool
	first uint64   // children 0 to 63
	more  []uint64 // the others
}

// Add marks child i.
func (e *Evaluated) Add(i int) {
	switch {
	case e == nil || e.all:
	case i < 64:
		e.first |= 1 << i
	default:
		word := i/64 - 1
		for len(e.more) <= word {
			e.more = append(e.more, 0)
		}
		e.more[word] |= 1 << (i % 64)
	}
}

// AddFirst marks the children before index n.
func (e *Evaluated) AddFirst(n int) {
	for i := range n {
		e.Add(i)
	}
}

// AddAll marks every child.
func (e *Evaluated) AddAll() {
	if e != nil {
		e.all = true
	}
}

// Has says whether child i is marked.
func (e *Evaluated) Has(i int) bool {
	switch {
	case e == nil:
		return false
	case e.all:
		return true
	case i < 64:
		return e.first&(1<<i) != 0
	}
	word := i/64 - 1
	return word < len(e.more) && e.more[word]&(1<<(i%64)) != 0
}

// Merge marks what other has marked. A nil other has nothing.
func (e *Evaluated) Merge(other *Evaluated) {
	if e == nil || other == nil {
		return
	}
	e.all = e.all || other.all
	e.first |= other.first
	for len(e.more) < len(other.more) {
		e.more = append(e.more, 0)
	}
	for i, word := range other.more {
		e.more[i] |= word
	}
}
