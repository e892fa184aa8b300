package ecma

// Lookaround has no equivalent in Go's regexp, but what a pattern with it
// matches is still a regular language where the lookaround stands outside of
// unbounded repetitions: a lookahead intersects what follows, a lookbehind what
// comes before. That language becomes an automaton, and the automaton a pattern
// without lookaround.

// maxUnrolled is how often a repetition around a lookahead is written out.
const maxUnrolled = 8

// rewriter turns a pattern into the language of all strings that it matches
// somewhere.
type rewriter struct {
	*algebra
	err     error
	written int // repetitions written out
}

// plain returns an equivalent of n without lookaround: the simple way where that
// does it all, else by way of an automaton.
func plain(n *node) (*node, error) {
	m := narrowed(n)
	if !m.has(kindLook) {
		return m, nil
	}
	if w, err := withoutLookaround(m); err == nil {
		return w, nil
	}
	return withoutLookaround(n)
}

// withoutLookaround returns an equivalent of n that spans the whole string.
func withoutLookaround(n *node) (*node, error) {
	markFirst(n)
	r := &rewriter{algebra: newAlgebra()}
	more := r.concat(r.one(anyRune), r.all)
	matches := r.or(r.alternatives(n, r.empty, true), r.alternatives(n, more, false))
	if r.err != nil {
		return nil, r.err
	}
	m, err := newAutomaton(r.algebra, matches)
	if err != nil {
		return nil, err
	}
	return m.pattern()
}

func (r *rewriter) refuse(n *node, why string) *language {
	if r.err == nil {
		r.err = &Error{n.off, why}
	}
	return r.nothing
}

// alternatives is the language of the strings that begin with before and go on
// with a match of n, and with anything after it. atStart says that before is
// empty.
func (r *rewriter) alternatives(n *node, before *language, atStart bool) *language {
	if n.kind != kindAlternation {
		n = &node{kind: kindAlternation, subs: []*node{n}}
	}
	list := make([]*language, len(n.subs))
	for i, s := range n.subs {
		list[i] = r.sequence(s, before, atStart)
	}
	return r.or(list...)
}

// sequence splits n at its last lookbehind: that sees what came before, so the
// two sides are languages of their own.
func (r *rewriter) sequence(n *node, before *language, atStart bool) *language {
	i := len(n.subs) - 1
	for i >= 0 && (n.kind != kindSequence || n.subs[i].kind != kindLook || !n.subs[i].behind) {
		i--
	}
	if i < 0 {
		return r.concat(before, r.match(n, r.all, atStart))
	}
	look := n.subs[i]
	left := &node{kind: kindSequence, subs: n.subs[:i], off: n.off}
	right := r.match(&node{kind: kindSequence, subs: n.subs[i+1:], off: n.off}, r.all, atStart && zeroWidth(n.subs[:i]))
	if right != r.empty && left.has(kindLook, kindEnd) {
		return r.refuse(look, lookRefused)
	}
	if look.subs[0].has(kindLook, kindBegin, kindEnd, kindWord, kindNotWord) {
		return r.refuse(look, lookRefused)
	}
	seen := r.concat(r.all, r.match(look.subs[0], r.empty, false))
	if look.negated {
		seen = r.not(seen)
	}
	return r.concat(r.and(r.concat(before, r.match(left, r.empty, atStart)), seen), right)
}

const (
	lookRefused      = "uses lookahead or lookbehind that cannot be translated; say it with allOf, not and several patterns"
	assertionRefused = "uses an assertion beside lookaround in a way that cannot be translated; say it with allOf, not and several patterns"
)

// match is the language of a match of n followed by a string of rest, up to the
// end. atStart says that nothing lies before.
func (r *rewriter) match(n *node, rest *language, atStart bool) *language {
	switch n.kind {
	case kindSet:
		return r.concat(r.one(n.set), rest)
	case kindSequence:
		for i := len(n.subs) - 1; i >= 0; i-- {
			rest = r.match(n.subs[i], rest, atStart && zeroWidth(n.subs[:i]))
		}
		return rest
	case kindAlternation:
		list := make([]*language, len(n.subs))
		for i, s := range n.subs {
			list[i] = r.match(s, rest, atStart)
		}
		return r.or(list...)
	case kindRepeat:
		return r.repeat(n, rest, atStart)
	case kindEnd:
		return r.and(r.empty, rest)
	case kindBegin:
		return r.begin(n, rest, atStart)
	case kindLook:
		if n.behind {
			return r.refuse(n, lookRefused)
		}
		ahead := r.match(n.subs[0], r.all, atStart)
		if n.negated {
			ahead = r.not(ahead)
		}
		return r.and(ahead, rest)
	}
	return r.refuse(n, assertionRefused)
}

// begin holds at the start, and nowhere else. Where a part before it may match
// nothing or something, that is not known: such a pattern is refused when it is
// read at the start.
func (r *rewriter) begin(n *node, rest *language, atStart bool) *language {
	switch {
	case atStart:
		return rest
	case n.first:
		return r.nothing
	}
	return r.refuse(n, assertionRefused)
}

// zeroWidth says whether the nodes match nothing but the empty string.
func zeroWidth(list []*node) bool {
	for _, n := range list {
		switch n.kind {
		case kindBegin, kindEnd, kindWord, kindNotWord, kindLook:
		case kindSequence, kindAlternation:
			if !zeroWidth(n.subs) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (r *rewriter) repeat(n *node, rest *language, atStart bool) *language {
	sub := n.subs[0]
	if sub.has(kindLook, kindBegin, kindEnd, kindWord, kindNotWord) {
		return r.unroll(n, rest, atStart)
	}
	one := r.match(sub, r.empty, false)
	if r.written += max(n.min, n.max); r.written > maxSize {
		return r.refuse(n, lookRefused)
	}
	tail := r.empty
	if n.max < 0 {
		tail = r.star(one)
	}
	for i := n.min; i < n.max; i++ {
		tail = r.or(r.empty, r.concat(one, tail))
	}
	for range n.min {
		tail = r.concat(one, tail)
	}
	return r.concat(tail, rest)
}

// unroll writes a small repetition of something with assertions out.
func (r *rewriter) unroll(n *node, rest *language, atStart bool) *language {
	sub := n.subs[0]
	if looks, set := tempered(sub); n.max < 0 && rest == r.empty && set != nil {
		return r.temper(looks, &node{kind: kindRepeat, subs: []*node{set}, min: n.min, max: -1})
	}
	if n.max < 0 || n.max > maxUnrolled || n.max > 1 && sub.has(kindBegin) {
		return r.refuse(n, lookRefused)
	}
	result := rest
	for i := n.max; i > 0; i-- {
		result = r.match(sub, result, atStart && i == 1)
		if i > n.min {
			result = r.or(result, rest)
		}
	}
	return result
}

// tempered splits a sequence of lookaheads and one set, as in (?:(?!end).)*.
func tempered(n *node) (looks []*node, set *node) {
	if n.kind != kindSequence || len(n.subs) < 2 {
		return nil, nil
	}
	last := len(n.subs) - 1
	for _, l := range n.subs[:last] {
		if l.kind != kindLook || l.behind || l.has(kindBegin) {
			return nil, nil
		}
	}
	if n.subs[last].kind != kindSet {
		return nil, nil
	}
	return n.subs[:last], n.subs[last]
}

// temper is the language of the characters up to the end where the lookaheads
// hold before each.
func (r *rewriter) temper(looks []*node, characters *node) *language {
	ahead := r.match(&node{kind: kindSequence, subs: looks}, r.all, false)
	wrong := r.and(r.not(ahead), r.concat(r.one(anyRune), r.all))
	return r.and(r.match(characters, r.empty, false), r.not(r.concat(r.all, wrong)))
}

// has says whether a node of one of the kinds is in n.
func (n *node) has(kinds ...nodeKind) bool {
	for _, k := range kinds {
		if n.kind == k {
			return true
		}
	}
	for _, s := range n.subs {
		if s.has(kinds...) {
			return true
		}
	}
	return false
}

// markFirst marks every ^ that only empty matches can precede.
func markFirst(n *node) {
	n.first = true
	for i, s := range n.subs {
		if n.kind == kindSequence && !zeroWidth(n.subs[:i]) {
			return
		}
		markFirst(s)
	}
}
