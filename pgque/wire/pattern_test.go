package wire

import (
	"regexp"
	"testing"
)

var patterns = []string{
	``, `^$`, `^`, `$`, `a`, `^a`, `a$`, `^[A-Z]{3}$`, `^[a-z0-9-]+$`, `^[A-Z]{3}-[0-9]{4}$`,
	`^(a|b)*c`, `(^a|b$)`, `a*`, `^a*$`, `^(?:a|ab)(?:c|bcd)$`, `(?i)^ab`, `^.{1,5}$`, `(?s)^.*$`, `[^a]`,
	`^[^a]*$`, `^a?b?c?$`, `^(x-|y-)`, `\d+\.\d+`, `^\+?[1-9]\d{1,14}$`, `a{2,3}b`, `^(ab|a)$|^c`,
	`^a$^`, `$^`, `(?:^|a)b`, `b(?:$|a)`, `^\S+@\S+$`, `^x-|^y`, `(a$)|(^b)`, `aab|ab`, `(?:a|)b$`, `[[:word:]]`,
}

func FuzzPattern_AgreesWithRegexp(f *testing.F) {
	for _, p := range patterns {
		for _, s := range []string{"", "a", "b", "ab", "aab", "abc", "ABC", "ABC-1234", "x-y", "a\nb", "é", "aé", "1.5", "+4912345", "ABC-123é", "éBC-1234", "AB-1234"} {
			f.Add(p, s)
		}
	}
	f.Fuzz(func(t *testing.T, re2, s string) {
		re, err := regexp.Compile(re2)
		if err != nil {
			t.Skip()
		}
		a := newAutomaton(re2)
		if a == nil {
			return
		}
		if verdict, ok := a.match(s); ok && verdict != re.MatchString(s) {
			t.Errorf("%q on %q: %v", re2, s, verdict)
		}
		q := a.sequence()
		if q == nil {
			return
		}
		if verdict, ok := q.match(s); ok && verdict != re.MatchString(s) {
			t.Errorf("%q as a sequence on %q: %v", re2, s, verdict)
		}
	})
}

func TestPattern_TextsOfOneLengthAreASequence(t *testing.T) {
	for p, want := range map[string]bool{
		`^$`: true, `^a$`: true, `^[A-Z]{3}-[0-9]{4}$`: true, `^.{3}$`: true, `^(?:ab|cd)$`: false,
		`^a?$`: false, `^a+$`: false, `^a`: false, `a$`: false, ``: false, `^[0-9]{65}$`: false,
	} {
		if got := newAutomaton(p).sequence() != nil; got != want {
			t.Errorf("%q is a sequence: %v", p, got)
		}
	}
}

func TestPattern_OfOneLengthBeyondASCII(t *testing.T) {
	p := MustPattern(`^.[^a]b$`)
	for s, want := range map[string]bool{"xyb": true, "xéb": true, "ééb": true, "éb": false, "xab": false, "xyé": false, "xxyé": false} {
		if p.Match(s) != want {
			t.Errorf("%q: want %v", s, want)
		}
	}
}

func TestPattern_SimpleFormsHaveAnAutomaton(t *testing.T) {
	for _, p := range patterns {
		if newAutomaton(p) == nil {
			t.Errorf("%q has none", p)
		}
	}
}

func TestPattern_MatchesBeyondASCII(t *testing.T) {
	p := MustPattern(`^[\p{L}]+$`)
	for s, want := range map[string]bool{"straße": true, "abc": true, "é1": false, "1": false, "": false} {
		if p.Match(s) != want {
			t.Errorf("%q: want %v", s, want)
		}
	}
}

func TestPattern_TooLargeForAnAutomaton(t *testing.T) {
	p := MustPattern(`^[a-z]{0,900}$`)
	if newAutomaton(p.Source) != nil {
		t.Error("the automaton has no bound")
	}
	if !p.Match("abc") || p.Match("1") {
		t.Error("wrong verdict")
	}
}
