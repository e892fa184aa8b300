package suite_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// A plausibleSchema makes schemas as people write them for events: objects with
// typed members, lists, maps, unions, so that there is a Go type for everything.
// What randomSchema makes stands now and then among it.
type plausibleSchema struct{ randomSchema }

var (
	members = []string{"id", "kind", "a", "b", "list", "order-id", "Extra", ""}
	formats = map[string][]string{
		"date":      {"2024-02-29", "1999-12-31", "2023-02-29", "24-01-01"},
		"date-time": {"2024-01-01T00:00:00Z", "2024-01-01T00:00:00.50+01:00", "2024-01-01T25:00:00Z", "2024-01-01"},
		"duration":  {"P1D", "PT1H30M", "P", "1D"},
		"uuid":      {"0a0b0c0d-1111-4222-8333-44445555666f", "0A0B0C0D-1111-4222-8333-44445555666F", "0a0b0c0d"},
		"ipv4":      {"127.0.0.1", "127.0.0.256"},
	}
	bigTypes = map[string]string{"integer": "*math/big.Int", "number": "github.com/pgque/pgque-go/pgque/wire.Number"}
)

// root returns the text of a schema.
func (g *plausibleSchema) root() []byte {
	g.defs = 1 + g.IntN(3)
	s := g.object(3)
	if g.one(6) {
		s = g.union(2)
	}
	defs := map[string]any{}
	for i := range g.defs {
		defs[fmt.Sprintf("d%d", i)] = g.object(1)
	}
	s["$schema"], s[g.defsKeyword()] = dialects[g.draft], defs
	g.anchor(s)
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return text
}

// typed returns a schema that a Go type fits.
func (g *plausibleSchema) typed(depth int) map[string]any {
	var s map[string]any
	switch n := g.IntN(12); {
	case depth <= 0 || n < 4:
		s = g.scalar()
	case n < 6:
		s = g.object(depth - 1)
	case n < 8:
		s = g.array(depth - 1)
	case n < 9:
		s = map[string]any{"type": "object", "additionalProperties": g.typed(depth - 1)}
	case n < 10:
		s = g.union(depth - 1)
	case n < 11:
		s = map[string]any{"allOf": []any{g.object(depth - 1), g.object(depth - 1)}}
	default:
		return map[string]any{"$ref": fmt.Sprintf("#/%s/d%d", g.defsKeyword(), g.IntN(g.defs))}
	}
	if g.one(6) {
		g.nullable(s)
	}
	if g.one(12) {
		g.below = 0
		g.keyword(s, 1)
	}
	return s
}

func (g *plausibleSchema) nullable(s map[string]any) {
	if t, ok := s["type"].(string); ok {
		s["type"] = []string{t, "null"}
	}
}

func (g *plausibleSchema) scalar() map[string]any {
	switch t := pick(g.Rand, []string{"string", "string", "integer", "number", "boolean"}); t {
	case "string":
		return g.text()
	case "boolean":
		return map[string]any{"type": t}
	default:
		s := map[string]any{"type": t}
		for g.one(2) {
			g.numberRule(s)
		}
		if g.one(6) {
			s["x-go-type"] = bigTypes[t]
		}
		return s
	}
}

func (g *plausibleSchema) text() map[string]any {
	switch g.IntN(4) {
	case 0:
		return map[string]any{"enum": []any{"a", "b", "ab"}[g.IntN(3):]}
	case 1:
		return map[string]any{"type": "string", "format": pick(g.Rand, slices.Sorted(maps.Keys(formats)))}
	case 2:
		s := map[string]any{"type": "string"}
		g.stringRule(s)
		return s
	}
	return map[string]any{"type": "string"}
}

func (g *plausibleSchema) object(depth int) map[string]any {
	properties := map[string]any{}
	var required []string
	for range 1 + g.IntN(4) {
		name := pick(g.Rand, members)
		properties[name] = g.typed(depth)
		if g.one(2) && !slices.Contains(required, name) {
			required = append(required, name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	switch g.IntN(6) {
	case 0, 1:
		s["additionalProperties"] = false
	case 2:
		s["additionalProperties"] = g.scalar()
	case 3:
		g.objectRule(s)
	}
	return s
}

func (g *plausibleSchema) array(depth int) map[string]any {
	s := map[string]any{"type": "array", "items": g.typed(depth)}
	if g.draft == schema.Draft2020 && g.one(4) {
		s["prefixItems"] = []any{g.typed(depth), g.scalar()}
	}
	if g.one(3) {
		g.arrayRule(s)
	}
	return s
}

// union returns alternatives, which a member tells apart half of the time.
func (g *plausibleSchema) union(depth int) map[string]any {
	var options []any
	tagged := g.one(2)
	for i := range 2 + g.IntN(2) {
		if !tagged {
			options = append(options, g.typed(depth))
			continue
		}
		o := g.object(depth)
		o["properties"].(map[string]any)["kind"] = map[string]any{"const": texts[i]}
		if required, _ := o["required"].([]string); !slices.Contains(required, "kind") {
			o["required"] = append(required, "kind")
		}
		options = append(options, o)
	}
	return map[string]any{pick(g.Rand, []string{"oneOf", "anyOf"}): options}
}

// instances returns values made after the schema, each followed by mutations of it.
func (g *plausibleSchema) instances(text []byte) [][]byte {
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		panic(err)
	}
	return g.mutations(func() any { return g.instance(root, root, 6) })
}

// instance returns a value that looks like what s wants.
func (g *plausibleSchema) instance(root map[string]any, schema any, depth int) any {
	s, ok := schema.(map[string]any)
	if !ok || depth == 0 {
		return g.value(0)
	}
	if ref, ok := s["$ref"].(string); ok {
		defs := root[g.defsKeyword()].(map[string]any)
		return g.instance(root, defs[ref[strings.LastIndexByte(ref, '/')+1:]], depth-1)
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if list, ok := s[keyword].([]any); ok {
			return g.instance(root, pick(g.Rand, list), depth-1)
		}
	}
	if list, ok := s["allOf"].([]any); ok {
		return g.both(root, list, depth)
	}
	if v, ok := s["const"]; ok {
		return v
	}
	if list, ok := s["enum"].([]any); ok && len(list) > 0 {
		return pick(g.Rand, list)
	}
	return g.ofType(root, s, depth)
}

// both merges the members of what each schema of the list wants.
func (g *plausibleSchema) both(root map[string]any, list []any, depth int) any {
	merged := map[string]any{}
	for _, s := range list {
		if v, ok := g.instance(root, s, depth-1).(map[string]any); ok {
			maps.Copy(merged, v)
		}
	}
	return merged
}

func (g *plausibleSchema) ofType(root, s map[string]any, depth int) any {
	t, _ := s["type"].(string)
	if list, ok := s["type"].([]any); ok && len(list) > 0 {
		t, _ = pick(g.Rand, list).(string)
	}
	switch t {
	case "object":
		v := map[string]any{}
		properties, _ := s["properties"].(map[string]any)
		required, _ := s["required"].([]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if slices.Contains(required, any(name)) || depth > 3 && g.one(2) {
				v[name] = g.instance(root, properties[name], depth-1)
			}
		}
		if more, ok := s["additionalProperties"].(map[string]any); ok && g.one(2) {
			v[g.name()] = g.instance(root, more, depth-1)
		}
		return v
	case "array":
		v := []any{}
		for range g.IntN(4) {
			v = append(v, g.instance(root, s["items"], depth-1))
		}
		return v
	case "string":
		if list := formats[fmt.Sprint(s["format"])]; list != nil {
			return pick(g.Rand, list)
		}
		return pick(g.Rand, texts)
	case "integer", "number":
		return g.number()
	case "boolean":
		return g.one(2)
	case "null":
		return nil
	}
	return g.value(1)
}
