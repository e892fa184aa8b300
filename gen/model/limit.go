package model

import (
	"math"
	"math/big"
)

// needsUnsigned reports a range that begins at zero and ends beyond int64.
func needsUnsigned(list []NumberRules) bool {
	natural, large := false, false
	for _, r := range list {
		for _, text := range []string{r.Minimum, r.ExclusiveMinimum} {
			if text != "" {
				n, _ := wholePart(text)
				natural = natural || n != nil && n.Sign() >= 0
			}
		}
		for _, text := range []string{r.Maximum, r.ExclusiveMaximum} {
			if text != "" {
				n, _ := wholePart(text)
				large = large || n != nil && n.Sign() > 0 && !n.IsInt64()
			}
		}
	}
	return natural && large
}

// integerRules are the rules for integers of a Go type. Those that the type
// keeps by itself are dropped; exact is false when one cannot be said.
func integerRules(r NumberRules, basic Basic) (rules []IntegerRule, exact bool) {
	exact = true
	add := func(test, keyword, text string, strict bool) {
		if text == "" {
			return
		}
		rule, needed, ok := integerLimit(test, text, strict, basic)
		rule.Keyword, rule.Text = keyword, text
		exact = exact && ok
		if needed && ok {
			rules = append(rules, rule)
		}
	}
	add("<", "minimum", r.Minimum, false)
	add("<", "exclusiveMinimum", r.ExclusiveMinimum, true)
	add(">", "maximum", r.Maximum, false)
	add(">", "exclusiveMaximum", r.ExclusiveMaximum, true)
	add("%", "multipleOf", r.MultipleOf, false)
	return rules, exact
}

// integerLimit finds the integer that says for integers what text says for all
// numbers.
func integerLimit(test, text string, strict bool, basic Basic) (rule IntegerRule, needed, ok bool) {
	n, whole := wholePart(text)
	if n == nil {
		return rule, false, false
	}
	switch {
	case test == "%":
		if !whole || !fits(n, basic) || n.Sign() <= 0 {
			return rule, false, false
		}
		return IntegerRule{Test: test, Limit: n.String()}, n.Cmp(big.NewInt(1)) != 0, true
	case test == "<" && (!whole || strict): // above n
		n.Add(n, big.NewInt(1))
	case test == ">" && whole && strict:
		n.Sub(n, big.NewInt(1))
	}
	low, high := span(basic)
	switch {
	case test == "<" && n.Cmp(low) <= 0, test == ">" && n.Cmp(high) >= 0:
		return rule, false, true
	case !fits(n, basic):
		return rule, false, false
	}
	return IntegerRule{Test: test, Limit: n.String()}, true, true
}

func span(basic Basic) (low, high *big.Int) {
	if basic == Uint {
		return new(big.Int), new(big.Int).SetUint64(math.MaxUint64)
	}
	return big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)
}

func fits(n *big.Int, basic Basic) bool {
	low, high := span(basic)
	return n.Cmp(low) >= 0 && n.Cmp(high) <= 0
}
