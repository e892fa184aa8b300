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
	v := parseDecimal(string(n))
	return v.compare(d)
}

// IsInteger says whether n has no fractional part: 1.0 and 1e2 have none.
func (n Number) IsInteger() bool {
	v := parseDecimal(string(n))
	return v.isInteger()
}

// MultipleOf says whether n is d times an integer, exactly. d is positive.
func (n Number) MultipleOf(d *Decimal) bool {
	v := parseDecimal(string(n))
	return v.multipleOf(d)
}

// Int64 returns n as an int64; false when n has a fractional part or does not fit.
func (n Number) Int64() (int64, bool) {
	v := parseDecimal(string(n))
	u, ok := v.uint64()
	switch {
	case !ok:
		return 0, false
	case !v.neg && u <= math.MaxInt64:
		return int64(u), true
	case v.neg && u <= 1<<63:
		return -int64(u), true
	}
	return 0, false
}

// Uint64 returns n as a uint64; false when n has a fractional part or does not
// fit.
func (n Number) Uint64() (uint64, bool) {
	v := parseDecimal(string(n))
	u, ok := v.uint64()
	return u, ok && (!v.neg || u == 0)
}

// Float64 returns the float64 nearest to n; false when n is beyond the largest.
func (n Number) Float64() (float64, bool) {
	f, err := strconv.ParseFloat(string(n), 64)
	return f, !errors.Is(err, strconv.ErrRange)
}

// ExactFloat64 is Float64, false also when AppendFloat does not give a number
// equal to n back.
func (n Number) ExactFloat64() (float64, bool) {
	f, ok := n.Float64()
	if !ok {
		return f, false
	}
	v := parseDecimal(string(n))
	var text [32]byte
	back := parseDecimal(string(AppendFloat(text[:0], f)))
	return f, v.compare(&back) == 0
}
