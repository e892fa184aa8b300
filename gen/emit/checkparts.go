package emit

import (
	"math"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// maxStraight is the number of required names up to which each has a statement
// of its own.
const maxStraight = 8

// arrays yields the rules for arrays and their items.
func (f *checkFunc) arrays(b *block) {
	a := f.check.Array
	if !f.can(schema.Array) {
		return
	}
	var rules block
	f.count(&rules, "minItems", "Len", a.MinItems, "<")
	f.count(&rules, "maxItems", "Len", a.MaxItems, ">")
	if a.Unique {
		// if !v.Unique() { … }
		rules.add(f.failIf(jen.Op("!").Add(value("Unique")), report("Unique")))
	}
	f.prefix(&rules)
	f.restItems(&rules)
	f.contains(&rules)
	f.guarded(b, schema.Array, rules)
}

// prefix yields the checks of the items that have a place of their own.
func (f *checkFunc) prefix(b *block) {
	prefix := f.check.Array.Prefix
	for i, call := range prefix {
		if call == model.Anything {
			continue
		}
		// if v.Len() > 0 { … }
		b.add(jen.If(value("Len").Op(">").Lit(i)).Block(f.item(call, jen.Lit(i), "items")...))
	}
	if len(prefix) > 0 && f.collects() && f.check.Array.Rest == nil {
		// ev.AddFirst(min(2, v.Len()))
		b.add(f.mark("AddFirst", jen.Min(jen.Lit(len(prefix)), value("Len"))))
	}
}

// restItems yields the check of the items behind the prefix.
func (f *checkFunc) restItems(b *block) {
	rest, first := f.check.Array.Rest, len(f.check.Array.Prefix)
	if rest == nil {
		return
	}
	if *rest != model.Anything {
		// for i := 2; i < v.Len(); i++ { … }
		b.add(jen.For(
			jen.Id("i").Op(":=").Lit(first),
			jen.Id("i").Op("<").Add(value("Len")),
			jen.Id("i").Op("++"),
		).Block(f.item(*rest, jen.Id("i"), "items")...))
	}
	if f.collects() {
		b.add(f.mark("AddAll"))
	}
}

// item yields the check of item i.
func (f *checkFunc) item(call model.Call, i *jen.Statement, keyword string) []jen.Code {
	// r.EnterIndex(i)
	// if !checkItem(v.Item(i), nil, r) { … }
	// r.Leave()
	out := []jen.Code{report("EnterIndex", i)}
	out = append(out, hidden(f.check.Array.Secret, f.part(call, value("Item", i.Clone()), keyword))...)
	return append(out, report("Leave"))
}

// part yields the check of an item or a member's value.
func (f *checkFunc) part(call model.Call, part *jen.Statement, keyword string) []jen.Code {
	switch call {
	case model.Anything:
		return nil
	case model.Nothing:
		return f.fail(report("Never", jen.Lit(keyword)))
	}
	// if !checkPart(v.Item(i), nil, r) { … }
	verdict := jen.Id(string(call)).Call(part, jen.Nil(), jen.Id("r"))
	return []jen.Code{f.failIf(jen.Op("!").Add(verdict))}
}

// contains yields the count of the items that pass.
func (f *checkFunc) contains(b *block) {
	c := f.check.Array.Contains
	if c == nil {
		return
	}
	if c.Min <= 0 && c.Max == nil {
		f.containsMarks(b, c)
		return
	}
	f.countMatches(b, c)
	switch {
	case c.Min == 1:
		// if n == 0 { … }
		b.add(f.failIf(jen.Id("n").Op("==").Lit(0), report("Fail", jen.Lit("contains"), jen.Lit("no item matches"))))
	case c.Min > 1:
		// if n < 2 { … }
		b.add(f.failIf(jen.Id("n").Op("<").Add(limit(c.Min)), report("Count", jen.Lit("minContains"), jen.Id("n"), limit(c.Min))))
	}
	if c.Max != nil {
		// if n > 3 { … }
		b.add(f.failIf(jen.Id("n").Op(">").Add(limit(*c.Max)), report("Count", jen.Lit("maxContains"), jen.Id("n"), limit(*c.Max))))
	}
}

// containsMarks yields the marking of the items that pass a contains that
// demands nothing.
func (f *checkFunc) containsMarks(b *block, c *model.ContainsRule) {
	switch c.Call {
	case model.Nothing:
	case model.Anything:
		b.add(f.mark("AddAll"))
	default:
		// for i := range v.Len() {
		// 	if checkItem(v.Item(i), nil, nil) {
		// 		ev.Add(i)
		// 	}
		// }
		b.add(jen.For(jen.Id("i").Op(":=").Range().Add(value("Len"))).Block(
			jen.If(verdict(c.Call, value("Item", jen.Id("i")), jen.Nil())).Block(f.mark("Add", jen.Id("i"))),
		))
	}
}

// countMatches yields n, the number of items that pass; as soon as the verdict
// is clear it counts no further, unless somebody asks which items passed.
func (f *checkFunc) countMatches(b *block, c *model.ContainsRule) {
	marks := c.Evaluates && f.collects()
	switch c.Call {
	case model.Nothing:
		b.add(jen.Id("n").Op(":=").Lit(0))
		return
	case model.Anything:
		b.add(jen.Id("n").Op(":=").Add(value("Len")))
		if marks {
			b.add(f.mark("AddAll"))
		}
		return
	}
	found := block{jen.Id("n").Op("++")}
	more := jen.Id("i").Op("<").Add(value("Len"))
	if marks {
		found.add(f.mark("Add", jen.Id("i")))
	} else {
		enough := c.Min
		if c.Max != nil {
			enough = max(c.Min, min(*c.Max, math.MaxInt32-1)+1)
		}
		more.Op("&&").Id("n").Op("<").Add(limit(enough))
	}
	// n := 0
	// for i := 0; i < v.Len() && n < 1; i++ {
	// 	if checkItem(v.Item(i), nil, nil) {
	// 		n++
	// 	}
	// }
	b.add(
		jen.Id("n").Op(":=").Lit(0),
		jen.For(jen.Id("i").Op(":=").Lit(0), more, jen.Id("i").Op("++")).Block(
			jen.If(verdict(c.Call, value("Item", jen.Id("i")), jen.Nil())).Block(found...),
		),
	)
}

// verdict yields the bare verdict of a call on a value.
func verdict(call model.Call, on, ev *jen.Statement) *jen.Statement {
	if call == model.Anything || call == model.Nothing {
		return jen.Id(string(call))
	}
	return jen.Id(string(call)).Call(on, ev, jen.Nil())
}

// objects yields the rules for objects and their members.
func (f *checkFunc) objects(b *block) {
	o := f.check.Object
	if !f.can(schema.Object) {
		return
	}
	var rules block
	f.count(&rules, "minProperties", "Len", o.MinProperties, "<")
	f.count(&rules, "maxProperties", "Len", o.MaxProperties, ">")
	f.required(&rules)
	for _, need := range o.Requires {
		f.requires(&rules, need)
	}
	f.members(&rules)
	f.names(&rules)
	f.guarded(b, schema.Object, rules)
}

func (f *checkFunc) required(b *block) {
	names := f.check.Object.Required
	missing := func(name *jen.Statement) *jen.Statement {
		// if !v.Has("id") { … }
		return f.failIf(jen.Op("!").Add(value("Has", name)), report("Required", name.Clone()))
	}
	if len(names) > maxStraight {
		// for _, name := range []string{"id", …} { … }
		list := jen.Index().String().Values(literals(names)...)
		b.add(jen.For(jen.List(jen.Id("_"), jen.Id("name")).Op(":=").Range().Add(list)).Block(missing(jen.Id("name"))))
		return
	}
	for _, name := range names {
		b.add(missing(jen.Lit(name)))
	}
}

func literals(texts []string) []jen.Code {
	out := make([]jen.Code, len(texts))
	for i, text := range texts {
		out[i] = jen.Lit(text)
	}
	return out
}

func (f *checkFunc) requires(b *block, need model.Requirement) {
	var rules block
	for _, name := range need.Required {
		// if !v.Has("cvc") { … }
		rules.add(f.failIf(
			jen.Op("!").Add(value("Has", jen.Lit(name))),
			report("Dependent", jen.Lit(need.Name), jen.Lit(name)),
		))
	}
	// if v.Has("card") { … }
	b.add(jen.If(value("Has", jen.Lit(need.Name))).Block(rules...))
}

// members yields one walk over the members, in the order of the text.
func (f *checkFunc) members(b *block) {
	o := f.check.Object
	var each block
	f.declared(&each)
	f.matching(&each)
	if f.knows() {
		// if !known { … }
		each.add(jen.If(jen.Op("!").Id("known")).Block(f.restMember()...))
	}
	if len(each) > 0 {
		// for i := range v.Len() { … }
		b.add(jen.For(jen.Id("i").Op(":=").Range().Add(value("Len"))).Block(each...))
	}
	if o.Rest != nil && f.collects() {
		b.add(f.mark("AddAll"))
	}
}

// knows tells that the walk keeps a flag for members that are not the rest.
func (f *checkFunc) knows() bool {
	rest := f.check.Object.Rest
	return rest != nil && *rest != model.Anything && len(f.check.Object.Patterns) > 0
}

// declared yields the switch over the names that have a check of their own.
func (f *checkFunc) declared(b *block) {
	o := f.check.Object
	var cases, free []jen.Code
	for _, p := range o.Properties {
		if p.Call == model.Anything {
			free = append(free, jen.Lit(p.Name))
			continue
		}
		cases = append(cases, jen.Case(jen.Lit(p.Name)).Block(append(f.member(p.Call, p.Secret, "properties"), f.evaluated()...)...))
	}
	fallback := f.undeclared()
	if len(free) > 0 && (fallback != nil || f.marksEach()) {
		cases = append(cases, jen.Case(free...).Block(f.evaluated()...))
	}
	if f.knows() {
		// known := true
		b.add(jen.Id("known").Op(":=").Lit(len(cases) > 0))
	}
	switch {
	case len(cases) > 0:
		// switch v.Name(i) {
		// case "id": …
		// default: …
		// }
		if fallback != nil {
			cases = append(cases, jen.Default().Block(fallback...))
		}
		b.add(jen.Switch(value("Name", jen.Id("i"))).Block(cases...))
	case !f.knows():
		b.add(fallback...)
	}
}

// undeclared yields what happens to a member without a case; nil is nothing.
func (f *checkFunc) undeclared() []jen.Code {
	rest := f.check.Object.Rest
	switch {
	case rest == nil || *rest == model.Anything:
		return nil
	case f.knows():
		// known = false
		return []jen.Code{jen.Id("known").Op("=").False()}
	}
	return f.restMember()
}

// restMember yields the check of a member that nothing else names.
func (f *checkFunc) restMember() []jen.Code {
	rest := *f.check.Object.Rest
	if rest == model.Nothing {
		return f.unknown("additionalProperties")
	}
	return f.member(rest, f.check.Object.SecretRest, "additionalProperties")
}

func (f *checkFunc) unknown(keyword string) []jen.Code {
	// r.Unknown("additionalProperties", v.Name(i))
	return f.fail(report("Unknown", jen.Lit(keyword), value("Name", jen.Id("i"))))
}

// hidden yields code that does not report values.
func hidden(secret bool, code []jen.Code) []jen.Code {
	if !secret {
		return code
	}
	// r.Conceal()
	// …
	// r.Reveal()
	return append(append([]jen.Code{report("Conceal")}, code...), report("Reveal"))
}

// member yields the check of the value of member i.
func (f *checkFunc) member(call model.Call, secret bool, keyword string) []jen.Code {
	// r.Enter(v.Name(i))
	// if !checkMember(v.Item(i), nil, r) { … }
	// r.Leave()
	out := []jen.Code{report("Enter", value("Name", jen.Id("i")))}
	out = append(out, hidden(secret, f.part(call, value("Item", jen.Id("i")), keyword))...)
	return append(out, report("Leave"))
}

// marksEach tells that members are marked one by one.
func (f *checkFunc) marksEach() bool { return f.collects() && f.check.Object.Rest == nil }

// evaluated yields the marking of member i.
func (f *checkFunc) evaluated() []jen.Code {
	if !f.marksEach() {
		return nil
	}
	// ev.Add(i)
	return []jen.Code{f.mark("Add", jen.Id("i"))}
}

// matching yields the checks of the members whose names match a pattern.
func (f *checkFunc) matching(b *block) {
	for i, p := range f.check.Object.Patterns {
		var then block
		if f.knows() {
			then.add(jen.Id("known").Op("=").True())
		}
		if p.Call != model.Anything {
			then.add(f.member(p.Call, p.Secret, "patternProperties")...)
		}
		then.add(f.evaluated()...)
		if len(then) == 0 {
			continue
		}
		// if ruleMemberPattern0OfOrder.Match(v.Name(i)) { … }
		pattern := f.rule("MemberPattern"+index(i), "MustPattern", p.Pattern.RE2)
		b.add(jen.If(pattern.Dot("Match").Call(value("Name", jen.Id("i")))).Block(then...))
	}
}

// names yields the check of the members' names.
func (f *checkFunc) names(b *block) {
	names := f.check.Object.Names
	switch {
	case names == nil || *names == model.Anything:
	case *names == model.Nothing:
		// if v.Len() > 0 { … }
		b.add(f.failIf(value("Len").Op(">").Lit(0), report("Never", jen.Lit("propertyNames"))))
	default:
		// for i := range v.Len() {
		// 	if !checkName(v.NameValue(i), nil, nil) {
		// 		r.Name(v, i, checkName)
		// 	}
		// }
		valid := verdict(*names, value("NameValue", jen.Id("i")), jen.Nil())
		b.add(jen.For(jen.Id("i").Op(":=").Range().Add(value("Len"))).Block(
			f.failIf(jen.Op("!").Add(valid), report("Name", jen.Id("v"), jen.Id("i"), jen.Id(string(*names)))),
		))
	}
}
