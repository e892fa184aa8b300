package wire

import (
	"math"
	"slices"
	"strconv"
	"sync/atomic"
)

// What follows are rules of a schema as values. Generated code says each of them once,
// in a variable of its package, for the values that are read and those that are
// written. The zero value of a field is no rule, apart from the limits of integers, and
// neither is a nil pointer.

// Nothing is a limit of zero, where 0 stands for no limit.
const Nothing = -1

// The limits of an integer that has none.
const (
	NoMin         = math.MinInt64
	NoMax         = math.MaxInt64
	NoMaxUnsigned = math.MaxUint64
)

// TextRules are the rules of a string.
type TextRules struct {
	Const                []string // the one value that is allowed
	MinLength, MaxLength int      // in code points; a MaxLength of zero is Nothing
	Pattern              *Pattern
	Format               Format
	Also                 *TextRules // more rules
}

// A Format is a format of strings.
type Format struct {
	Name  string
	Valid func(string) bool
}

// holds says whether s breaks no rule.
func (t *TextRules) holds(s string) bool {
	for ; t != nil; t = t.Also {
		switch {
		case t.Pattern != nil && !t.Pattern.Match(s):
			return false
		case t.MinLength|t.MaxLength != 0 && !within(Length(s), t.MinLength, t.MaxLength):
			return false
		case t.Format.Valid != nil && !t.Format.Valid(s):
			return false
		case t.Const != nil && s != t.Const[0]:
			return false
		}
	}
	return true
}

// report reports every rule that s breaks.
func (t *TextRules) report(s string, r *Report) {
	for ; t != nil; t = t.Also {
		if t.Const != nil && s != t.Const[0] {
			r.Const(s, string(AppendString(nil, t.Const[0])))
		}
		r.counted("Length", Length(s), t.MinLength, t.MaxLength)
		if t.Pattern != nil && !t.Pattern.Match(s) {
			r.Pattern(s, t.Pattern.Source)
		}
		if t.Format.Valid != nil && !t.Format.Valid(s) {
			r.Format(s, t.Format.Name)
		}
	}
}

// A Count limits a number of items or members.
type Count struct {
	Min, Max int    // a Max of zero is Nothing
	Also     *Count // more limits
}

func (c *Count) holds(n int) bool {
	for ; c != nil; c = c.Also {
		if !within(n, c.Min, c.Max) {
			return false
		}
	}
	return true
}

func (c *Count) report(unit string, n int, r *Report) {
	for ; c != nil; c = c.Also {
		r.counted(unit, n, c.Min, c.Max)
	}
}

func within(n, low, high int) bool { return n >= low && (high == 0 || n <= max(high, 0)) }

// counted reports a number of units beyond a limit.
func (r *Report) counted(unit string, n, low, high int) {
	switch {
	case n < low:
		r.Count("min"+unit, n, low)
	case !within(n, low, high):
		r.Count("max"+unit, n, max(high, 0))
	}
}

// IntegerRules are the rules of an int64. Min and Max are limits also when they are
// zero; NoMin and NoMax are none.
type IntegerRules = rulesOf[int64]

// UnsignedRules are the rules of a uint64, where 0 and NoMaxUnsigned are no limits.
type UnsignedRules = rulesOf[uint64]

type rulesOf[T int64 | uint64] struct {
	Min, Max T
	Multiple T // what divides the value; 0 is no rule
	Const    []T
	Enum     []T // the values that are allowed
	// The rules as the schema has them, where they are not minimum, maximum and
	// multipleOf with the limits above.
	MinRule, MaxRule, MultipleRule Limit
	Also                           *rulesOf[T] // more rules
}

// A Limit is a keyword and its value in the schema.
type Limit struct{ Keyword, Text string }

// allow is holds, quick for the rules that most have: none but limits.
func (t *rulesOf[T]) allow(i T) bool {
	return t == nil || t.limitsOnly() && i >= t.Min && i <= t.Max || t.holds(i)
}

func (t *rulesOf[T]) limitsOnly() bool {
	return t.Multiple == 0 && t.Const == nil && t.Enum == nil && t.Also == nil
}

func (t *rulesOf[T]) holds(i T) bool {
	return t == nil || i >= t.Min && i <= t.Max && (t.Multiple == 0 || i%t.Multiple == 0) &&
		(t.Const == nil || i == t.Const[0]) && (t.Enum == nil || slices.Contains(t.Enum, i)) && t.Also.holds(i)
}

func (t *rulesOf[T]) report(i T, r *Report) {
	for ; t != nil; t = t.Also {
		if t.Const != nil && i != t.Const[0] {
			r.Const(i, digits(t.Const[0]))
		}
		if t.Enum != nil && !slices.Contains(t.Enum, i) {
			r.Enum(i)
		}
		if i < t.Min {
			t.MinRule.report("minimum", i, digits(t.Min), r)
		}
		if i > t.Max {
			t.MaxRule.report("maximum", i, digits(t.Max), r)
		}
		if t.Multiple != 0 && i%t.Multiple != 0 {
			t.MultipleRule.report("multipleOf", i, digits(t.Multiple), r)
		}
	}
}

func (l Limit) report(keyword string, i any, text string, r *Report) {
	if l.Keyword != "" {
		keyword = l.Keyword
	}
	if l.Text != "" {
		text = l.Text
	}
	r.Number(keyword, i, text)
}

func digits[T int64 | uint64](i T) string {
	if i < 0 {
		return strconv.FormatInt(int64(i), 10)
	}
	return strconv.FormatUint(uint64(i), 10)
}

// NumberRules are the rules of a number, decided on its exact digits. Limits are
// decimals of JSON.
type NumberRules struct {
	Minimum, ExclusiveMinimum, Maximum, ExclusiveMaximum, MultipleOf string
	Also                                                             *NumberRules // more rules

	limits atomic.Pointer[numberLimits]
}

// numberLimits are NumberRules in a form that is quick to look at.
type numberLimits struct {
	low, high                           float64 // a number between breaks no rule
	least, above, most, below, multiple *Decimal
}

// surely says that a number breaks no rule whose nearest float64 is f. Rounding keeps
// the order: a number between the limits stays there.
func (t *NumberRules) surely(f float64) bool {
	if t == nil {
		return ValidFloat(f)
	}
	l := t.limits.Load()
	return l != nil && f > l.low && f < l.high
}

// parsed waits for the first use.
func (t *NumberRules) parsed() *numberLimits {
	if l := t.limits.Load(); l != nil {
		return l
	}
	l := &numberLimits{
		low: math.Inf(-1), high: math.Inf(1),
		least: limitOf(t.Minimum), above: limitOf(t.ExclusiveMinimum),
		most: limitOf(t.Maximum), below: limitOf(t.ExclusiveMaximum),
		multiple: limitOf(t.MultipleOf),
	}
	for _, d := range []*Decimal{l.least, l.above} {
		if d != nil {
			l.low = max(l.low, d.near)
		}
	}
	for _, d := range []*Decimal{l.most, l.below} {
		if d != nil {
			l.high = min(l.high, d.near)
		}
	}
	if l.multiple != nil || t.Also != nil {
		l.low, l.high = 0, 0 // nothing is sure
	}
	t.limits.Store(l)
	return l
}

func limitOf(text string) *Decimal {
	if text == "" {
		return nil
	}
	return MustDecimal(text)
}

// holds says whether n breaks no rule.
func (t *NumberRules) holds(n Exact) bool {
	if t == nil {
		return true
	}
	l := t.parsed()
	return l.holds(n) && t.Also.holds(n)
}

func (l *numberLimits) holds(n Exact) bool {
	return (l.least == nil || n.Compare(l.least) >= 0) && (l.above == nil || n.Compare(l.above) > 0) &&
		(l.most == nil || n.Compare(l.most) <= 0) && (l.below == nil || n.Compare(l.below) < 0) &&
		(l.multiple == nil || n.MultipleOf(l.multiple))
}

func (t *NumberRules) report(n Exact, r *Report) {
	for ; t != nil; t = t.Also {
		l := t.parsed()
		if l.least != nil && n.Compare(l.least) < 0 {
			r.Number("minimum", n, t.Minimum)
		}
		if l.above != nil && n.Compare(l.above) <= 0 {
			r.Number("exclusiveMinimum", n, t.ExclusiveMinimum)
		}
		if l.most != nil && n.Compare(l.most) > 0 {
			r.Number("maximum", n, t.Maximum)
		}
		if l.below != nil && n.Compare(l.below) >= 0 {
			r.Number("exclusiveMaximum", n, t.ExclusiveMaximum)
		}
		if l.multiple != nil && !n.MultipleOf(l.multiple) {
			r.Number("multipleOf", n, t.MultipleOf)
		}
	}
}
