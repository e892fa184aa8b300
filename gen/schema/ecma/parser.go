package ecma

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parser reads a pattern; it is at src[off].
type parser struct {
	src   string
	off   int
	depth int
	looks bool // there is lookaround
}

const end = -1

// maxDepth bounds nested groups.
const maxDepth = 200

func (p *parser) errorf(off int, format string, args ...any) error {
	return &Error{Offset: off, Message: fmt.Sprintf(format, args...)}
}

// peek returns the next character, or end.
func (p *parser) peek() rune {
	if p.off >= len(p.src) {
		return end
	}
	c, _ := utf8.DecodeRuneInString(p.src[p.off:])
	return c
}

// next consumes the next character, or returns end.
func (p *parser) next() rune {
	if p.off >= len(p.src) {
		return end
	}
	c, n := utf8.DecodeRuneInString(p.src[p.off:])
	p.off += n
	return c
}

func (p *parser) accept(prefix string) bool {
	if strings.HasPrefix(p.src[p.off:], prefix) {
		p.off += len(prefix)
		return true
	}
	return false
}

func (p *parser) parse() (*node, error) {
	if !utf8.ValidString(p.src) {
		return nil, p.errorf(0, "is not valid UTF-8")
	}
	n, err := p.alternation()
	if err != nil {
		return nil, err
	}
	if p.off < len(p.src) {
		return nil, p.errorf(p.off, "has a ')' without a '('; write \\)")
	}
	return n, nil
}

func (p *parser) alternation() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf(p.off, "nests groups deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	alternation := &node{kind: kindAlternation}
	for {
		sequence, err := p.sequence()
		if err != nil {
			return nil, err
		}
		alternation.subs = append(alternation.subs, sequence)
		if !p.accept("|") {
			break
		}
	}
	if len(alternation.subs) == 1 {
		return alternation.subs[0], nil
	}
	return alternation, nil
}

func (p *parser) sequence() (*node, error) {
	sequence := &node{kind: kindSequence}
	for c := p.peek(); c != end && c != '|' && c != ')'; c = p.peek() {
		term, err := p.term()
		if err != nil {
			return nil, err
		}
		sequence.subs = append(sequence.subs, term)
	}
	return sequence, nil
}

// term reads an assertion, or an atom and its count.
func (p *parser) term() (*node, error) {
	start := p.off
	n, err := p.atom()
	if err != nil {
		return nil, err
	}
	at := p.off
	minimum, maximum, ok, err := p.quantifier()
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return n, nil
	case n.kind >= kindBegin:
		return nil, p.errorf(at, "repeats the assertion %s", p.src[start:at])
	}
	return &node{kind: kindRepeat, subs: []*node{n}, min: minimum, max: maximum, off: start}, nil
}

func (p *parser) atom() (*node, error) {
	start := p.off
	switch c := p.next(); c {
	case '^':
		return &node{kind: kindBegin, off: start}, nil
	case '$':
		return &node{kind: kindEnd}, nil
	case '.':
		return &node{set: lineBreaks.complement()}, nil
	case '(':
		return p.group(start)
	case '[':
		return p.class(start)
	case '\\':
		return p.escape(start)
	case '*', '+', '?':
		return nil, p.errorf(start, "has nothing to repeat before %c", c)
	case '{':
		p.off = start
		if _, _, ok, _ := p.quantifier(); ok {
			return nil, p.errorf(start, "has nothing to repeat before {")
		}
		p.off = start + 1
		return single(c), nil
	default:
		return single(c), nil
	}
}

func single(c rune) *node { return &node{set: newRunes(c, c)} }

// quantifier reads a count, lazy or not: that makes no difference to whether a
// string matches.
func (p *parser) quantifier() (minimum, maximum int, ok bool, err error) {
	start := p.off
	switch p.peek() {
	case '*':
		p.off++
		minimum, maximum = 0, -1
	case '+':
		p.off++
		minimum, maximum = 1, -1
	case '?':
		p.off++
		minimum, maximum = 0, 1
	case '{':
		if minimum, maximum, ok = p.braces(); !ok {
			p.off = start
			return 0, 0, false, nil
		}
	default:
		return 0, 0, false, nil
	}
	p.accept("?")
	if maximum >= 0 && minimum > maximum {
		return 0, 0, false, p.errorf(start, "has a repetition whose numbers are out of order")
	}
	if max(minimum, maximum) > maxSize {
		return 0, 0, false, p.errorf(start, "repeats more than %d times", maxSize)
	}
	return minimum, maximum, true, nil
}

// braces reads {n}, {n,} or {n,m}; anything else is no count.
func (p *parser) braces() (minimum, maximum int, ok bool) {
	inner, _, closed := strings.Cut(p.src[p.off+1:], "}")
	if !closed {
		return 0, 0, false
	}
	p.off += len(inner) + 2
	low, high, comma := strings.Cut(inner, ",")
	if minimum, ok = count(low); !ok {
		return 0, 0, false
	}
	switch {
	case !comma:
		return minimum, minimum, true
	case high == "":
		return minimum, -1, true
	}
	maximum, ok = count(high)
	return minimum, maximum, ok
}

// count reads digits; a number too large for anything becomes maxSize+1.
func count(digits string) (int, bool) {
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > maxSize {
		return maxSize + 1, true
	}
	return n, true
}

func (p *parser) group(start int) (*node, error) {
	look := p.look(start)
	if look == nil && p.accept("?") && !p.accept(":") {
		if err := p.groupKind(start); err != nil {
			return nil, err
		}
	}
	n, err := p.alternation()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.errorf(start, "has a '(' that is not closed")
	}
	if look != nil {
		look.subs = []*node{n}
		p.looks = true
		return look, nil
	}
	return n, nil
}

// look reads the head of a lookaround.
func (p *parser) look(start int) *node {
	for _, head := range []struct {
		text            string
		behind, negated bool
	}{{"?=", false, false}, {"?!", false, true}, {"?<=", true, false}, {"?<!", true, true}} {
		if p.accept(head.text) {
			return &node{kind: kindLook, behind: head.behind, negated: head.negated, off: start}
		}
	}
	return nil
}

// groupKind reads the name of a named group, and refuses all other kinds.
func (p *parser) groupKind(start int) error {
	switch {
	case p.accept("<"):
		name, _, closed := strings.Cut(p.src[p.off:], ">")
		if !closed || !validName(name) {
			return p.errorf(start, "has a malformed group name")
		}
		p.off += len(name) + 1
		return nil
	}
	return p.errorf(start, "has a group of a kind that ECMA-262 does not know, or with flags; only ( ), (?: ) and (?<name> ) can be translated")
}

func validName(name string) bool {
	for i, c := range name {
		letter := c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// escape reads what follows a backslash outside of a class.
func (p *parser) escape(start int) (*node, error) {
	switch c := p.peek(); {
	case c == 'b':
		p.off++
		return &node{kind: kindWord, off: start}, nil
	case c == 'B':
		p.off++
		return &node{kind: kindNotWord, off: start}, nil
	case c == 'k', '1' <= c && c <= '9':
		return nil, p.errorf(start, "uses the backreference \\%c, which cannot be translated", c)
	}
	if n, ok, err := p.setEscape(start); ok || err != nil {
		return n, err
	}
	c, err := p.charEscape(start)
	return single(c), err
}

// setEscape reads an escape that stands for a set.
func (p *parser) setEscape(start int) (*node, bool, error) {
	c := p.peek()
	if c == 'p' || c == 'P' {
		p.off++
		n, err := p.property(start, c == 'P')
		return n, true, err
	}
	set, ok := classEscapes[c]
	if ok {
		p.off++
	}
	return &node{set: set}, ok, nil
}

var (
	lineBreaks = newRunes('\n', '\n', '\r', '\r', 0x2028, 0x2029)
	digits     = newRunes('0', '9')
	word       = newRunes('0', '9', 'A', 'Z', '_', '_', 'a', 'z')
	// space is WhiteSpace and LineTerminator of ECMA-262, sections 12.2 and 12.3.
	space = newRunes('\t', '\r', ' ', ' ', 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A,
		0x2028, 0x2029, 0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF)

	classEscapes = map[rune]runes{
		'd': digits, 'D': digits.complement(),
		'w': word, 'W': word.complement(),
		's': space, 'S': space.complement(),
	}
	controlEscapes = map[rune]rune{'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}
)

// charEscape reads an escape that stands for one character.
func (p *parser) charEscape(start int) (rune, error) {
	c := p.next()
	if control, ok := controlEscapes[c]; ok {
		return control, nil
	}
	switch {
	case c == end:
		return 0, p.errorf(start, "ends in a backslash")
	case c == '0' && !isDigit(p.peek()):
		return 0, nil
	case c == 'c':
		return p.controlLetter(start)
	case c == 'x':
		if v, ok := p.hex(2); ok {
			return v, nil
		}
		return 0, p.errorf(start, "has a malformed escape: want \\x and two hexadecimal digits")
	case c == 'u':
		return p.unicodeEscape(start)
	case isDigit(c):
		return 0, p.errorf(start, "has an octal escape, which ECMA-262 does not know; write \\xHH")
	case isLetter(c):
		return 0, p.errorf(start, "has the escape \\%c, which ECMA-262 does not know%s", c, hints[c])
	}
	return c, nil
}

// hints tell what to write for escapes of other regular expressions.
var hints = map[rune]string{
	'A': "; write ^", 'Z': "; write $", 'z': "; write $", 'a': "; write \\x07", 'e': "; write \\x1b",
	'h': "; write [ \\t]", 'Q': "; escape each character",
}

func isDigit(c rune) bool { return '0' <= c && c <= '9' }

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func (p *parser) controlLetter(start int) (rune, error) {
	c := p.next()
	if !isLetter(c) {
		return 0, p.errorf(start, "has a malformed escape: want \\c and a letter")
	}
	return c % 32, nil
}

// hex consumes n hexadecimal digits.
func (p *parser) hex(n int) (rune, bool) {
	if p.off+n > len(p.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(p.src[p.off:p.off+n], 16, 32)
	if err != nil {
		return 0, false
	}
	p.off += n
	return rune(v), true
}

// unicodeEscape reads \uXXXX, a surrogate pair of two, or \u{X…}.
func (p *parser) unicodeEscape(start int) (rune, error) {
	if p.accept("{") {
		inner, _, closed := strings.Cut(p.src[p.off:], "}")
		v, err := strconv.ParseUint(inner, 16, 32)
		if !closed || err != nil || v > maxRune {
			return 0, p.errorf(start, "has a malformed escape: want \\u{…} with a code point in hexadecimal")
		}
		p.off += len(inner) + 1
		return rune(v), nil
	}
	high, ok := p.hex(4)
	if !ok {
		return 0, p.errorf(start, "has a malformed escape: want \\u and four hexadecimal digits")
	}
	mark := p.off
	if utf16.IsSurrogate(high) && p.accept(`\u`) {
		if low, ok := p.hex(4); ok {
			if c := utf16.DecodeRune(high, low); c != utf8.RuneError {
				return c, nil
			}
		}
		p.off = mark
	}
	return high, nil
}
