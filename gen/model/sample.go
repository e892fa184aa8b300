package model

import (
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is tried to find strings that match patterns.
const (
	sampleCount  = 8
	sampleTries  = 400
	sampleRepeat = 6 // of x*, beyond what the pattern asks for
	sampleSize   = 2000
)

// formatSamples are valid strings of the formats.
var formatSamples = map[string][]string{
	"date-time":             {"2026-03-01T12:34:56Z", "1999-12-31T23:59:59.5+01:00"},
	"date":                  {"2026-03-01", "2024-02-29"},
	"time":                  {"12:34:56Z", "23:59:59+01:00"},
	"duration":              {"P1D", "PT15M", "P1Y2M"},
	"email":                 {"jane.doe@example.com", "j@example.org"},
	"idn-email":             {"jane.doe@example.com", "jürgen@example.org"},
	"hostname":              {"example.com", "a.example.org"},
	"idn-hostname":          {"example.com", "bücher.example"},
	"ipv4":                  {"192.0.2.1", "198.51.100.7"},
	"ipv6":                  {"2001:db8::1", "::1"},
	"uri":                   {"https://example.com/a?b=c#d", "urn:isbn:0451450523"},
	"uri-reference":         {"/a/b", "https://example.com/"},
	"iri":                   {"https://example.com/ä"},
	"iri-reference":         {"/ä"},
	"uuid":                  {"6f1c7c1e-54b1-4a6e-9d0d-5a1c9b1f0a11"},
	"uri-template":          {"https://example.com/{id}"},
	"json-pointer":          {"", "/a/0"},
	"relative-json-pointer": {"1/a", "0#"},
	"regex":                 {"^a+$"},
}

// Samples are valid strings of a format.
func Samples(format string) []string { return formatSamples[format] }

// samples are strings that keep the rules, as far as some are found; the same
// ones every time.
func (r Rules) samples() []string {
	matches := r.matcher()
	var list []string
	for _, s := range r.candidates() {
		if len(list) < sampleCount && r.takesLength(s) && matches(s) {
			list = append(list, s)
		}
	}
	return list
}

func (r Rules) candidates() []string {
	if len(r.Formats) > 0 {
		return formatSamples[r.Formats[0]]
	}
	if len(r.Patterns) == 0 {
		return nil
	}
	re, err := syntax.Parse(r.Patterns[0].RE2, syntax.Perl)
	if err != nil {
		return nil
	}
	seed := fnv.New64a()
	seed.Write([]byte(r.Patterns[0].RE2))
	rng := rand.New(rand.NewPCG(seed.Sum64(), 1))
	var list []string
	for range sampleTries {
		var b strings.Builder
		writeSample(&b, re, rng)
		if s := b.String(); utf8.ValidString(s) {
			list = append(list, s)
		}
	}
	return list
}

// matcher returns what tells that a text matches all patterns. A pattern may be
// large, and is compiled once.
func (r Rules) matcher() func(string) bool {
	var list []*regexp.Regexp
	for _, p := range r.Patterns {
		re, err := regexp.Compile(p.RE2)
		if err != nil {
			return func(string) bool { return false }
		}
		list = append(list, re)
	}
	return func(s string) bool {
		return !slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return !re.MatchString(s) })
	}
}

// writeSample writes text that the expression likely matches.
func writeSample(b *strings.Builder, re *syntax.Regexp, rng *rand.Rand) {
	if b.Len() > sampleSize {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		writeClass(b, re.Rune, rng)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(byte('a' + rng.IntN(26)))
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			writeSample(b, sub, rng)
		}
	case syntax.OpAlternate:
		writeSample(b, re.Sub[rng.IntN(len(re.Sub))], rng)
	case syntax.OpStar:
		repeatSample(b, re, 0, -1, rng)
	case syntax.OpPlus:
		repeatSample(b, re, 1, -1, rng)
	case syntax.OpQuest:
		repeatSample(b, re, 0, 1, rng)
	case syntax.OpRepeat:
		repeatSample(b, re, re.Min, re.Max, rng)
	}
}

func repeatSample(b *strings.Builder, re *syntax.Regexp, low, high int, rng *rand.Rand) {
	if high < 0 || high > low+sampleRepeat {
		high = low + sampleRepeat
	}
	for range low + rng.IntN(high-low+1) {
		writeSample(b, re.Sub[0], rng)
	}
}

// writeClass prefers characters that can be read.
func writeClass(b *strings.Builder, ranges []rune, rng *rand.Rand) {
	var readable []rune
	for i := 0; i+1 < len(ranges); i += 2 {
		for c := max(ranges[i], ' '); c <= min(ranges[i+1], unicode.MaxASCII-1); c++ {
			readable = append(readable, c)
		}
	}
	switch {
	case len(readable) > 0:
		b.WriteRune(readable[rng.IntN(len(readable))])
	case len(ranges) > 0:
		b.WriteRune(ranges[0])
	}
}
