package wire

import (
	"cmp"
	"math/big"
	"strings"
)

// An exponent is an integer of any size. Those that int64 holds with room to add
// a text's length are in near; the others are decimal digits in far, for their
// only uses are comparing and powers to a modulus.
type exponent struct {
	near int64
	far  string // without leading zeros; "" when near is valid
	neg  bool   // the sign of far
}

// nearDigits is the length up to which an exponent is computed with. 10^17 leaves
// room for the length of any text.
const nearDigits = 17

// parseExponent adds shift to the text behind e, which may be "".
func parseExponent(text string, shift int) exponent {
	neg := strings.HasPrefix(text, "-")
	text = strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	if len(text) <= nearDigits {
		near := int64(parseDigits(text))
		if neg {
			near = -near
		}
		return exponent{near: near + int64(shift)}
	}
	if neg {
		shift = -shift
	}
	return exponent{far: addDigits(text, int64(shift)), neg: neg}
}

// addDigits adds n, which is smaller by far, to a number of decimal digits.
func addDigits(digits string, n int64) string {
	sum := []byte(digits)
	for i := len(sum) - 1; i >= 0 && n != 0; i-- {
		n += int64(sum[i] - '0')
		digit := n % 10
		if digit < 0 {
			digit += 10
		}
		sum[i] = byte('0' + digit)
		n = (n - digit) / 10
	}
	if n > 0 {
		return string(AppendInt(nil, n)) + string(sum)
	}
	return strings.TrimLeft(string(sum), "0")
}

func (e exponent) sign() int {
	switch {
	case e.far == "":
		return cmp.Compare(e.near, 0)
	case e.neg:
		return -1
	}
	return 1
}

// small returns the exponent when it is near.
func (e exponent) small() (int64, bool) { return e.near, e.far == "" }

// compareExponents compares e+n with f+m, the positions of leading digits.
func compareExponents(e exponent, n int, f exponent, m int) int {
	if e.far == "" && f.far == "" {
		return cmp.Compare(e.near+int64(n), f.near+int64(m))
	}
	e, f = e.plus(int64(n)), f.plus(int64(m))
	switch {
	case e.far == "":
		return -f.sign()
	case f.far == "":
		return e.sign()
	case e.neg != f.neg:
		return e.sign()
	}
	c := cmp.Or(cmp.Compare(len(e.far), len(f.far)), strings.Compare(e.far, f.far))
	return c * e.sign()
}

// plus adds n to e. A far exponent stays far: it is at least 10^17 away from 0 by
// its text, and whatever is added is a length.
func (e exponent) plus(n int64) exponent {
	if e.far == "" {
		e.near += n
		return e
	}
	if e.neg {
		n = -n
	}
	e.far = addDigits(e.far, n)
	return e
}

// subtractExponents returns e-k; false when that is negative. Only e may be far
// for a k of constants that people write; two far ones are subtracted as big
// integers.
func subtractExponents(e, k exponent) (exponent, bool) {
	if e.far == "" && k.far == "" {
		return exponent{near: e.near - k.near}, e.near >= k.near
	}
	if k.far == "" {
		return e.plus(-k.near), e.sign() > 0
	}
	difference := new(big.Int).Sub(e.big(), k.big())
	if difference.Sign() < 0 {
		return exponent{}, false
	}
	return parseExponent(difference.String(), 0), true
}

func (e exponent) big() *big.Int {
	if e.far == "" {
		return big.NewInt(e.near)
	}
	i, _ := new(big.Int).SetString(e.far, 10)
	if e.neg {
		i.Neg(i)
	}
	return i
}

// powMod returns 10^e mod c for e >= 0, by the decimal digits of e: the power is
// raised to the tenth and multiplied by 10^digit for each.
func (e exponent) powMod(c uint64) uint64 {
	text := e.digits()
	r := 1 % c
	for i := 0; i < len(text); i++ {
		r2 := mulMod(r, r, c)
		r8 := mulMod(mulMod(r2, r2, c), mulMod(r2, r2, c), c)
		r = mulMod(mulMod(r8, r2, c), pow10(int(text[i]-'0'))%c, c)
	}
	return r
}

// bigPowMod is powMod for a c beyond uint64.
func (e exponent) bigPowMod(c *big.Int) *big.Int {
	text := e.digits()
	r, ten, digit := big.NewInt(1), big.NewInt(10), new(big.Int)
	for i := 0; i < len(text); i++ {
		r.Exp(r, ten, c)
		digit.SetUint64(pow10(int(text[i] - '0')))
		r.Mul(r, digit).Mod(r, c)
	}
	return r
}

// digits returns e >= 0 in decimal; "" is 0.
func (e exponent) digits() string {
	switch {
	case e.far != "":
		return e.far
	case e.near == 0:
		return ""
	}
	return string(AppendInt(nil, e.near))
}
