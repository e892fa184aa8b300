package wire

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// AppendString appends s as a JSON string. Bytes that are no UTF-8 become U+FFFD;
// validation has refused them before.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n := skipPlainString(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"')
		}
		s = s[n:]
		if r, size := utf8.DecodeRuneInString(s); s[0] >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) {
			b = append(b, s[:size]...)
			s = s[size:]
			continue
		}
		b = appendEscaped(b, s[0])
		s = s[1:]
	}
}

func skipPlainString(s string) int {
	return skipPlain(unsafe.Slice(unsafe.StringData(s), len(s)), 0)
}

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
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// AppendFloat appends the shortest JSON number that reads back as f. JSON has no
// NaN and no infinity: they become null, and ValidFloat tells them beforehand.
func AppendFloat(b []byte, f float64) []byte {
	if !ValidFloat(f) {
		return append(b, "null"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// ValidFloat says whether JSON can say f.
func ValidFloat(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// ValidString says whether JSON can say s: whether it is UTF-8.
func ValidString(s string) bool { return utf8.ValidString(s) }

// Length returns the length of a string as JSON Schema counts it: in code points.
func Length(s string) int { return utf8.RuneCountInString(s) }
