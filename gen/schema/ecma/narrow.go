package ecma

// narrowed replaces lookaheads for a single character by restricting the
// character that follows them, wherever in n one is sure to follow within the
// same group: (?!-)[a-z-]+ is [a-z][a-z-]*.
func narrowed(n *node) *node {
	m := *n
	m.subs = make([]*node, len(n.subs))
	for i, s := range n.subs {
		m.subs[i] = narrowed(s)
	}
	if m.kind != kindSequence {
		return &m
	}
	for i := len(m.subs) - 1; i >= 0; i-- {
		set, ok := m.subs[i].lookahead()
		if !ok {
			continue
		}
		if rest := narrow(m.subs[i+1:], set); rest != nil {
			m.subs = append(m.subs[:i:i], rest.parts()...)
		}
	}
	return &m
}

// parts are the nodes of a sequence, or n alone.
func (n *node) parts() []*node {
	if n.kind == kindSequence {
		return n.subs
	}
	return []*node{n}
}

// lookahead returns the set that a lookahead for one character asks of it.
func (n *node) lookahead() (runes, bool) {
	if n.kind != kindLook || n.behind {
		return nil, false
	}
	sub := n.subs[0]
	if sub.kind == kindSequence && len(sub.subs) == 1 {
		sub = sub.subs[0]
	}
	if sub.kind != kindSet {
		return nil, false
	}
	if n.negated {
		return sub.set.complement(), true
	}
	return sub.set, true
}

// maxNarrowed is how large a part may be that stands twice afterwards.
const maxNarrowed = 200

// narrow returns the sequence of list with its first character restricted to
// set, or nil when it may have none or that is not plain to see.
func narrow(list []*node, set runes) *node {
	if len(list) == 0 {
		return nil
	}
	first, rest := list[0], list[1:]
	switch {
	case first.kind == kindSet:
		return sequenceOf(append([]*node{{set: first.set.intersect(set)}}, rest...)...)
	case first.kind == kindSequence:
		return narrow(append(append([]*node{}, first.subs...), rest...), set)
	case first.kind == kindRepeat && first.subs[0].kind == kindSet:
		return narrowRepeat(first, rest, set)
	}
	return nil
}

func narrowRepeat(first *node, rest []*node, set runes) *node {
	one := first.subs[0].set
	more := &node{kind: kindRepeat, subs: first.subs, min: max(first.min-1, 0), max: max(first.max-1, -1), off: first.off}
	if first.max < 0 {
		more.max = -1
	}
	some := sequenceOf(append([]*node{{set: one.intersect(set)}, more}, rest...)...)
	if first.min > 0 {
		return some
	}
	none := narrow(rest, set)
	if none == nil || size(none) > maxNarrowed || first.max == 0 {
		return none
	}
	return &node{kind: kindAlternation, subs: []*node{some, none}}
}
