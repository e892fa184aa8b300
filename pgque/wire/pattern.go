package wire

import (
	"regexp"
	"sync"
)

// A Pattern is a compiled regular expression of a schema.
type Pattern struct {
	text string
	re   *regexp.Regexp

	once sync.Once
	fast *automaton // nil when the expression has none
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
	if p.fast != nil {
		if verdict, ok := p.fast.match(s); ok {
			return verdict
		}
	}
	return p.re.MatchString(s)
}

// compile waits for the first use: a program has more patterns than it looks at.
func (p *Pattern) compile() { p.fast = newAutomaton(p.text) }
