package emit

import (
	"math"
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

func (e *exampler) integer(s *model.Shape) *jen.Statement {
	if c := s.Rules.Const; c != nil {
		return integer(c.Text)
	}
	if len(s.Rules.Enum) > 0 {
		return jen.Qual(pathSample, "Pick").Types(baseType(s)).Call(append([]jen.Code{jen.Id("r")}, integers(s.Rules.Enum)...)...)
	}
	low, high, step := int64(math.MinInt64), int64(math.MaxInt64), int64(1)
	for _, rule := range s.Rules.Integers {
		n, err := strconv.ParseInt(rule.Limit, 10, 64)
		switch {
		case err != nil:
		case rule.Test == "<":
			low = max(low, n)
		case rule.Test == ">":
			high = min(high, n)
		default:
			step = n
		}
	}
	if s.Basic == model.Uint {
		low = max(low, 0)
	}
	// uint64(sample.Integer(r, 1, 999) * 5)
	value := jen.Qual(pathSample, "Integer").Call(jen.Id("r"), integer(strconv.FormatInt(low, 10)), integer(strconv.FormatInt(high, 10)), integer(strconv.FormatInt(step, 10)))
	if s.Basic == model.Uint {
		return jen.Uint64().Call(value)
	}
	return value
}

func (e *exampler) number(s *model.Shape) *jen.Statement {
	low, high, step := math.Inf(-1), math.Inf(1), 0.25
	for _, rules := range s.Rules.Numbers {
		for _, limit := range []string{rules.Minimum, rules.ExclusiveMinimum} {
			if n, err := strconv.ParseFloat(limit, 64); err == nil {
				low = max(low, n)
			}
		}
		for _, limit := range []string{rules.Maximum, rules.ExclusiveMaximum} {
			if n, err := strconv.ParseFloat(limit, 64); err == nil {
				high = min(high, n)
			}
		}
		if m, err := strconv.ParseFloat(rules.MultipleOf, 64); err == nil {
			step = m
		}
	}
	switch {
	case math.IsInf(low, -1) && math.IsInf(high, 1):
		low, high = -1000, 1000
	case math.IsInf(low, -1):
		low = high - 1000
	case math.IsInf(high, 1):
		high = low + 1000
	}
	// sample.Number(r, 0, 1000, 0.01)
	return jen.Qual(pathSample, "Number").Call(jen.Id("r"), jen.Lit(low), jen.Lit(high), jen.Lit(step))
}

func (e *exampler) text(s *model.Shape) *jen.Statement {
	if c := s.Rules.Const; c != nil {
		return jen.Lit(c.Text)
	}
	if samples := s.Samples; len(samples) > 0 {
		return jen.Qual(pathSample, "Pick").Call(append([]jen.Code{jen.Id("r")}, literals(samples)...)...)
	}
	low, high := bounds(s.Rules.Lengths, 12)
	return jen.Qual(pathSample, "Text").Call(jen.Id("r"), jen.Lit(low), jen.Lit(high))
}

// bounds are those of a count, at most some more than needed.
func bounds(list []model.Bounds, more int) (low, high int) {
	high = math.MaxInt32
	for _, b := range list {
		if b.Min != nil {
			low = max(low, int(min(*b.Min, 1000)))
		}
		if b.Max != nil {
			high = min(high, int(min(*b.Max, math.MaxInt32)))
		}
	}
	return low, max(low, min(high, low+more))
}
