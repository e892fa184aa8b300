package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// FormatRegex is the format regex: a regular expression of ECMA-262 with the flag
// u, which JSON Schema recommends. One that nests its groups deeper than MaxDepth
// is refused.
func FormatRegex(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	p := &ecmaParser{rest: s, names: make(map[string]bool)}
	_, ok := p.disjunction()
	return ok && p.rest == "" && p.referencesExist()
}

// ecmaParser reads the grammar Pattern of ECMA-262 section 22.2.1, with its early
// errors.
type ecmaParser struct {
	rest    string
	depth   int
	groups  int             // capturing groups so far
	highest int             // the highest number that is referred to
	names   map[string]bool // false: referred to but not yet defined
}

func (p *ecmaParser) referencesExist() bool {
	for _, defined := range p.names {
		if !defined {
			return false
		}
	}
	return p.highest <= p.groups
}

func (p *ecmaParser) cut(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

// next takes one character; utf8.RuneError at the end.
func (p *ecmaParser) next() rune {
	r, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	return r
}

// disjunction reads alternatives and returns the group names in them. A name may
// stand in several alternatives, but not twice in one.
func (p *ecmaParser) disjunction() (map[string]bool, bool) {
	if p.depth++; p.depth > MaxDepth {
		return nil, false
	}
	defer func() { p.depth-- }()
	var all map[string]bool
	for {
		names, ok := p.alternative()
		if !ok {
			return nil, false
		}
		all, _ = union(all, names)
		if !p.cut("|") {
			return all, true
		}
	}
}

// alternative reads terms up to | or ) or the end.
func (p *ecmaParser) alternative() (map[string]bool, bool) {
	var all map[string]bool
	for p.rest != "" && p.rest[0] != '|' && p.rest[0] != ')' {
		names, quantifiable, ok := p.term()
		if !ok || !p.quantifier(quantifiable) {
			return nil, false
		}
		if all, ok = union(all, names); !ok {
			return nil, false
		}
	}
	return all, true
}

// union adds the smaller of two sets to the larger, and says whether they had
// nothing in common.
func union(a, b map[string]bool) (all map[string]bool, disjoint bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	disjoint = true
	for name := range b {
		disjoint = disjoint && !a[name]
		a[name] = true
	}
	return a, disjoint
}

// term reads an assertion or an atom without its quantifier.
func (p *ecmaParser) term() (names map[string]bool, quantifiable, ok bool) {
	switch c := p.next(); c {
	case '^', '$':
		return nil, false, true
	case '(':
		return p.group()
	case '[':
		return nil, true, p.class()
	case '\\':
		if p.cut("b") || p.cut("B") {
			return nil, false, true
		}
		return nil, true, p.atomEscape()
	case '*', '+', '?', '{', '}', ']':
		return nil, false, false
	}
	return nil, true, true
}

// quantifier reads a quantifier, if there is one.
func (p *ecmaParser) quantifier(allowed bool) bool {
	switch {
	case p.cut("*"), p.cut("+"), p.cut("?"):
	case p.cut("{"):
		if !p.bounds() {
			return false
		}
	default:
		return true
	}
	p.cut("?")
	return allowed
}

// bounds reads n}, n,} or n,m} with n <= m.
func (p *ecmaParser) bounds() bool {
	least, ok := p.natural()
	if !ok {
		return false
	}
	if p.cut("}") {
		return true
	}
	if !p.cut(",") {
		return false
	}
	if p.cut("}") {
		return true
	}
	most, ok := p.natural()
	return ok && !lessNatural(most, least) && p.cut("}")
}

// natural takes decimal digits and returns them without leading zeros.
func (p *ecmaParser) natural() (string, bool) {
	rest := strings.TrimLeft(p.rest, "0123456789")
	digits := p.rest[:len(p.rest)-len(rest)]
	p.rest = rest
	return strings.TrimLeft(digits, "0"), digits != ""
}

func lessNatural(a, b string) bool {
	return len(a) < len(b) || len(a) == len(b) && a < b
}

// group reads what follows an opening parenthesis.
func (p *ecmaParser) group() (names map[string]bool, quantifiable, ok bool) {
	name := ""
	quantifiable = true
	switch {
	case p.cut("?="), p.cut("?!"), p.cut("?<="), p.cut("?<!"):
		quantifiable = false
	case p.cut("?<"):
		p.groups++
		if name, ok = p.groupName(); !ok {
			return nil, false, false
		}
		p.names[name] = true
	case p.cut("?"):
		if !p.modifiers() {
			return nil, false, false
		}
	default:
		p.groups++
	}
	names, ok = p.disjunction()
	if !ok || !p.cut(")") {
		return nil, false, false
	}
	if name != "" {
		names, ok = union(names, map[string]bool{name: true})
	}
	return names, quantifiable, ok
}

// modifiers reads flags: or flags-flags:, of i, m and s, each at most once.
func (p *ecmaParser) modifiers() bool {
	seen := ""
	minus := false
	for {
		c := p.next()
		switch {
		case c == ':':
			return !minus || seen != ""
		case c == '-' && !minus:
			minus = true
		case c < utf8.RuneSelf && strings.ContainsRune("ims", c) && !strings.ContainsRune(seen, c):
			seen += string(c)
		default:
			return false
		}
	}
}

// groupName reads an identifier and the > behind it. Its characters may be written
// as escapes.
func (p *ecmaParser) groupName() (string, bool) {
	var name []rune
	for !p.cut(">") {
		if p.rest == "" {
			return "", false
		}
		r := p.next()
		if r == '\\' {
			var ok bool
			if r, ok = p.unicodeEscape(); !ok {
				return "", false
			}
		}
		if !isIdentifier(r, len(name) == 0) {
			return "", false
		}
		name = append(name, r)
	}
	return string(name), len(name) > 0
}

func isIdentifier(r rune, first bool) bool {
	if r == '$' || r == '_' || unicode.In(r, unicode.L, unicode.Nl, unicode.Other_ID_Start) {
		return !unicode.In(r, unicode.Pattern_Syntax, unicode.Pattern_White_Space) || r == '$' || r == '_'
	}
	return !first && (r == 0x200C || r == 0x200D ||
		unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue))
}

// unicodeEscape reads the u of an escape and what follows.
func (p *ecmaParser) unicodeEscape() (rune, bool) {
	if !p.cut("u") {
		return 0, false
	}
	if p.cut("{") {
		digits, rest, ok := strings.Cut(p.rest, "}")
		p.rest = rest
		return codePoint(digits, ok)
	}
	unit, ok := p.hex(4)
	if ok && unit >= 0xD800 && unit < 0xDC00 && strings.HasPrefix(p.rest, `\u`) {
		trail := ecmaParser{rest: p.rest[2:]}
		if low, ok := trail.hex(4); ok && low >= 0xDC00 && low < 0xE000 {
			p.rest = trail.rest
			return (unit-0xD800)<<10 + low - 0xDC00 + 0x10000, true
		}
	}
	return unit, ok
}

func codePoint(digits string, ok bool) (rune, bool) {
	r := rune(0)
	for i := 0; i < len(digits); i++ {
		digit := hexValue[digits[i]]
		if r = r<<4 | rune(digit); digit < 0 || r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, ok && digits != ""
}

// hex reads n hexadecimal digits.
func (p *ecmaParser) hex(n int) (rune, bool) {
	if len(p.rest) < n {
		return 0, false
	}
	digits := p.rest[:n]
	p.rest = p.rest[n:]
	return codePoint(digits, true)
}

// atomEscape reads what follows a backslash outside of classes.
func (p *ecmaParser) atomEscape() bool {
	if p.cut("k<") {
		name, ok := p.groupName()
		if ok && !p.names[name] {
			p.names[name] = false
		}
		return ok
	}
	if p.rest != "" && p.rest[0] >= '1' && p.rest[0] <= '9' {
		digits, _ := p.natural()
		if len(digits) > 9 {
			return false
		}
		p.highest = max(p.highest, int(parseDigits(digits)))
		return true
	}
	_, _, ok := p.escape(`^$\.*+?()[]{}|/`)
	return ok
}

// escape reads a class escape, which is a set, or the escape of one character.
func (p *ecmaParser) escape(identity string) (r rune, set, ok bool) {
	if p.rest == "" {
		return 0, false, false
	}
	if p.rest[0] == 'u' {
		r, ok = p.unicodeEscape()
		return r, false, ok
	}
	switch c := p.next(); c {
	case 'd', 'D', 's', 'S', 'w', 'W':
		return 0, true, true
	case 'p', 'P':
		return 0, true, p.property()
	case 'c':
		letter := p.next()
		return letter & 31, false, letter < utf8.RuneSelf && isLetter(byte(letter))
	case 'x':
		r, ok = p.hex(2)
		return r, false, ok
	case '0':
		return 0, false, p.rest == "" || p.rest[0]-'0' > 9
	default:
		if i := strings.IndexRune("tnvfr", c); i >= 0 {
			return rune("\t\n\v\f\r"[i]), false, true
		}
		return c, false, strings.ContainsRune(identity, c)
	}
}

// class reads what follows an opening bracket.
func (p *ecmaParser) class() bool {
	p.cut("^")
	for !p.cut("]") {
		from, set, ok := p.classAtom()
		if !ok {
			return false
		}
		if !strings.HasPrefix(p.rest, "-") || strings.HasPrefix(p.rest, "-]") {
			continue
		}
		p.rest = p.rest[1:]
		to, set2, ok := p.classAtom()
		if !ok || set || set2 || from > to {
			return false
		}
	}
	return true
}

func (p *ecmaParser) classAtom() (r rune, set, ok bool) {
	switch {
	case p.rest == "":
		return 0, false, false
	case p.cut(`\b`):
		return '\b', false, true
	case p.cut(`\`):
		return p.escape(`^$\.*+?()[]{}|/-`)
	}
	return p.next(), false, true
}

// property reads {name} or {name=value} of a property of Unicode.
func (p *ecmaParser) property() bool {
	if !p.cut("{") {
		return false
	}
	text, rest, ok := strings.Cut(p.rest, "}")
	if !ok {
		return false
	}
	p.rest = rest
	name, value, valued := strings.Cut(text, "=")
	switch {
	case !valued:
		return isCategory(name) || binaryProperties()[name]
	case name == "General_Category" || name == "gc":
		return isCategory(value)
	case name == "Script" || name == "sc" || name == "Script_Extensions" || name == "scx":
		_, ok := unicode.Scripts[value]
		return ok || scriptAliases()[value]
	}
	return false
}

func isCategory(s string) bool {
	_, short := unicode.Categories[s]
	_, long := unicode.CategoryAliases[s]
	return short || long
}
