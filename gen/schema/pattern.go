package schema

import (
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/pgque/pgque-go/gen/schema/ecma"
)

// maxPatterns bounds the instructions of all patterns together.
const maxPatterns = 10_000_000

// translation is the result for one source text, whoever uses it.
type translation struct {
	re2       string
	matchable bool
	err       error
}

// pattern translates a regular expression, or reports why it cannot.
func (b *builder) pattern(source string, pos Position, pointer string) *Pattern {
	t, ok := b.patterns[source]
	if !ok {
		t = b.translate(source)
		b.patterns[source] = t
	}
	switch {
	case t.err != nil:
		b.rep.errorf(pos, pointer, "the pattern %s %s%s", quote(source), truncate(t.err.Error()), patternPlace(source, t.err))
	case !t.matchable:
		b.rep.warnf(pos, pointer, "the pattern %s can never match", quote(source))
	}
	return &Pattern{Pos: pos, Source: source, RE2: t.re2}
}

func (l *loader) translate(source string) translation {
	if l.patternSize > maxPatterns {
		return translation{err: errors.New("is one too many: all patterns together are too large; lower the counts of repetitions")}
	}
	t, err := ecma.Translate(source)
	l.patternSize += t.Size
	if err != nil {
		return translation{err: err}
	}
	return translation{re2: t.RE2, matchable: t.Matchable()}
}

// patternPlace says where in a pattern an error lies.
func patternPlace(source string, err error) string {
	var e *ecma.Error
	if !errors.As(err, &e) || e.Offset == 0 || e.Offset > len(source) {
		return ""
	}
	return " (at character " + strconv.Itoa(utf8.RuneCountInString(source[:e.Offset])+1) + ")"
}
