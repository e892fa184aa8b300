package model

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/pgque/pgque-go/gen/schema"
)

// defaultOf is what stands for the member when it is absent; nil when the schema
// names nothing that is surely valid and that Go can write as a constant.
func defaultOf(f *Field, s *schema.Schema) *Literal {
	node := s.Default
	for range maxConjunction {
		if node != nil || !plain(s) {
			break
		}
		s = s.Ref.Target
		node = s.Default
	}
	if node == nil || f.Required || f.Shape.Nullable || f.Shape.Boxed || f.Shape.Checks != nil {
		return nil
	}
	lit := checkLiteral(node)
	if !f.Shape.takes(lit) {
		return nil
	}
	return lit
}

// takes reports that the literal surely is a value of the shape.
func (s *Shape) takes(lit *Literal) bool {
	r := s.Rules
	switch s.Basic {
	case Bool:
		return lit.Kind == schema.Boolean && (r.Const == nil || *r.Const == *lit)
	case Int:
		return lit.Kind == schema.Number && s.takesInteger(lit)
	case Float:
		_, err := strconv.ParseFloat(lit.Text, 64)
		return lit.Kind == schema.Number && err == nil && r.Numbers == nil
	case String:
		return lit.Kind == schema.String && r.Patterns == nil && len(r.Formats) == 0 &&
			(r.Const == nil || *r.Const == *lit) && r.takesLength(lit.Text)
	case Named:
		return s.Type.Kind == Enum && s.Type.Checks == nil && lit.Kind == schema.String &&
			slices.ContainsFunc(s.Type.Values, func(v Value) bool { return v.Text == lit.Text })
	}
	return false
}

func (r Rules) takesLength(text string) bool {
	n := int64(utf8.RuneCountInString(text))
	return !slices.ContainsFunc(r.Lengths, func(b Bounds) bool {
		return b.Min != nil && n < *b.Min || b.Max != nil && n > *b.Max
	})
}

// takesInteger also writes the literal as plain digits.
func (s *Shape) takesInteger(lit *Literal) bool {
	n, ok := integer(lit.Text)
	if !ok {
		return false
	}
	lit.Text = strconv.FormatInt(n, 10)
	r := s.Rules
	if r.Const != nil && r.Const.Text != lit.Text {
		return false
	}
	if len(r.Enum) > 0 && !slices.ContainsFunc(r.Enum, func(l Literal) bool { return l.Text == lit.Text }) {
		return false
	}
	return !slices.ContainsFunc(r.Integers, func(rule IntegerRule) bool {
		limit, _ := strconv.ParseInt(rule.Limit, 10, 64)
		switch rule.Test {
		case "<":
			return n < limit
		case ">":
			return n > limit
		}
		return n%limit != 0
	})
}
