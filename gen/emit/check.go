package emit

import (
	"math"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

const checkRuntime = "github.com/pgque/pgque-go/pgque/wire"

// CheckDecls yields the declarations of one check: its constants, prepared once
// when the program starts, and its function. Within a package every check is
// rendered once.
func CheckDecls(c *model.Check) []jen.Code {
	f := &checkFunc{check: c}
	body := f.body()
	var decls []jen.Code
	switch len(f.rules) {
	case 0:
	case 1:
		decls = append(decls, jen.Var().Add(f.rules[0]).Line())
	default:
		decls = append(decls, jen.Var().Defs(f.rules...).Line())
	}
	name := decideName(c)
	switch {
	case c.Shared:
		decls = append(decls, sharing(c, name)...)
	case c.Remembers:
		decls = append(decls, remembering(c, name)...)
	}
	return append(decls,
		jen.Comment(name+" decides "+plainText(c.File+"#"+c.Pointer)+"."),
		predicate(name, body...),
	)
}

// CheckNames are the names that CheckDecls declares.
func CheckNames(c *model.Check) []string {
	f := &checkFunc{check: c}
	f.body()
	if c.Shared || c.Remembers {
		return append(f.named, c.Func, decideName(c))
	}
	return append(f.named, c.Func)
}

// decideName is the name of the function that holds the rules.
func decideName(c *model.Check) string {
	if c.Shared || c.Remembers {
		return "decide" + strings.TrimPrefix(c.Func, "check")
	}
	return c.Func
}

// predicate yields a function.
func predicate(name string, body ...jen.Code) *jen.Statement {
	// func checkX(v *wire.Value, ev *wire.Evaluated, r *wire.Report) bool { … }
	return jen.Func().Id(name).Params(
		jen.Id("v").Op("*").Qual(checkRuntime, "Value"),
		jen.Id("ev").Op("*").Qual(checkRuntime, "Evaluated"),
		jen.Id("r").Op("*").Qual(checkRuntime, "Report"),
	).Bool().Block(body...).Line()
}

// sharing yields the function of a check that asks decide once for each value and
// each kind of question.
func sharing(c *model.Check, decide string) []jen.Code {
	return []jen.Code{
		jen.Comment(c.Func + " is " + decide + ", asked once for each value."),
		// return v.Once("checkX", decideX, ev, r)
		predicate(c.Func, jen.Return(value("Once", jen.Lit(c.Func), jen.Id(decide), jen.Id("ev"), jen.Id("r")))),
	}
}

// remembering yields the function of a check that asks decide once for each
// value, and again only for what there is to report.
func remembering(c *model.Check, decide string) []jen.Code {
	ask := func(ev, r *jen.Statement) *jen.Statement { return jen.Id(decide).Call(jen.Id("v"), ev, r) }
	valid, known := jen.Id("valid"), jen.Id("known")
	return []jen.Code{
		jen.Comment(c.Func + " is " + decide + ", asked once for each value."),
		predicate(c.Func,
			// if ev != nil {
			// 	return decideX(v, ev, r)
			// }
			jen.If(jen.Id("ev").Op("!=").Nil()).Block(jen.Return(ask(jen.Id("ev"), jen.Id("r")))),
			// valid, known := v.Recall("checkX")
			// if !known {
			// 	valid = v.Remember("checkX", decideX(v, nil, nil))
			// }
			jen.List(valid, known).Op(":=").Add(value("Recall", jen.Lit(c.Func))),
			jen.If(jen.Op("!").Add(known)).Block(
				valid.Clone().Op("=").Add(value("Remember", jen.Lit(c.Func), ask(jen.Nil(), jen.Nil()))),
			),
			// if valid || r == nil || r.Full() {
			// 	return valid
			// }
			// return decideX(v, nil, r)
			jen.If(valid.Clone().Op("||").Id("r").Op("==").Nil().Op("||").Id("r").Dot("Full").Call()).Block(jen.Return(valid)),
			jen.Return(ask(jen.Nil(), jen.Id("r"))),
		),
	}
}

// plainText keeps what is harmless in a comment of one line.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' && r != '*' && r != '`' {
			return r
		}
		return '?'
	}, s)
}

// A checkFunc is the function of one check while it is made.
type checkFunc struct {
	check *model.Check
	rules []jen.Code // constants that the body uses
	named []string   // the constants
	fails bool       // a rule can clear ok
	sees  bool       // a rule uses seen
}

// body yields the statements of the function, in the order in which a failure
// costs least and says most: the type first, what was left unevaluated last.
func (f *checkFunc) body() []jen.Code {
	c := f.check
	if c.Nothing {
		// r.Never("false")
		// return false
		return []jen.Code{report("Never", jen.Lit("false")), jen.Return(jen.False())}
	}
	var b block
	f.types(&b)
	f.values(&b)
	f.numbers(&b)
	f.strings(&b)
	f.arrays(&b)
	f.objects(&b)
	f.combinations(&b)
	f.unevaluated(&b)
	if !f.fails {
		return append(append(f.seen(), b...), jen.Return(jen.True()))
	}
	// ok := true
	// …
	// return ok
	head := append([]jen.Code{jen.Id("ok").Op(":=").True()}, f.seen()...)
	return append(append(head, b...), jen.Return(jen.Id("ok")))
}

// seen yields the set of evaluated members or items of a check that asks for
// it.
func (f *checkFunc) seen() []jen.Code {
	if !f.sees {
		return nil
	}
	// var seen wire.Evaluated
	return []jen.Code{jen.Var().Id("seen").Qual(checkRuntime, "Evaluated")}
}

// asks tells that the check itself has a rule for what was left unevaluated.
func (f *checkFunc) asks() bool {
	return f.check.Array.Unevaluated != nil || f.check.Object.Unevaluated != nil
}

// collects tells that evaluated members or items are marked.
func (f *checkFunc) collects() bool { return f.check.Tracked || f.asks() }

// marks yields the set that they are marked in: seen, ev, or nil for nobody.
func (f *checkFunc) marks() *jen.Statement {
	switch {
	case f.asks():
		f.sees = true
		return jen.Op("&").Id("seen")
	case f.check.Tracked:
		return jen.Id("ev")
	}
	return jen.Nil()
}

// mark yields a call of a method of the set: seen.Add(i).
func (f *checkFunc) mark(method string, args ...jen.Code) *jen.Statement {
	set := "ev"
	if f.asks() {
		f.sees = true
		set = "seen"
	}
	return jen.Id(set).Dot(method).Call(args...)
}

// A block collects statements.
type block []jen.Code

func (b *block) add(code ...jen.Code) { *b = append(*b, code...) }

// fail yields what happens to an invalid value.
func (f *checkFunc) fail(reports ...jen.Code) []jen.Code {
	f.fails = true
	// if r == nil {
	// 	return false
	// }
	// r.…
	// ok = false
	out := []jen.Code{jen.If(jen.Id("r").Op("==").Nil()).Block(jen.Return(jen.False()))}
	out = append(out, reports...)
	return append(out, jen.Id("ok").Op("=").False())
}

// failIf yields a rule: values for which the condition holds are invalid.
func (f *checkFunc) failIf(condition jen.Code, reports ...jen.Code) *jen.Statement {
	return jen.If(condition).Block(f.fail(reports...)...)
}

// report yields a call of a method of r.
func report(method string, args ...jen.Code) *jen.Statement {
	return jen.Id("r").Dot(method).Call(args...)
}

// value yields a call of a method of v.
func value(method string, args ...jen.Code) *jen.Statement {
	return jen.Id("v").Dot(method).Call(args...)
}

// rule declares a constant of the check and yields its name:
// ruleMinimumOfOrderTotal.
func (f *checkFunc) rule(keyword string, make string, text string) *jen.Statement {
	name := "rule" + keyword + "Of" + strings.TrimPrefix(f.check.Func, "check")
	// ruleMinimumOfOrderTotal = wire.MustDecimal("1")
	f.named = append(f.named, name)
	f.rules = append(f.rules, jen.Id(name).Op("=").Qual(checkRuntime, make).Call(jen.Lit(text)))
	return jen.Id(name)
}

// limit yields a limit on a count. No 32-bit count exceeds the largest that is
// written.
func limit(n int64) *jen.Statement { return jen.Lit(int(min(n, math.MaxInt32))) }

// can tells that values of the kind get past the rule for types.
func (f *checkFunc) can(kind schema.Kinds) bool {
	if kind == schema.Number {
		kind |= schema.Integer
	}
	return f.check.Types == 0 || f.check.Types&kind != 0
}

// guarded yields rules that speak about values of one kind only.
func (f *checkFunc) guarded(b *block, kind schema.Kinds, rules block) {
	switch {
	case len(rules) == 0 || !f.can(kind):
	case f.check.Types == kind, kind == schema.Number && f.check.Types == schema.Integer:
		b.add(rules...)
	default:
		// if v.Kind() == wire.Object { … }
		b.add(jen.If(value("Kind").Op("==").Add(kindOf(kind))).Block(rules...))
	}
}

// kindOf yields the runtime's name of a kind: wire.Object.
func kindOf(kind schema.Kinds) *jen.Statement {
	for _, k := range kindNames {
		if k.kind == kind {
			return jen.Qual(checkRuntime, k.wire)
		}
	}
	panic("emit: not one kind")
}

// kindNames are the kinds, as the runtime and as JSON Schema name them.
var kindNames = []struct {
	kind       schema.Kinds
	wire, text string
}{
	{schema.Null, "Null", "null"},
	{schema.Boolean, "Bool", "boolean"},
	{schema.Number, "Num", "number"},
	{schema.String, "String", "string"},
	{schema.Array, "Array", "array"},
	{schema.Object, "Object", "object"},
}
