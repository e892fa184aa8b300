package ecma

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A node is a part of a pattern; exactly one group of fields is in use.
type node struct {
	kind     nodeKind
	set      runes   // of a set
	name     string  // of a set that Go's regexp has a name for: \p{Lu}, or a class of such
	char     rune    // of a set that is one character of a class
	one      bool    // char is meant
	subs     []*node // of a sequence or an alternation; the one part of a repetition
	min, max int     // of a repetition; max -1 is without end
	behind   bool    // of lookaround: looks at what comes before
	negated  bool    // of lookaround: must not match
	first    bool    // only empty matches can precede it
	off      int     // where it stands, of lookaround and what holds it
}

type nodeKind int

const (
	kindSet nodeKind = iota // one character out of a set
	kindSequence
	kindAlternation
	kindRepeat
	kindBegin
	kindEnd
	kindWord    // \b
	kindNotWord // \B
	kindLook    // lookahead or lookbehind
)

// maxCount is the largest product of nested counts that Go's regexp takes.
const maxCount = 1000

// size estimates the instructions of a node, saturating beyond maxSize.
func size(n *node) int {
	total := 1
	for _, s := range n.subs {
		total = min(total+size(s), maxSize+1)
	}
	if n.kind == kindRepeat {
		total *= max(n.min, n.max, 1)
	}
	return min(total, maxSize+1)
}

// render writes n in Go's syntax.
func render(n *node) string {
	var b strings.Builder
	write(&b, n)
	return b.String()
}

func write(b *strings.Builder, n *node) {
	switch n.kind {
	case kindSet:
		b.WriteString(n.setText())
	case kindSequence:
		for _, s := range n.subs {
			writeGrouped(b, s, s.kind == kindAlternation)
		}
	case kindAlternation:
		for i, s := range n.subs {
			if i > 0 {
				b.WriteByte('|')
			}
			write(b, s)
		}
	case kindRepeat:
		writeRepeat(b, n)
	default:
		b.WriteString(map[nodeKind]string{kindBegin: "^", kindEnd: "$", kindWord: `\b`, kindNotWord: `\B`}[n.kind])
	}
}

func (n *node) setText() string {
	if n.name != "" {
		return n.name
	}
	return n.set.String()
}

func writeGrouped(b *strings.Builder, n *node, group bool) {
	if group {
		b.WriteString("(?:")
	}
	write(b, n)
	if group {
		b.WriteByte(')')
	}
}

// writeRepeat splits counts beyond maxCount into several repetitions.
func writeRepeat(b *strings.Builder, n *node) {
	chunk := maxCount / counts(n.subs[0])
	minimum := n.min
	for ; minimum > chunk; minimum -= chunk {
		writeCounted(b, n.subs[0], chunk, chunk)
	}
	if n.max < 0 {
		writeCounted(b, n.subs[0], minimum, -1)
		return
	}
	optional := n.max - n.min
	for ; minimum+optional > chunk; optional -= chunk {
		if minimum > 0 {
			writeCounted(b, n.subs[0], minimum, minimum)
			minimum = 0
		}
		if optional <= chunk {
			break
		}
		writeCounted(b, n.subs[0], 0, chunk)
	}
	if minimum+optional > 0 {
		writeCounted(b, n.subs[0], minimum, minimum+optional)
	}
}

func writeCounted(b *strings.Builder, n *node, minimum, maximum int) {
	writeGrouped(b, n, n.kind != kindSet)
	b.WriteString(counter(minimum, maximum))
}

func counter(minimum, maximum int) string {
	switch {
	case minimum == 0 && maximum < 0:
		return "*"
	case minimum == 1 && maximum < 0:
		return "+"
	case minimum == 0 && maximum == 1:
		return "?"
	case minimum == 1 && maximum == 1:
		return ""
	case maximum < 0:
		return "{" + strconv.Itoa(minimum) + ",}"
	case minimum == maximum:
		return "{" + strconv.Itoa(minimum) + "}"
	}
	return "{" + strconv.Itoa(minimum) + "," + strconv.Itoa(maximum) + "}"
}

// counts is the largest product of nested counts that rendering n leaves.
func counts(n *node) int {
	most := 1
	for _, s := range n.subs {
		most = max(most, counts(s))
	}
	if n.kind == kindRepeat {
		chunk := maxCount / most
		most *= min(chunk, max(n.min, n.max, 1))
	}
	return most
}

// runes is a set of code points: sorted pairs of first and last, which neither
// touch nor overlap, and hold no surrogates.
type runes []rune

const (
	maxRune        = '\U0010FFFF'
	firstSurrogate = 0xD800
	lastSurrogate  = 0xDFFF
)

// newRunes makes a set of pairs in any order.
func newRunes(pairs ...rune) runes {
	type span struct{ lo, hi rune }
	var spans []span
	for i := 0; i < len(pairs); i += 2 {
		spans = append(spans, span{pairs[i], pairs[i+1]})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.lo - b.lo) })
	var set runes
	for _, s := range spans {
		if n := len(set); n > 0 && s.lo <= set[n-1]+1 {
			set[n-1] = max(set[n-1], s.hi)
			continue
		}
		set = append(set, s.lo, s.hi)
	}
	return set.withoutSurrogates()
}

func (r runes) withoutSurrogates() runes {
	var set runes
	for i := 0; i < len(r); i += 2 {
		lo, hi := r[i], r[i+1]
		if lo < firstSurrogate {
			set = append(set, lo, min(hi, firstSurrogate-1))
		}
		if hi > lastSurrogate {
			set = append(set, max(lo, lastSurrogate+1), hi)
		}
	}
	return set
}

func (r runes) complement() runes {
	var pairs []rune
	next := rune(0)
	for i := 0; i < len(r); i += 2 {
		if next < r[i] {
			pairs = append(pairs, next, r[i]-1)
		}
		next = r[i+1] + 1
	}
	if next <= maxRune {
		pairs = append(pairs, next, maxRune)
	}
	return newRunes(pairs...)
}

// String writes the set as a literal, or as the shorter of a class and a
// negated class.
func (r runes) String() string {
	switch {
	case len(r) == 0:
		return `[^\x00-\x{10FFFF}]`
	case len(r) == 2 && r[0] == r[1]:
		return literal(r[0])
	}
	negated := r.complement()
	if len(negated) == 0 {
		return `(?s:.)`
	}
	if r[len(r)-1] == maxRune && len(negated) <= len(r) {
		return "[^" + negated.spans() + "]"
	}
	return "[" + r.spans() + "]"
}

func (r runes) spans() string {
	var b strings.Builder
	for i := 0; i < len(r); i += 2 {
		b.WriteString(classLiteral(r[i]))
		if r[i+1] > r[i]+1 {
			b.WriteByte('-')
		}
		if r[i+1] > r[i] {
			b.WriteString(classLiteral(r[i+1]))
		}
	}
	return b.String()
}

func literal(c rune) string {
	if strings.ContainsRune(`\.+*?()|[]{}^$`, c) {
		return `\` + string(c)
	}
	return visible(c)
}

func classLiteral(c rune) string {
	if strings.ContainsRune(`\[]^-`, c) {
		return `\` + string(c)
	}
	return visible(c)
}

// visible writes printable ASCII and letters as they are, and all else as an
// escape.
func visible(c rune) string {
	switch {
	case c == '\t':
		return `\t`
	case c == '\n':
		return `\n`
	case c == '\r':
		return `\r`
	case ' ' <= c && c <= '~' || c > '~' && unicode.IsLetter(c):
		return string(c)
	case c < 0x100:
		return `\x` + hex(c, 2)
	}
	return `\x{` + hex(c, 4) + `}`
}

func hex(c rune, width int) string {
	s := strings.ToUpper(strconv.FormatInt(int64(c), 16))
	return strings.Repeat("0", max(0, width-len(s))) + s
}
