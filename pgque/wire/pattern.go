package wire

import "regexp"

// A Pattern is a compiled regular expression of a schema.
type Pattern struct {
	re *regexp.Regexp
}

// MustPattern compiles a regular expression in Go's syntax. It panics on an error:
// the text is a constant of generated code.
func MustPattern(re2 string) *Pattern { return &Pattern{re: regexp.MustCompile(re2)} }

// Match says whether the expression matches somewhere in s.
func (p *Pattern) Match(s string) bool { return p.re.MatchString(s) }
