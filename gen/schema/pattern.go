package schema

import "regexp"

// pattern translates an ECMA-262 regular expression.
func (b *builder) pattern(source string, pos Position, pointer string) *Pattern {
	if _, err := regexp.Compile(source); err != nil {
		b.rep.errorf(pos, pointer, "the pattern %s is refused: %v", quote(source), err)
	}
	return &Pattern{Pos: pos, Source: source, RE2: source}
}
