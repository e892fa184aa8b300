package wire_test

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

func TestTextRules(t *testing.T) {
	rules := &wire.TextRules{
		MinLength: 2, MaxLength: 4, Pattern: &wire.Pattern{Source: `^\cJ?x`, RE2: `^\n?x`},
		Format: wire.Format{Name: "email", Valid: wire.FormatEmail},
		Also:   &wire.TextRules{Pattern: &wire.Pattern{Source: "y$"}, Also: &wire.TextRules{Const: []string{"x@y"}}},
	}
	for s, want := range map[string]string{
		"x@y":   "",
		"x":     `1 character, at least 2 required; "x" is no email; "x" does not match "y$"; "x" is not "x@y"`,
		"ööö":   `"ööö" does not match "^\\cJ?x"; "ööö" is no email; "ööö" does not match "y$"; "ööö" is not "x@y"`,
		"x@yyy": `5 characters, at most 4 allowed; "x@yyy" is not "x@y"`,
	} {
		both(t, s, want,
			func(d *wire.Decoder) { var v string; d.String(&v, rules) },
			func(e *wire.Encoder) { e.String("", s, rules) })
	}
	both(t, "x", "1 character, at most 0 allowed",
		func(d *wire.Decoder) { var v string; d.String(&v, &wire.TextRules{MaxLength: wire.Nothing}) },
		func(e *wire.Encoder) { e.String("", "x", &wire.TextRules{MaxLength: wire.Nothing}) })
}

func TestIntegerRules(t *testing.T) {
	rules := &wire.IntegerRules{
		Min: 1, Max: 8, MinRule: wire.Limit{Keyword: "exclusiveMinimum", Text: "0.5"},
		Also: &wire.IntegerRules{Min: wire.NoMin, Max: wire.NoMax, Multiple: 2, Enum: []int64{2, 4, 6}, Also: &wire.IntegerRules{Min: wire.NoMin, Max: wire.NoMax, Const: []int64{4}}},
	}
	for i, want := range map[int64]string{
		4:  "",
		0:  "0 is not greater than 0.5; 0 is none of the allowed values; 0 is not 4",
		10: "10 is greater than 8; 10 is none of the allowed values; 10 is not 4",
		3:  "3 is none of the allowed values; 3 is not a multiple of 2; 3 is not 4",
	} {
		both(t, i, want,
			func(d *wire.Decoder) { var v int64; d.Int64(&v, rules) },
			func(e *wire.Encoder) { e.Int64("", i, rules) })
	}
	unsigned := &wire.UnsignedRules{Min: 0, Max: math.MaxUint64 - 1}
	both(t, uint64(math.MaxUint64), "18446744073709551615 is greater than 18446744073709551614",
		func(d *wire.Decoder) { var v uint64; d.Uint64(&v, unsigned) },
		func(e *wire.Encoder) { e.Uint64("", math.MaxUint64, unsigned) })
}

func TestNumberRules(t *testing.T) {
	for _, c := range []struct {
		rules *wire.NumberRules
		f     float64
		want  string
	}{
		{&wire.NumberRules{Minimum: "0.5", Maximum: "1.5"}, 1, ""},
		{&wire.NumberRules{Minimum: "0.5", Maximum: "1.5"}, 0.5, ""},
		{&wire.NumberRules{Minimum: "0.5", Maximum: "1.5"}, 1.5, ""},
		{&wire.NumberRules{Minimum: "0.5", Maximum: "1.5"}, 0.25, "0.25 is less than 0.5"},
		{&wire.NumberRules{Minimum: "0.5", Maximum: "1.5"}, 2, "2 is greater than 1.5"},
		{&wire.NumberRules{ExclusiveMinimum: "0", ExclusiveMaximum: "1"}, 0.5, ""},
		{&wire.NumberRules{ExclusiveMinimum: "0", ExclusiveMaximum: "1"}, 0, "0 is not greater than 0"},
		{&wire.NumberRules{ExclusiveMinimum: "0", ExclusiveMaximum: "1"}, 1, "1 is not less than 1"},
		{&wire.NumberRules{MultipleOf: "0.1"}, 0.3, ""},
		{&wire.NumberRules{MultipleOf: "0.1"}, 0.35, "0.35 is not a multiple of 0.1"},
		{&wire.NumberRules{Maximum: "9", Also: &wire.NumberRules{Maximum: "8"}}, 8.5, "8.5 is greater than 8"},
		{&wire.NumberRules{Maximum: "0.0999999999999999999999"}, 0.1, "0.1 is greater than 0.0999999999999999999999"},
	} {
		for range 2 { // rules are made ready by the first use
			both(t, c.f, c.want,
				func(d *wire.Decoder) { var v float64; d.Float(&v, c.rules) },
				func(e *wire.Encoder) { e.Float("", c.f, c.rules) })
		}
	}
}

func TestWords(t *testing.T) {
	few := &wire.Words{Type: "Colour", Values: []string{"red", "é\"\n", ""}}
	many := &wire.Words{Type: "Colour"}
	for i := range 40 {
		many.Values = append(many.Values, strings.Repeat("x", i))
	}
	for _, w := range []*wire.Words{few, many} {
		for _, value := range w.Values {
			both(t, value, "",
				func(d *wire.Decoder) {
					var v string
					if d.Word(&v, w); v != value {
						t.Errorf("%q became %q", value, v)
					}
				},
				func(e *wire.Encoder) { e.Word("", value, w) })
		}
		both(t, "blue", `"blue" is none of the allowed values`,
			func(d *wire.Decoder) { var v string; d.Word(&v, w) },
			func(e *wire.Encoder) { e.Word("", "blue", w) })
	}
	var v string
	if err := few.Unmarshal(&v, []byte(` "\u00e9\"\n" `)); err != nil || v != few.Values[1] {
		t.Errorf("%q, %v", v, err)
	}
	if err := few.Unmarshal(&v, []byte("1")); err == nil || err.Error() != "Colour: number, not string" || v != few.Values[1] {
		t.Errorf("%q, %v", v, err)
	}
	if b, err := few.Append([]byte("x"), "blue"); err == nil || string(b) != "x" {
		t.Errorf("%s, %v", b, err)
	}
	secret := &wire.Words{Type: "Pin", Values: []string{"1"}, Hidden: true}
	for _, err := range []error{secret.Validate("4711"), secret.Unmarshal(&v, []byte(`"4711"`))} {
		if err == nil || err.Error() != "Pin: a secret breaks enum" {
			t.Error(err)
		}
	}
}

// Rules are values of a package: they are made ready while many use them.
func TestRules_AreUsedAtOnce(t *testing.T) {
	text := &wire.TextRules{Pattern: &wire.Pattern{Source: "^x"}}
	number := &wire.NumberRules{Minimum: "1"}
	words := &wire.Words{Values: []string{"x"}}
	fields := &wire.Fields{Names: []string{"a"}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d := wire.NewDecoder([]byte(`{"a":["x",1,"x"]}`))
			m := d.Fields(fields)
			for m.Next(d) {
				var s string
				var f float64
				d.Array()
				d.Item()
				d.String(&s, text)
				d.Item()
				d.Float(&f, number)
				d.Item()
				d.Word(&s, words)
				d.Item()
			}
			if err := d.Err("e"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// both reads a value and writes it, and compares what is wrong with it.
func both(t *testing.T, value any, want string, read func(*wire.Decoder), write func(*wire.Encoder)) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	d := wire.NewDecoder(text)
	read(d)
	e := wire.Encode(nil)
	write(e)
	for way, err := range map[string]error{"read": d.Err("e"), "written": e.Err("e")} {
		if got := messages(err); got != want {
			t.Errorf("%s %s: got %s", text, way, got)
		}
	}
	e = wire.Encode(nil)
	write(e)
	if got := e.Take(); want == "" && !wire.Equal(wire.MustParse(string(got)), wire.MustParse(string(text))) {
		t.Errorf("%s was written as %s", text, got)
	}
}

// messages are those of all violations.
func messages(err error) string {
	invalid, ok := err.(*wire.ValidationError)
	if !ok {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	var list []string
	for _, v := range invalid.Violations {
		list = append(list, v.Message)
	}
	return strings.Join(list, "; ")
}
