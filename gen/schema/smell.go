package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// warn says what is legal in the user's schemas and most likely not meant.
func (l *loader) warn() {
	guesses := maxGuesses
	for _, s := range l.schemasInOrder() {
		p := l.places[s.Source]
		if s.Bool != nil || !s.File.Event || p.scope.private {
			continue
		}
		w := warner{l, s, p.scope, &guesses}
		w.warnKeywords()
		w.warnValues()
		w.warnLimits()
		w.warnRequired()
		w.warnFormat()
	}
}

// maxGuesses bounds the names for which a better one is looked for, or a
// pattern that allows them.
const maxGuesses = 2_000

type warner struct {
	*loader
	*Schema
	scope   scope
	guesses *int
}

// guess says whether one more guess may be made.
func (w warner) guess() bool {
	*w.guesses--
	return *w.guesses >= 0
}

// warnAt warns about the member of the schema with that name.
func (w warner) warnAt(keyword, format string, args ...any) {
	pos := w.Pos
	if n := w.Source.Member(keyword); n != nil {
		pos = n.Pos
	}
	w.rep.warnf(pos, w.Pointer+"/"+keyword, format, args...)
}

// warnKeywords warns about members that do nothing.
func (w warner) warnKeywords() {
	refOnly := w.isRefOnly(w.Source, w.scope)
	for _, m := range w.Source.Members {
		k, known := w.keywords[m.Name]
		switch {
		case !known:
			w.warnMisspelt(m)
		case !k.in(w.scope.dialect):
			w.warnForeign(m, k)
		case m.Value.Kind == Boolean && m.Value.Text == "true" && k.vocabulary&(vocabApplicator|vocabUnevaluated) != 0:
			// The schema true asserts nothing anywhere.
		case refOnly && !k.besideRef && k.vocabulary != vocabMetadata:
			w.rep.warnHabit(m.Pos, w.Pointer+"/"+m.Name, "%s is ignored beside $ref until draft-07; put the $ref into allOf", m.Name)
		case k.applies != 0 && w.Types != 0 && w.Types&k.applies == 0:
			w.rep.warnf(m.Pos, w.Pointer+"/"+m.Name, "%s says nothing about type %s", m.Name, w.Types)
		}
	}
	if w.isRefOnly(w.Source, w.scope) {
		return
	}
	for _, need := range []struct {
		keyword, beside string
		met             bool
	}{
		{"then", "if", w.If != nil}, {"else", "if", w.If != nil},
		{"minContains", "contains", w.Contains != nil}, {"maxContains", "contains", w.Contains != nil},
		{"additionalItems", "an items array", w.scope.dialect.draft >= Draft2020 || isArray(w.Source.Member("items"))},
	} {
		if !need.met && w.Source.Member(need.keyword) != nil && w.keywords[need.keyword].in(w.scope.dialect) {
			w.warnAt(need.keyword, "%s does nothing without %s", need.keyword, need.beside)
		}
	}
}

func isArray(n *Node) bool { return n != nil && n.Kind == Array }

// warnForeign warns about an assertion of another draft.
func (w warner) warnForeign(m Member, k keyword) {
	silent := vocabMetadata | vocabContent | vocabFormat
	if w.scope.dialect.meta != "" || k.vocabulary&silent != 0 || m.Name == "$defs" || m.Name == "$comment" {
		return
	}
	hint := ""
	if m.Name == "id" {
		if m.Value.Kind != String {
			return
		}
		hint = "; write $id"
	}
	if m.Name == "$id" {
		hint = "; write id"
	}
	w.rep.warnHabit(m.Pos, w.Pointer+"/"+pointerToken(m.Name), "%s is no keyword of %s and is ignored%s", m.Name, w.scope.dialect.draft, hint)
}

// warnMisspelt warns about a member that is almost a keyword.
func (w warner) warnMisspelt(m Member) {
	if len(m.Name) < 3 || len(m.Name) > 30 || !w.guess() {
		return
	}
	if strings.HasPrefix(strings.ToLower(m.Name), "x-") {
		w.warnMisspeltAnnotation(m)
		return
	}
	best, bestDistance := "", 3
	for name, k := range w.keywords {
		d := distance(strings.ToLower(m.Name), strings.ToLower(name), len(name) > 7)
		if k.in(w.scope.dialect) && (d < bestDistance || d == bestDistance && name < best) {
			best, bestDistance = name, d
		}
	}
	if best != "" {
		w.rep.warnHabit(m.Pos, w.Pointer+"/"+pointerToken(m.Name), "unknown keyword %s is ignored; did you mean %s?", quote(m.Name), best)
	}
}

// annotations are the keywords beside JSON Schema that Go code is made with.
var annotations = []string{"x-event", "x-go-field", "x-go-name", "x-go-type", "x-queue", "x-secret"}

// warnMisspeltAnnotation warns about a member that is almost one of those: a value
// whose schema says x-secrets would be shown.
func (w warner) warnMisspeltAnnotation(m Member) {
	for _, name := range annotations {
		if d := distance(strings.ToLower(m.Name), name, len(name) > 7); m.Name != name && d < 3 {
			w.rep.warnHabit(m.Pos, w.Pointer+"/"+pointerToken(m.Name), "unknown annotation %s is ignored; did you mean %s?", quote(m.Name), name)
			return
		}
	}
}

// warnValues warns about values of enum and const that type excludes, and
// about those that stand in enum twice.
func (w warner) warnValues() {
	if w.Const != nil && !w.Types.allow(w.Const) {
		w.warnAt("const", "the value is not of type %s, so nothing is valid", w.Types)
	}
	first := map[string]Position{}
	for i, n := range w.Enum {
		pointer := w.Pointer + "/enum/" + strconv.Itoa(i)
		if !w.Types.allow(n) {
			w.rep.warnf(n.Pos, pointer, "the value is not of type %s and can never match", w.Types)
		}
		key := string(appendCanonical(nil, n))
		if pos, dup := first[key]; dup {
			w.rep.warnf(n.Pos, pointer, "the value stands already at %d:%d", pos.Line, pos.Column)
			continue
		}
		first[key] = n.Pos
	}
	if w.HasEnum && len(w.Enum) == 0 {
		w.warnAt("enum", "enum is empty, so nothing is valid")
	}
}

// allow says whether n is of one of the types; none means all.
func (k Kinds) allow(n *Node) bool {
	switch {
	case k == 0 || k&n.Kind != 0:
		return true
	case n.Kind == Number:
		return k&Integer != 0 && parseDecimal(n.Text).integer()
	}
	return false
}

// warnLimits warns about limits that leave nothing between them.
func (w warner) warnLimits() {
	w.warnRange("minLength", w.MinLength, w.MaxLength)
	w.warnRange("minItems", w.MinItems, w.MaxItems)
	w.warnRange("minProperties", w.MinProperties, w.MaxProperties)
	w.warnRange("minContains", w.MinContains, w.MaxContains)
	for _, r := range []struct {
		keyword, low, high string
		open               bool // the two may not be equal either
	}{
		{"minimum", w.Minimum, w.Maximum, false}, {"exclusiveMinimum", w.ExclusiveMinimum, w.ExclusiveMaximum, true},
		{"minimum", w.Minimum, w.ExclusiveMaximum, true}, {"exclusiveMinimum", w.ExclusiveMinimum, w.Maximum, true},
	} {
		if r.low == "" || r.high == "" {
			continue
		}
		if c := parseDecimal(r.low).compare(parseDecimal(r.high)); c > 0 || c == 0 && r.open {
			w.warnAt(r.keyword, "no number lies between %s and the maximum", r.keyword)
		}
	}
}

func (w warner) warnRange(keyword string, low, high *int64) {
	if low != nil && high != nil && *low > *high {
		w.warnAt(keyword, "%s is greater than the maximum, so nothing is valid", keyword)
	}
}

// warnRequired warns about names that properties does not declare where they
// are forbidden, or almost declared.
func (w warner) warnRequired() {
	if w.Types != 0 && w.Types&Object == 0 {
		return
	}
	declared := map[string]bool{}
	for _, p := range w.Properties {
		declared[p.Name] = true
	}
	closed := w.AdditionalProperties != nil && w.AdditionalProperties.Bool != nil && !*w.AdditionalProperties.Bool
	for i, name := range w.Required {
		if declared[name.Text] || !w.guess() || w.matchesPattern(name.Text) {
			continue
		}
		pointer := w.Pointer + "/required/" + strconv.Itoa(i)
		if closed {
			w.rep.warnf(name.Pos, pointer, "required property %s is not declared and additionalProperties is false, so no object is valid", quote(name.Text))
		} else if near := w.nearProperty(name.Text); near != "" {
			w.rep.warnf(name.Pos, pointer, "required property %s is not declared; did you mean %s?", quote(name.Text), quote(near))
		}
	}
}

func (w warner) matchesPattern(name string) bool {
	return slices.ContainsFunc(w.PatternProperties, func(p PatternProperty) bool {
		re, err := regexp.Compile(p.Pattern.RE2)
		return err != nil || re.MatchString(name)
	})
}

// maxNear bounds the names that a misspelt one is compared with.
const maxNear = 500

func (w warner) nearProperty(name string) string {
	if len(name) < 3 || len(name) > 60 {
		return ""
	}
	for _, p := range w.Properties[:min(len(w.Properties), maxNear)] {
		if distance(name, p.Name, len(p.Name) > 7) < 3 {
			return p.Name
		}
	}
	return ""
}

// knownFormats are those of all drafts.
var knownFormats = map[string]bool{
	"date-time": true, "date": true, "time": true, "duration": true, "email": true, "idn-email": true,
	"hostname": true, "idn-hostname": true, "ipv4": true, "ipv6": true, "uri": true, "uri-reference": true,
	"iri": true, "iri-reference": true, "uuid": true, "uri-template": true, "json-pointer": true,
	"relative-json-pointer": true, "regex": true,
}

func (w warner) warnFormat() {
	if w.Format != "" && !knownFormats[w.Format] && !slices.Contains(w.opts.Formats, w.Format) {
		w.rep.warnHabit(w.Source.Member("format").Pos, w.Pointer+"/format", "unknown format %s is not checked", quote(w.Format))
	}
}
