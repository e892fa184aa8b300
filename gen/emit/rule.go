package emit

import (
	"slices"
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// rules yields the address of the rules of a value without parts; nil when it has none.
func (k *codec) rules(s *model.Shape) jen.Code {
	switch s.Basic {
	case model.Int:
		return k.rule("IntegerRules", s, integerRules(s, "NoMin", "NoMax"))
	case model.Uint:
		return k.rule("UnsignedRules", s, integerRules(s, "", "NoMaxUnsigned"))
	case model.Float:
		return k.rule("NumberRules", s, numberRules(s))
	case model.String:
		return k.rule("TextRules", s, textRules(s))
	}
	return jen.Nil()
}

// count yields the address of limits of a number of items or members; nil when there are
// none.
func (k *codec) count(list []model.Bounds) jen.Code {
	if !hasLimits(list) {
		return jen.Nil()
	}
	var links []link
	for _, b := range list {
		links = append(links, countRules(b, "Min", "Max"))
	}
	return k.rule("Count", &list[0], links)
}

// hasLimits reports limits that some number of items or members is beyond.
func hasLimits(list []model.Bounds) bool {
	return slices.ContainsFunc(list, func(b model.Bounds) bool { return len(countRules(b, "", "")) > 0 })
}

// A link is a struct of rules: its fields in their order. Where a field is needed twice,
// another struct follows the first one.
type link []entry

type entry struct {
	field string
	value jen.Code
}

// with is the link with a field more.
func (l link) with(field string, value jen.Code) link { return append(l, entry{field, value}) }

// literal yields {A: 1, B: 2, Also: &wire.T{…}}.
func literal(typ string, links []link) *jen.Statement {
	var values []jen.Code
	for _, e := range links[0] {
		values = append(values, jen.Id(e.field).Op(":").Add(e.value))
	}
	if len(links) > 1 {
		values = append(values, jen.Id("Also").Op(":").Op("&").Add(literal(typ, links[1:])))
	}
	return jen.Qual(pathWire, typ).Values(values...)
}

// rule yields the address of a variable that holds the rules of what is given; nil
// without any.
func (k *codec) rule(typ string, of any, links []link) jen.Code {
	links = slices.DeleteFunc(links, func(l link) bool { return len(l) == 0 })
	if len(links) == 0 {
		return jen.Nil()
	}
	kind := "rules"
	if typ == "Count" {
		kind = "count"
	}
	// rulesOrderTitle = wire.TextRules{MinLength: 1, MaxLength: 200}
	return jen.Op("&").Add(k.variable(kind, k.place, of, literal(typ, links)))
}

// countRules yields limits of a count. A limit of zero is wire.Nothing.
func countRules(b model.Bounds, low, high string) link {
	var l link
	if b.Min != nil && *b.Min > 0 {
		l = l.with(low, limit(*b.Min))
	}
	switch {
	case b.Max == nil:
	case *b.Max == 0:
		l = l.with(high, jen.Qual(pathWire, "Nothing"))
	default:
		l = l.with(high, limit(*b.Max))
	}
	return l
}

// textRules are {Const: …, MinLength: 1, MaxLength: 9, Pattern: …, Format: …}.
func textRules(s *model.Shape) []link {
	r := s.Rules
	links := make([]link, max(1, len(r.Lengths), len(r.Patterns), len(r.Formats)))
	if r.Const != nil {
		links[0] = links[0].with("Const", jen.Index().String().Values(jen.Lit(r.Const.Text)))
	}
	for i, b := range r.Lengths {
		links[i] = append(links[i], countRules(b, "MinLength", "MaxLength")...)
	}
	for i, p := range r.Patterns {
		links[i] = links[i].with("Pattern", pattern(p))
	}
	for i, format := range r.Formats {
		// wire.Format{Name: "email", Valid: wire.FormatEmail}
		links[i] = links[i].with("Format", jen.Qual(pathWire, "Format").Values(
			jen.Id("Name").Op(":").Lit(format),
			jen.Id("Valid").Op(":").Qual(pathWire, formatFuncs[format]),
		))
	}
	return links
}

// pattern yields &wire.Pattern{Source: "^[0-9]+$"}.
func pattern(p model.Pattern) jen.Code {
	values := []jen.Code{jen.Id("Source").Op(":").Lit(p.Source)}
	if p.RE2 != p.Source {
		values = append(values, jen.Id("RE2").Op(":").Lit(p.RE2))
	}
	return jen.Op("&").Qual(pathWire, "Pattern").Values(values...)
}

// integerRules are {Min: 1, Max: 9, …}: both limits are always there.
func integerRules(s *model.Shape, noMin, noMax string) []link {
	var links []link
	for _, limits := range integerLimits(s.Rules.Integers) {
		links = append(links, limits.link(noMin, noMax))
	}
	var values link
	if c := s.Rules.Const; c != nil {
		values = values.with("Const", jen.Index().Add(baseType(s)).Values(integer(c.Text)))
	}
	if len(s.Rules.Enum) > 0 {
		values = values.with("Enum", jen.Index().Add(baseType(s)).Values(integers(s.Rules.Enum)...))
	}
	switch {
	case len(values) == 0:
	case len(links) == 0:
		links = append(links, append(limits{}.link(noMin, noMax), values...))
	default:
		links[0] = append(links[0], values...)
	}
	return links
}

// limits are rules of an integer by their test, one of each.
type limits map[string]model.IntegerRule

// integerLimits spreads rules over as few limits as they need.
func integerLimits(rules []model.IntegerRule) []limits {
	var list []limits
	for _, rule := range rules {
		free := slices.IndexFunc(list, func(l limits) bool { _, taken := l[rule.Test]; return !taken })
		if free < 0 {
			free = len(list)
			list = append(list, limits{})
		}
		list[free][rule.Test] = rule
	}
	return list
}

func (l limits) link(noMin, noMax string) link {
	var fields, named link
	for _, test := range []struct{ test, field, keyword, none string }{
		{"<", "Min", "minimum", noMin},
		{">", "Max", "maximum", noMax},
		{"%", "Multiple", "multipleOf", ""},
	} {
		rule, ok := l[test.test]
		switch {
		case ok:
			fields = fields.with(test.field, integer(rule.Limit))
		case test.none != "":
			fields = fields.with(test.field, jen.Qual(pathWire, test.none))
		}
		if ok && (rule.Keyword != test.keyword || rule.Text != rule.Limit) {
			// MinRule: wire.Limit{Keyword: "exclusiveMinimum", Text: "0"}
			named = named.with(test.field+"Rule", jen.Qual(pathWire, "Limit").Values(
				jen.Id("Keyword").Op(":").Lit(rule.Keyword), jen.Id("Text").Op(":").Lit(rule.Text),
			))
		}
	}
	return append(fields, named...)
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

// integers yields the literals, each one once.
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

// numberRules are {Minimum: "0", MultipleOf: "0.01"}.
func numberRules(s *model.Shape) []link {
	var links []link
	for _, r := range s.Rules.Numbers {
		var l link
		for _, limit := range []struct{ field, text string }{
			{"Minimum", r.Minimum},
			{"ExclusiveMinimum", r.ExclusiveMinimum},
			{"Maximum", r.Maximum},
			{"ExclusiveMaximum", r.ExclusiveMaximum},
			{"MultipleOf", r.MultipleOf},
		} {
			if limit.text != "" {
				l = l.with(limit.field, jen.Lit(limit.text))
			}
		}
		links = append(links, l)
	}
	return links
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

// isEnum reports an enumeration that is nothing but its words, and no event.
func isEnum(t *model.Type) bool {
	return t != nil && t.Kind == model.Enum && !t.Checked && t.Event == nil
}

// words yields the address of the words of an enumeration.
func words(t *model.Type) *jen.Statement { return jen.Op("&").Add(id("words" + t.Go)) }

// declareWords yields
//
//	var wordsCurrency = wire.Words{Type: "Currency", Values: []string{"EUR", "USD"}}
func declareWords(t *model.Type) *jen.Statement {
	var texts []jen.Code
	for _, v := range t.Values {
		texts = append(texts, jen.Lit(v.Text))
	}
	values := []jen.Code{
		jen.Id("Type").Op(":").Lit(t.Go),
		jen.Id("Values").Op(":").Index().String().Values(texts...),
	}
	if t.Hidden {
		values = append(values, jen.Id("Hidden").Op(":").True())
	}
	return jen.Var().Add(id("words"+t.Go)).Op("=").Qual(pathWire, "Words").Values(values...)
}

// asText yields the address of an enumeration's value as that of a string.
func asText(place *jen.Statement) *jen.Statement {
	return jen.Parens(jen.Op("*").String()).Parens(place)
}
