package wire

import (
	"regexp"
	"sync"
)

// A Pattern is a regular expression of a schema, compiled when it is used first: a
// program has more patterns than it looks at.
type Pattern struct {
	Source string // as the schema has it
	RE2    string // in Go's syntax; "" where that is the same

	once  sync.Once
	re    *regexp.Regexp
	fixed *sequence  // nil when the expression is none
	fast  *automaton // nil when the expression has none
}

// MustPattern compiles a regular expression in Go's syntax. It panics on an error:
// the text is a constant of generated code.
func MustPattern(re2 string) *Pattern {
	return &Pattern{Source: re2, re: regexp.MustCompile(re2)}
}

// Match says whether the expression matches somewhere in s. It takes time linear
// in the length of s.
func (p *Pattern) Match(s string) bool {
	p.once.Do(p.compile)
	if p.fixed != nil {
		if verdict, ok := p.fixed.match(s); ok {
			return verdict
		}
	} else if p.fast != nil {
		if verdict, ok := p.fast.match(s); ok {
			return verdict
		}
	}
	return p.re.MatchString(s)
}

func (p *Pattern) compile() {
	re2 := p.RE2
	if re2 == "" {
		re2 = p.Source
	}
	if p.re == nil {
		p.re = regexp.MustCompile(re2)
	}
	if p.fast = newAutomaton(re2); p.fast == nil {
		return
	}
	if p.fixed = p.fast.sequence(); p.fixed != nil {
		p.fast = nil
	}
}
