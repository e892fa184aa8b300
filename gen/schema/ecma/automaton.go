package ecma

import "slices"

// Bounds of the automaton for a pattern with lookaround, and of what it may
// become as a pattern.
const (
	maxStates  = 300
	maxSymbols = 40
	maxRewrite = 4_000
)

// automaton is deterministic and complete; state 0 is the start.
type automaton struct {
	symbols []runes
	next    [][]int // by state and symbol
	accept  []bool
}

func newAutomaton(a *algebra, l *language) (*automaton, error) {
	m := &automaton{symbols: l.symbols()}
	if len(m.symbols) > maxSymbols {
		return nil, &Error{0, lookRefused}
	}
	states := []*language{l}
	index := map[*language]int{l: 0}
	for i := 0; i < len(states); i++ {
		m.accept = append(m.accept, states[i].empty)
		row := make([]int, len(m.symbols))
		for j, set := range m.symbols {
			d := a.derivative(states[i], set[0])
			to, known := index[d]
			if !known {
				to = len(states)
				index[d] = to
				states = append(states, d)
			}
			row[j] = to
		}
		m.next = append(m.next, row)
		if len(states) > maxStates {
			return nil, &Error{0, lookRefused}
		}
	}
	return m.minimal(), nil
}

// minimal merges the states that no string tells apart (Moore).
func (m *automaton) minimal() *automaton {
	block := make([]int, len(m.accept))
	for i, yes := range m.accept {
		if yes != m.accept[0] {
			block[i] = 1
		}
	}
	for count := 0; ; {
		finer := map[string]int{}
		next := make([]int, len(block))
		for i := range block {
			key := string(rune(block[i]))
			for _, to := range m.next[i] {
				key += string(rune(block[to]))
			}
			id, known := finer[key]
			if !known {
				id = len(finer)
				finer[key] = id
			}
			next[i] = id
		}
		block = next
		if len(finer) == count {
			return m.quotient(block, count)
		}
		count = len(finer)
	}
}

func (m *automaton) quotient(block []int, count int) *automaton {
	q := &automaton{symbols: m.symbols, next: make([][]int, count), accept: make([]bool, count)}
	for i, b := range block {
		q.accept[b] = m.accept[i]
		row := make([]int, len(m.symbols))
		for j, to := range m.next[i] {
			row[j] = block[to]
		}
		q.next[b] = row
	}
	return q
}

// graph is an automaton whose edges are patterns, on its way to having but one:
// from its start to its end.
type graph struct {
	edges map[[2]int]*node
	start int
	end   int
}

// pattern eliminates one state after the other until one edge is left.
func (m *automaton) pattern() (*node, error) {
	g := &graph{edges: map[[2]int]*node{}, start: len(m.next), end: len(m.next) + 1}
	g.add(g.start, 0, sequenceOf())
	for i, row := range m.next {
		for j, to := range row {
			g.add(i, to, &node{set: m.symbols[j]})
		}
		if m.accept[i] {
			g.add(i, g.end, sequenceOf())
		}
	}
	states := make([]int, len(m.next))
	for i := range states {
		states[i] = i
	}
	for len(states) > 0 {
		i := g.cheapest(states)
		g.eliminate(states[i])
		states = slices.Delete(states, i, i+1)
		if g.size() > maxRewrite {
			return nil, &Error{0, lookRefused}
		}
	}
	whole := g.edges[[2]int{g.start, g.end}]
	if whole == nil {
		return &node{set: runes{}}, nil
	}
	return sequenceOf(&node{kind: kindBegin}, whole, &node{kind: kindEnd}), nil
}

func (g *graph) size() int {
	total := 0
	for _, n := range g.edges {
		total += size(n)
	}
	return total
}

// sides lists the edges into and out of a state, in order, without its loop.
func (g *graph) sides(state int) (in, out [][2]int) {
	for e := range g.edges {
		switch {
		case e[0] == e[1]:
		case e[1] == state:
			in = append(in, e)
		case e[0] == state:
			out = append(out, e)
		}
	}
	byState := func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(in, byState)
	slices.SortFunc(out, byState)
	return in, out
}

// cheapest returns the index of the state whose elimination adds least.
func (g *graph) cheapest(states []int) int {
	best, least := 0, -1
	for i, s := range states {
		in, out := g.sides(s)
		cost := 0
		if loop := g.edges[[2]int{s, s}]; loop != nil {
			cost = size(loop) * len(in) * len(out)
		}
		for _, e := range in {
			cost += size(g.edges[e]) * len(out)
		}
		for _, e := range out {
			cost += size(g.edges[e]) * len(in)
		}
		if least < 0 || cost < least {
			best, least = i, cost
		}
	}
	return best
}

// eliminate replaces the ways through a state by edges around it.
func (g *graph) eliminate(state int) {
	in, out := g.sides(state)
	middle := sequenceOf()
	if loop := g.edges[[2]int{state, state}]; loop != nil {
		middle = &node{kind: kindRepeat, subs: []*node{loop}, min: 0, max: -1}
		delete(g.edges, [2]int{state, state})
	}
	for _, i := range in {
		for _, o := range out {
			g.add(i[0], o[1], sequenceOf(g.edges[i], middle, g.edges[o]))
		}
	}
	for _, e := range append(in, out...) {
		delete(g.edges, e)
	}
}

// add joins n to the edge that is there.
func (g *graph) add(from, to int, n *node) {
	key := [2]int{from, to}
	g.edges[key] = either(g.edges[key], n)
}

// either is the union of a and b; a may be nil.
func either(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case a.kind == kindSet && b.kind == kindSet:
		return &node{set: newRunes(append(slices.Clone(a.set), b.set...)...)}
	case isEmpty(a):
		return optional(b)
	case isEmpty(b):
		return optional(a)
	}
	return &node{kind: kindAlternation, subs: []*node{a, b}}
}

func isEmpty(n *node) bool { return n.kind == kindSequence && len(n.subs) == 0 }

func optional(n *node) *node {
	if isEmpty(n) || n.kind == kindRepeat && n.min == 0 {
		return n
	}
	return &node{kind: kindRepeat, subs: []*node{n}, min: 0, max: 1}
}

// sequenceOf joins nodes; sequences among them are spliced in.
func sequenceOf(list ...*node) *node {
	s := &node{kind: kindSequence}
	for _, n := range list {
		if n.kind == kindSequence {
			s.subs = append(s.subs, n.subs...)
		} else {
			s.subs = append(s.subs, n)
		}
	}
	if len(s.subs) == 1 {
		return s.subs[0]
	}
	return s
}
