package wire

import "math/bits"

// A short is a number that most numbers are: at most 18 digits, no exponent. Its
// value is ±digits / 10^scale.
type short struct {
	digits uint64
	scale  int
	neg    bool
}

// shortDigits is the number of digits that a short may have, so that sums and
// one more digit fit an int64.
const shortDigits = 18

// parseShort reads the text of a valid JSON number; false when it is no short.
func parseShort(text string) (s short, ok bool) {
	i := 0
	if text[0] == '-' {
		s.neg = true
		i = 1
	}
	if len(text)-i > shortDigits {
		return s, false
	}
	point := len(text)
	for ; i < len(text); i++ {
		c := text[i] - '0'
		if c > 9 {
			if text[i] != '.' {
				return s, false
			}
			point = i + 1
			continue
		}
		s.digits = s.digits*10 + uint64(c)
	}
	s.scale = len(text) - point
	return s, true
}

// scanShort reads the number at i; false when it is no short or no number.
func scanShort(b []byte, i int) (s short, end int, ok bool) {
	if i < len(b) && b[i] == '-' {
		s.neg = true
		i++
	}
	whole := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		s.digits = s.digits*10 + uint64(b[i]-'0')
	}
	if i == whole || i > whole+1 && b[whole] == '0' || i > whole+shortDigits {
		return s, i, false
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		for i = fraction; i < len(b) && b[i]-'0' <= 9; i++ {
			s.digits = s.digits*10 + uint64(b[i]-'0')
		}
		if s.scale = i - fraction; s.scale == 0 || i > whole+shortDigits+1 {
			return s, i, false
		}
	}
	return s, i, i == len(b) || b[i]|0x20 != 'e'
}

// int64 is the value of an integer.
func (s *short) int64() int64 {
	if s.neg {
		return -int64(s.whole())
	}
	return int64(s.whole())
}

// whole is the absolute value of an integer.
func (s *short) whole() uint64 {
	if s.scale == 0 {
		return s.digits
	}
	return s.digits / powers[s.scale]
}

// float64 is the nearest one, for at most 2^53 digits: both operands are exact, so
// that the quotient is.
func (s *short) float64() float64 {
	f := float64(s.digits)
	if s.scale > 0 {
		f /= exactPowers[s.scale]
	}
	if s.neg {
		return -f
	}
	return f
}

// isInteger says whether s has no fractional part.
func (s *short) isInteger() bool { return s.scale == 0 || s.digits%powers[s.scale] == 0 }

// powers of ten that fit a uint64.
var powers = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// shift returns u·10^n; false when that overflows.
func shift(u uint64, n int64) (uint64, bool) {
	if n >= int64(len(powers)) {
		return 0, u == 0
	}
	hi, lo := bits.Mul64(u, powers[n])
	return lo, hi == 0
}

// align brings s and d to the same power of ten; false when that is not possible
// in 64 bits.
func (s *short) align(d *Decimal) (a, b uint64, ok bool) {
	exp, ok := d.exp.small()
	if !ok || d.digits != "" {
		return 0, 0, false
	}
	if exp += int64(s.scale); exp >= 0 {
		b, ok = shift(d.coef, exp)
		return s.digits, b, ok
	}
	a, ok = shift(s.digits, -exp)
	return a, d.coef, ok
}

// compare returns the order of s and d; false when it takes more than 64 bits.
func (s *short) compare(d *Decimal) (order int, ok bool) {
	a, b, ok := s.align(d)
	if !ok {
		return 0, false
	}
	negative := s.neg && a != 0
	switch {
	case negative != d.neg:
		order = 1
	case a == b:
		return 0, true
	case a > b:
		order = 1
	default:
		order = -1
	}
	if negative {
		order = -order
	}
	return order, true
}
