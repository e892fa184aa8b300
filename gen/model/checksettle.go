package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// All returns every check that the roots need, simplified, in the order of
// their places in the files. It ends the collection: Of panics from now on. A
// second call returns the same slice.
func (c *Checks) All() []*Check {
	if c.all != nil {
		return c.all
	}
	c.track()
	s := checkSettler{checks: c, state: map[*Check]checkProgress{}, digests: map[*Check]Call{}}
	for _, root := range c.roots {
		s.settle(root)
	}
	c.all = c.reachable(c.roots)
	c.remember()
	c.share()
	slices.SortFunc(c.all, func(a, b *Check) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Pointer, b.Pointer),
			cmp.Compare(a.Func, b.Func),
		)
	})
	return c.all
}

// reachable returns the checks and all that they call.
func (c *Checks) reachable(roots []*Check) []*Check {
	out := slices.Clone(roots)
	seen := map[*Check]bool{}
	for _, check := range out {
		seen[check] = true
	}
	for i := 0; i < len(out); i++ {
		out[i].calls(func(call *Call, _ bool) {
			if to := c.byFunc[string(*call)]; to != nil && !seen[to] {
				seen[to] = true
				out = append(out, to)
			}
		})
	}
	if out == nil {
		out = []*Check{}
	}
	return out
}

// collects tells that the check keeps account of evaluated members or items.
func (c *Check) collects() bool {
	return c.Tracked || c.Array.Unevaluated != nil || c.Object.Unevaluated != nil
}

// track sets Tracked: below a check that collects, all checks of the same value
// do, but not behind a not, which evaluates nothing.
func (c *Checks) track() {
	var open []*Check
	for _, check := range c.reachable(c.roots) {
		if check.collects() {
			open = append(open, check)
		}
	}
	for len(open) > 0 {
		last := open[len(open)-1]
		open = open[:len(open)-1]
		last.inPlaceCalls(func(call *Call) {
			to := c.byFunc[string(*call)]
			if to == nil || to.Tracked || call == last.Not {
				return
			}
			to.Tracked = true
			open = append(open, to)
		})
	}
}

type checkProgress int

const (
	begun checkProgress = iota + 1
	settled
)

// A checkSettler simplifies checks, callees first. Within a cycle of calls a check
// that is not settled yet is taken as it is.
type checkSettler struct {
	checks  *Checks
	state   map[*Check]checkProgress
	digests map[*Check]Call
}

func (s *checkSettler) settle(check *Check) {
	if s.state[check] != 0 {
		return
	}
	s.state[check] = begun
	check.calls(func(call *Call, _ bool) {
		if to := s.checks.byFunc[string(*call)]; to != nil {
			s.settle(to)
			*call = s.short(*call, to)
		}
	})
	s.simplify(check)
	s.state[check] = settled
}

// short returns the shortest call that decides the same.
func (s *checkSettler) short(call Call, to *Check) Call {
	switch {
	case s.state[to] != settled:
		return call
	case to.Nothing:
		return Nothing
	case to.trivial():
		return Anything
	}
	return call
}

func (s *checkSettler) simplify(c *Check) {
	if !c.Tracked {
		c.Array.Unevaluated, c.Object.Unevaluated = unlessAnything(c.Array.Unevaluated), unlessAnything(c.Object.Unevaluated)
	}
	s.simplifyAny(c)
	s.simplifyOne(c)
	simplifyConditions(c)
	c.All = s.distinct(withoutCall(c.All, Anything))
	simplifyArray(&c.Array, c.collects())
	simplifyObject(&c.Object, c.collects())
}

func (s *checkSettler) simplifyAny(c *Check) {
	if !c.collects() && slices.Contains(c.Any, Anything) {
		c.Any = nil
	}
	if possible := withoutCall(c.Any, Nothing); len(possible) > 0 {
		c.Any = possible
	}
	c.Any = s.distinct(c.Any)
	if len(c.Any) == 1 {
		c.All, c.Any = append(c.All, c.Any...), nil
	}
}

func (s *checkSettler) simplifyOne(c *Check) {
	var out []Branch
	at := map[Call]int{}
	for _, b := range c.One {
		digest := s.digest(b.Call)
		i, double := at[digest]
		switch {
		case b.Call == Nothing:
		case double:
			out[i].Weight += b.Weight
		default:
			at[digest] = len(out)
			out = append(out, b)
		}
	}
	if len(c.One) > 0 && len(out) == 0 {
		out = []Branch{{Nothing, 1}}
	}
	c.One = out
	if len(out) == 1 && out[0].Weight == 1 {
		c.All, c.One = append(c.All, out[0].Call), nil
	}
}

func simplifyConditions(c *Check) {
	if c.Not != nil && *c.Not == Nothing {
		c.Not = nil
	}
	c.Object.Implies = memberRules(c.Object.Implies)
	if c.If == nil {
		return
	}
	c.Then, c.Else = unlessAnything(c.Then), unlessAnything(c.Else)
	var always *Call
	switch {
	case *c.If == Anything:
		always = c.Then
	case *c.If == Nothing:
		always = c.Else
	case c.collects() || c.Then != nil || c.Else != nil:
		return
	}
	if always != nil {
		c.All = append(c.All, *always)
	}
	c.If, c.Then, c.Else = nil, nil, nil
}

func simplifyArray(a *ArrayRules, collects bool) {
	if a.Contains != nil && a.Contains.Min <= 0 && a.Contains.Max == nil && !(a.Contains.Evaluates && collects) {
		a.Contains = nil
	}
	if collects {
		return
	}
	a.Rest = unlessAnything(a.Rest)
	for n := len(a.Prefix); a.Rest == nil && n > 0 && a.Prefix[n-1] == Anything; n-- {
		a.Prefix = a.Prefix[:n-1]
	}
	if len(a.Prefix) == 0 {
		a.Prefix = nil
	}
}

func simplifyObject(o *ObjectRules, collects bool) {
	o.Names = unlessAnything(o.Names)
	if collects {
		return
	}
	o.Rest = unlessAnything(o.Rest)
	if o.Rest == nil {
		o.Properties = memberRules(o.Properties)
		o.Patterns = patternRules(o.Patterns)
	}
}

// memberRules returns the rules that not every value satisfies.
func memberRules(rules []MemberRule) (out []MemberRule) {
	for _, rule := range rules {
		if rule.Call != Anything {
			out = append(out, rule)
		}
	}
	return out
}

// patternRules returns the rules that not every value satisfies.
func patternRules(rules []PatternRule) (out []PatternRule) {
	for _, rule := range rules {
		if rule.Call != Anything {
			out = append(out, rule)
		}
	}
	return out
}

func unlessAnything(call *Call) *Call {
	if call != nil && *call == Anything {
		return nil
	}
	return call
}

func withoutCall(calls []Call, drop Call) (out []Call) {
	for _, call := range calls {
		if call != drop {
			out = append(out, call)
		}
	}
	return out
}

// distinct drops calls that decide the same as an earlier one.
func (s *checkSettler) distinct(calls []Call) []Call {
	if len(calls) < 2 {
		return calls
	}
	var out []Call
	seen := map[Call]bool{}
	for _, call := range calls {
		digest := s.digest(call)
		if !seen[digest] {
			seen[digest] = true
			out = append(out, call)
		}
	}
	return out
}

// digest is equal for calls of settled checks that have the same rules,
// wherever they stand. A check that is not settled is equal only to itself.
func (s *checkSettler) digest(call Call) Call {
	check := s.checks.byFunc[string(call)]
	if check == nil || s.state[check] != settled {
		return call
	}
	if d, ok := s.digests[check]; ok {
		return d
	}
	s.digests[check] = call // ends the walk around a cycle
	d := s.sum(check)
	s.digests[check] = d
	return d
}

func (s *checkSettler) sum(check *Check) Call {
	var written []Call
	check.calls(func(call *Call, _ bool) {
		written = append(written, *call)
		*call = s.digest(*call)
	})
	rules := *check
	rules.Func, rules.File, rules.Pointer, rules.Pos = "", "", "", check.Pos
	rules.Pos.File, rules.Pos.Line, rules.Pos.Column = "", 0, 0
	text, err := json.Marshal(rules)
	if err != nil {
		panic(err) // plain data
	}
	check.calls(func(call *Call, _ bool) {
		*call = written[0]
		written = written[1:]
	})
	sum := sha256.Sum256(text)
	return Call(hex.EncodeToString(sum[:]))
}
