package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

// encoded is what an Encoder writes, and the violations of the value.
func encoded(t *testing.T, write func(e *wire.Encoder)) (text string, violations []string) {
	t.Helper()
	e := wire.Encode(nil)
	write(e)
	err := e.Err("e")
	var invalid *wire.ValidationError
	if errors.As(err, &invalid) {
		for _, v := range invalid.Violations {
			violations = append(violations, v.Pointer+": "+v.Message)
		}
	} else if err != nil {
		t.Fatal(err)
	}
	e = wire.Encode(nil)
	write(e)
	return string(e.Take()), violations
}

func TestEncoder_WritesTheTextAndTheValue(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	text, violations := encoded(t, func(e *wire.Encoder) {
		e.String(`{"text":`, "a\"é", nil)
		e.Bool(`,"bool":`, true)
		e.Int64(`,"int":`, -7, nil)
		e.Uint64(`,"uint":`, math.MaxUint64, nil)
		e.Float(`,"float":`, 0.5, nil)
		e.Time(`,"time":`, at)
		e.UUID(`,"uuid":`, wire.UUID{1})
		e.Date(`,"date":`, wire.Date{Year: 2026, Month: 1, Day: 2})
		e.TimeOfDay(`,"clock":`, wire.TimeOfDay{Hour: 3})
		e.Duration(`,"duration":`, wire.Duration{Days: 1})
		e.Raw(`,"raw":`, json.RawMessage(`{ "a" : [1,{}] }`))
		e.Value(`,"value":`, &at)
		e.Object(`,"map":`, 2, nil)
		e.Name("a", nil)
		e.Array("", 2, nil)
		e.Comma()
		e.Text("{")
		e.Text("}")
		e.Comma()
		e.Text("null]")
		e.Name("b\"", nil)
		e.ConstBool("", false, false)
		e.Text("}}")
	})
	const want = `{"text":"a\"é","bool":true,"int":-7,"uint":18446744073709551615,"float":0.5,"time":"2026-01-02T03:04:05Z",` +
		`"uuid":"01000000-0000-0000-0000-000000000000","date":"2026-01-02","clock":"03:00:00Z","duration":"P1D",` +
		`"raw":{ "a" : [1,{}] },"value":"2026-01-02T03:04:05Z","map":{"a":[{},null],"b\"":false}}`
	if text != want || violations != nil {
		t.Errorf("got  %s\nwant %s\n%q", text, want, violations)
	}
}

func TestEncoder_PointsAtWhatIsWrong(t *testing.T) {
	short := &wire.TextRules{MaxLength: 1}
	_, violations := encoded(t, func(e *wire.Encoder) {
		e.Raw(`{"before":`, json.RawMessage(`{"x": [1, {"y" : "]"}, "a,b"], "z":-1e5 }`))
		e.String(`,"a/b":`, "xx", short)
		e.Array(`,"list":`, 0, &wire.Count{Min: 1})
		for _, s := range []string{"x", "xx", "\xff"} {
			e.Comma()
			e.String(`{"s~\n":`, s, short)
			e.Text("}")
		}
		e.Int64(",", 0, &wire.IntegerRules{Min: 1, Max: wire.NoMax})
		e.Text("]")
		e.Required("gone")
		e.Object(`,"map":`, 2, &wire.Count{Max: 1})
		e.OtherName("list", &wire.Fields{Names: []string{"list"}})
		e.Word("", "green", &wire.Words{Values: []string{"red"}})
		e.Name("kk", short)
		e.Float("", math.NaN(), nil)
		e.Text("}")
		e.Time(`,"time":`, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
		e.Raw(`,"raw":`, json.RawMessage(`{"a":`))
		e.Text(`,"nil":`)
		e.Fail("type", "nil is none of the alternatives")
		e.Text("null}")
	})
	want := []string{
		`/a~1b: 2 characters, at most 1 allowed`,
		`/list: 0 items, at least 1 required`,
		"/list/1/s~0\n: 2 characters, at most 1 allowed",
		"/list/2/s~0\n: text that is not UTF-8",
		`/list/3: 0 is less than 1`,
		`: "gone" is missing`,
		`/map: 2 members, at most 1 allowed`,
		`/map: "list" is not allowed`,
		`/map/list: "green" is none of the allowed values`,
		`/map/kk: 2 characters, at most 1 allowed`,
		`/map/kk: not a number that JSON has`,
		`/time: "10000-01-01 00:00:00 +0000 UTC" is no date-time`,
		`/raw: value: invalid JSON at byte 5: unexpected end`,
		`/nil: nil is none of the alternatives`,
	}
	for i := range max(len(want), len(violations)) {
		if i >= len(violations) || i >= len(want) || violations[i] != want[i] {
			t.Fatalf("violation %d: got\n%s\nwant\n%s", i, strings.Join(violations, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestEncoder_AppendsAndLeavesWhatWasThere(t *testing.T) {
	for _, room := range []int{0, 4000} {
		before := append(make([]byte, 0, 2+room), "[{"...) // which is not the Encoder's
		write := func(s string, rules *wire.TextRules) ([]byte, error) {
			e := wire.Encode(before)
			e.String(`{"a":`, s, rules)
			e.Text("}")
			return e.Close("e")
		}
		if got, err := write("x", nil); err != nil || string(got) != `[{{"a":"x"}` || room > 0 && &got[0] != &before[0] {
			t.Errorf("with room for %d: %s, %v", room, got, err)
		}
		got, err := write("x", &wire.TextRules{MinLength: 2})
		if err == nil || err.Error() != "e: /a: 1 character, at least 2 required" || string(got) != "[{" {
			t.Errorf("with room for %d: %s, %v", room, got, err)
		}
		if long, err := write(strings.Repeat("é", 9999), nil); err != nil || len(long) != len(`[{{"a":""}`)+2*9999 {
			t.Errorf("with room for %d: %d bytes, %v", room, len(long), err)
		}
	}
}

func TestEncoder_IsPooledWithoutTraces(t *testing.T) {
	for range 10 {
		e := wire.Encode(nil)
		e.Conceal()
		e.Float("", math.Inf(1), nil)
		if err := e.Err("e"); err == nil || err.Error() != "e: a secret breaks type" {
			t.Fatal(err)
		}
		e = wire.Encode(nil)
		e.Int64("", 1, &wire.IntegerRules{Min: 2, Max: wire.NoMax})
		if _, err := e.Close("e"); err == nil || err.Error() != "e: 1 is less than 2" {
			t.Fatal(err)
		}
		e = wire.Encode(nil)
		e.Text("[1]")
		if text, err := e.Close("e"); err != nil || string(text) != "[1]" {
			t.Fatal(string(text), err)
		}
	}
}

func TestEncoder_SecretsStayOutOfMessages(t *testing.T) {
	_, violations := encoded(t, func(e *wire.Encoder) {
		e.Text(`{"card":`)
		e.Conceal()
		e.String(`{"number":`, "4711", &wire.TextRules{MaxLength: 1})
		e.Text(`,"pin":`)
		e.Conceal()
		e.Int64("", 9, &wire.IntegerRules{Min: 0, Max: 1})
		e.Reveal()
		e.Text("}")
		e.Reveal()
		e.Int64(`,"cents":`, 9, &wire.IntegerRules{Min: 0, Max: 1})
		e.Text("}")
	})
	want := "/card: a secret breaks maxLength\n/card: a secret breaks maximum\n/cents: 9 is greater than 1"
	if got := strings.Join(violations, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestEncoder_PredicatesDecideOnTheText(t *testing.T) {
	refuse := func(v *wire.Value, _ *wire.Evaluated, r *wire.Report) bool {
		r.Enter("b")
		r.Fail("not", "is "+string(v.Get("b").Raw()))
		r.Leave()
		return false
	}
	write := func(a int64) func(e *wire.Encoder) {
		return func(e *wire.Encoder) {
			e.Int64(`{"a":`, a, &wire.IntegerRules{Min: 1, Max: 1})
			e.Text(`,"o":`)
			mark := e.Mark()
			e.Int64(`{"b":`, 2, nil)
			e.Text("}")
			e.Decide(mark, refuse, refuse)
			e.Text("}")
		}
	}
	if _, violations := encoded(t, write(1)); strings.Join(violations, "\n") != "/o/b: is 2\n/o/b: is 2" {
		t.Errorf("got %q", violations)
	}
	if _, violations := encoded(t, write(0)); strings.Join(violations, "\n") != "/a: 0 is less than 1" {
		t.Errorf("after a violation: %q", violations)
	}
}

// exactly is a number that is at most 0.1, decided on its text.
type exactly struct{ f float64 }

func (x *exactly) UnmarshalJSON(b []byte) error {
	d := wire.Open(b)
	d.Float(&x.f, &wire.NumberRules{Maximum: "0.1"})
	return d.Close("e")
}

func TestEncoder_RestoredTextIsWhatIsValid(t *testing.T) {
	for read, valid := range map[string]bool{"0.09999999999999999999": true, "0.1000000000000000000001": false} {
		d := wire.NewDecoder([]byte(read))
		var f float64
		d.Float(&f, nil)
		spellings := d.Spellings()
		e := wire.Encode(nil)
		e.Remember(spellings)
		e.Float("", f, &wire.NumberRules{ExclusiveMaximum: "0.1"}) // which the text decides, not f
		e.Restore(new(exactly))
		text, err := e.Close("e")
		if (err == nil) != valid || valid && string(text) != read {
			t.Errorf("%s: %s, %v", read, text, err)
		}
	}
}

func TestEncoder_WhatTheTextDoesNotShowIsRefused(t *testing.T) {
	for want, write := range map[string]func(e *wire.Encoder){
		"e: not a number that JSON has":                    func(e *wire.Encoder) { e.Float("", math.NaN(), nil) },
		"e: text that is not UTF-8":                        func(e *wire.Encoder) { e.String("", "\xff", nil) },
		"e: has no value":                                  func(e *wire.Encoder) { e.Raw("", nil) },
		"e: value: invalid JSON at byte 1: unexpected end": func(e *wire.Encoder) { e.Raw("", []byte("{")) },
		"e: an object in Other; set the fields":            func(e *wire.Encoder) { e.Other([]byte(" {}")) },
		"e: an item is missing before others":              func(e *wire.Encoder) { e.Tuple(nil, 0, false, true) },
		`e: "a" is missing`:                                func(e *wire.Encoder) { e.Required("a") },
		"e: nil is none of the alternatives":               func(e *wire.Encoder) { e.Fail("type", "nil is none of the alternatives") },
		`e: "\xff" is none of the allowed values`:          func(e *wire.Encoder) { e.Word("", "\xff", &wire.Words{Values: []string{"\ufffd"}}) },
		`e: "P1W" is no duration`:                          func(e *wire.Encoder) { e.Duration("", wire.Duration{Weeks: 1, Days: 1}) },
		`e: "2026-01-01 00:00:00 +0000 +0000" is no date-time`: func(e *wire.Encoder) {
			e.Time("", time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 1)))
		},
		`e: /\xff: text that is not UTF-8`: func(e *wire.Encoder) {
			e.Text("{")
			e.Name("\xff", nil)
		},
		`e: "a" is not allowed`: func(e *wire.Encoder) {
			e.Text("{")
			e.OtherName("a", &wire.Fields{Names: []string{"a"}})
		},
	} {
		for _, spellings := range []*wire.Spellings{nil, {}} {
			e := wire.Encode(nil)
			e.Remember(spellings)
			write(e)
			if spellings != nil {
				e.Restore(new(exactly))
			}
			if err := e.Err("e"); err == nil || err.Error() != want {
				t.Errorf("with spellings %v: got %v, want %s", spellings, err, want)
			}
		}
	}
}

func TestEncoder_ZeroStandsForAConstant(t *testing.T) {
	version := &wire.IntegerRules{Min: wire.NoMin, Max: wire.NoMax, Const: []int64{3}}
	kind := &wire.TextRules{Const: []string{"card"}}
	for _, c := range []struct {
		i          int64
		s          string
		violations string
	}{
		{0, "", ""}, {3, "card", ""}, {4, "cash", `/v: 4 is not 3; /k: "cash" is not "card"`},
	} {
		text, violations := encoded(t, func(e *wire.Encoder) {
			e.ConstantInt64(`{"v":`, c.i, version)
			e.Constant(`,"k":`, c.s, kind)
			e.Text("}")
		})
		if got := strings.Join(violations, "; "); got != c.violations || c.violations == "" && text != `{"v":3,"k":"card"}` {
			t.Errorf("%s: %s", text, got)
		}
	}
	if _, violations := encoded(t, func(e *wire.Encoder) { e.ConstBool("", false, true) }); strings.Join(violations, "") != ": false is not true" {
		t.Errorf("got %q", violations)
	}
}

func TestEncoder_TupleEndsAtTheFirstThatIsAbsent(t *testing.T) {
	limits := &wire.Count{Min: 2, Max: 3}
	for _, c := range []struct {
		present [2]bool
		rest    int
		want    string
	}{
		{[2]bool{true, true}, 0, ""},
		{[2]bool{true, true}, 1, ""},
		{[2]bool{true, true}, 2, "/t: 4 items, at most 3 allowed"},
		{[2]bool{true, false}, 0, "/t: 1 item, at least 2 required"},
		{[2]bool{false, true}, 0, "/t: an item is missing before others; /t: 0 items, at least 2 required"},
		{[2]bool{true, false}, 2, "/t: an item is missing before others; /t: 1 item, at least 2 required"},
	} {
		_, violations := encoded(t, func(e *wire.Encoder) {
			e.Text(`{"t":`)
			e.Tuple(limits, c.rest, c.present[0], c.present[1])
			e.Text("]}")
		})
		if got := strings.Join(violations, "; "); got != c.want {
			t.Errorf("%v: got %s", c, got)
		}
	}
}
