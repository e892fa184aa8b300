package wire

import (
	"math/big"
	"strings"
)

// maxBigDigits bounds an integer of any size: 1e1000000000 is a short text, and no
// number to be written out.
const maxBigDigits = 10_000

// BigInt returns n as an integer of any size; false when it has a fractional part or
// more than 10,000 digits.
func (n Number) BigInt() (*big.Int, bool) {
	d := parseDecimal(string(n))
	zeros, near := d.exp.small()
	switch {
	case d.isZero():
		return new(big.Int), true
	case !near || zeros < 0 || zeros+int64(d.length) > maxBigDigits:
		return nil, false
	}
	i, ok := new(big.Int).SetString(d.text()+strings.Repeat("0", int(zeros)), 10)
	if ok && d.neg {
		i.Neg(i)
	}
	return i, ok
}
