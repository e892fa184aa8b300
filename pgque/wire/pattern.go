package wire

import (
	"regexp"
	"sync"
)

// A Pattern is a compiled regular expression of a schema.
type Pattern struct {
	text string
	re   *regexp.Regexp

	once  sync.Once
	fixed *sequence  // nil when the expression is none
	fast  *automaton // nil when the expression has none
}

// MustPattern compiles a regular expression in Go's syntax. It panics on an error:
// the text is a constant of generated code.
func MustPattern(re2 string) *Pattern {
	return &Pattern{text: re2, re: regexp.MustCompile(re2)}
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

// compile waits for the first use: a program has more patterns than it looks at.
func (p *Pattern) compile() {
	if p.fast = newAutomaton(p.text); p.fast == nil {
		return
	}
	if p.fixed = p.fast.sequence(); p.fixed != nil {
		p.fast = nil
	}
}
