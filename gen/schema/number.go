package schema

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// decimal is the number digits × 10^exp, negated if negative. digits has no
// zeros at its ends; zero has none at all.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

// exponentLimit stands for every exponent beyond it: no comparison below can
// tell them apart.
const exponentLimit = 1 << 40

// parseDecimal reads the text of a JSON number.
func parseDecimal(text string) decimal {
	text, negative := strings.CutPrefix(text, "-")
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(digits, "0")
	if trimmed == "" {
		return decimal{}
	}
	exp := parseExponent(exponent) - len(fraction) + len(digits) - len(trimmed)
	return decimal{negative: negative, digits: trimmed, exp: exp}
}

func parseExponent(text string) int {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && strings.HasPrefix(text, "-") {
		return -exponentLimit
	}
	if err != nil {
		return exponentLimit
	}
	return int(min(max(n, -exponentLimit), exponentLimit))
}

func (d decimal) integer() bool { return d.digits == "" || d.exp >= 0 }

// compare orders d and e by value.
func (d decimal) compare(e decimal) int {
	if d.sign() != e.sign() {
		return d.sign() - e.sign()
	}
	c := cmp.Or(cmp.Compare(len(d.digits)+d.exp, len(e.digits)+e.exp), strings.Compare(d.digits, e.digits))
	return c * d.sign()
}

// CompareNumbers returns -1, 0 or 1 as the JSON number a is less than, equal to or
// greater than b.
func CompareNumbers(a, b string) int {
	return cmp.Compare(parseDecimal(a).compare(parseDecimal(b)), 0)
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// natural returns the value of a JSON number that is a natural number; huge
// tells one beyond math.MaxInt64, for which n is math.MaxInt64.
func natural(text string) (n int64, huge, ok bool) {
	d := parseDecimal(text)
	if d.negative || !d.integer() {
		return 0, false, false
	}
	if d.digits == "" {
		return 0, false, true
	}
	if len(d.digits)+d.exp > 19 {
		return math.MaxInt64, true, true
	}
	n, err := strconv.ParseInt(d.digits+strings.Repeat("0", d.exp), 10, 64)
	if err != nil {
		return math.MaxInt64, true, true
	}
	return n, false, true
}
