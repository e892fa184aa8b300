package emit

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// maxCases is the number of strings of an enum up to which they are cases of a
// switch.
const maxCases = 16

// types yields the rule for types. A value of another type is not looked at any
// further.
func (f *checkFunc) types(b *block) {
	types := f.check.Types
	if types == 0 {
		return
	}
	var differs *jen.Statement
	var names []string
	other := func(condition *jen.Statement, name string) {
		names = append(names, name)
		if differs == nil {
			differs = condition
		} else {
			differs.Op("&&").Add(condition)
		}
	}
	for _, k := range kindNames {
		if types&k.kind != 0 {
			other(value("Kind").Op("!=").Add(kindOf(k.kind)), k.text)
		}
	}
	if types&schema.Integer != 0 && types&schema.Number == 0 {
		other(jen.Op("!").Add(value("IsInteger")), "integer")
	}
	// if v.Kind() != wire.String && !v.IsInteger() {
	// 	r.Type(v.Kind(), "string or integer")
	// 	return false
	// }
	b.add(jen.If(differs).Block(
		report("Type", value("Kind"), jen.Lit(strings.Join(names, " or "))),
		jen.Return(jen.False()),
	))
}

// values yields the rules for const and enum.
func (f *checkFunc) values(b *block) {
	if c := f.check.Const; c != nil {
		// if v.Text() != "created" { … }
		b.add(f.failIf(f.differs(c), report("Const", jen.Id("v"), jen.Lit(literalJSON(*c)))))
	}
	switch {
	case !f.check.HasEnum:
	case shortStrings(f.check.Enum):
		f.enumSwitch(b)
	default:
		// if !ruleEnumOfOrderState.Has(v) { … }
		table := f.rule("Enum", "MustEnum", literalsJSON(f.check.Enum))
		b.add(f.failIf(jen.Op("!").Add(table).Dot("Has").Call(jen.Id("v")), report("Enum", jen.Id("v"))))
	}
}

// differs yields the condition that v is not the value of the literal.
func (f *checkFunc) differs(c *model.Literal) *jen.Statement {
	switch c.Kind {
	case schema.Null:
		return value("Kind").Op("!=").Add(kindOf(schema.Null))
	case schema.Boolean:
		if c.Text == "true" {
			return jen.Op("!").Add(value("Bool"))
		}
		return value("Kind").Op("!=").Add(kindOf(schema.Boolean)).Op("||").Add(value("Bool"))
	case schema.String:
		differs := value("Text").Op("!=").Lit(c.Text)
		if c.Text == "" {
			return value("Kind").Op("!=").Add(kindOf(schema.String)).Op("||").Add(differs)
		}
		return differs
	}
	// !wire.Equal(v, ruleConstOfOrderState)
	constant := f.rule("Const", "MustParse", c.Text)
	return jen.Op("!").Qual(checkRuntime, "Equal").Call(jen.Id("v"), constant)
}

// shortStrings tells that all values are strings that fit a switch. The empty
// string does not: other kinds have no text either.
func shortStrings(values []model.Literal) bool {
	for _, v := range values {
		if v.Kind != schema.String || v.Text == "" {
			return false
		}
	}
	return len(values) > 0 && len(values) <= maxCases
}

func (f *checkFunc) enumSwitch(b *block) {
	var cases []jen.Code
	seen := map[string]bool{}
	for _, v := range f.check.Enum {
		if !seen[v.Text] {
			seen[v.Text] = true
			cases = append(cases, jen.Lit(v.Text))
		}
	}
	// switch v.Text() {
	// case "open", "closed":
	// default: …
	// }
	b.add(jen.Switch(value("Text")).Block(
		jen.Case(cases...),
		jen.Default().Block(f.fail(report("Enum", jen.Id("v")))...),
	))
}

// literalsJSON returns a JSON array.
func literalsJSON(values []model.Literal) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = literalJSON(v)
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// literalJSON returns the JSON text of a literal.
func literalJSON(l model.Literal) string {
	if l.Kind != schema.String {
		return l.Text
	}
	text, err := json.Marshal(l.Text)
	if err != nil {
		panic(err) // a string
	}
	return string(text)
}

// numbers yields the rules for numbers.
func (f *checkFunc) numbers(b *block) {
	n := f.check.Number
	var rules block
	bound := func(name, keyword, limit, op string) {
		if limit == "" || !f.can(schema.Number) {
			return
		}
		// if v.Number().Compare(ruleMinimumOfOrderTotal) < 0 { … }
		beyond := value("Number").Dot("Compare").Call(f.rule(name, "MustDecimal", limit)).Op(op).Lit(0)
		rules.add(f.failIf(beyond, report("Number", jen.Lit(keyword), jen.Id("v"), jen.Lit(limit))))
	}
	bound("Minimum", "minimum", n.Minimum, "<")
	bound("ExclusiveMinimum", "exclusiveMinimum", n.ExclusiveMinimum, "<=")
	bound("Maximum", "maximum", n.Maximum, ">")
	bound("ExclusiveMaximum", "exclusiveMaximum", n.ExclusiveMaximum, ">=")
	if n.MultipleOf != "" && f.can(schema.Number) {
		// if !v.Number().MultipleOf(ruleMultipleOfOfOrderTotal) { … }
		divides := value("Number").Dot("MultipleOf").Call(f.rule("MultipleOf", "MustDecimal", n.MultipleOf))
		rules.add(f.failIf(jen.Op("!").Add(divides), report("Number", jen.Lit("multipleOf"), jen.Id("v"), jen.Lit(n.MultipleOf))))
	}
	f.guarded(b, schema.Number, rules)
}

// strings yields the rules for strings.
func (f *checkFunc) strings(b *block) {
	s := f.check.String
	if !f.can(schema.String) {
		return
	}
	var rules block
	f.count(&rules, "minLength", "RuneCount", s.MinLength, "<")
	f.count(&rules, "maxLength", "RuneCount", s.MaxLength, ">")
	if s.Pattern != nil {
		// if !rulePatternOfOrderID.Match(v.Text()) { … }
		matches := f.rule("Pattern", "MustPattern", s.Pattern.RE2).Dot("Match").Call(value("Text"))
		rules.add(f.failIf(jen.Op("!").Add(matches), report("Pattern", value("Text"), jen.Lit(s.Pattern.Source))))
	}
	if s.Format != "" {
		// if !wire.FormatUUID(v.Text()) { … }
		valid := jen.Qual(checkRuntime, formatFuncs[s.Format]).Call(value("Text"))
		rules.add(f.failIf(jen.Op("!").Add(valid), report("Format", value("Text"), jen.Lit(s.Format))))
	}
	f.guarded(b, schema.String, rules)
}

// formatFuncs are the runtime's names of the formats.
var formatFuncs = map[string]string{
	"date-time":             "FormatDateTime",
	"date":                  "FormatDate",
	"time":                  "FormatTime",
	"duration":              "FormatDuration",
	"email":                 "FormatEmail",
	"idn-email":             "FormatIDNEmail",
	"hostname":              "FormatHostname",
	"idn-hostname":          "FormatIDNHostname",
	"ipv4":                  "FormatIPv4",
	"ipv6":                  "FormatIPv6",
	"uri":                   "FormatURI",
	"uri-reference":         "FormatURIReference",
	"iri":                   "FormatIRI",
	"iri-reference":         "FormatIRIReference",
	"uuid":                  "FormatUUID",
	"uri-template":          "FormatURITemplate",
	"json-pointer":          "FormatJSONPointer",
	"relative-json-pointer": "FormatRelativeJSONPointer",
	"regex":                 "FormatRegex",
}

// count yields a rule for a number of characters, items or members.
func (f *checkFunc) count(b *block, keyword, method string, bound *int64, op string) {
	if bound == nil {
		return
	}
	// if v.Len() < 3 { … }
	b.add(f.failIf(
		value(method).Op(op).Add(limit(*bound)),
		report("Count", jen.Lit(keyword), value(method), limit(*bound)),
	))
}

// index yields a number as part of a name.
func index(i int) string { return strconv.Itoa(i) }
