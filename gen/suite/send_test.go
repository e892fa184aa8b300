package suite_test

import (
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/schema"
)

// sendSchema has what a value of Go can say and its text does not show.
const sendSchema = `{
	"type": "object",
	"properties": {
		"data": {},
		"kind": {"const": "order"},
		"id": {"type": "string", "format": "uuid"},
		"name": {"type": "string"},
		"names": {"type": "object", "additionalProperties": {"type": "string"}},
		"pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "items": false},
		"ways": {"type": "array", "items": {"type": ["string", "integer"]}},
		"after": {"type": "string", "format": "duration"},
		"share": {"type": ["number", "null"]},
		"part": {"type": ["object", "null"], "properties": {"a": {"type": "string"}}, "not": {"type": "null"}},
		"parts": {"type": "array", "items": {"type": ["string", "null"], "not": {"type": "null"}}},
		"open": {"properties": {"a": {"type": "string"}}, "not": {"type": "integer"}},
		"total": {"type": ["integer", "null"], "not": {"type": "null"}}
	},
	"required": ["data", "kind", "total"]
}`

// sendMain changes an event and prints what becomes of it: first one that was made
// here, then one that was received and has a spelling to remember.
const sendMain = `package main

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/pgque/pgque-go/gen/suite/generated/send/p"
	"github.com/pgque/pgque-go/pgque/wire"
)

var changes = []struct {
	name string
	do   func(*p.E)
}{
	{"nothing", func(*p.E) {}},
	{"another constant", func(e *p.E) { e.Kind = "invoice" }},
	{"no text", func(e *p.E) { e.Name = new("\xff") }},
	{"no name", func(e *p.E) { e.Names = map[string]string{"\xff": ""} }},
	{"a gap", func(e *p.E) { e.Pair = &p.EPair{Item2: new(int64(2))} }},
	{"no value", func(e *p.E) { e.Ways = []p.EWay{{}} }},
	{"weeks and days", func(e *p.E) { e.After = &wire.Duration{Weeks: 1, Days: 1} }},
	{"no number", func(e *p.E) { e.Share.Set(math.NaN()) }},
	{"a name twice", func(e *p.E) { e.Extra = map[string]json.RawMessage{"name": []byte("\"a\"")} }},
	{"null as a member", func(e *p.E) { e.Part = wire.NullOf[p.EPart]() }},
	{"null as an item", func(e *p.E) { e.Parts = []*string{nil} }},
	{"no object", func(e *p.E) { e.Open = &p.EOpen{Other: []byte("1")} }},
	{"an object as no object", func(e *p.E) { e.Open = &p.EOpen{Other: []byte("{}")} }},
	{"null where it is required", func(e *p.E) { e.Total = nil }},
	{"nothing where it is required", func(e *p.E) { e.Data = nil }},
}

func main() {
	for _, text := range []string{
		"{\"data\":{},\"kind\":\"order\",\"total\":1}",
		"{\"data\":{},\"kind\":\"order\",\"total\":1,\"id\":\"0A0B0C0D-1111-4222-8333-44445555666F\"}",
	} {
		for _, c := range changes {
			var e p.E
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				panic(err)
			}
			c.do(&e)
			if sent, err := e.AppendJSON(nil); err == nil {
				fmt.Println(c.name + ": " + string(sent))
			} else {
				fmt.Println(err)
			}
		}
	}
}
`

// TestSend_RefusesWhatTheTextWouldNotShow changes events as an application might. What
// cannot be sent as it is must not be sent as something else.
func TestSend_RefusesWhatTheTextWouldNotShow(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{"q/e.json": {Data: []byte(sendSchema)}}
	out, diags := gen.Generate([]schema.Source{{FS: folder, Name: "."}}, gen.Options{Package: "p"})
	if err := firstError(diags); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"main.go": []byte(sendMain)}
	for _, f := range out {
		files["p/"+f.Name] = f.Bytes
	}
	got, err := exec.CommandContext(t.Context(), build(t, "send", files)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	refused := `e: /kind: "invoice" is not "order"
e: /name: text that is not UTF-8
e: /names/\xff: text that is not UTF-8
e: /pair: an item is missing before others
e: /ways/0: has no value
e: /after: "P1W" is no duration
e: /share: not a number that JSON has
e: "name" is not allowed
e: /part: matches what is not allowed
e: /parts/0: matches what is not allowed
e: /open: matches what is not allowed
e: /open: an object in Other; set the fields
e: /total: matches what is not allowed
e: "data" is missing
`
	want := `nothing: {"data":{},"kind":"order","total":1}` + "\n" + refused +
		`nothing: {"data":{},"kind":"order","id":"0A0B0C0D-1111-4222-8333-44445555666F","total":1}` + "\n" + refused
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, strings.TrimSpace(want))
	}
}
