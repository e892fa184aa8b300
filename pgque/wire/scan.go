package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Messages of syntax errors.
const (
	msgEnd       = "unexpected end"
	msgValue     = "a value is expected"
	msgNumber    = "malformed number"
	msgLiteral   = "malformed literal"
	msgControl   = "control character in a string"
	msgEscape    = "malformed escape"
	msgSurrogate = "lone surrogate"
	msgUTF8      = "invalid UTF-8"
	msgName      = "a member name is expected"
	msgColon     = "a colon is expected"
	msgComma     = "a comma or the end of the object is expected"
	msgItemComma = "a comma or the end of the array is expected"
	msgTrailing  = "data behind the value"
	msgDuplicate = "duplicate member name"
	msgDepth     = "nested too deep"
)

// space holds the white space of JSON.
var space = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

// skipSpace returns the offset of the first byte from i on that is no white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && space[b[i]] {
		i++
	}
	return i
}

// scanNumber returns the offset behind the number at i, and whether it has an
// exponent; or where and why it is none.
func scanNumber(b []byte, i int) (end int, exponent bool, problem string) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := i
	i = skipDigits(b, i)
	if i == digits || i > digits+1 && b[digits] == '0' {
		return digits, false, msgNumber
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = skipDigits(b, fraction); i == fraction {
			return i, false, msgNumber
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		exponent = true
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		power := i
		if i = skipDigits(b, power); i == power {
			return i, true, msgNumber
		}
	}
	return i, exponent, ""
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// plain holds the bytes that stand for themselves in a string of ASCII.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// scanString returns the offset behind the string whose first byte after the
// opening quote is at i, and whether it has escapes; or where and why it is none.
func scanString(b []byte, i int) (end int, escaped bool, problem string) {
	if i+8 <= len(b) { // the first word of skipPlain, in or behind which most strings end
		i += bits.TrailingZeros64(oddBytes(binary.LittleEndian.Uint64(b[i:]))) / 8
		if i < len(b) && b[i] == '"' {
			return i + 1, false, ""
		}
	}
	i = skipPlain(b, i)
	if i < len(b) && b[i] == '"' {
		return i + 1, false, ""
	}
	return scanHard(b, i)
}

// skipPlain returns the offset of the first byte from i on that does not stand for
// itself, or is beyond ASCII. It looks at eight bytes at a time.
func skipPlain(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if odd := oddBytes(binary.LittleEndian.Uint64(b[i:])); odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	if last := len(b) - 8; last >= 0 && i < len(b) {
		// The last word without what was looked at already; zeros, which are odd,
		// stand behind the end.
		rest := binary.LittleEndian.Uint64(b[last:]) >> (8 * (i - last))
		return i + bits.TrailingZeros64(oddBytes(rest))/8
	}
	for i < len(b) && plain[b[i]] {
		i++
	}
	return i
}

// oddBytes sets the highest bit of the first byte that is a quote, a backslash, a
// control character or beyond ASCII. Bits of bytes behind it mean nothing.
func oddBytes(w uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote := (w ^ ones*'"') - ones
	backslash := (w ^ ones*'\\') - ones
	control := w - ones*' '
	return (w | quote | backslash | control) & high
}

// scanHard is scanString for strings that are not all plain.
func scanHard(b []byte, i int) (end int, escaped bool, problem string) {
	for i < len(b) {
		c := b[i]
		switch {
		case plain[c]:
			i++
		case c == '"':
			return i + 1, escaped, ""
		case c == '\\':
			escaped = true
			if i, problem = scanEscape(b, i); problem != "" {
				return i, escaped, problem
			}
		case c < ' ':
			return i, escaped, msgControl
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size <= 1 {
				return i, escaped, msgUTF8
			}
			i += size
		}
	}
	return i, escaped, msgEnd
}

// scanEscape returns the offset behind the escape at i. A surrogate pair is one
// escape.
func scanEscape(b []byte, i int) (end int, problem string) {
	if i+1 >= len(b) {
		return len(b), msgEnd
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, ""
	case 'u':
	default:
		return i, msgEscape
	}
	unit, ok := hexUnit(b, i)
	switch {
	case !ok:
		return i, msgEscape
	case unit < 0xD800 || unit > 0xDFFF:
		return i + 6, ""
	case unit >= 0xDC00:
		return i, msgSurrogate
	}
	low, ok := hexUnit(b, i+6)
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return i, msgSurrogate
	}
	return i + 12, ""
}

// hexUnit reads the escape \uXXXX at i.
func hexUnit(b []byte, i int) (unit rune, ok bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	for _, c := range b[i+2 : i+6] {
		digit := hexValue[c]
		if digit < 0 {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, true
}

// hexValue maps hexadecimal digits to their value, other bytes to -1.
var hexValue = func() (t [256]int8) {
	for c := range t {
		t[c] = -1
	}
	for i, c := range "0123456789" {
		t[c] = int8(i)
	}
	for i := range int8(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// unescape appends the text of a scanned string without its quotes to dst.
func unescape(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		switch c := text[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			unit, _ := hexUnit(text, i)
			i += 6
			if unit >= 0xD800 && unit < 0xDC00 {
				low, _ := hexUnit(text, i)
				i += 6
				unit = (unit-0xD800)<<10 + (low - 0xDC00) + 0x10000
			}
			dst = utf8.AppendRune(dst, unit)
			continue
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}
