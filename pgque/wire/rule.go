package wire

import (
	"strconv"
	"unicode/utf8"
)

// maxShown bounds the piece of a value or a limit that a message shows, in
// bytes.
const maxShown = 64

// Quote renders text of unknown origin for a message: short, in quotes, without
// control characters.
func Quote(s string) string {
	if len(s) <= maxShown {
		return strconv.QuoteToGraphic(s)
	}
	cut := maxShown
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.QuoteToGraphic(s[:cut]) + "…"
}

// Show renders a value for a message. Strings are quoted as Quote does; Numbers
// and numbers of Go are shown as text; of a Value that is an array or an object
// only the kind is shown.
func Show(v any) string {
	switch v := v.(type) {
	case string:
		return Quote(v)
	case Number:
		return shorten(string(v))
	case *Value:
		return v.show()
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case Exact:
		return shorten(string(v.Text()))
	case float64:
		return string(AppendFloat(nil, v))
	case bool:
		return strconv.FormatBool(v)
	case nil:
		return "null"
	case interface{ String() string }:
		return Quote(v.String())
	}
	return "value"
}

// printable is s without control characters and cut to a sane length, unquoted.
func printable(s string) string {
	q := strconv.QuoteToGraphic(s)
	return shorten(q[1 : len(q)-1])
}

// shorten cuts text that is known to be printable.
func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	cut := maxShown
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// Type fails the keyword type: "string, not number".
func (r *Report) Type(got Kind, want string) {
	if r != nil {
		r.Fail("type", got.String()+", not "+want)
	}
}

// Number fails minimum, maximum, exclusiveMinimum, exclusiveMaximum or
// multipleOf: "0 is less than 1". The value is anything that Show takes.
func (r *Report) Number(keyword string, value any, limit string) {
	if r != nil {
		r.Fail(keyword, Show(value)+relations[keyword]+shorten(limit))
	}
}

var relations = map[string]string{
	"minimum":          " is less than ",
	"maximum":          " is greater than ",
	"exclusiveMinimum": " is not greater than ",
	"exclusiveMaximum": " is not less than ",
	"multipleOf":       " is not a multiple of ",
}

// Count fails minLength, maxLength, minItems, maxItems, minProperties,
// maxProperties, minContains or maxContains: "2 characters, at least 3
// required".
func (r *Report) Count(keyword string, got, limit int) {
	if r == nil {
		return
	}
	rule, end := ", at least ", " required"
	if keyword[1] == 'a' {
		rule, end = ", at most ", " allowed"
	}
	unit := units[keyword[3:]]
	if got != 1 {
		unit += "s"
	}
	r.Fail(keyword, strconv.Itoa(got)+" "+unit+rule+strconv.Itoa(limit)+end)
}

// units is keyed by the keyword without min or max.
var units = map[string]string{
	"Length":     "character",
	"Items":      "item",
	"Properties": "member",
	"Contains":   "matching item",
}

// Required fails required at the object that lacks the member.
func (r *Report) Required(name string) {
	if r != nil {
		r.Fail("required", Quote(name)+" is missing")
	}
}

// Dependent fails dependentRequired at the object that has one member without
// the other.
func (r *Report) Dependent(present, missing string) {
	if r != nil {
		r.Fail("dependentRequired", Quote(missing)+" is missing beside "+Quote(present))
	}
}

// Unknown fails additionalProperties or unevaluatedProperties at the object that
// has a member too many.
func (r *Report) Unknown(keyword, name string) {
	if r != nil {
		r.Fail(keyword, Quote(name)+" is not allowed")
	}
}

// Pattern fails pattern: `"abc" does not match "^[0-9]+$"`.
func (r *Report) Pattern(value, pattern string) {
	if r != nil {
		r.Fail("pattern", Quote(value)+" does not match "+Quote(pattern))
	}
}

// Format fails format: `"abc" is no uuid`.
func (r *Report) Format(value, format string) {
	if r != nil {
		r.Fail("format", Quote(value)+" is no "+shorten(format))
	}
}

// Enum fails enum: `"abc" is none of the allowed values`. The value is anything
// that Show takes.
func (r *Report) Enum(value any) {
	if r != nil {
		r.Fail("enum", Show(value)+" is none of the allowed values")
	}
}

// Const fails const. The value is anything that Show takes, want is JSON text.
func (r *Report) Const(value any, want string) {
	if r != nil {
		r.Fail("const", Show(value)+" is not "+constant(want))
	}
}

// constant shows the JSON text of a constant.
func constant(want string) string {
	if v, err := Parse([]byte(want)); err == nil && v.kind != Array && v.kind != Object {
		return Show(v)
	}
	return printable(want)
}

// Unique fails uniqueItems.
//
//go:noinline
func (r *Report) Unique() {
	if r != nil {
		r.Fail("uniqueItems", "two items are equal")
	}
}

// Never fails a value where the schema is false.
//
//go:noinline
func (r *Report) Never(keyword string) {
	if r != nil {
		r.Fail(keyword, "no value is allowed here")
	}
}
