package model

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// integer reads the text of a JSON number as an int64; false when it has a
// fractional part or does not fit. Exponents are never expanded beyond what
// fits.
func integer(text string) (int64, bool) {
	n, exact := wholePart(text)
	if n == nil || !exact || !n.IsInt64() {
		return 0, false
	}
	return n.Int64(), true
}

// maxShift bounds the zeros that an exponent may add or take: far more than
// 64-bit limits need.
const maxShift = 400

// wholePart returns the number rounded towards negative infinity, and whether
// that was exact. Nil: the number is too large to be written out.
func wholePart(text string) (n *big.Int, exact bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimRight(whole+fraction, "0")
	dropped := len(whole) + len(fraction) - len(digits)
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok || n.Sign() == 0 {
		return new(big.Int), true
	}
	shift, err := strconv.ParseInt("0"+exponent, 10, 32)
	if strings.HasPrefix(exponent, "-") || strings.HasPrefix(exponent, "+") {
		shift, err = strconv.ParseInt(exponent, 10, 32)
	}
	if err != nil {
		shift = math.MaxInt32
		if strings.HasPrefix(exponent, "-") {
			shift = -math.MaxInt32
		}
	}
	shift += int64(dropped) - int64(len(fraction))
	switch {
	case shift >= 0 && shift <= maxShift:
		return n.Mul(n, powerOfTen(shift)), true
	case shift > maxShift:
		return nil, false
	case shift < -maxShift && len(digits) < maxShift:
		return big.NewInt(int64(min(n.Sign(), 0))), false
	case shift < -maxShift-int64(len(digits)):
		return big.NewInt(int64(min(n.Sign(), 0))), false
	}
	n.Div(n, powerOfTen(-shift)) // Euclidean: towards negative infinity for a positive divisor
	return n, false
}

func powerOfTen(n int64) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil)
}
