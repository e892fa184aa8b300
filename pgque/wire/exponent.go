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

// nearDigits is the length up to which an exponent is near: below 10^18 there is
// room to add the length of any text.
const nearDigits = 18

// parseExponent adds shift to the text behind e, which may be "". Equal exponents
// have one form.
func parseExponent(text string, shift int) exponent {
	neg := strings.HasPrefix(text, "-")
	text = strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	if len(text) > nearDigits {
		if neg {
			shift = -shift
		}
		text, shift = addDigits(text, int64(shift)), 0
	}
	if len(text) > nearDigits {
		return exponent{far: text, neg: neg}
	}
	near := int64(parseDigits(text))
	if neg {
		near = -near
	}
	if near += int64(shift); near < pow10near && near > -pow10near {
		return exponent{near: near}
	}
	far, neg := exponent{near: near}.decimal()
	return exponent{far: far, neg: neg}
}

// pow10near is the first number that is not near.
const pow10near = 1_000_000_000_000_000_000

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
	x, xneg := e.plus(int64(n)).decimal()
	y, yneg := f.plus(int64(m)).decimal()
	switch {
	case xneg && !yneg:
		return -1
	case yneg && !xneg:
		return 1
	}
	c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
	if xneg {
		return -c
	}
	return c
}

// decimal returns the digits of the magnitude and the sign.
func (e exponent) decimal() (digits string, neg bool) {
	switch {
	case e.far != "":
		return e.far, e.neg
	case e.near < 0:
		return string(AppendInt(nil, -e.near)), true
	case e.near == 0:
		return "", false
	}
	return string(AppendInt(nil, e.near)), false
}

// plus adds n, a number of digits, to e. A far exponent stays far in its form: the
// text of a number is too short to bring it near.
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

// subtractExponents returns e-k; false when that is negative.
func subtractExponents(e, k exponent) (exponent, bool) {
	if e.far == "" && k.far == "" {
		return exponent{near: e.near - k.near}, e.near >= k.near
	}
	if e.far != "" && k.far == "" { // the text of e may be long, k is a constant
		return e.plus(-k.near), !e.neg
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
	text, _ := e.decimal()
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
	text, _ := e.decimal()
	r, ten, digit := big.NewInt(1), big.NewInt(10), new(big.Int)
	for i := 0; i < len(text); i++ {
		r.Exp(r, ten, c)
		digit.SetUint64(pow10(int(text[i] - '0')))
		r.Mul(r, digit).Mod(r, c)
	}
	return r
}
