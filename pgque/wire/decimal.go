package wire

import (
	"cmp"
	"math/big"
	"math/bits"
	"strings"
)

// A Decimal is an exact decimal number: ± digits · 10^exp, where digits has no
// leading and no trailing zero. Nothing here expands the exponent, so that
// 1e1000000000 costs as little as 1.
type Decimal struct {
	neg    bool
	coef   uint64 // the digits when there are at most 19; 0 is the number zero
	digits string // the digits when there are more
	length int    // number of digits
	exp    exponent
	near   float64 // of a constant: the nearest float64, infinite beyond the largest
}

// MustDecimal parses the text of a JSON number. It panics on anything else: the
// text is a constant of generated code.
func MustDecimal(text string) *Decimal {
	if n, _, problem := scanNumber([]byte(text), 0); n != len(text) || problem != "" {
		panic("wire: no JSON number: " + Quote(text))
	}
	d := parseDecimal(text)
	d.near, _ = Number(text).Float64()
	return &d
}

// maxCoef is the number of digits that surely fit a uint64.
const maxCoef = 19

// parseDecimal reads the text of a valid JSON number.
func parseDecimal(text string) Decimal {
	var d Decimal
	if text[0] == '-' {
		d.neg = true
		text = text[1:]
	}
	var ten string // the text behind e
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		text, ten = text[:i], text[i+1:]
	}
	shift := 0 // of the decimal point
	if i := strings.IndexByte(text, '.'); i >= 0 {
		shift = i + 1 - len(text)
		if len(text)-1 <= maxCoef {
			d.setShort(text)
			d.normalise(shift, ten)
			return d
		}
		text = text[:i] + text[i+1:]
	}
	text = strings.TrimLeft(text, "0")
	short := strings.TrimRight(text, "0")
	shift += len(text) - len(short)
	if d.length = len(short); d.length <= maxCoef {
		d.setShort(short)
	} else {
		d.digits = short
	}
	d.normalise(shift, ten)
	return d
}

// setShort reads up to 19 digits with a point among them or none.
func (d *Decimal) setShort(text string) {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c != '.' {
			d.coef = d.coef*10 + uint64(c-'0')
		}
	}
}

// normalise moves trailing zeros of coef into the exponent.
func (d *Decimal) normalise(shift int, ten string) {
	if d.digits != "" {
		d.exp = parseExponent(ten, shift)
		return
	}
	if d.coef == 0 {
		*d = Decimal{}
		return
	}
	for d.coef%10 == 0 {
		d.coef /= 10
		shift++
	}
	d.length = digitCount(d.coef)
	d.exp = parseExponent(ten, shift)
}

func digitCount(u uint64) int {
	n := 1
	for u >= 10 {
		u /= 10
		n++
	}
	return n
}

func (d *Decimal) isZero() bool { return d.length == 0 }

// compare is exact: signs first, then the positions of the leading digits, then
// the digits.
func (d *Decimal) compare(o *Decimal) int {
	if d.sign() != o.sign() {
		return cmp.Compare(d.sign(), o.sign())
	}
	magnitude := d.compareMagnitude(o)
	if d.neg {
		return -magnitude
	}
	return magnitude
}

func (d *Decimal) sign() int {
	switch {
	case d.isZero():
		return 0
	case d.neg:
		return -1
	}
	return 1
}

func (d *Decimal) compareMagnitude(o *Decimal) int {
	if d.isZero() {
		return 0 // both are, as the signs are equal
	}
	if c := compareExponents(d.exp, d.length, o.exp, o.length); c != 0 {
		return c
	}
	if d.digits == "" && o.digits == "" && d.length == o.length {
		return cmp.Compare(d.coef, o.coef)
	}
	return strings.Compare(d.text(), o.text())
}

// text returns the digits.
func (d *Decimal) text() string {
	if d.digits != "" {
		return d.digits
	}
	return string(AppendUint(nil, d.coef))
}

// isInteger holds when the last digit, which is not 0, stands left of the point.
func (d *Decimal) isInteger() bool { return d.isZero() || d.exp.sign() >= 0 }

// uint64 returns the magnitude of an integer that fits.
func (d *Decimal) uint64() (uint64, bool) {
	exp, ok := d.exp.small()
	switch {
	case d.isZero():
		return 0, true
	case !ok || exp < 0 || exp+int64(d.length) > 20:
		return 0, false
	}
	u := d.coef
	if d.digits != "" { // 20 digits
		hi, lo := bits.Mul64(parseDigits(d.digits[:19]), 10)
		sum, carry := bits.Add64(lo, uint64(d.digits[19]-'0'), 0)
		return sum, hi+carry == 0
	}
	for ; exp > 0; exp-- {
		hi, lo := bits.Mul64(u, 10)
		if hi != 0 {
			return 0, false
		}
		u = lo
	}
	return u, true
}

func parseDigits(s string) uint64 {
	var u uint64
	for i := 0; i < len(s); i++ {
		u = u*10 + uint64(s[i]-'0')
	}
	return u
}

// multipleOf asks whether a·10^e / (c·10^k) is an integer. With e >= k that is
// a·10^(e-k) ≡ 0 modulo c. With e < k it would need 10 to divide a, which has no
// trailing zero.
func (d *Decimal) multipleOf(o *Decimal) bool {
	if d.isZero() {
		return true
	}
	power, ok := subtractExponents(d.exp, o.exp)
	if !ok {
		return false
	}
	if o.digits == "" {
		return d.remainder(o.coef, power) == 0
	}
	c, _ := new(big.Int).SetString(o.digits, 10)
	return d.bigRemainder(c, power).Sign() == 0
}

// remainder returns digits·10^power mod c.
func (d *Decimal) remainder(c uint64, power exponent) uint64 {
	r := d.coef % c
	if d.digits != "" {
		r = 0
		for i := 0; i < len(d.digits); i++ {
			r = addMod(mulMod(r, 10, c), uint64(d.digits[i]-'0')%c, c)
		}
	}
	return mulMod(r, power.powMod(c), c)
}

func mulMod(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi%c, lo, c)
	return r
}

func addMod(a, b, c uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	_, r := bits.Div64(carry%c, sum, c)
	return r
}

// bigRemainder is remainder for a c beyond uint64.
func (d *Decimal) bigRemainder(c *big.Int, power exponent) *big.Int {
	const chunk = 18
	var r, piece big.Int
	shift := new(big.Int)
	for text := d.text(); text != ""; {
		n := min(chunk, len(text))
		shift.SetUint64(pow10(n))
		r.Mul(&r, shift).Add(&r, piece.SetUint64(parseDigits(text[:n]))).Mod(&r, c)
		text = text[n:]
	}
	return r.Mul(&r, power.bigPowMod(c)).Mod(&r, c)
}

func pow10(n int) uint64 {
	u := uint64(1)
	for range n {
		u *= 10
	}
	return u
}
