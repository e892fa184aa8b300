package ecma

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestTranslate_MatchesWhatECMA262Matches(t *testing.T) {
	for _, c := range []struct {
		pattern     string
		yes, no     []string
		translation string // "" when it does not matter
	}{
		{pattern: `^[A-Z]{3}$`, yes: []string{"EUR"}, no: []string{"EU", "EURO", "EUR\n", "eur"}, translation: `^[A-Z]{3}$`},
		{pattern: `^\d+$`, yes: []string{"42"}, no: []string{"", "\u0664", "4a"}, translation: `^[0-9]+$`},
		{pattern: `^\D$`, yes: []string{"a", "\u0664", "\n"}, no: []string{"4"}},
		{pattern: `^\w$`, yes: []string{"a", "_", "9"}, no: []string{"\u00e9", "-", "\u017f", "\u212a"}},
		{pattern: `^\W$`, yes: []string{"\u00e9", "-"}, no: []string{"a"}},
		{pattern: `^\s$`, yes: []string{" ", "\t", "\v", "\f", "\u00a0", "\ufeff", "\u2029", "\u3000"}, no: []string{"\u200b", "\u180e", "a", "\u0085"}},
		{pattern: `^\S$`, yes: []string{"a", "\u200b", "\u0085"}, no: []string{"\ufeff", "\v"}},
		{pattern: `^.$`, yes: []string{"a", "\u0085", "\U0001F600"}, no: []string{"\n", "\r", "\u2028", "\u2029", ""}},
		{pattern: `^[^]$`, yes: []string{"\n", "a", "\u2028"}, no: []string{"", "ab"}},
		{pattern: `[]`, no: []string{"", "a"}},
		{pattern: `^[^a]$`, yes: []string{"\n", "b"}, no: []string{"a"}},
		{pattern: `a$`, yes: []string{"a", "ba"}, no: []string{"a\n", "a\nb"}},
		{pattern: `^b`, no: []string{"a\nb"}},
		{pattern: `\bfoo\b`, yes: []string{"a foo.", "\u00e9foo"}, no: []string{"afoo"}},
		{pattern: `^\cA\cz$`, yes: []string{"\x01\x1a"}, no: []string{"cAcz"}},
		{pattern: `^\t\n\v\f\r\0$`, yes: []string{"\t\n\v\f\r\x00"}},
		{pattern: `^\x41\u0042\u{43}$`, yes: []string{"ABC"}},
		{pattern: `^\uD83D\uDE00$`, yes: []string{"\U0001F600"}, no: []string{"\U0001F601"}},
		{pattern: `^[\uD83D\uDE00-\uD83D\uDE02]$`, yes: []string{"\U0001F601"}, no: []string{"\U0001F603"}},
		{pattern: `^[\uD800-\uDFFF]$`, no: []string{"a", "\U0001F600", ""}},
		{pattern: `^[^\uD800-\uDFFF]$`, yes: []string{"a", "\U0001F600"}},
		{pattern: `\uD83D`, no: []string{"\U0001F600", "a"}},
		{pattern: `^\uD83Dx`, no: []string{"x"}},
		{pattern: `^\p{Letter}+$`, yes: []string{"a\u00e9\u540d"}, no: []string{"1", ""}, translation: `^\p{L}+$`},
		{pattern: `^\p{Lu}\P{Lu}$`, yes: []string{"Aa", "\u00c9-"}, no: []string{"aA"}, translation: `^\p{Lu}\P{Lu}$`},
		{pattern: `^[\p{L}\d_-]+$`, yes: []string{"\u00e9-9_"}, no: []string{"."}, translation: `^[\p{L}\-0-9_]+$`},
		{pattern: `^[^\p{L}\s]+$`, yes: []string{".9"}, no: []string{"\u00e9", " "}},
		{pattern: `^[\P{L}a]$`, yes: []string{"a", "1"}, no: []string{"b"}},
		{pattern: `^\p{Script=Greek}\p{sc=Cyrillic}$`, yes: []string{"\u03b1\u0434"}, no: []string{"aa"}},
		{pattern: `^\p{gc=Nd}\p{General_Category=Decimal_Number}$`, yes: []string{"4\u0664"}, no: []string{"ab"}},
		{pattern: `^\p{Alphabetic}\p{White_Space}\p{ASCII}\p{Any}$`, yes: []string{"\u2160 a\u540d"}},
		{pattern: `^\p{ID_Start}\p{ID_Continue}*$`, yes: []string{"a1", "\u540d"}, no: []string{"1a", "a-"}},
		{pattern: `^\p{C}$`, yes: []string{"\x00", "\u0378", "\ue000"}, no: []string{"a"}},
		{pattern: `^\p{Assigned}$`, yes: []string{"a"}, no: []string{"\u0378"}},
		{pattern: `^(?:a|b)(?<year>\d{2})(c)$`, yes: []string{"a12c"}, no: []string{"c12c"}},
		{pattern: `a|`, yes: []string{"", "b"}},
		{pattern: `^(|a)$`, yes: []string{"", "a"}, no: []string{"b"}},
		{pattern: `^a{2,}?b+?c*?$`, yes: []string{"aabb"}, no: []string{"abb"}},
		{pattern: `^a{0}$`, yes: []string{""}, no: []string{"a"}},
		{pattern: `^{a}$`, yes: []string{"{a}"}},
		{pattern: `^a{,3}$`, yes: []string{"a{,3}"}, no: []string{"aa"}},
		{pattern: `^]}$`, yes: []string{"]}"}},
		{pattern: `^[[:alpha:]]$`, yes: []string{"a]", ":]"}, no: []string{"b]", "a"}},
		{pattern: `^[a\]\\\-^]$`, yes: []string{"a", "]", `\`, "-", "^"}, no: []string{"b"}},
		{pattern: `^[a-]$`, yes: []string{"a", "-"}},
		{pattern: `^[\d-x]$`, yes: []string{"1", "-", "x"}, no: []string{"a"}},
		{pattern: `^[\b]$`, yes: []string{"\b"}, no: []string{"b"}},
		{pattern: `^[+-.]$`, yes: []string{"+", ",", "-", "."}, no: []string{"*"}},
		{pattern: `^\/\-\_\@\.$`, yes: []string{"/-_@."}},
		{pattern: `^[.$]\$$`, yes: []string{".$"}, no: []string{"a$"}},
		{pattern: `^.{2000}$`, yes: []string{strings.Repeat("x", 2000)}, no: []string{strings.Repeat("x", 1999), strings.Repeat("x", 2001)}},
		{pattern: `^.{5,2500}$`, yes: []string{strings.Repeat("x", 5), strings.Repeat("x", 2500)}, no: []string{"xxxx", strings.Repeat("x", 2501)}},
		{pattern: `^x{1500,}$`, yes: []string{strings.Repeat("x", 1500), strings.Repeat("x", 1777)}, no: []string{strings.Repeat("x", 1499)}},
		{pattern: `^(?:x{100}){20}$`, yes: []string{strings.Repeat("x", 2000)}, no: []string{strings.Repeat("x", 1900), strings.Repeat("x", 2100)}},
		{pattern: `^((ab?){3,40}c){2,50}$`, yes: []string{strings.Repeat("aabac", 50)}, no: []string{"aaac", strings.Repeat("aabac", 51)}},
		{pattern: "^\u00e9+$", yes: []string{"\u00e9\u00e9"}, no: []string{"e\u0301"}},
		{pattern: `^(?!-)[a-z-]+(?<!-)$`, yes: []string{"a", "a-b"}, no: []string{"-a", "a-", "-", ""}},
		{pattern: `^(?!.*--)[a-z-]+$`, yes: []string{"a-b", "-", "a-b-c"}, no: []string{"a--b", "--"}},
		{pattern: `^(?=.*\d)(?=.*[a-z]).{4,}$`, yes: []string{"abc1", "1a__"}, no: []string{"abcd", "1234", "a1"}},
		{pattern: `^(?!(?:con|nul)$)[a-z]+$`, yes: []string{"cons", "nu"}, no: []string{"con", "nul"}},
		{pattern: `a(?!b)`, yes: []string{"a", "aba", "ac"}, no: []string{"ab", "b"}},
		{pattern: `(?<=a)b`, yes: []string{"ab", "xab"}, no: []string{"b", "cb"}},
		{pattern: `(?<!a)b`, yes: []string{"b", "abb"}, no: []string{"ab"}},
		{pattern: `^(?:a|(?=b))b$`, yes: []string{"ab", "b"}, no: []string{"a", "bb"}},
		{pattern: `^(?=.{3}$)(a|b)*$`, yes: []string{"aba"}, no: []string{"ab", "abab"}},
		{pattern: `^(?:(?!foo).)*$`, yes: []string{"", "fo", "bar"}, no: []string{"foo", "a foo b", "a\n"}},
		{pattern: `^a(?:(?!b$)[ab])+$`, yes: []string{"aa", "aba"}, no: []string{"a", "ab"}},
		{pattern: `^(?=[a-z0-9])[a-z0-9-]{1,48}[a-z0-9]$`, yes: []string{"a-b", "a" + strings.Repeat("-", 47) + "b"}, no: []string{"-b", "b", "a" + strings.Repeat("-", 48) + "b"},
			translation: `^[0-9a-z][\-0-9a-z]{0,47}[0-9a-z]$`},
		{pattern: `^(?:((?!-)[a-z-]{0,62}[a-z])\.)+$`, yes: []string{"a.", "a-b.c."}, no: []string{"-a.", "a-.", "a.-b."}},
		{pattern: `(?!)`, no: []string{"", "a"}},
		{pattern: `^(a*)*$`, yes: []string{"", "aaa"}, no: []string{"b"}},
	} {
		translated, err := Translate(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		out := translated.RE2
		if c.translation != "" && out != c.translation {
			t.Errorf("%s became %s, want %s", c.pattern, out, c.translation)
		}
		re := regexp.MustCompile(out)
		for _, s := range c.yes {
			if !re.MatchString(s) {
				t.Errorf("%s (%.200s) does not match %.40q", c.pattern, out, s)
			}
		}
		for _, s := range c.no {
			if re.MatchString(s) {
				t.Errorf("%s (%.200s) matches %.40q", c.pattern, out, s)
			}
		}
	}
}

func TestTranslate_Refuses(t *testing.T) {
	for _, c := range []struct {
		pattern string
		offset  int
		says    string
	}{
		{`^(?:(?!foo).)*x$`, 1, "lookahead"},
		{`^(?:(?!foo)..)*$`, 1, "lookahead"},
		{`^a(?:(?<=a)b)$`, 5, "lookbehind"},
		{`(?=a\b)a`, 4, "assertion"},
		{`a*^(?!b)`, 2, "assertion"},
		{`^(?=.{1,400}$)(?:[a-z]+-)*[a-z]+$`, 0, "lookahead"},
		{`(a)\1`, 3, `backreference \1`},
		{`(?<n>a)\k<n>`, 7, `backreference \k`},
		{`\Aa`, 0, "write ^"},
		{`a\Z`, 1, "write $"},
		{`\a`, 0, `escape \a`},
		{`\07`, 0, "octal"},
		{`[\1]`, 1, "octal"},
		{`\x4`, 0, `\x`},
		{`\u12`, 0, `\u`},
		{`\u{110000}`, 0, `\u{`},
		{`\c1`, 0, `\c`},
		{`\`, 0, "backslash"},
		{`(?i)a`, 0, "flags"},
		{`(?P<n>a)`, 0, "(?<name> )"},
		{`(?>a)`, 0, "kind"},
		{`(a`, 0, "not closed"},
		{`a)`, 1, "without"},
		{`[a`, 0, "not closed"},
		{`[z-a]`, 1, "out of order"},
		{`*a`, 0, "nothing to repeat"},
		{`a**`, 2, "nothing to repeat"},
		{`a{1}{2}`, 4, "nothing to repeat"},
		{`{2}`, 0, "nothing to repeat"},
		{`a{3,2}`, 1, "out of order"},
		{`\b+`, 2, "assertion"},
		{`^*`, 1, "assertion"},
		{`a{999999999999999999999}`, 1, "more than"},
		{`(((a{1000}){1000}){1000}){1000}`, 0, "too large"},
		{`\p{Nonsense}`, 0, "Nonsense"},
		{`\p{Script_Extensions=Greek}`, 0, "Script_Extensions"},
		{`\pL`, 0, `\p{`},
		{strings.Repeat("(", 1000), 200, "deeper"},
	} {
		_, err := Translate(c.pattern)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s was not refused", c.pattern)
			continue
		}
		if e.Offset != c.offset || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %d %s, want %d %s", c.pattern, e.Offset, e.Message, c.offset, c.says)
		}
	}
}

func TestLookup_NamesMeanTheSameSetInGo(t *testing.T) {
	for name := range unicode.Categories {
		compareNamed(t, name)
	}
	for name := range unicode.CategoryAliases {
		compareNamed(t, name)
	}
	for name := range unicode.Scripts {
		compareNamed(t, "sc="+name)
	}
}

func compareNamed(t *testing.T, property string) {
	t.Helper()
	set, name := lookup(property)
	if set == nil || name == "" {
		return
	}
	re, err := syntax.Parse(name, syntax.Perl)
	if err != nil {
		t.Errorf("%s: %v", property, err)
		return
	}
	if re.Op == syntax.OpLiteral {
		re.Rune = append(re.Rune, re.Rune...)
	}
	if got := newRunes(re.Rune...); !slices.Equal(got, set) {
		t.Errorf("%s: Go's %s is another set", property, name)
	}
}

func TestMatchable(t *testing.T) {
	for pattern, want := range map[string]bool{
		`a$b`: false, `a^b`: false, `[]`: false, `x[]`: false, `$.`: false, `.^`: false, `(?:a$)(?:b|c)`: false,
		``: true, `^$`: true, `a|b$c`: true, `^a$`: true, `$^`: true, `(?:[]|a)`: true, `a*$b?`: true, `\ba`: true, `(?:a^)?b`: true,
	} {
		out, err := Translate(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Matchable(); got != want {
			t.Errorf("Matchable(%s) = %v", pattern, got)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	for _, s := range []string{`^[A-Z]{3}$`, `(a|b)*`, `\p{L}[^\d-x]`, `\uD83D\uDE00`, `[\b\]-\w]`, `(?<n>a){2,3000}`, `[^]|[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		out, err := Translate(pattern)
		if err != nil {
			return
		}
		again, err := Translate(pattern)
		if err != nil || again != out {
			t.Fatalf("%q: %+v, then %+v, %v", pattern, out, again, err)
		}
		out.Matchable()
	})
}
