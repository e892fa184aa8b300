package model

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/pgque/pgque-go/gen/schema"
)

// defaults decides them, once all types are complete, and tells of those that are
// not filled in.
func (m *Model) defaults() (diags []schema.Diagnostic) {
	for _, t := range m.Types {
		for _, f := range t.Fields {
			if t.Kind != Struct {
				break
			}
			if d := f.decideDefault(); d != nil {
				diags = append(diags, *d)
			}
		}
	}
	return diags
}

// decideDefault takes the first default that is surely valid. It tells of one that is
// not, unless another is. Null says no more than that nothing is there.
func (f *Field) decideDefault() (refused *schema.Diagnostic) {
	for _, s := range f.schemas {
		node := defaultNode(s)
		if node == nil || node.Kind == schema.Null || f.Required {
			continue
		}
		if f.Default = f.defaultOf(node); f.Default != nil {
			return nil
		}
		refused = &schema.Diagnostic{
			Pos: node.Pos, Warning: true,
			Message: "the default is not filled in, for it is not sure that the rules of the member accept it",
		}
	}
	return refused
}

// defaultNode is the default of the schema, or of the one that it is a name for.
func defaultNode(s *schema.Schema) *schema.Node {
	for range maxConjunction {
		if s.Default != nil || !plain(s) {
			break
		}
		s = s.Ref.Target
	}
	return s.Default
}

// defaultOf is what stands for the member when it is absent; nil when that is not
// surely valid.
func (f *Field) defaultOf(node *schema.Node) *Literal {
	if f.Shape.Nullable || f.Shape.Boxed || f.Shape.Checks != nil {
		return nil
	}
	lit := checkLiteral(node)
	if !f.Shape.takes(node, lit, maxDefaultDepth) {
		return nil
	}
	return lit
}

// maxDefaultDepth bounds the arrays and objects inside a default.
const maxDefaultDepth = 16

// takes reports that the value of the node, which lit is, surely is one of the shape.
func (s *Shape) takes(n *schema.Node, lit *Literal, depth int) bool {
	switch {
	case depth == 0 || len(s.Checks) > 0:
		return false
	case lit.Kind == schema.Null:
		return s.Nullable
	}
	switch s.Basic {
	case Slice:
		return n.Kind == schema.Array && !s.Rules.Unique && allow(s.Rules.Items, len(n.Items)) && s.Elem.takeAll(n.Items, depth)
	case Map:
		return n.Kind == schema.Object && s.Key == nil && allow(s.Rules.Members, len(n.Members)) && s.Elem.takeAll(values(n), depth)
	case Named:
		if s.Type.Kind == Struct {
			return n.Kind == schema.Object && s.Type.takesMembers(n, depth)
		}
	}
	return s.takesScalar(lit)
}

func allow(list []Bounds, n int) bool {
	return !slices.ContainsFunc(list, func(b Bounds) bool {
		return b.Min != nil && int64(n) < *b.Min || b.Max != nil && int64(n) > *b.Max
	})
}

func values(n *schema.Node) []*schema.Node {
	var list []*schema.Node
	for _, m := range n.Members {
		list = append(list, m.Value)
	}
	return list
}

func (s *Shape) takeAll(list []*schema.Node, depth int) bool {
	return !slices.ContainsFunc(list, func(n *schema.Node) bool { return !s.takes(n, checkLiteral(n), depth-1) })
}

// takesMembers reports that an object surely is a value of the struct.
func (t *Type) takesMembers(n *schema.Node, depth int) bool {
	if t.Checks != nil {
		return false
	}
	named := map[string]bool{}
	for _, f := range t.Fields {
		named[f.Name] = true
		value := n.Member(f.Name)
		if value == nil && f.Required || value != nil && !f.Shape.takes(value, checkLiteral(value), depth-1) {
			return false
		}
	}
	return !slices.ContainsFunc(n.Members, func(m schema.Member) bool {
		return !named[m.Name] && (t.Extra == nil || !t.Extra.takes(m.Value, checkLiteral(m.Value), depth-1))
	})
}

// takesScalar reports that a literal surely is a value of the shape.
func (s *Shape) takesScalar(lit *Literal) bool {
	r := s.Rules
	switch s.Basic {
	case Raw:
		return true
	case Bool:
		return lit.Kind == schema.Boolean && (r.Const == nil || *r.Const == *lit)
	case Int:
		return lit.Kind == schema.Number && s.takesInteger(lit)
	case Float:
		return lit.Kind == schema.Number && r.takesNumber(lit)
	case String:
		return lit.Kind == schema.String && len(r.Formats) == 0 &&
			(r.Const == nil || *r.Const == *lit) && r.takesLength(lit.Text) && r.matcher()(lit.Text)
	case Named:
		return s.Type.Kind == Enum && s.Type.Checks == nil && lit.Kind == schema.String &&
			slices.ContainsFunc(s.Type.Values, func(v Value) bool { return v.Text == lit.Text })
	}
	return false
}

// takesNumber reports that what a float64 makes of the literal keeps the limits.
func (r Rules) takesNumber(lit *Literal) bool {
	f, err := strconv.ParseFloat(lit.Text, 64)
	if err != nil {
		return false
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	return !slices.ContainsFunc(r.Numbers, func(n NumberRules) bool {
		return n.MultipleOf != "" ||
			n.Minimum != "" && schema.CompareNumbers(text, n.Minimum) < 0 ||
			n.ExclusiveMinimum != "" && schema.CompareNumbers(text, n.ExclusiveMinimum) <= 0 ||
			n.Maximum != "" && schema.CompareNumbers(text, n.Maximum) > 0 ||
			n.ExclusiveMaximum != "" && schema.CompareNumbers(text, n.ExclusiveMaximum) >= 0
	})
}

func (r Rules) takesLength(text string) bool {
	return allow(r.Lengths, utf8.RuneCountInString(text))
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
