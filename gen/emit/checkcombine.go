package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// combinations yields the checks of the same value.
func (f *checkFunc) combinations(b *block) {
	for _, call := range f.check.All {
		f.whole(b, call, "allOf")
	}
	for _, m := range f.check.Object.Implies {
		var then block
		f.whole(&then, m.Call, "dependentSchemas")
		// if v.Has("card") { … }
		b.add(jen.If(value("Has", jen.Lit(m.Name))).Block(then...))
	}
	f.any(b)
	f.one(b)
	f.not(b)
	f.conditional(b)
}

// whole yields a check that v must pass.
func (f *checkFunc) whole(b *block, call model.Call, keyword string) {
	switch call {
	case model.Anything:
	case model.Nothing:
		b.add(f.fail(report("Never", jen.Lit(keyword)))...)
	default:
		// if !checkBase(v, ev, r) { … }
		valid := jen.Id(string(call)).Call(jen.Id("v"), f.marks(), jen.Id("r"))
		b.add(f.failIf(jen.Op("!").Add(valid)))
	}
}

// try yields what happens when a branch passes. What the branch evaluated
// counts only then.
func (f *checkFunc) try(call model.Call, passes, otherwise []jen.Code) []jen.Code {
	var out *jen.Statement
	switch {
	case call == model.Anything:
		return passes
	case call == model.Nothing:
		return otherwise
	case f.collects():
		// if branch := (wire.Evaluated{}); checkBranch(v, &branch, nil) {
		// 	ev.Merge(&branch)
		branch := jen.Id("branch").Op(":=").Parens(jen.Qual(checkRuntime, "Evaluated").Values())
		merge := f.mark("Merge", jen.Op("&").Id("branch"))
		out = jen.If(branch, verdict(call, jen.Id("v"), jen.Op("&").Id("branch"))).
			Block(append([]jen.Code{merge}, passes...)...)
	case len(passes) == 0:
		// if !checkBranch(v, nil, nil) { … }
		return []jen.Code{jen.If(jen.Op("!").Add(verdict(call, jen.Id("v"), jen.Nil()))).Block(otherwise...)}
	default:
		// if checkBranch(v, nil, nil) { … }
		out = jen.If(verdict(call, jen.Id("v"), jen.Nil())).Block(passes...)
	}
	if len(otherwise) > 0 {
		out = out.Else().Block(otherwise...)
	}
	return []jen.Code{out}
}

// any yields anyOf. Every branch is tried when somebody asks what they
// evaluated.
func (f *checkFunc) any(b *block) {
	calls := f.check.Any
	if len(calls) == 0 {
		return
	}
	none := report("AnyOf", append([]jen.Code{jen.Id("v")}, predicates(calls)...)...)
	if !f.collects() {
		// if !checkA(v, nil, nil) && !checkB(v, nil, nil) { … }
		var differs *jen.Statement
		for _, call := range calls {
			fails := jen.Op("!").Add(verdict(call, jen.Id("v"), jen.Nil()))
			if differs == nil {
				differs = fails
			} else {
				differs.Op("&&").Add(fails)
			}
		}
		b.add(f.failIf(differs, none))
		return
	}
	// matched := false
	b.add(jen.Id("matched").Op(":=").False())
	for _, call := range calls {
		b.add(f.try(call, []jen.Code{jen.Id("matched").Op("=").True()}, nil)...)
	}
	b.add(f.failIf(jen.Op("!").Id("matched"), none))
}

// predicates yields the names of the functions of the calls.
func predicates(calls []model.Call) []jen.Code {
	var out []jen.Code
	for _, call := range calls {
		if call != model.Anything && call != model.Nothing {
			out = append(out, jen.Id(string(call)))
		}
	}
	return out
}

// one yields oneOf.
func (f *checkFunc) one(b *block) {
	branches := f.check.One
	if len(branches) == 0 {
		return
	}
	// matches := 0
	b.add(jen.Id("matches").Op(":=").Lit(0))
	var calls []model.Call
	for _, branch := range branches {
		calls = append(calls, branch.Call)
		// matches += 1
		b.add(f.try(branch.Call, []jen.Code{jen.Id("matches").Op("+=").Lit(branch.Weight)}, nil)...)
	}
	// if matches != 1 { … }
	wrong := report("OneOf", append([]jen.Code{jen.Id("v"), jen.Id("matches")}, predicates(calls)...)...)
	b.add(f.failIf(jen.Id("matches").Op("!=").Lit(1), wrong))
}

func (f *checkFunc) not(b *block) {
	if f.check.Not == nil {
		return
	}
	matches := report("Fail", jen.Lit("not"), jen.Lit("matches what is not allowed"))
	switch call := *f.check.Not; call {
	case model.Nothing:
	case model.Anything:
		b.add(f.fail(matches)...)
	default:
		// if checkNot(v, nil, nil) { … }
		b.add(f.failIf(verdict(call, jen.Id("v"), jen.Nil()), matches))
	}
}

// conditional yields if, then and else.
func (f *checkFunc) conditional(b *block) {
	c := f.check
	if c.If == nil {
		return
	}
	var then, otherwise block
	if c.Then != nil {
		f.whole(&then, *c.Then, "then")
	}
	if c.Else != nil {
		f.whole(&otherwise, *c.Else, "else")
	}
	b.add(f.try(*c.If, then, otherwise)...)
}

// unevaluated yields the rules for what no other rule looked at. They are not
// asked about a value that is invalid anyway: what a failed rule looked at does
// not count, and would only be reported again.
func (f *checkFunc) unevaluated(b *block) {
	if !f.asks() {
		return
	}
	f.leftover(b, schema.Array, f.check.Array.Unevaluated, func(call model.Call) []jen.Code {
		return f.item(call, jen.Id("i"), "unevaluatedItems")
	})
	f.leftover(b, schema.Object, f.check.Object.Unevaluated, func(call model.Call) []jen.Code {
		if call == model.Nothing {
			return f.unknown("unevaluatedProperties")
		}
		return f.member(call, f.check.Object.SecretUnevaluated, "unevaluatedProperties")
	})
	if f.check.Tracked && f.sees {
		// ev.Merge(&seen)
		b.add(jen.Id("ev").Dot("Merge").Call(jen.Op("&").Id("seen")))
	}
}

func (f *checkFunc) leftover(b *block, kind schema.Kinds, call *model.Call, each func(model.Call) []jen.Code) {
	if call == nil || !f.can(kind) {
		return
	}
	var rules block
	asked := value("Kind").Op("==").Add(kindOf(kind))
	if f.fails {
		asked = jen.Id("ok").Op("&&").Add(asked)
	}
	if *call != model.Anything {
		f.sees = true
		// for i := range v.Len() {
		// 	if !seen.Has(i) { … }
		// }
		rules.add(jen.For(jen.Id("i").Op(":=").Range().Add(value("Len"))).Block(
			jen.If(jen.Op("!").Id("seen").Dot("Has").Call(jen.Id("i"))).Block(each(*call)...),
		))
	}
	if f.check.Tracked {
		// seen.AddAll()
		rules.add(f.mark("AddAll"))
	}
	// if ok && v.Kind() == wire.Object { … }
	if len(rules) > 0 {
		b.add(jen.If(asked).Block(rules...))
	}
}
