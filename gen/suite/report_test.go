package suite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/gen/schema"
)

// order has most rules once.
const order = `{
	"type": "object",
	"required": ["id", "lines"],
	"properties": {
		"id": {"type": "string", "pattern": "^o-[0-9]+$", "maxLength": 12},
		"email": {"format": "email"},
		"state": {"enum": ["open", "closed"]},
		"version": {"const": 2},
		"total": {"type": ["number", "null"], "minimum": 0, "exclusiveMaximum": 1e6, "multipleOf": 0.01},
		"tags": {"type": "array", "uniqueItems": true, "maxItems": 3, "contains": {"const": "eu"}},
		"lines": {"type": "array", "minItems": 1, "items": {
			"type": "object",
			"properties": {"quantity": {"type": "integer", "minimum": 1}, "sku": {"type": "string", "minLength": 3}},
			"additionalProperties": false
		}},
		"payment": {"oneOf": [
			{"type": "object", "properties": {"kind": {"const": 1}, "number": {"type": "string"}}, "required": ["kind", "number"]},
			{"type": "object", "properties": {"kind": {"const": 2}, "till": {"type": "integer"}}, "required": ["kind"]}
		]},
		"scalar": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 10}]},
		"never": false,
		"notes": {"not": {"type": "string"}}
	},
	"propertyNames": {"pattern": "^[a-z]"},
	"dependentRequired": {"total": ["version"]},
	"dependentSchemas": {"email": {"required": ["state"]}},
	"if": {"properties": {"state": {"const": "closed"}}, "required": ["state"]},
	"then": {"required": ["total"]},
	"unevaluatedProperties": false
}`

// TestReports_SayWhereWhatAndTheLimit shows the violations of one broken order
// after the other.
func TestReports_SayWhereWhatAndTheLimit(t *testing.T) {
	t.Parallel()
	cases := []struct {
		instance string
		want     []string
	}{
		{`{"id": "o-1", "lines": [{"quantity": 1}]}`, nil},
		{`7`, []string{`: type: number, not object`}},
		{`{"id": "x", "lines": []}`, []string{
			`/id: pattern: "x" does not match "^o-[0-9]+$"`,
			`/lines: minItems: 0 items, at least 1 required`,
		}},
		{`{"lines": [{}, {"quantity": 0}, {"quantity": 1.5}, {"color": 1, "sku": "é"}]}`, []string{
			`: required: "id" is missing`,
			`/lines/1/quantity: minimum: 0 is less than 1`,
			`/lines/2/quantity: type: number, not integer`,
			`/lines/3: additionalProperties: "color" is not allowed`,
			`/lines/3/sku: minLength: 1 character, at least 3 required`,
		}},
		{`{"id": "o-1", "lines": [{}], "version": 1, "total": 1e6, "state": "lost"}`, []string{
			`/version: const: 1 is not 2`,
			`/total: exclusiveMaximum: 1e6 is not less than 1e6`,
			`/state: enum: "lost" is none of the allowed values`,
		}},
		{`{"id": "o-1", "lines": [{}], "total": 0.005}`, []string{
			`: dependentRequired: "version" is missing beside "total"`,
			`/total: multipleOf: 0.005 is not a multiple of 0.01`,
		}},
		{`{"id": "o-1", "lines": [{}], "tags": ["a", "b", "a", "c"]}`, []string{
			`/tags: maxItems: 4 items, at most 3 allowed`,
			`/tags: uniqueItems: two items are equal`,
			`/tags: contains: no item matches`,
		}},
		{`{"id": "o-1", "lines": [{}], "email": "nobody"}`, []string{
			`/email: format: "nobody" is no email`,
			`: required: "state" is missing`,
		}},
		{`{"id": "o-1", "lines": [{}], "state": "closed"}`, []string{`: required: "total" is missing`}},
		{`{"id": "o-1", "lines": [{}], "payment": {"kind": 1, "number": 4}}`, []string{
			`/payment/number: type: number, not string`,
		}},
		{`{"id": "o-1", "lines": [{}], "payment": {"kind": 3}}`, []string{
			`/payment: oneOf: matches none of 2 alternatives: (1) "number" is missing; (2) /kind: 3 is not 2`,
		}},
		{`{"id": "o-1", "lines": [{}], "scalar": 3}`, []string{`/scalar: minimum: 3 is less than 10`}},
		{`{"id": "o-1", "lines": [{}], "scalar": []}`, []string{
			`/scalar: anyOf: matches none of 2 alternatives: (1) array, not string; (2) array, not integer`,
		}},
		{`{"id": "o-1", "lines": [{}], "never": 1, "notes": "n"}`, []string{
			`/never: properties: no value is allowed here`,
			`/notes: not: matches what is not allowed`,
		}},
		{`{"id": "o-1", "lines": [{}], "X": 1}`, []string{
			`: propertyNames: the name "X" does not match "^[a-z]"`,
		}},
		{`{"id": "o-1", "lines": [{}], "x~/y": 1}`, []string{`: unevaluatedProperties: "x~/y" is not allowed`}},
	}
	p := compile(t, "reports", []subject{{schema: []byte(order), draft: schema.Draft2020, assertFormat: true}})
	if err := p.refused[0]; err != nil {
		t.Fatal(err)
	}
	var questions []question
	for _, c := range cases {
		questions = append(questions, question{Subject: 0, Instance: c.instance})
	}
	for i, a := range p.ask(t, questions) {
		if got, want := strings.Join(a.Violations, "\n"), strings.Join(cases[i].want, "\n"); got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", cases[i].instance, got, want)
		}
	}
}

// TestPredicates_AcceptWithoutAllocating counts what a verdict costs.
func TestPredicates_AcceptWithoutAllocating(t *testing.T) {
	t.Parallel()
	var long []string
	for i := range 300 {
		long = append(long, fmt.Sprintf(`%d.5, "s%d"`, i, i))
	}
	subjects := []subject{
		{schema: []byte(order), draft: schema.Draft2020, assertFormat: true},
		{schema: []byte(`{"enum": [` + strings.Join(long, ",") + `]}`), draft: schema.Draft2020},
	}
	questions := []question{
		{Count: true, Subject: 0, Instance: `{"id": "o-1", "email": "a@example.com", "state": "closed", "version": 2.0, "total": 12.50, "tags": ["eu", "b"],
			"lines": [{"quantity": 1}, {"quantity": 2, "sku": "abc"}], "payment": {"kind": 2, "till": 1}, "scalar": "s", "notes": 1}`},
		{Count: true, Subject: 1, Instance: `299.50`},
		{Count: true, Subject: 1, Instance: `"s299"`},
	}
	for i, a := range compile(t, "allocations", subjects).ask(t, questions) {
		if !a.Valid || a.Allocs > 0 {
			t.Errorf("%d: valid %v %v, %v allocations", i, a.Valid, a.Violations, a.Allocs)
		}
	}
}

// Every level has its kind behind its child, so that each alternative looks
// through the child before it finds that it is not meant.
func TestPredicates_RecursiveAlternativesTakeLinearTime(t *testing.T) {
	t.Parallel()
	const depth = 400
	schemas := []string{
		`{"oneOf": [
			{"properties": {"kind": {"const": 1}, "child": {"$ref": "#"}}, "required": ["kind"]},
			{"properties": {"kind": {"const": 2}, "child": {"$ref": "#"}}, "required": ["kind"]},
			{"properties": {"kind": {"const": 3}, "child": {"$ref": "#"}}, "required": ["kind"]}]}`,
		`{"properties": {"child": {"$ref": "#"}}, "patternProperties": {"^c": {"$ref": "#"}}, "required": ["kind"]}`,
		`{"properties": {"child": {"$ref": "#"}}, "required": ["kind"], "if": {"properties": {"child": {"$ref": "#"}}}, "then": true, "else": false}`,
	}
	leaves := []string{`{"kind": 1}`, `{}`}
	var subjects []subject
	var questions []question
	for i, text := range schemas {
		subjects = append(subjects, subject{schema: []byte(text), draft: schema.Draft2020})
		for _, leaf := range leaves {
			instance := strings.Repeat(`{"child": `, depth) + leaf + strings.Repeat(`, "kind": 3}`, depth)
			questions = append(questions, question{Subject: i, Instance: instance})
		}
	}
	for i, a := range compile(t, "recursive", subjects).ask(t, questions) {
		if want := questions[i].Instance[len(`{"child": `)*depth:][1] == '"'; a.Valid != want || a.Reported != want {
			t.Errorf("%s: valid %v, want %v: %q", schemas[questions[i].Subject], a.Valid, want, a.Violations)
		}
	}
}
