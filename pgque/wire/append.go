package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendString appends s as a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte {
	b, _ = appendText(b, s)
	return b
}

// appendText is AppendString, and tells whether all of s is UTF-8.
func appendText(b []byte, s string) (text []byte, ok bool) {
	n, end := len(b), len(b)+1+len(s)
	if end >= cap(b) || skipPlainString(s) != len(s) {
		return appendHard(b, s)
	}
	b = b[:end+1]
	b[n], b[end] = '"', '"'
	copy(b[n+1:], s)
	return b, true
}

// appendHard is appendText for strings that are not all plain, or do not fit.
func appendHard(b []byte, s string) (text []byte, ok bool) {
	ok = true
	b = append(b, '"')
	for {
		n := skipPlainString(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"'), ok
		}
		s = s[n:]
		if r, size := utf8.DecodeRuneInString(s); s[0] >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) {
			b = append(b, s[:size]...)
			s = s[size:]
			continue
		}
		ok = ok && s[0] < utf8.RuneSelf
		b = appendEscaped(b, s[0])
		s = s[1:]
	}
}

func skipPlainString(s string) int { return skipPlain(view(s), 0) }

const hexDigits = "0123456789abcdef"

// appendEscaped appends the escape of a byte that cannot stand for itself.
func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	}
	if c >= utf8.RuneSelf {
		return append(b, "\uFFFD"...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// AppendInt appends i.
func AppendInt(b []byte, i int64) []byte { return strconv.AppendInt(b, i, 10) }

// AppendUint appends u.
func AppendUint(b []byte, u uint64) []byte { return strconv.AppendUint(b, u, 10) }

// AppendBool appends true or false.
//
//go:noinline
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// AppendFloat appends the shortest JSON number that reads back as f. JSON has no
// NaN and no infinity: they become null, and ValidFloat tells them beforehand.
func AppendFloat(b []byte, f float64) []byte {
	if digits, scale, ok := fewDigits(f); ok {
		return appendScaled(b, digits, scale)
	}
	if !ValidFloat(f) {
		return append(b, "null"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// maxScale is the number of digits behind the point up to which fewDigits looks.
const maxScale = 4

// fewDigits finds the decimal digits·10^-scale that reads back as f when it has at
// most 15 digits, of which few are behind the point, as prices and measures have.
// No two decimals of 15 digits have the same nearest float64, so that there is no
// shorter one. Zero is left to the slow way: it has a sign.
func fewDigits(f float64) (digits int64, scale int, ok bool) {
	const most = 1e15
	for scale, power := range exactPowers[:maxScale+1] {
		scaled := f * power
		if !(scaled > -most && scaled < most) {
			return 0, 0, false
		}
		digits = int64(math.RoundToEven(scaled))
		if float64(digits)/power == f && digits != 0 { // the quotient is the nearest float64
			return digits, scale, true
		}
	}
	return 0, 0, false
}

// appendScaled appends digits·10^-scale.
func appendScaled(b []byte, digits int64, scale int) []byte {
	if scale == 0 {
		return strconv.AppendInt(b, digits, 10)
	}
	if digits < 0 {
		b = append(b, '-')
		digits = -digits
	}
	power := int64(powers[scale])
	b = strconv.AppendInt(b, digits/power, 10)
	b = append(b, '.')
	for digits %= power; scale > 0; scale-- {
		power /= 10
		b = append(b, byte('0'+digits/power))
		digits %= power
	}
	return b
}

// ValidFloat says whether JSON can say f.
func ValidFloat(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// isASCII looks at eight bytes at a time, at those before the end twice rather
// than one by one.
func isASCII(s string) bool {
	const high = 0x8080808080808080
	b := view(s)
	if len(b) < 8 {
		var all byte
		for _, c := range b {
			all |= c
		}
		return all < utf8.RuneSelf
	}
	all := binary.LittleEndian.Uint64(b[len(b)-8:])
	for ; len(b) >= 8; b = b[8:] {
		all |= binary.LittleEndian.Uint64(b)
	}
	return all&high == 0
}

// Length returns the length of a string as JSON Schema counts it: in code points.
func Length(s string) int {
	if isASCII(s) {
		return len(s)
	}
	return utf8.RuneCountInString(s)
}
