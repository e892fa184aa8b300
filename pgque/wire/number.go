package wire

import (
	"errors"
	"math"
	"strconv"
)

// A Number is the text of a JSON number, exact. A Number that a Decoder or a
// Value hands out is part of the text that was read: it is good as long as that
// text is not written to.
type Number string

// Compare returns -1, 0 or 1 as n is less than, equal to or greater than d. It is
// exact and does not expand exponents.
func (n Number) Compare(d *Decimal) int {
	if s, ok := parseShort(string(n)); ok {
		if order, ok := s.compare(d); ok {
			return order
		}
	}
	v := parseDecimal(string(n))
	return v.compare(d)
}

// IsInteger says whether n has no fractional part: 1.0 and 1e2 have none.
func (n Number) IsInteger() bool {
	if s, ok := parseShort(string(n)); ok {
		return s.isInteger()
	}
	v := parseDecimal(string(n))
	return v.isInteger()
}

// MultipleOf says whether n is d times an integer, exactly. d is positive.
func (n Number) MultipleOf(d *Decimal) bool {
	if s, ok := parseShort(string(n)); ok {
		if a, b, ok := s.align(d); ok {
			return a%b == 0
		}
	}
	v := parseDecimal(string(n))
	return v.multipleOf(d)
}

// Int64 returns n as an int64; false when n has a fractional part or does not fit.
func (n Number) Int64() (int64, bool) {
	u, neg, ok := n.magnitude()
	switch {
	case !ok:
		return 0, false
	case neg:
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}

// Uint64 returns n as a uint64; false when n has a fractional part or does not
// fit.
func (n Number) Uint64() (uint64, bool) {
	u, neg, ok := n.magnitude()
	return u, ok && (!neg || u == 0)
}

// magnitude returns the absolute value of an integer that fits a uint64.
func (n Number) magnitude() (u uint64, neg, ok bool) {
	if s, ok := parseShort(string(n)); ok {
		return s.whole(), s.neg, s.isInteger()
	}
	v := parseDecimal(string(n))
	u, ok = v.uint64()
	return u, v.neg, ok
}

// Float64 returns the float64 nearest to n; false when n is beyond the largest.
func (n Number) Float64() (float64, bool) {
	if s, ok := parseShort(string(n)); ok && s.digits <= 1<<53 {
		return s.float64(), true
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return f, !errors.Is(err, strconv.ErrRange)
}

// exactPowers are powers of ten that a float64 holds exactly.
var exactPowers = [shortDigits + 1]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// ExactFloat64 is Float64, false also when AppendFloat does not give a number
// equal to n back.
func (n Number) ExactFloat64() (float64, bool) {
	f, ok := n.Float64()
	return f, ok && n.exactly(f)
}

// exactly says whether AppendFloat writes f as a number equal to n.
func (n Number) exactly(f float64) bool {
	v := parseDecimal(string(n))
	var text [32]byte
	back := parseDecimal(string(AppendFloat(text[:0], f)))
	return v.compare(&back) == 0
}
