package schema

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parseJSON parses one JSON text by the letter of RFC 8259, and a little
// stricter: names of an object's members are distinct, strings are valid
// Unicode, and there is no byte order mark. It stops at the first error of
// syntax, reports it and returns nil; duplicate names are all reported.
func parseJSON(src []byte, file string, limits Limits, rep *report) *Node {
	p := &jsonParser{src: src, file: file, line: 1, limits: limits, report: rep}
	if len(src) >= 3 && bytes.Equal(src[:3], []byte("\xef\xbb\xbf")) {
		p.failf(p.pos(), "starts with a byte order mark; save the file as UTF-8 without one")
		return nil
	}
	root := p.value()
	p.space()
	if !p.broken && p.off < len(p.src) {
		p.failf(p.pos(), "unexpected %s after the end of the JSON text", p.found())
	}
	if p.broken {
		return nil
	}
	return root
}

// jsonParser is at src[off], which lies in the line that begins at lineStart.
type jsonParser struct {
	src       []byte
	off       int
	line      int
	lineStart int
	file      string
	depth     int
	nodes     int
	limits    Limits
	report    *report
	broken    bool // an error of syntax was reported; the result is void
}

func (p *jsonParser) pos() Position {
	return p.posAt(p.off)
}

// posAt is the position of an offset in the current line.
func (p *jsonParser) posAt(off int) Position {
	return Position{File: p.file, Line: p.line, Column: off - p.lineStart + 1}
}

func (p *jsonParser) failf(pos Position, format string, args ...any) {
	if !p.broken {
		p.report.errorf(pos, "", format, args...)
	}
	p.broken = true
}

// found names the next byte for a message.
func (p *jsonParser) found() string {
	if p.off >= len(p.src) {
		return "end of file"
	}
	r, size := utf8.DecodeRune(p.src[p.off:])
	if r == utf8.RuneError && size <= 1 {
		return fmt.Sprintf("byte 0x%02x", p.src[p.off])
	}
	return strconv.QuoteRuneToASCII(r)
}

func (p *jsonParser) space() {
	for ; p.off < len(p.src); p.off++ {
		switch p.src[p.off] {
		case ' ', '\t', '\r':
		case '\n':
			p.line++
			p.lineStart = p.off + 1
		default:
			return
		}
	}
}

// skip consumes the byte c behind white space, if it is next.
func (p *jsonParser) skip(c byte) bool {
	p.space()
	if p.off < len(p.src) && p.src[p.off] == c {
		p.off++
		return true
	}
	return false
}

// value parses the next value; after an error its result means nothing.
func (p *jsonParser) value() *Node {
	p.space()
	n := &Node{Pos: p.pos()}
	if p.nodes++; p.nodes > p.limits.Nodes {
		p.failf(n.Pos, "more than %d values in one file", p.limits.Nodes)
		return n
	}
	if p.off >= len(p.src) {
		p.failf(n.Pos, "unexpected end of file, want a JSON value")
		return n
	}
	switch c := p.src[p.off]; {
	case c == '{':
		p.nested(n, p.object)
	case c == '[':
		p.nested(n, p.array)
	case c == '"':
		n.Kind, n.Text = String, p.str()
	case c == '-' || '0' <= c && c <= '9':
		n.Kind, n.Text = Number, p.number()
	default:
		p.literal(n)
	}
	return n
}

func (p *jsonParser) nested(n *Node, parse func(*Node)) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > p.limits.Depth {
		p.failf(n.Pos, "nested deeper than %d levels", p.limits.Depth)
		return
	}
	p.off++
	parse(n)
}

func (p *jsonParser) literal(n *Node) {
	for _, l := range []struct {
		text string
		kind Kinds
	}{{"null", Null}, {"true", Boolean}, {"false", Boolean}} {
		if bytes.HasPrefix(p.src[p.off:], []byte(l.text)) {
			p.off += len(l.text)
			n.Kind = l.kind
			if l.kind == Boolean {
				n.Text = l.text
			}
			return
		}
	}
	p.failf(n.Pos, "unexpected %s, want a JSON value", p.found())
}

func (p *jsonParser) array(n *Node) {
	n.Kind = Array
	if p.skip(']') {
		return
	}
	for !p.broken {
		n.Items = append(n.Items, p.value())
		if p.broken || p.skip(']') {
			return
		}
		if !p.skip(',') {
			p.failf(p.pos(), "unexpected %s, want ',' or ']'", p.found())
		}
	}
}

func (p *jsonParser) object(n *Node) {
	n.Kind = Object
	if p.skip('}') {
		return
	}
	seen := map[string]Position{}
	for !p.broken {
		p.member(n, seen)
		if p.broken || p.skip('}') {
			return
		}
		if !p.skip(',') {
			p.failf(p.pos(), "unexpected %s, want ',' or '}'", p.found())
		}
	}
}

func (p *jsonParser) member(n *Node, seen map[string]Position) {
	p.space()
	pos := p.pos()
	if p.off >= len(p.src) || p.src[p.off] != '"' {
		p.failf(pos, "unexpected %s, want a member name in double quotes", p.found())
		return
	}
	name := p.str()
	if p.broken {
		return
	}
	if !p.skip(':') {
		p.failf(p.pos(), "unexpected %s, want ':'", p.found())
		return
	}
	value := p.value()
	n.addMember(Member{Name: name, Pos: pos, Value: value}, seen, p.report)
}

// addMember appends m unless its name was seen before, which is an error.
func (n *Node) addMember(m Member, seen map[string]Position, rep *report) {
	if first, dup := seen[m.Name]; dup {
		rep.errorf(m.Pos, "", "duplicate member %s, first at %d:%d; remove one", quote(m.Name), first.Line, first.Column)
		return
	}
	seen[m.Name] = m.Pos
	n.Members = append(n.Members, m)
}

// number consumes a number and returns its text.
func (p *jsonParser) number() string {
	start := p.off
	p.accept('-')
	if !p.accept('0') && !p.digits() {
		p.failf(p.posAt(start), "malformed number: want a digit behind '-'")
		return ""
	}
	if p.accept('.') && !p.digits() {
		p.failf(p.posAt(start), "malformed number: want a digit behind '.'")
		return ""
	}
	if p.accept('e') || p.accept('E') {
		_ = p.accept('+') || p.accept('-')
		if !p.digits() {
			p.failf(p.posAt(start), "malformed number: want a digit in the exponent")
			return ""
		}
	}
	if p.off < len(p.src) && '0' <= p.src[p.off] && p.src[p.off] <= '9' {
		p.failf(p.posAt(start), "malformed number: leading zero")
		return ""
	}
	return string(p.src[start:p.off])
}

func (p *jsonParser) accept(c byte) bool {
	if p.off < len(p.src) && p.src[p.off] == c {
		p.off++
		return true
	}
	return false
}

// digits consumes digits and says whether there was one.
func (p *jsonParser) digits() bool {
	start := p.off
	for p.off < len(p.src) && '0' <= p.src[p.off] && p.src[p.off] <= '9' {
		p.off++
	}
	return p.off > start
}

// str consumes a string and returns its value.
func (p *jsonParser) str() string {
	open := p.off
	p.off++
	start := p.off
	for p.off < len(p.src) {
		c := p.src[p.off]
		if c == '"' {
			p.off++
			return string(p.src[start : p.off-1])
		}
		if c == '\\' {
			return p.escaped(open, start)
		}
		if !p.char() {
			return ""
		}
	}
	p.failf(p.posAt(open), "string is not closed")
	return ""
}

// escaped goes on with a string that has an escape at off.
func (p *jsonParser) escaped(open, start int) string {
	buf := append([]byte(nil), p.src[start:p.off]...)
	for p.off < len(p.src) && !p.broken {
		at := p.off
		switch p.src[p.off] {
		case '"':
			p.off++
			return string(buf)
		case '\\':
			buf = utf8.AppendRune(buf, p.escape())
		default:
			if p.char() {
				buf = append(buf, p.src[at:p.off]...)
			}
		}
	}
	p.failf(p.posAt(open), "string is not closed")
	return ""
}

// char consumes one unescaped character of a string.
func (p *jsonParser) char() bool {
	c := p.src[p.off]
	if c == '\n' || c == '\r' {
		p.failf(p.pos(), "the line ends in a string; close it, or write \\n for a new line")
		return false
	}
	if c < ' ' {
		p.failf(p.pos(), "control character 0x%02x in a string; write \\u%04x", c, c)
		return false
	}
	r, size := utf8.DecodeRune(p.src[p.off:])
	if r == utf8.RuneError && size <= 1 {
		p.failf(p.pos(), "invalid UTF-8: byte 0x%02x", c)
		return false
	}
	p.off += size
	return true
}

// escape consumes one escape, or the two of a surrogate pair.
func (p *jsonParser) escape() rune {
	pos := p.pos()
	if p.off+1 >= len(p.src) {
		p.failf(pos, "string is not closed")
		return 0
	}
	c := p.src[p.off+1]
	if c == 'u' {
		return p.unicodeEscape(pos)
	}
	i := bytes.IndexByte([]byte(`"\/bfnrt`), c)
	if i < 0 {
		p.failf(pos, "unknown escape in a string; JSON knows only \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX")
		return 0
	}
	p.off += 2
	return rune("\"\\/\b\f\n\r\t"[i])
}

func (p *jsonParser) unicodeEscape(pos Position) rune {
	r, ok := p.codeUnit()
	if !ok {
		p.failf(pos, "malformed escape: want \\u and four hexadecimal digits")
		return 0
	}
	if !utf16.IsSurrogate(r) {
		return r
	}
	low, ok := p.codeUnit()
	if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
		return pair
	}
	p.failf(pos, "lone surrogate \\u%04x: it stands for no character", r)
	return 0
}

// codeUnit consumes \uXXXX.
func (p *jsonParser) codeUnit() (rune, bool) {
	if p.off+6 > len(p.src) || p.src[p.off] != '\\' || p.src[p.off+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range p.src[p.off+2 : p.off+6] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | d
	}
	p.off += 6
	return r, true
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}
