package ecma

import (
	"encoding/binary"
	"slices"
)

// A language is a set of strings, as an expression that knows intersection and
// complement. Equal expressions are one pointer, so that the derivatives of one
// language are finitely many (Brzozowski 1964; Owens, Reppy and Turon 2009).
type language struct {
	op    operator
	set   runes       // of opSet
	subs  []*language // of all other operators
	empty bool        // holds the empty string
	id    int
}

type operator byte

const (
	opNothing operator = iota // no string
	opEmpty                   // the empty string only
	opSet
	opConcat // of two
	opStar
	opOr
	opAnd
	opNot
)

// algebra makes languages.
type algebra struct {
	byKey       map[string]*language
	nothing     *language
	empty       *language
	all         *language // every string
	derivatives map[[2]int]*language
}

func newAlgebra() *algebra {
	a := &algebra{byKey: map[string]*language{}, derivatives: map[[2]int]*language{}}
	a.nothing = a.intern(&language{op: opNothing})
	a.empty = a.intern(&language{op: opEmpty, empty: true})
	a.all = a.intern(&language{op: opStar, subs: []*language{a.one(anyRune)}, empty: true})
	return a
}

var anyRune = newRunes(0, maxRune)

func (a *algebra) intern(l *language) *language {
	key := []byte{byte(l.op)}
	for _, s := range l.subs {
		key = binary.AppendUvarint(key, uint64(s.id))
	}
	for _, c := range l.set {
		key = binary.AppendUvarint(key, uint64(c))
	}
	if known := a.byKey[string(key)]; known != nil {
		return known
	}
	l.id = len(a.byKey)
	a.byKey[string(key)] = l
	return l
}

func (a *algebra) one(set runes) *language {
	if len(set) == 0 {
		return a.nothing
	}
	return a.intern(&language{op: opSet, set: set})
}

func (a *algebra) concat(l, m *language) *language {
	switch {
	case l == a.nothing || m == a.nothing:
		return a.nothing
	case l == a.empty:
		return m
	case m == a.empty:
		return l
	case l.op == opConcat:
		return a.concat(l.subs[0], a.concat(l.subs[1], m))
	}
	return a.intern(&language{op: opConcat, subs: []*language{l, m}, empty: l.empty && m.empty})
}

func (a *algebra) star(l *language) *language {
	switch {
	case l == a.nothing || l == a.empty:
		return a.empty
	case l.op == opStar:
		return l
	}
	return a.intern(&language{op: opStar, subs: []*language{l}, empty: true})
}

func (a *algebra) not(l *language) *language {
	switch {
	case l == a.nothing:
		return a.all
	case l == a.all:
		return a.nothing
	case l.op == opNot:
		return l.subs[0]
	}
	return a.intern(&language{op: opNot, subs: []*language{l}, empty: !l.empty})
}

func (a *algebra) or(list ...*language) *language {
	var set runes
	var subs []*language
	for _, l := range flatten(opOr, list) {
		switch {
		case l == a.all:
			return a.all
		case l.op == opSet:
			set = newRunes(append(slices.Clone(set), l.set...)...)
		case l != a.nothing:
			subs = append(subs, l)
		}
	}
	if len(set) > 0 {
		subs = append(subs, a.one(set))
	}
	return a.combine(opOr, subs, a.nothing)
}

func (a *algebra) and(list ...*language) *language {
	var subs []*language
	for _, l := range flatten(opAnd, list) {
		switch {
		case l == a.nothing:
			return a.nothing
		case l != a.all:
			subs = append(subs, l)
		}
	}
	return a.combine(opAnd, subs, a.all)
}

// flatten replaces the languages of an associative operator by their parts.
func flatten(op operator, list []*language) []*language {
	var flat []*language
	for _, l := range list {
		if l.op == op {
			flat = append(flat, l.subs...)
		} else {
			flat = append(flat, l)
		}
	}
	return flat
}

// combine makes a union or an intersection, whose order and repetitions do not
// matter; none is that of no parts.
func (a *algebra) combine(op operator, subs []*language, none *language) *language {
	slices.SortFunc(subs, func(l, m *language) int { return l.id - m.id })
	subs = slices.Compact(subs)
	switch len(subs) {
	case 0:
		return none
	case 1:
		return subs[0]
	}
	holdsEmpty := func(l *language) bool { return l.empty }
	empty := slices.ContainsFunc(subs, holdsEmpty)
	if op == opAnd {
		empty = !slices.ContainsFunc(subs, func(l *language) bool { return !l.empty })
	}
	return a.intern(&language{op: op, subs: subs, empty: empty})
}

// derivative is what may follow c in the strings of l that begin with c.
func (a *algebra) derivative(l *language, c rune) *language {
	key := [2]int{l.id, int(c)}
	if d := a.derivatives[key]; d != nil {
		return d
	}
	d := a.derive(l, c)
	a.derivatives[key] = d
	return d
}

func (a *algebra) derive(l *language, c rune) *language {
	switch l.op {
	case opSet:
		if l.set.contains(c) {
			return a.empty
		}
	case opConcat:
		first := a.concat(a.derivative(l.subs[0], c), l.subs[1])
		if l.subs[0].empty {
			return a.or(first, a.derivative(l.subs[1], c))
		}
		return first
	case opStar:
		return a.concat(a.derivative(l.subs[0], c), l)
	case opNot:
		return a.not(a.derivative(l.subs[0], c))
	case opOr, opAnd:
		subs := make([]*language, len(l.subs))
		for i, s := range l.subs {
			subs[i] = a.derivative(s, c)
		}
		if l.op == opOr {
			return a.or(subs...)
		}
		return a.and(subs...)
	}
	return a.nothing
}

func (r runes) contains(c rune) bool {
	for i := 0; i < len(r); i += 2 {
		if r[i] <= c && c <= r[i+1] {
			return true
		}
	}
	return false
}

func (r runes) without(s runes) runes {
	return newRunes(append(slices.Clone(r.complement()), s...)...).complement()
}

func (r runes) intersect(s runes) runes { return r.without(s.complement()) }

// symbols splits all characters into classes that no set of l tells apart.
func (l *language) symbols() []runes {
	classes := []runes{anyRune}
	seen := map[*language]bool{}
	var visit func(*language)
	visit = func(l *language) {
		if seen[l] {
			return
		}
		seen[l] = true
		for _, s := range l.subs {
			visit(s)
		}
		if l.op != opSet {
			return
		}
		var finer []runes
		for _, c := range classes {
			for _, part := range []runes{c.intersect(l.set), c.without(l.set)} {
				if len(part) > 0 {
					finer = append(finer, part)
				}
			}
		}
		classes = finer
	}
	visit(l)
	return classes
}
