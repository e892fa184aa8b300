package wire

import (
	"slices"
	"unicode"
)

// isULabel checks a label that is not all ASCII by RFC 5891 section 4.2, apart
// from its length and the bidi rule.
func isULabel(s string) bool {
	label := []rune(s)
	if label[0] == '-' || label[len(label)-1] == '-' || unicode.Is(unicode.M, label[0]) {
		return false
	}
	if len(label) >= 4 && label[2] == '-' && label[3] == '-' {
		return false
	}
	for i, r := range label {
		if !isPermitted(label, i, r) {
			return false
		}
	}
	return isNormal(label)
}

// isPermitted derives the property of a code point by RFC 5892 section 3, and
// applies the contextual rule of those that have one.
func isPermitted(label []rune, i int, r rune) bool {
	if r < 0x80 {
		return r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z'
	}
	switch r {
	case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007:
		return true
	case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303B:
		return false
	}
	if rule, ok := contextRules[r]; ok {
		return rule(label, i)
	}
	return unicode.In(r, letterDigits...) && unicode.ToLower(r) == r &&
		!isIgnorable(r) && !unicode.Is(unstable(), r)
}

var letterDigits = []*unicode.RangeTable{
	unicode.Ll, unicode.Lu, unicode.Lo, unicode.Nd, unicode.Lm, unicode.Mn, unicode.Mc,
}

// isIgnorable is OldHangulJamo, IgnorableProperties and IgnorableBlocks.
func isIgnorable(r rune) bool {
	switch {
	case r >= 0x1100 && r <= 0x11FF, r >= 0xA960 && r <= 0xA97F, r >= 0xD7B0 && r <= 0xD7FF:
		return true
	case r >= 0x20D0 && r <= 0x20FF, r >= 0x1D100 && r <= 0x1D24F:
		return true
	}
	return r == 0x34F || r == 0x17B4 || r == 0x17B5 ||
		unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point, unicode.White_Space)
}

// contextRules are those of RFC 5892 appendix A.
var contextRules = map[rune]func(label []rune, i int) bool{
	0x200C: func(label []rune, i int) bool { return afterVirama(label, i) || joinsAround(label, i) },
	0x200D: afterVirama,
	0xB7:   func(label []rune, i int) bool { return at(label, i-1) == 'l' && at(label, i+1) == 'l' },
	0x375:  func(label []rune, i int) bool { return unicode.Is(unicode.Greek, at(label, i+1)) },
	0x5F3:  func(label []rune, i int) bool { return unicode.Is(unicode.Hebrew, at(label, i-1)) },
	0x5F4:  func(label []rune, i int) bool { return unicode.Is(unicode.Hebrew, at(label, i-1)) },
	0x30FB: func(label []rune, _ int) bool { return slices.ContainsFunc(label, isJapanese) },
	0x660:  notBeside(0x6F0), 0x661: notBeside(0x6F0), 0x662: notBeside(0x6F0), 0x663: notBeside(0x6F0),
	0x664: notBeside(0x6F0), 0x665: notBeside(0x6F0), 0x666: notBeside(0x6F0), 0x667: notBeside(0x6F0),
	0x668: notBeside(0x6F0), 0x669: notBeside(0x6F0),
	0x6F0: notBeside(0x660), 0x6F1: notBeside(0x660), 0x6F2: notBeside(0x660), 0x6F3: notBeside(0x660),
	0x6F4: notBeside(0x660), 0x6F5: notBeside(0x660), 0x6F6: notBeside(0x660), 0x6F7: notBeside(0x660),
	0x6F8: notBeside(0x660), 0x6F9: notBeside(0x660),
}

// at returns 0, which is in no class, beyond the ends.
func at(label []rune, i int) rune {
	if i < 0 || i >= len(label) {
		return 0
	}
	return label[i]
}

func isJapanese(r rune) bool {
	return r != 0x30FB && unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
}

// notBeside forbids the ten digits from zero on in the same label.
func notBeside(zero rune) func([]rune, int) bool {
	return func(label []rune, _ int) bool {
		return !slices.ContainsFunc(label, func(r rune) bool { return r >= zero && r <= zero+9 })
	}
}

func afterVirama(label []rune, i int) bool { return unicode.Is(viramas(), at(label, i-1)) }

// joinsAround is the regular expression of appendix A.1: a letter that joins to
// the left, marks, the joiner, marks, a letter that joins to the right.
func joinsAround(label []rune, i int) bool {
	before, after := i-1, i+1
	for isTransparent(at(label, before)) {
		before--
	}
	for isTransparent(at(label, after)) {
		after++
	}
	return unicode.In(at(label, before), joinsBoth(), joinsLeft()) &&
		unicode.In(at(label, after), joinsBoth(), joinsRight())
}

// isTransparent is the joining type T.
func isTransparent(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) }
