package gen_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Every rule is asked of values that Go holds, too, at every place and only there where
// the value is.
func TestGenerate_ValuesAreValidatedBeforeTheyAreSent(t *testing.T) {
	folder := fstest.MapFS{
		"q/order.json": {Data: []byte(`{
			"type": "object",
			"properties": {
				"version": { "const": 2 }, "kind": { "const": "card" }, "paid": { "type": "boolean", "const": true },
				"id": { "type": "string", "pattern": "^o-[0-9]+$", "minLength": 4 }, "at": { "type": "string", "format": "date-time" },
				"note": { "type": ["string", "null"], "maxLength": 2 }, "state": { "enum": ["new", "old"] },
				"line_sku": { "type": "string", "pattern": "^A" },
				"lines": { "type": "array", "maxItems": 2, "items": { "x-go-name": "OrderLine", "type": "object",
					"properties": { "sku": { "type": "string", "pattern": "^B" }, "price": { "type": "number", "multipleOf": 0.01 }, "next": { "$ref": "#/properties/lines/items" } },
					"required": ["sku"], "additionalProperties": false } },
				"tags": { "type": "array", "uniqueItems": true, "items": { "type": "string", "minLength": 1 } },
				"limits": { "type": "object", "minProperties": 1, "propertyNames": { "maxLength": 3 }, "additionalProperties": { "type": "integer", "exclusiveMinimum": 0 } },
				"raw": {}, "pin": { "type": "integer", "maximum": 9, "x-secret": true },
				"pair": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer", "minimum": 1 }], "items": false, "minItems": 1 }
			},
			"required": ["version", "kind", "id", "raw"], "additionalProperties": { "type": "integer", "maximum": 5 }
		}`)},
		"q/any.json": {Data: []byte(`{ "properties": { "a": { "type": "integer" } }, "not": { "const": 3 } }`)},
		"q/c.json": {Data: []byte(`{ "type": "object", "required": ["way"], "properties": { "way": { "oneOf": [{ "$ref": "#/$defs/x" }, { "$ref": "#/$defs/y" }] } },
			"$defs": { "x": { "x-go-name": "WayX", "type": "object", "required": ["k"], "properties": { "k": { "const": "x" } } }, "y": { "x-go-name": "WayY", "type": "object", "required": ["k", "n"], "properties": { "k": { "const": "y" }, "n": { "type": "integer", "minimum": 1 } } } } }`)},
	}
	files := mustGenerate(t, folder)
	for _, f := range files {
		if n := strings.Count(string(f.Bytes), "Max: 5"); n != 1 {
			t.Errorf("%s: reading and writing have %d variables for one rule", f.Name, n)
		}
	}
	w := newWorkshop(t)
	w.add(t, "events", files)
	w.write(t, "main.go", []byte(`package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"example.com/workshop/events"
	"github.com/pgque/pgque-go/pgque/wire"
)

func p[T any](v T) *T { return &v }

func say(what string, v interface {
	Validate() error
	AppendJSON([]byte) ([]byte, error)
}) {
	text, err := v.AppendJSON([]byte("> "))
	fmt.Println(what, string(text))
	if valid := v.Validate(); fmt.Sprint(valid) != fmt.Sprint(err) {
		fmt.Println("validated otherwise:", valid)
	}
	var invalid *wire.ValidationError
	if errors.As(err, &invalid) {
		for _, v := range invalid.Violations {
			fmt.Println(v.Pointer+":", v.Message)
		}
	} else if err != nil {
		fmt.Println(err)
	}
}

func main() {
	good := events.Order{ID: "o-12", Raw: json.RawMessage("[]")}
	say("good", good)
	bad := events.Order{
		Version: 1, Kind: "cash", Paid: p(false), ID: "x", At: p(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)),
		Note: wire.NullableOf("xyz"), State: p(events.OrderState("odd")), LineSKU: p("B"),
		Lines:  []events.OrderLine{{SKU: "B"}, {SKU: "A", Price: p(0.001), Next: &events.OrderLine{SKU: "\xff", Price: p(math.NaN())}}, {SKU: "B"}},
		Tags:   []string{"a", "", "a"},
		Limits: map[string]int64{"long": 1, "low": 0},
		Raw:    json.RawMessage("{"),
		Pin:    p(int64(4711)),
		Pair:   &events.OrderPair{Item2: p(int64(0))},
		Extra:  map[string]int64{"id": 1, "x/": 6},
	}
	say("bad", bad)
	say("empty", events.Order{Limits: map[string]int64{}})
	say("other", events.Any{Other: json.RawMessage("3")})
	say("another", events.Any{Other: json.RawMessage("4")})
	say("nil", events.C{})
	say("way", events.C{Way: events.WayY{N: 0}})
	say("pointer", events.C{Way: &events.WayX{}})
	if events.CDeadLetters(nil) == nil {
		fmt.Println("no letters")
	}
}
`))
	want := `good > {"version":2,"kind":"card","id":"o-12","raw":[]}
bad > 
/version: 1 is not 2
/kind: "cash" is not "card"
/paid: false is not true
/id: 1 character, at least 4 required
/id: "x" does not match "^o-[0-9]+$"
/at: "-0001-01-01 00:00:00 +0000 UTC" is no date-time
/note: 3 characters, at most 2 allowed
/state: "odd" is none of the allowed values
/line_sku: "B" does not match "^A"
/lines: 3 items, at most 2 allowed
/lines/1/sku: "A" does not match "^B"
/lines/1/price: 0.001 is not a multiple of 0.01
/lines/1/next/sku: text that is not UTF-8
/lines/1/next/price: not a number that JSON has
/tags: two items are equal
/tags/1: 0 characters, at least 1 required
/limits/long: 4 characters, at most 3 allowed
/limits/low: 0 is not greater than 0
/raw: value: invalid JSON at byte 1: unexpected end
/pin: a secret breaks maximum
/pair/1: 0 is less than 1
: "id" is not allowed
/x~1: 6 is greater than 5
empty > 
/id: 0 characters, at least 4 required
/id: "" does not match "^o-[0-9]+$"
/limits: 0 members, at least 1 required
: "raw" is missing
other > 
: matches what is not allowed
another > 4
nil > 
/way: nil is none of the alternatives
way > 
/way/n: 0 is less than 1
pointer > {"way":{"k":"x"}}
`
	if got := string(w.goTool(t, nil, "run", ".")); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
