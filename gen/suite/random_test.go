package suite_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/pgque/pgque-go/gen/schema"
)

// A randomSchema makes schemas out of few names and small values, so that
// random instances are valid about as often as not.
type randomSchema struct {
	*rand.Rand
	draft schema.Draft
	defs  int // number of definitions
	below int // definitions that may be referred to for the same value
}

var (
	names    = []string{"a", "b", "c", "ab", "", "~/%"}
	texts    = []string{"", "a", "b", "ab", "abc", "1", "é", "😀", "a\n"}
	numbers  = []string{"0", "1", "2", "3", "-1", "1.0", "0.5", "1.5", "1e1", "-0", "10", "0.3", "12345678901234567890", "1E-2", "100e-2"}
	patterns = []string{"a", "^a", "b$", "^[ab]+$", "^.$", "^[0-9]", "c?"}
	types    = []string{"null", "boolean", "integer", "number", "string", "array", "object"}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (g *randomSchema) number() json.Number { return json.Number(pick(g.Rand, numbers)) }

func (g *randomSchema) positive() json.Number {
	return json.Number(pick(g.Rand, []string{"1", "2", "0.5", "0.1", "1e-2", "1.0", "3"}))
}

func (g *randomSchema) name() string { return pick(g.Rand, names) }

func (g *randomSchema) limit() int { return g.IntN(4) }

func (g *randomSchema) one(n int) bool { return g.IntN(n) == 0 }

// root returns the text of a schema.
func (g *randomSchema) root() []byte {
	g.defs = g.IntN(3)
	g.below = g.defs
	s, ok := g.sub(3, true).(map[string]any)
	if !ok {
		s = map[string]any{"not": map[string]any{}}
	}
	s["$schema"] = dialects[g.draft]
	g.anchor(s)
	defs := map[string]any{}
	for i := range g.defs {
		g.below = i
		defs[fmt.Sprintf("d%d", i)] = g.sub(2, true)
	}
	if len(defs) > 0 {
		s[g.defsKeyword()] = defs
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return text
}

var dialects = map[schema.Draft]string{
	schema.Draft7:    "http://json-schema.org/draft-07/schema#",
	schema.Draft2019: "https://json-schema.org/draft/2019-09/schema",
	schema.Draft2020: "https://json-schema.org/draft/2020-12/schema",
}

func (g *randomSchema) defsKeyword() string {
	if g.draft == schema.Draft7 {
		return "definitions"
	}
	return "$defs"
}

// anchor makes the root a target of dynamic references.
func (g *randomSchema) anchor(s map[string]any) {
	switch g.draft {
	case schema.Draft2019:
		s["$recursiveAnchor"] = true
	case schema.Draft2020:
		s["$dynamicAnchor"] = "node"
	}
}

// sub returns a schema; same tells that it decides the same value as the one
// around it, where references must not lead in a circle.
func (g *randomSchema) sub(depth int, same bool) any {
	if depth < 3 && g.one(12) {
		return g.one(2)
	}
	s := map[string]any{}
	if g.one(6) && g.reference(s, same) && g.one(2) {
		return s
	}
	for range 1 + g.IntN(3) {
		g.keyword(s, depth)
	}
	return s
}

func (g *randomSchema) reference(s map[string]any, same bool) bool {
	switch {
	case !same && g.one(3):
		switch g.draft {
		case schema.Draft2019:
			s["$recursiveRef"] = "#"
		case schema.Draft2020:
			s["$dynamicRef"] = "#node"
		default:
			s["$ref"] = "#"
		}
	case !same && g.defs > 0:
		s["$ref"] = fmt.Sprintf("#/%s/d%d", g.defsKeyword(), g.IntN(g.defs))
	case same && g.below > 0:
		s["$ref"] = fmt.Sprintf("#/%s/d%d", g.defsKeyword(), g.IntN(g.below))
	default:
		return false
	}
	return true
}

// keyword adds a random keyword to s.
func (g *randomSchema) keyword(s map[string]any, depth int) {
	own := []func(map[string]any){g.types, g.values, g.numberRule, g.stringRule, g.arrayRule, g.objectRule}
	if depth == 0 || g.one(3) {
		pick(g.Rand, own)(s)
		return
	}
	deep := []func(map[string]any, int){g.combination, g.combination, g.items, g.members, g.members, g.unevaluated}
	pick(g.Rand, deep)(s, depth-1)
}

func (g *randomSchema) types(s map[string]any) {
	if g.one(2) {
		s["type"] = pick(g.Rand, types)
		return
	}
	list := []string{}
	for _, t := range types {
		if g.one(2) {
			list = append(list, t)
		}
	}
	if len(list) > 0 {
		s["type"] = list
	}
}

func (g *randomSchema) values(s map[string]any) {
	if g.one(2) {
		s["const"] = g.value(1)
		return
	}
	list := []any{}
	for range 1 + g.IntN(20) {
		list = append(list, g.value(1))
	}
	s["enum"] = distinct(list)
}

// distinct drops values of equal texts, which enum must not have.
func distinct(list []any) []any {
	var out []any
	seen := map[string]bool{}
	for _, v := range list {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		if !seen[string(text)] {
			seen[string(text)] = true
			out = append(out, v)
		}
	}
	return out
}

func (g *randomSchema) numberRule(s map[string]any) {
	if g.one(3) {
		s["multipleOf"] = g.positive()
		return
	}
	s[pick(g.Rand, []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})] = g.number()
}

func (g *randomSchema) stringRule(s map[string]any) {
	if g.one(2) {
		s["pattern"] = pick(g.Rand, patterns)
		return
	}
	s[pick(g.Rand, []string{"minLength", "maxLength"})] = g.limit()
}

func (g *randomSchema) arrayRule(s map[string]any) {
	if g.one(3) {
		s["uniqueItems"] = true
		return
	}
	s[pick(g.Rand, []string{"minItems", "maxItems"})] = g.limit()
}

func (g *randomSchema) objectRule(s map[string]any) {
	switch g.IntN(4) {
	case 0:
		s["required"] = []string{g.name()}
	case 1:
		if g.draft == schema.Draft7 {
			s["dependencies"] = map[string]any{g.name(): []string{g.name()}}
		} else {
			s["dependentRequired"] = map[string]any{g.name(): []string{g.name()}}
		}
	default:
		s[pick(g.Rand, []string{"minProperties", "maxProperties"})] = g.limit()
	}
}

func (g *randomSchema) list(depth int) []any {
	var out []any
	for range 1 + g.IntN(3) {
		out = append(out, g.sub(depth, true))
	}
	return out
}

func (g *randomSchema) combination(s map[string]any, depth int) {
	switch g.IntN(6) {
	case 0:
		s["allOf"] = g.list(depth)
	case 1:
		s["anyOf"] = g.list(depth)
	case 2:
		s["oneOf"] = g.list(depth)
	case 3:
		s["not"] = g.sub(depth, true)
	case 4:
		for _, k := range []string{"if", "then", "else"} {
			if !g.one(4) {
				s[k] = g.sub(depth, true)
			}
		}
	default:
		k := "dependentSchemas"
		if g.draft == schema.Draft7 {
			k = "dependencies"
		}
		s[k] = map[string]any{g.name(): g.sub(depth, true)}
	}
}

func (g *randomSchema) items(s map[string]any, depth int) {
	switch g.IntN(3) {
	case 0:
		s["contains"] = g.sub(depth, false)
		if g.draft != schema.Draft7 && g.one(2) {
			s[pick(g.Rand, []string{"minContains", "maxContains"})] = g.limit()
		}
	case 1:
		s["items"] = g.sub(depth, false)
	default:
		prefix, rest := "prefixItems", "items"
		if g.draft != schema.Draft2020 {
			prefix, rest = "items", "additionalItems"
		}
		s[prefix] = []any{g.sub(depth, false), g.sub(depth, false)}
		if g.one(2) {
			s[rest] = g.sub(depth, false)
		}
	}
}

func (g *randomSchema) members(s map[string]any, depth int) {
	switch g.IntN(5) {
	case 0:
		s["patternProperties"] = map[string]any{pick(g.Rand, patterns): g.sub(depth, false)}
	case 1:
		s["additionalProperties"] = g.sub(depth, false)
	case 2:
		s["propertyNames"] = g.sub(depth, false)
	default:
		m := map[string]any{}
		for range 1 + g.IntN(3) {
			m[g.name()] = g.sub(depth, false)
		}
		s["properties"] = m
	}
}

func (g *randomSchema) unevaluated(s map[string]any, depth int) {
	if g.draft == schema.Draft7 {
		g.combination(s, depth)
		return
	}
	k := pick(g.Rand, []string{"unevaluatedProperties", "unevaluatedItems"})
	s[k] = g.sub(depth, false)
	if g.one(2) {
		s[k] = false
	}
	g.combination(s, depth)
}

// value returns a random JSON value.
func (g *randomSchema) value(depth int) any {
	n := 7
	if depth <= 0 {
		n = 4
	}
	switch g.IntN(n) {
	case 0:
		return pick(g.Rand, []any{nil, true, false})
	case 1:
		return g.number()
	case 2, 3:
		return pick(g.Rand, texts)
	case 4:
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.value(depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range g.IntN(4) {
		object[g.name()] = g.value(depth - 1)
	}
	return object
}

// mutate returns the value with one place changed; the value itself may be
// changed too.
func (g *randomSchema) mutate(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && !g.one(3) {
			i := g.IntN(len(v))
			v[i] = g.mutate(v[i])
			return v
		}
		return append(v, g.value(1))
	case map[string]any:
		name := g.name()
		switch old, ok := v[name]; {
		case !ok:
			v[name] = g.value(1)
		case g.one(2):
			delete(v, name)
		default:
			v[name] = g.mutate(old)
		}
		return v
	}
	return g.value(1)
}
