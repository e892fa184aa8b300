package wire

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// An automaton decides whether a regular expression matches in a text of ASCII,
// one table look-up per byte.
type automaton struct {
	next  [][asciiSize]uint8 // by state and byte
	atEnd []bool             // by state: whether the text may end here
}

const asciiSize = 128

// The first two states stay as they are for all bytes.
const (
	failed  = 0
	matched = 1
)

// Expressions that need more than this have no automaton.
const (
	maxStates       = 256
	maxInstructions = 512
)

// match returns the verdict, and false for ok at a byte beyond ASCII.
func (a *automaton) match(s string) (verdict, ok bool) {
	state := uint8(startState)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= asciiSize {
			return false, false
		}
		if state = a.next[state][c]; state <= matched {
			return state == matched, true
		}
	}
	return a.atEnd[state], true
}

const startState = 2

// newAutomaton returns nil for expressions that are too large, or look at word and
// line boundaries.
func newAutomaton(re2 string) *automaton {
	tree, err := syntax.Parse(re2, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxInstructions {
		return nil
	}
	for _, inst := range prog.Inst {
		if inst.Op == syntax.InstEmptyWidth &&
			syntax.EmptyOp(inst.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return nil
		}
	}
	b := &automatonBuilder{prog: prog, states: make(map[string]uint8)}
	return b.build()
}

// automatonBuilder makes states of sets of instructions.
type automatonBuilder struct {
	automaton
	prog   *syntax.Prog
	states map[string]uint8 // by the set
	sets   [][]uint32       // by state

	set   []uint32 // being collected
	added []int    // by instruction: the number of the last collection that has it
	count int      // of collections
}

func (b *automatonBuilder) build() *automaton {
	b.next = make([][asciiSize]uint8, startState)
	b.atEnd = []bool{failed: false, matched: true}
	b.sets = make([][]uint32, startState)
	b.added = make([]int, len(b.prog.Inst))
	b.collect()
	b.follow(uint32(b.prog.Start), syntax.EmptyBeginText)
	b.addState(b.settle(syntax.EmptyBeginText), syntax.EmptyBeginText)
	classes := b.classes()
	for state := startState; state < len(b.sets); state++ {
		for _, class := range classes {
			to, ok := b.step(b.sets[state], class[0])
			if !ok {
				return nil
			}
			for _, c := range class {
				b.next[state][c] = to
			}
		}
	}
	return &b.automaton
}

// classes groups the bytes that no instruction tells apart.
func (b *automatonBuilder) classes() [][]byte {
	var classes [][]byte
	place := make(map[string]int)
	for c := range byte(asciiSize) {
		var signature []byte
		for i := range b.prog.Inst {
			if b.takes(uint32(i), c) {
				signature = binary.AppendUvarint(signature, uint64(i))
			}
		}
		i, known := place[string(signature)]
		if !known {
			i = len(classes)
			place[string(signature)] = i
			classes = append(classes, nil)
		}
		classes[i] = append(classes[i], c)
	}
	return classes
}

// takes says whether an instruction reads a byte.
func (b *automatonBuilder) takes(pc uint32, c byte) bool {
	switch inst := &b.prog.Inst[pc]; inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return inst.MatchRune(rune(c))
	}
	return false
}

// step returns the state behind a byte. A match may begin anywhere in the text.
func (b *automatonBuilder) step(set []uint32, c byte) (uint8, bool) {
	if slices.ContainsFunc(set, b.isMatch) {
		return matched, true
	}
	b.collect()
	for _, pc := range set {
		if b.takes(pc, c) {
			b.follow(b.prog.Inst[pc].Out, 0)
		}
	}
	b.follow(uint32(b.prog.Start), 0)
	to := b.settle(0)
	switch {
	case slices.ContainsFunc(to, b.isMatch):
		return matched, true
	case len(to) == 0:
		return failed, true
	}
	var key []byte
	for _, pc := range to {
		key = binary.AppendUvarint(key, uint64(pc))
	}
	if state, known := b.states[string(key)]; known {
		return state, true
	}
	if len(b.sets) == maxStates {
		return failed, false
	}
	state := b.addState(to, 0)
	b.states[string(key)] = state
	return state, true
}

// addState makes a state of a set. Flags holds what is true at its place.
func (b *automatonBuilder) addState(set []uint32, flags syntax.EmptyOp) uint8 {
	b.sets = append(b.sets, set)
	b.next = append(b.next, [asciiSize]uint8{})
	b.collect()
	for _, pc := range set {
		b.follow(pc, flags|syntax.EmptyEndText)
	}
	b.atEnd = append(b.atEnd, slices.ContainsFunc(b.set, b.isMatch))
	return uint8(len(b.sets) - 1)
}

func (b *automatonBuilder) isMatch(pc uint32) bool { return b.prog.Inst[pc].Op == syntax.InstMatch }

// collect begins an empty set.
func (b *automatonBuilder) collect() {
	b.set = b.set[:0]
	b.count++
}

// follow adds an instruction to the set, and those that follow it without a byte
// being read when the flags hold.
func (b *automatonBuilder) follow(pc uint32, flags syntax.EmptyOp) {
	if b.added[pc] == b.count {
		return
	}
	b.added[pc] = b.count
	b.set = append(b.set, pc)
	switch inst := &b.prog.Inst[pc]; inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		b.follow(inst.Out, flags)
		b.follow(inst.Arg, flags)
	case syntax.InstCapture, syntax.InstNop:
		b.follow(inst.Out, flags)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(inst.Arg)&^flags == 0 {
			b.follow(inst.Out, flags)
		}
	}
}

// settle returns the instructions of the set that matter later, in order: those
// that read a byte, a match, and assertions that may hold at the end of the text.
func (b *automatonBuilder) settle(flags syntax.EmptyOp) []uint32 {
	var set []uint32
	for _, pc := range b.set {
		switch inst := &b.prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch, syntax.InstCapture, syntax.InstNop, syntax.InstFail:
			continue
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^(flags|syntax.EmptyEndText) != 0 {
				continue
			}
		}
		set = append(set, pc)
	}
	slices.Sort(set)
	return set
}
