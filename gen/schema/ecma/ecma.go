// Package ecma translates regular expressions of ECMA-262 into the syntax of
// Go's regexp, so that both match the same strings, or says why it cannot.
//
// JSON Schema wants Unicode semantics (the "u" flag): a character is a code
// point, \d, \w and \b are ASCII, \p{…} names Unicode properties. Strings are
// taken to be valid Unicode, as JSON texts without lone surrogates give. What
// the "u" flag forbids but every engine reads as a literal without it (an
// unneeded backslash before punctuation, a brace that counts nothing) is taken
// as that literal. Captures are not kept: they make no difference to a match.
//
// Lookaround is translated where what it matches is small enough as a language
// of its own: at the ends of a pattern and between its parts, but within
// unbounded repetitions only before single characters up to the end. Backreferences have no equivalent and are refused.
package ecma

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// An Error says what in a pattern cannot be translated.
type Error struct {
	Offset  int // in bytes
	Message string
}

func (e *Error) Error() string { return e.Message }

// maxSize bounds the instructions that a translated pattern may take.
const maxSize = 50_000

// A Translation is a pattern in Go's syntax.
type Translation struct {
	RE2  string
	Size int // about the instructions that it takes
}

// Translate returns the translation of pattern. Its errors are *Error.
func Translate(pattern string) (Translation, error) {
	p := &parser{src: pattern}
	n, err := p.parse()
	if err != nil {
		return Translation{}, err
	}
	if p.looks {
		if n, err = plain(n); err != nil {
			return Translation{}, err
		}
	}
	t := Translation{Size: size(n)}
	if t.Size > maxSize {
		return t, &Error{0, "is too large when its repetitions are written out; lower the counts"}
	}
	t.RE2 = render(n)
	if _, err := regexp.Compile(t.RE2); err != nil {
		return t, &Error{0, fmt.Sprintf("has no equivalent in Go: %v", err)}
	}
	return t, nil
}

// Matchable says whether any string at all can match. It errs on the side of
// true.
func (t Translation) Matchable() bool {
	re, err := syntax.Parse(t.RE2, syntax.Perl)
	if err != nil {
		return true
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return true
	}
	s := search{prog: prog, seen: map[situation]bool{}}
	return s.reaches(situation{pc: uint32(prog.Start)}) || s.reaches(situation{pc: uint32(prog.Start), inside: true})
}

// situation is a place in the program, and what was passed on the way.
type situation struct {
	pc     uint32
	inside bool // characters lie before: the beginning is past
	ended  bool // the end was asserted: no character can follow
}

type search struct {
	prog *syntax.Prog
	seen map[situation]bool
}

// reaches walks the program; word boundaries are taken to hold everywhere.
func (s *search) reaches(first situation) bool {
	todo := []situation{first}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.seen[at] {
			continue
		}
		s.seen[at] = true
		inst := &s.prog.Inst[at.pc]
		switch inst.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, at.to(inst.Out), at.to(inst.Arg))
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, at.to(inst.Out))
		case syntax.InstEmptyWidth:
			todo = append(todo, at.assert(inst)...)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			empty := inst.Op == syntax.InstRune && len(inst.Rune) == 0
			if !at.ended && !empty {
				todo = append(todo, situation{pc: inst.Out, inside: true})
			}
		}
	}
	return false
}

func (at situation) to(pc uint32) situation {
	at.pc = pc
	return at
}

func (at situation) assert(inst *syntax.Inst) []situation {
	op := syntax.EmptyOp(inst.Arg)
	if op&syntax.EmptyBeginText != 0 && at.inside {
		return nil
	}
	at.ended = at.ended || op&syntax.EmptyEndText != 0
	return []situation{at.to(inst.Out)}
}
