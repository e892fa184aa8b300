package gen_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// levels makes a schema in which two different ways lead from every level to the next:
// more ways than could ever be walked. The last level decides.
func levels(first, way, other, last string) string {
	const n = 60
	var b strings.Builder
	fmt.Fprintf(&b, `{ "$ref": "#/$defs/l%d"%s, "$defs": { "l0": %s`, n, first, last)
	for i := 1; i <= n; i++ {
		next := fmt.Sprintf(`{ "$ref": "#/$defs/l%d" }`, i-1)
		fmt.Fprintf(&b, `, "l%d": { %s }`, i, strings.NewReplacer("NEXT", next, "I", fmt.Sprint(i)).Replace(way+", "+other))
	}
	b.WriteString(" } }")
	return b.String()
}

// Each instance would take longer than the universe has if every way was walked.
func TestGenerate_ManyWaysToOneSchemaAreWalkedOnce(t *testing.T) {
	again := `"allOf": [ NEXT, { "anyOf": [ { "minLength": I, "minProperties": I }, NEXT ] } ]`
	folder := fstest.MapFS{
		"q/text.json":   {Data: []byte(levels(``, again, `"maxLength": 1I`, `{ "type": "string", "pattern": "^a" }`))},
		"q/thing.json":  {Data: []byte(levels(``, again, `"maxProperties": 1I`, `{ "type": "object", "required": ["a"] }`))},
		"q/sealed.json": {Data: []byte(levels(`, "unevaluatedProperties": false`, `"anyOf": [ NEXT, { "allOf": [ NEXT ], "maxProperties": 1I } ]`, `"maxProperties": 2I`, `{ "properties": { "a": { "type": "integer" } } }`))},
		"q/nested.json": {Data: []byte(levels(``, `"properties": { "a": NEXT }`, `"patternProperties": { "^a": { "allOf": [ NEXT ], "maxProperties": 1I } }`, `{ "type": "integer" }`))},
	}
	files := mustGenerate(t, folder)
	deep := strings.Repeat(`{"a":`, 60) + "%s" + strings.Repeat("}", 60)
	w := newWorkshop(t)
	w.add(t, "events", files)
	w.ask(t, "events", "accept", "Text \"a\"\nThing {\"a\":1}\nSealed {\"a\":1}\nNested "+fmt.Sprintf(deep, "1"))
	w.ask(t, "events", "reject", "Text \"b\"\nThing {\"b\":1}\nSealed {\"b\":1}\nSealed {\"a\":\"x\"}\nNested "+fmt.Sprintf(deep, `"x"`))
	w.run(t)
}
