package wire_test

import (
	"strings"
	"testing"
)

// formatCase lists texts that a format takes and texts that it refuses.
type formatCase struct {
	valid, invalid []string
}

var formatCases = map[string]formatCase{
	"date-time": {
		valid: []string{"2026-02-28T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999999-23:59", "2016-12-31t23:59:60z", "2017-01-01T08:59:60+09:00"},
		invalid: []string{"", "2026-02-28", "2026-02-28 00:00:00Z", "2026-02-29T00:00:00Z", "2026-02-28T00:00:00", "2026-02-28T00:00Z", "2026-02-28T00:00:00.Z",
			"2026-02-28T00:00:00+0100", "2026-02-28T00:00:00,5Z", "02026-02-28T00:00:00Z", "2026-02-28T00:00:60Z", "2026-02-28T24:00:00Z", "2026-00-28T00:00:00Z", "2026-02-00T00:00:00Z"},
	},
	"date": {
		valid:   []string{"2000-02-29", "2024-02-29", "0001-01-01"},
		invalid: []string{"", "1900-02-29", "2023-02-29", "2023-1-01", "2023-01-1", "2023/01/01", "2023-01-01 ", "２023-01-01", "+2023-01-01", "20230-01-01"},
	},
	"time": {
		valid:   []string{"00:00:00Z", "23:59:59.1+23:59", "23:59:60Z", "00:59:60.5+01:00"},
		invalid: []string{"", "00:00:00", "00:00Z", "23:59:60+01:00", "12:00:60Z", "00:00:00+1:00", "00:00:00+01:0", "00:00:00±01:00", "24:00:00Z", "00:00:00.Z", "00:00:00Z "},
	},
	"duration": {
		valid:   []string{"P1Y", "P1Y2M3D", "P1YT1S", "PT1H2M3S", "PT36H", "P4W", "P0D", "PT0S", "P99999999999999999999999Y", "P1MT1M", "P1D"},
		invalid: []string{"", "P", "PT", "P1", "1Y", "P1YT", "P1Y2D", "PT1H1S", "P1M1Y", "P1W1D", "P1Y1W", "P-1Y", "P1.5Y", "PT1.5S", "P1y", "p1Y", "P1YT1Y", "PY", "P1Y ", "P১Y"},
	},
	"email": {
		valid: []string{"a@b", "a.b+c@example.com", `"a b"@example.com`, `"a\"b"@example.com`, `""@example.com`, "a@[1.2.3.4]", "a@[IPv6:::1]", "!#$%&'*+-/=?^_`{|}~@x.org", strings.Repeat("a", 64) + "@x.org"},
		invalid: []string{"", "@", "a@", "@b", "a", ".a@b", "a.@b", "a..b@c", "a b@c", "a@b..c", "a@-b", "a@b-", "a@b_c", "a@[1.2.3]", "a@[::1]", "a@[IPv6:1.2.3.4]", "a@[1.2.3.4",
			`"a"b"@c`, `"a@c`, `"\"@c`, "é@x.org", "a@é.org", "a,b@c", "<a@b>", "a@b.", strings.Repeat("a", 65) + "@x.org", "\"\x01\"@x.org"},
	},
	"idn-email": {
		valid:   []string{"é@x.org", "a@é.org", `"é è"@é.org`, "실례@실례.테스트"},
		invalid: []string{"é", "é@", "@é", "é..é@x.org", "a@é..org", "\xff@x.org", "a@\u0300a"},
	},
	"hostname": {
		valid: []string{"a", "a.b", "A.B", "1", "1.2", "a-b", "a--b", "r3---sn.example", strings.Repeat("a", 63), strings.Repeat("abcdefg.", 31) + "abcde", "xn--bcher-kva.example", "XN--BCHER-KVA"},
		invalid: []string{"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a-.b", "a_b", "a b", "é", "example\uff0ecom", "a\u3002b", strings.Repeat("a", 64), strings.Repeat("a", 64) + ".b", strings.Repeat("abcdefg.", 31) + "abcdef",
			"xn--", "xn--X", "XN--aa---o47jg78q", "xn--a", "xn--abc-", "xn--hello-txk", "xn--hello-zed", "xn--hello-6bf", "xn--chb89f", "xn--3hb112n", "xn--\u00e9"},
	},
	"idn-hostname": {
		valid: []string{"a", "A-B.c", "bücher.example", "a\u3002b", "a\uff0eb", "a\uff61b", "straße.de", "例え.テスト", "xn--bcher-kva", "קוֹם.com", "ab--cd", "παράδειγμα.δοκιμή",
			strings.Repeat("ä", 55), "ab.\u05d0\u05d1"},
		invalid: []string{"", ".", "\u3002", "a.", ".a", "a\u3002", "a\u3002\u3002b", "BÜCHER", "Bücher", "bu\u0308cher", "\u05de\u05b7\u05bcx\u05d0", "e\u0323\u0302", "e\u0302\u0323", "\u05d8\u05b7\u05b4", "ﬁsch", "½", "a\u200bb", "☃", "😀", "é_", "-é", "é-", "é é", "aé--b\u00e9.ab--é", "\u1100\u1161",
			strings.Repeat("é", 64), "1ab.\u05d0\u05d1", "\u05d0a", "a\u05d0", "\u05d0-", "\u0628\u0661\u06f1", "\u0378", "a\u00adb", "a\ufe0fb", "\xff", "Ⅷ", "\u0661\u06f1"},
	},
	"ipv4": {
		valid:   []string{"0.0.0.0", "255.255.255.255", "1.2.3.4"},
		invalid: []string{"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.00", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.", ".1.2.3", "1..2.3", "::1", "::ffff:1.2.3.4", "0x1.2.3.4", "1.2.3.-4", "1.2.3.+4", "１.2.3.4"},
	},
	"ipv6": {
		valid:   []string{"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2::7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "ABCD::abcd", "fe80::1"},
		invalid: []string{"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "1::2::3", "12345::", "g::", "::1.2.3", "::1.2.3.4.5", "1.2.3.4", "::1.2.3.04", "::1.2.3.4:5", "fe80::1%eth0", "[::1]", "::1/64", "1:2:3:4:5:6:7:1.2.3.4", " ::1"},
	},
	"uri": {
		valid: []string{"a:", "http://a", "http://a/b?c#d", "a:b:c", "http://[::1]:80/", "http://[v1.a:b]/", "mailto:a@b", "urn:a:b", "http://a:", "file:///a", "a+b-c.d:e", "http://%41/", "http://a/%c3%a9", "a:/", "http://", "http://u:p@h:1/p", "data:,x"},
		invalid: []string{"", "a", "/a", "//a", "#a", ":a", "1a:", "a b:", "http://a b", "http://a\\b", "http://a/b\"", "http://a/<b>", "http://a/{b}", "http://a/^", "http://a/`", "http://a/|", "http://a/%", "http://a/%4", "http://a/%zz",
			"http://a#b#c", "http://[::1", "http://[::1]a", "http://[v1]", "http://[v.a]", "http://[fe80::1%25a]/", "http://[1.2.3.4]", "http://a:b", "http://a:1:2", "http://a@b@c", "http://é", "http://a/é", "http://a/\x00", "http://a/\x7f", "http://[@example.org/", "http://a[b]", "a_b:c"},
	},
	"uri-reference": {
		valid:   []string{"", "a", "/a", "//a", "#a", "?a", "a/b:c", "./a:b", "a#", "//", "///", "?#", "a?b?c", "a;b=c"},
		invalid: []string{":a", "1:a", "a b", "a\\b", "a#b#c", "é", "[a]", "a[0]", "%", "a%2", "//[", "{a}"},
	},
	"iri": {
		valid:   []string{"http://é/ü?ö#ß", "http://a/\U0001F600", "a:é", "http://a?\ue000", "http://a"},
		invalid: []string{"", "é", "é:a", "http://a/\ue000", "http://a#\ue000", "http://a/\u0080", "http://a/\ufdd0", "http://a/\U0001FFFF", "http://a/\xff", "http://a b", "http://[é]", "http://a:é"},
	},
	"iri-reference": {
		valid:   []string{"", "é", "/é", "//é", "#é", "?é", "a/é:b"},
		invalid: []string{"é:a", "é b", "é\\", "é#a#b", "%é", "\xff", "\u200e\x00"},
	},
	"uuid": {
		valid:   []string{"00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF"},
		invalid: []string{"", "0", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000", "000000000000-0000-0000-000000000000", "{0000000-0000-0000-0000-00000000000}", "0000000g-0000-0000-0000-000000000000", "00000000_0000_0000_0000_000000000000", "urn:uuid:00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-0000000000é"},
	},
	"uri-template": {
		valid:   []string{"", "a", "{a}", "a{b}c{d}", "{+a}", "{#a,b}", "{.a}", "{/a*}", "{;a:1}", "{?a,b*,c:9999}", "{&a}", "{=a}", "{,a}", "{a.b}", "{%41}", "{a_1}", "é{a}", "%41", "O'Neill"},
		invalid: []string{"{", "}", "{}", "{a", "a}", "{{a}}", "{a b}", "{a,}", "{,}", "{a:0}", "{a:10000}", "{a:}", "{a:1*}", "{a*:1}", "{a**}", "{.}", "{a.}", "{a..b}", "{.a.}", "{-a}", "{a-b}", "{é}", "{%4}", "%", "%4g", "a b", "a\"b", "<a>", "a\\b", "a^b", "a`b", "a|b", "\x00", "\xff", "{a:01}", "{++a}"},
	},
	"json-pointer": {
		valid:   []string{"", "/", "//", "/a", "/a/b", "/~0", "/~1", "/~0~1", "/é", "/ ", "/%", "/0", "/-"},
		invalid: []string{"a", "#", "#/a", "~", "/~", "/~2", "/a~", "/~a", "0", " /a"},
	},
	"relative-json-pointer": {
		valid:   []string{"0", "1", "10", "0#", "0/a", "0/", "1/~0", "0+1", "0-1/a", "2+0#"},
		invalid: []string{"", "#", "/", "/a", "-1", "+1", "00", "01", "0##", "0#a", "0a", "0/~", "1.0", "0+", "0-01", "0+-1", "٠"},
	},
	"regex": {
		valid: []string{"", "a", "^a$", "a|b|", "(a)(?:b)(?<c>d)\\k<c>", "\\1(a)", "(a)\\1", "a{1}", "a{1,}", "a{1,2}?", "[a-z]", "[^]", "[]", "[\\b\\-]", "\\d\\D\\s\\S\\w\\W", "\\cA", "\\0", "\\x41", "\\u0041", "\\u{1F600}", "\\ud83d\\ude00",
			"\\p{L}", "\\p{Letter}", "\\p{Script=Greek}", "\\p{sc=Grek}", "\\p{gc=Lu}", "\\P{ASCII}", "\\p{Any}", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)b", "\\/", "\\.", "\\^\\$\\\\\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|", "(?<a>x)|(?<a>y)", "[\\d]", "[-a]", "[a-]", ".", "\\B", "é", "(?i:a)", "(?-i:a)", "(?i-s:a)", "[\\p{L}\\d]", "\\t\\n\\v\\f\\r", "(?<é>a)"},
		invalid: []string{"(", ")", "[", "]", "{", "}", "a{", "a{1", "a{,1}", "a{2,1}", "*", "+a", "?", "a**", "a{1}{2}", "(?=a)*", "^*", "\\b+", "\\", "\\a", "\\Z", "\\A", "\\z", "\\e", "\\-", "\\ ", "\\_", "\\x4", "\\xg0", "\\u", "\\u004", "\\u{110000}", "\\u{}", "\\u{0041", "\\c1", "\\c", "\\00", "\\01",
			"\\1", "(a)\\2", "\\8", "\\k", "\\k<a>", "(?<a>b)\\k<c>", "(?<a>b)(?<a>c)", "(?<a>(?<a>b))", "(?<>a)", "(?<1>a)", "(?P<a>b)", "(?a)", "(?<a", "[b-a]", "[\\d-z]", "[a-\\d]", "[a", "\\p", "\\p{", "\\p{}", "\\p{Nope}", "\\pL", "\\p{Script=Nope}", "\\p{Nope=L}", "\\p{greek}", "(?#a)", "(?>a)", "a++", "(?i)a", "(?-:a)", "(?ii:a)", "[[:alpha:]]]", "\xff", strings.Repeat("(", 100_000)},
	},
}

func TestFormats_TakeWhatTheirGrammarSays(t *testing.T) {
	for name, format := range formats {
		cases, ok := formatCases[name]
		if !ok {
			t.Errorf("%s has no cases", name)
		}
		for _, text := range cases.valid {
			if !format(text) {
				t.Errorf("%s refuses %+q", name, text)
			}
		}
		for _, text := range cases.invalid {
			if format(text) {
				t.Errorf("%s takes %+.100q", name, text)
			}
		}
	}
}

func FuzzFormats_NeverPanic(f *testing.F) {
	for _, cases := range formatCases {
		for _, text := range append(cases.valid, cases.invalid...) {
			if len(text) < 200 {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		verdict := make(map[string]bool)
		for name, format := range formats {
			verdict[name] = format(text)
		}
		for narrow, wide := range map[string]string{
			"uri": "uri-reference", "iri": "iri-reference", "hostname": "idn-hostname", "email": "idn-email", "uri-reference": "iri-reference",
		} {
			if verdict[narrow] && !verdict[wide] {
				t.Errorf("%q is a %s and no %s", text, narrow, wide)
			}
		}
	})
}
