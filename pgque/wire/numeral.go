package wire

import "math"

// Number reads a number as its text.
func (d *Decoder) Number() (Number, bool) { return d.number("number") }

func (d *Decoder) number(want string) (Number, bool) {
	if kinds[d.next()] != Num {
		return "", d.mismatch(want)
	}
	end, exponent, problem := scanNumber(d.buf, d.pos)
	if problem != "" {
		return "", d.broken(end, problem)
	}
	text := alias(d.buf[d.pos:end])
	d.pos = end
	d.long = exponent || len(text) > maxExact
	return Number(text), true
}

// maxExact is the number of digits that come back from a float64 as they were.
const maxExact = 15

// short reads the number that is next when it is a short one, as almost all are;
// otherwise it reads nothing.
func (d *Decoder) short() (s short, end int, ok bool) {
	if kinds[d.next()] != Num {
		return s, 0, false
	}
	return scanShort(d.buf, d.pos)
}

// Int64 reads an integer in any spelling: 1.0 and 1e2 are integers. One that
// int64 cannot hold breaks the rule range.
func (d *Decoder) Int64(v *int64, rules *IntegerRules) bool {
	if !d.int64(v) {
		return false
	}
	if !rules.allow(*v) {
		rules.report(*v, &d.Report)
		return false
	}
	return true
}

func (d *Decoder) int64(v *int64) bool {
	if s, end, ok := d.short(); ok && s.isInteger() {
		*v, d.pos = s.int64(), end
		return true
	}
	n, ok := d.number("integer")
	if !ok {
		return false
	}
	if *v, ok = n.Int64(); !ok {
		d.noInteger(n, "a 64-bit integer")
	}
	return ok
}

// Uint64 is Int64 for integers from 0 to 2^64-1.
func (d *Decoder) Uint64(v *uint64, rules *UnsignedRules) bool {
	if !d.uint64(v) {
		return false
	}
	if !rules.allow(*v) {
		rules.report(*v, &d.Report)
		return false
	}
	return true
}

func (d *Decoder) uint64(v *uint64) bool {
	if s, end, ok := d.short(); ok && s.isInteger() && !s.neg {
		*v, d.pos = s.whole(), end
		return true
	}
	n, ok := d.number("integer")
	if !ok {
		return false
	}
	if *v, ok = n.Uint64(); !ok {
		d.noInteger(n, "an unsigned 64-bit integer")
	}
	return ok
}

// noInteger reports a number that is no integer, or does not fit.
func (d *Decoder) noInteger(n Number, fit string) {
	if n.IsInteger() {
		d.Fail("range", Show(n)+" does not fit "+fit)
	} else {
		d.Fail("type", Show(n)+" is not an integer")
	}
}

// Float reads a number of any size as the finite float64 that is nearest to it. The
// rules are about its exact value.
func (d *Decoder) Float(v *float64, rules *NumberRules) bool {
	if s, end, ok := d.short(); ok && end-d.pos <= maxExact {
		if f := s.float64(); rules.surely(f) {
			*v, d.pos = f, end
			return true
		}
	}
	n, ok := d.Exact(v)
	if !ok {
		return false
	}
	if !rules.holds(n) {
		rules.report(n, &d.Report)
		return false
	}
	return true
}

// Exact reads a number of any size as the finite float64 that is nearest to it, and
// returns the number for rules about its exact value.
func (d *Decoder) Exact(v *float64) (Exact, bool) {
	if s, end, ok := d.short(); ok && end-d.pos <= maxExact {
		text := alias(d.buf[d.pos:end])
		*v, d.pos = s.float64(), end
		return Exact{*v, Number(text)}, true
	}
	n, ok := d.Number()
	if !ok {
		return Exact{}, false
	}
	f, fits := n.Float64()
	*v = max(-math.MaxFloat64, min(f, math.MaxFloat64))
	if d.long && !(fits && n.exactly(f)) {
		d.spell(AppendFloat(nil, *v), []byte(n))
	}
	return Exact{f, n}, true
}

// An Exact is a number that a Decoder has read, or one that is about to be sent. It is
// good as long as the text that was read is not written to.
type Exact struct {
	near float64 // the nearest, infinite beyond the largest
	text Number  // "" until somebody asks for that of a number to be sent
}

// Compare returns -1, 0 or 1 as n is less than, equal to or greater than d.
func (n Exact) Compare(d *Decimal) int {
	// Rounding keeps the order: only numbers with the same nearest float64 are
	// looked at digit by digit.
	switch {
	case n.near < d.near:
		return -1
	case n.near > d.near:
		return 1
	}
	return n.Text().Compare(d)
}

// MultipleOf says whether n is d times an integer, exactly. d is positive.
func (n Exact) MultipleOf(d *Decimal) bool { return n.Text().MultipleOf(d) }

// Text is the number as it was read, or as AppendFloat writes it.
func (n Exact) Text() Number {
	if n.text != "" {
		return n.text
	}
	var text [32]byte
	return Number(AppendFloat(text[:0], n.near))
}

// ExactOf is a number that is about to be sent: its exact value is that of the text
// that AppendFloat writes.
func ExactOf(f float64) Exact { return Exact{near: f} }
