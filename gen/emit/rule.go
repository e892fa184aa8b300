package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// A reporter names what violations are reported to.
type reporter struct {
	variable string
	member   *string // the violation is that of a member of the current value
}

var (
	onDecoder = reporter{variable: "d"}
	onReport  = reporter{variable: "r"}
)

// at reports violations of a member.
func (r reporter) at(member string) reporter { return reporter{r.variable, &member} }

// call yields r.Count(…), or r.At("name").Count(…).
func (r reporter) call(method string, args ...jen.Code) *jen.Statement {
	s := jen.Id(r.variable)
	if r.member != nil {
		s = s.Dot("At").Call(jen.Lit(*r.member))
	}
	return s.Dot(method).Call(args...)
}

// tests yields the rules for a value that was read: one if for each.
func (k *codec) tests(t target, s *model.Shape, r reporter) []jen.Code {
	switch s.Basic {
	case model.Bool:
		return k.testBool(t, s, r)
	case model.Int, model.Uint:
		return k.testInteger(t, s, r)
	case model.Float:
		return k.testNumber(s, r)
	case model.String:
		return k.testString(t, s, r)
	case model.Slice:
		return k.testSlice(t, s, r)
	case model.Map:
		return k.testCount("Properties", jen.Len(t.val()), s.Rules.Members, r)
	}
	return nil
}

func (k *codec) testBool(t target, s *model.Shape, r reporter) []jen.Code {
	c := s.Rules.Const
	if c == nil {
		return nil
	}
	// if v.X != true { r.Const(v.X, "true") }
	wrong := t.val()
	if c.Text == "true" {
		wrong = jen.Op("!").Add(t.val())
	}
	return []jen.Code{jen.If(wrong).Block(r.call("Const", t.val(), jen.Lit(c.Text)))}
}

func (k *codec) testInteger(t target, s *model.Shape, r reporter) []jen.Code {
	var tests []jen.Code
	if c := s.Rules.Const; c != nil {
		// if v.X != 1 { r.Const(v.X, "1") }
		tests = append(tests, jen.If(t.val().Op("!=").Add(integer(c.Text))).Block(r.call("Const", t.val(), jen.Lit(c.Text))))
	}
	if len(s.Rules.Enum) > 0 {
		// switch v.X {
		// case 1, 2:
		// default:
		// 	r.Enum(v.X)
		// }
		tests = append(tests, jen.Switch(t.val()).Block(
			jen.Case(integers(s.Rules.Enum)...),
			jen.Default().Block(r.call("Enum", t.val())),
		))
	}
	for _, rule := range s.Rules.Integers {
		broken := t.val().Op(rule.Test).Add(integer(rule.Limit))
		if rule.Test == "%" {
			broken = broken.Op("!=").Lit(0)
		}
		// if v.X < 1 { r.Integer("minimum", v.X, "1") }
		report := "Integer"
		if s.Basic == model.Uint {
			report = "Unsigned"
		}
		tests = append(tests, jen.If(broken).Block(r.call(report, jen.Lit(rule.Keyword), t.val(), jen.Lit(rule.Text))))
	}
	return tests
}

// integer yields a literal of the digits, which the model has checked.
func integer(digits string) *jen.Statement {
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return jen.Lit(int(n))
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		panic("emit: not an integer: " + digits)
	}
	return jen.Op(strconv.FormatUint(n, 10))
}

func integers(list []model.Literal) []jen.Code {
	seen := map[string]bool{}
	var codes []jen.Code
	for _, lit := range list {
		if !seen[lit.Text] {
			seen[lit.Text] = true
			codes = append(codes, integer(lit.Text))
		}
	}
	return codes
}

// comparisons say when a number breaks a rule.
var comparisons = []struct {
	keyword, op string
	limit       func(model.NumberRules) string
}{
	{"minimum", "<", func(r model.NumberRules) string { return r.Minimum }},
	{"exclusiveMinimum", "<=", func(r model.NumberRules) string { return r.ExclusiveMinimum }},
	{"maximum", ">", func(r model.NumberRules) string { return r.Maximum }},
	{"exclusiveMaximum", ">=", func(r model.NumberRules) string { return r.ExclusiveMaximum }},
}

// testNumber speaks about n, the text of the number.
func (k *codec) testNumber(s *model.Shape, r reporter) []jen.Code {
	var tests []jen.Code
	fail := func(broken *jen.Statement, keyword, limit string) {
		tests = append(tests, jen.If(broken).Block(r.call("Digits", jen.Lit(keyword), jen.Id("n").Dot("Text").Call(), jen.Lit(limit))))
	}
	for _, rules := range s.Rules.Numbers {
		for _, c := range comparisons {
			if limit := c.limit(rules); limit != "" {
				// if n.Compare(limitX) < 0 { r.Digits("minimum", n.Text(), "0.5") }
				fail(jen.Id("n").Dot("Compare").Call(k.prepared("limit", "MustDecimal", limit)).Op(c.op).Lit(0), c.keyword, limit)
			}
		}
		if m := rules.MultipleOf; m != "" {
			// if !n.MultipleOf(limitX) { r.Digits("multipleOf", n.Text(), "0.01") }
			fail(jen.Op("!").Id("n").Dot("MultipleOf").Call(k.prepared("limit", "MustDecimal", m)), "multipleOf", m)
		}
	}
	return tests
}

func (k *codec) testString(t target, s *model.Shape, r reporter) []jen.Code {
	var tests []jen.Code
	if c := s.Rules.Const; c != nil {
		// if v.X != "a" { r.Const(v.X, `"a"`) }
		tests = append(tests, jen.If(t.val().Op("!=").Lit(c.Text)).Block(r.call("Const", t.val(), jen.Lit(literalJSON(*c)))))
	}
	tests = append(tests, k.testCount("Length", jen.Qual(pathWire, "Length").Call(t.val()), s.Rules.Lengths, r)...)
	for _, p := range s.Rules.Patterns {
		// if !patternX.Match(v.X) { r.Pattern(v.X, "…") }
		broken := jen.Op("!").Add(k.prepared("pattern", "MustPattern", p.RE2)).Dot("Match").Call(t.val())
		tests = append(tests, jen.If(broken).Block(r.call("Pattern", t.val(), jen.Lit(p.Source))))
	}
	for _, format := range s.Rules.Formats {
		// if !wire.FormatEmail(v.X) { r.Format(v.X, "email") }
		broken := jen.Op("!").Qual(pathWire, formatFuncs[format]).Call(t.val())
		tests = append(tests, jen.If(broken).Block(r.call("Format", t.val(), jen.Lit(format))))
	}
	return tests
}

func (k *codec) testSlice(t target, s *model.Shape, r reporter) []jen.Code {
	tests := k.testCount("Items", jen.Len(t.val()), s.Rules.Items, r)
	if s.Rules.Unique {
		// if !wire.Distinct(v.X) { r.Unique() }
		tests = append(tests, jen.If(jen.Op("!").Qual(pathWire, "Distinct").Call(t.val())).Block(r.call("Unique")))
	}
	return tests
}

// testCount yields
//
//	if n := wire.Length(v.X); n < 1 || n > 9 { r.Counts("Length", n, 1, 9) }
func (k *codec) testCount(unit string, count *jen.Statement, list []model.Bounds, r reporter) []jen.Code {
	var tests []jen.Code
	n := jen.Id("n")
	for _, b := range list {
		var broken, fail *jen.Statement
		low := b.Min != nil && *b.Min > 0
		switch {
		case low && b.Max != nil:
			broken = n.Clone().Op("<").Add(limit(*b.Min)).Op("||").Add(n.Clone()).Op(">").Add(limit(*b.Max))
			fail = r.call("Counts", jen.Lit(unit), n, limit(*b.Min), limit(*b.Max))
		case low:
			broken = n.Clone().Op("<").Add(limit(*b.Min))
			fail = r.call("Count", jen.Lit("min"+unit), n, limit(*b.Min))
		case b.Max != nil:
			broken = n.Clone().Op(">").Add(limit(*b.Max))
			fail = r.call("Count", jen.Lit("max"+unit), n, limit(*b.Max))
		default:
			continue
		}
		tests = append(tests, jen.If(n.Clone().Op(":=").Add(count.Clone()), broken).Block(fail))
	}
	return tests
}

// isConstant reports a member that can have one value only, so that its zero
// value in Go stands for it.
func isConstant(f *model.Field) bool {
	c := f.Shape.Rules.Const
	if !f.Required || f.Shape.Nullable || c == nil {
		return false
	}
	return f.Shape.Basic == model.String && c.Kind == schema.String || f.Shape.Basic == model.Int
}
