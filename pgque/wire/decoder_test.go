package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/pgque/pgque-go/pgque/wire"
)

// strict says what encoding/json does not: whether a text that it takes is also
// UTF-8, without lone surrogates, duplicate names and too much depth.
func strict(text []byte) bool {
	if !utf8.Valid(text) || !json.Valid(text) || bytes.Contains(text, []byte(`\u`)) && loneSurrogate(text) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return uniqueNames(d, 0)
}

// loneSurrogate looks at the escapes of a valid text.
func loneSurrogate(text []byte) bool {
	pending := false // a high surrogate has just been read
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			if pending {
				return true
			}
			i++
			continue
		}
		if text[i+1] != 'u' {
			if pending {
				return true
			}
			i += 2
			continue
		}
		var unit rune
		fmt.Sscanf(string(text[i+2:i+6]), "%04x", &unit)
		low, high := unit >= 0xDC00 && unit <= 0xDFFF, unit >= 0xD800 && unit <= 0xDBFF
		if low != pending {
			return true
		}
		pending = high
		i += 6
	}
	return pending
}

// uniqueNames walks over one value.
func uniqueNames(d *json.Decoder, depth int) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	open, isDelim := token.(json.Delim)
	if !isDelim {
		return true
	}
	if depth++; depth > wire.MaxDepth {
		return false
	}
	seen := make(map[string]bool)
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil || seen[name.(string)] {
				return false
			}
			seen[name.(string)] = true
		}
		if !uniqueNames(d, depth) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}

var texts = []string{
	``, ` `, `null`, `true`, `false`, `0`, `-0`, `1.5e+10`, `"a"`, `[]`, `{}`, ` [ 1 , 2 ] `, `{"a":{"b":[null]}}`, orderJSON,
	`nul`, `nulll`, `tru`, `+1`, `01`, `1.`, `.5`, `1e`, `1e+`, `-`, `--1`, `0x1`, `NaN`, `"`, `"\`, `"\u12"`, `"\x"`,
	"\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", `"\ud800"`, `"\udc00"`, `"\ud83d\ude00"`,
	`"\ud83d\u0041"`, `"\ud83dx"`, `"😀é"`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"x":1,"x":1}}`, `1 2`, `[]]`, `}`, `]`, `,`, `:`, "\ufeff1", "\t\n\r 1", "\v1", "[\f]",
	`{"":1,"":2}`, strings.Repeat(`[`, 600), strings.Repeat(`[`, 512) + strings.Repeat(`]`, 512), strings.Repeat(`[`, 513) + strings.Repeat(`]`, 513),
	manyMembers(40), manyMembers(40)[:100] + `,"m7":0}`, `{"\"\\\/\b\f\n\r\t":1}`, `["aaaaaaaa\"bbbbbbbbbb\\ccccccccccccc\u00e9"]`,
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	return "{" + b.String()[1:] + "}"
}

// FuzzText asks every way of reading whole values for the same verdict, that of
// encoding/json with the stricter rules.
func FuzzText_AgreesWithEncodingJSON(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := strict(text)
		before := bytes.Clone(text)
		d := wire.NewDecoder(text)
		d.Skip()
		if err := d.Err("e"); (err == nil) != want {
			t.Errorf("Skip: %q: want valid %v, got %v", text, want, err)
		}
		d.Reset(text)
		if walk(d); (d.Err("e") == nil) != want {
			t.Errorf("walk: %q: want valid %v, got %v", text, want, d.Err("e"))
		}
		d.Reset(text)
		raw, ok := d.Raw()
		if valid := d.Err("e") == nil; valid != want || valid && (!ok || !bytes.Equal(bytes.Trim(text, " \t\r\n"), raw)) {
			t.Errorf("Raw: %q gave %q", text, raw)
		}
		v, err := wire.Parse(text)
		if (err == nil) != want {
			t.Errorf("Parse: %q: want valid %v, got %v", text, want, err)
		}
		if err == nil {
			sameTree(t, text, v)
		}
		if !bytes.Equal(text, before) {
			t.Error("the text was written to")
		}
	})
}

// walk reads a value by the methods for its parts. It leaves duplicates to maps, as
// generated code does.
func walk(d *wire.Decoder) {
	switch d.Kind() {
	case wire.Null:
		d.Null()
	case wire.Bool:
		var v bool
		d.Bool(&v)
	case wire.Num:
		d.Number()
	case wire.String:
		var s string
		d.String(&s, nil)
	case wire.Array:
		for d.Array(); d.Item(); {
			walk(d)
		}
	case wire.Object:
		seen := make(map[string]bool)
		for d.Object(); d.Member(); {
			if seen[string(d.Key())] {
				d.Duplicate()
			}
			seen[string(d.Key())] = true
			walk(d)
		}
	default:
		d.Skip()
	}
}

// sameTree compares a parsed value with what encoding/json makes of the text.
func sameTree(t *testing.T, text []byte, v *wire.Value) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var want any
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if got := tree(v); !reflect.DeepEqual(got, want) {
		t.Errorf("%q: got %v, want %v", text, got, want)
	}
}

func tree(v *wire.Value) any {
	switch v.Kind() {
	case wire.Bool:
		return v.Bool()
	case wire.Num:
		return json.Number(v.Number())
	case wire.String:
		return v.Text()
	case wire.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = tree(v.Item(i))
		}
		return list
	case wire.Object:
		m := make(map[string]any)
		for i := range v.Len() {
			if v.Index(v.Name(i)) != i {
				return "an index that is wrong"
			}
			m[v.Name(i)] = tree(v.Item(i))
		}
		return m
	}
	return nil
}

// hostile texts are large. Reading them ends with an error.
var hostile = map[string]string{
	"nested arrays":        strings.Repeat("[", 1_000_000),
	"nested objects":       strings.Repeat(`{"a":`, 1_000_000),
	"nested empty names":   strings.Repeat(`{"":`, 500_000) + "1" + strings.Repeat("}", 500_000),
	"duplicates":           "{" + strings.Repeat(`"a":1,`, 200_000) + `"a":1}`,
	"late duplicate":       manyMembers(200_000)[:2_000_000] + `":1,"m5":1}`,
	"surrogates":           `["` + strings.Repeat(`\ud800`, 200_000) + `"]`,
	"unfinished string":    `"` + strings.Repeat("a", 4_000_000),
	"unfinished escapes":   `"` + strings.Repeat(`\\`, 1_000_000) + `\`,
	"invalid UTF-8":        `"` + strings.Repeat("é", 1_000_000) + "\xff\"",
	"spaces":               strings.Repeat(" ", 4_000_000),
	"number with two dots": strings.Repeat("1", 2_000_000) + ".1.1",
}

func TestDecoder_HostileTextsEndSoon(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			if _, err := wire.Parse([]byte(text)); err == nil {
				t.Error("Parse took it")
			}
			d := wire.NewDecoder([]byte(text))
			if d.Skip(); d.Err("e") == nil {
				t.Error("Skip took it")
			}
			var o order
			if o.UnmarshalJSON([]byte(text)) == nil {
				t.Error("an order took it")
			}
			if spent := time.Since(started); spent > 5*time.Second {
				t.Errorf("that took %v", spent)
			}
		})
	}
}

func TestDecoder_MegabyteNumbers(t *testing.T) {
	digits := strings.Repeat("7", 1<<20)
	seven := wire.MustDecimal("7")
	for _, text := range []string{digits, "-" + digits, "0." + digits, "1e" + digits, "1e-" + digits, digits + "." + digits + "e" + digits, "0." + strings.Repeat("0", 1<<20) + "1"} {
		n := wire.Number(text)
		n.Compare(seven)
		n.IsInteger()
		n.MultipleOf(seven)
		n.Float64()
		var i int64
		if d := wire.NewDecoder([]byte(text)); d.Int64(&i, nil) || d.Err("e") == nil {
			t.Errorf("%.20s… is no int64", text)
		}
	}
	if !wire.Number(digits).MultipleOf(seven) || wire.Number(digits).MultipleOf(wire.MustDecimal("10")) {
		t.Error("wrong remainder of a large number")
	}
}

func TestDecoder_ErrorMessages(t *testing.T) {
	for text, want := range map[string]string{
		``:                       "e: invalid JSON at byte 0: unexpected end",
		`{"a":1,"a":2}`:          "e: invalid JSON at byte 11: duplicate member name",
		`[1] 2`:                  "e: invalid JSON at byte 4: data behind the value",
		`[1,`:                    "e: invalid JSON at byte 3: unexpected end",
		`["\ud800"]`:             "e: invalid JSON at byte 2: lone surrogate",
		"\"\n\"":                 "e: invalid JSON at byte 1: control character in a string",
		strings.Repeat("[", 600): "e: invalid JSON at byte 512: nested too deep",
	} {
		d := wire.NewDecoder([]byte(text))
		d.Skip()
		err := d.Err("e")
		var syntax *wire.SyntaxError
		if !errors.As(err, &syntax) || err.Error() != want {
			t.Errorf("%.20q: got %v, want %s", text, err, want)
		}
	}
}

func TestDecoder_TypeMismatchSkipsTheValue(t *testing.T) {
	d := wire.NewDecoder([]byte(`[{"a":[1]},"x",true]`))
	var n int64
	var s string
	var b bool
	d.Array()
	d.Item()
	first := d.Int64(&n, nil)
	d.Item()
	second := d.String(&s, nil)
	d.Item()
	third := d.Bool(&b)
	if first || !second || !third || s != "x" || !b || d.Item() {
		t.Fatal("the values behind a mismatch are not read")
	}
	if err := d.Err("e"); err == nil || err.Error() != "e: /0: object, not integer" {
		t.Fatal(err)
	}
}

func TestDecoder_StopsAtTheLimit(t *testing.T) {
	text := []byte("[" + strings.Repeat(`"x",`, 1000) + `"x"]`)
	for limit, want := range map[int]int{0: wire.DefaultLimit, 1: 1, 5: 5} {
		d := wire.NewDecoder(text)
		d.Limit = limit
		for d.Array(); d.Item(); {
			var n int64
			d.Int64(&n, nil)
		}
		var invalid *wire.ValidationError
		if !errors.As(d.Err("e"), &invalid) || len(invalid.Violations) != want {
			t.Errorf("limit %d: got %v", limit, d.Err("e"))
		}
	}
}

func TestDecoder_IntegersInAnySpelling(t *testing.T) {
	type result struct {
		n  int64
		ok string
	}
	for text, want := range map[string]result{
		"1": {1, ""}, "-1": {-1, ""}, "1.0": {1, ""}, "1e2": {100, ""}, "1.5e1": {15, ""}, "100e-2": {1, ""}, "-0": {0, ""}, "0e99999999999999999999": {0, ""},
		"9223372036854775807": {9223372036854775807, ""}, "-9223372036854775808": {-9223372036854775808, ""}, "9.223372036854775807e18": {9223372036854775807, ""},
		"9223372036854775808": {0, "range"}, "-9223372036854775809": {0, "range"}, "1e1000000000": {0, "range"}, "123456789012345678901234567890": {0, "range"},
		"1.5": {0, "type"}, "1e-1": {0, "type"}, "1e-1000000000": {0, "type"}, "9223372036854775807.5": {0, "type"},
	} {
		d := wire.NewDecoder([]byte(text))
		var got int64
		if ok := d.Int64(&got, nil); ok != (want.ok == "") {
			t.Errorf("%s: %v", text, ok)
			continue
		}
		var invalid *wire.ValidationError
		if err := d.Err("e"); want.ok == "" && (err != nil || got != want.n) ||
			want.ok != "" && (!errors.As(err, &invalid) || invalid.Violations[0].Keyword != want.ok) {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
}

func TestDecoder_UintHasAllOfItsRange(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "18446744073709551615": true, "18446744073709551616": false, "-1": false, "-0": true,
		"1.8446744073709551615e19": true, "1844674407370955161.5": false, "1844674407370955161.5e1": true, "99999999999999999999": false,
	} {
		d := wire.NewDecoder([]byte(text))
		var u uint64
		if d.Uint64(&u, nil) != want || (d.Err("e") == nil) != want {
			t.Errorf("%s: got %d, %v", text, u, d.Err("e"))
		}
	}
}

func TestDecoder_ExtraKeepsUnknownMembers(t *testing.T) {
	d := wire.NewDecoder([]byte(`{"a": [1, 2] ,"b\n":"x"}`))
	var extra map[string]json.RawMessage
	for d.Object(); d.Member(); {
		extra = d.Extra(extra)
	}
	if d.Err("e") != nil || string(extra["a"]) != "[1, 2]" || string(extra["b\n"]) != `"x"` || len(extra) != 2 {
		t.Fatalf("got %s, %v", extra, d.Err("e"))
	}
	d.Reset([]byte(`{"a":1,"\u0061":2}`))
	for extra = nil; d.Object(); {
		for d.Member() {
			extra = d.Extra(extra)
		}
	}
	if d.Err("e") == nil {
		t.Fatal("a duplicate member was taken")
	}
}

func TestDecoder_IsPooledWithoutTraces(t *testing.T) {
	d := wire.Open([]byte(`{"a":`))
	d.Limit = 1
	d.Skip()
	if d.Close("e") == nil {
		t.Fatal("broken text was taken")
	}
	for range 10 {
		d := wire.Open([]byte(`[1]`))
		d.Skip()
		if err := d.Close("e"); err != nil || d.Limit > 1 {
			t.Fatal(err)
		}
	}
}

func TestDecoder_StringsOutliveTheText(t *testing.T) {
	for name, padding := range map[string]int{"short": 0, "long": 20_000} {
		t.Run(name, func(t *testing.T) {
			text := []byte(`{"na\u006de":"x","plain":"value","escaped":"a\nb","list":[""],"p":"` + strings.Repeat("p", padding) + `"}`)
			names, values := stringsOf(wire.Open(text))
			for i := range text {
				text[i] = '#'
			}
			if want := []string{"name", "plain", "escaped", "list", "p"}; !slices.Equal(names, want) {
				t.Errorf("names: %q", names)
			}
			if want := []string{"x", "value", "a\nb", ""}; !slices.Equal(values[:4], want) {
				t.Errorf("values: %q", values[:4])
			}
		})
	}
}

func TestDecoder_ReadsStringsWithoutCopies(t *testing.T) {
	const text = `{"a":"value","b":["other"]}`
	_, values := stringsOf(wire.OpenText(text))
	if !slices.Equal(values, []string{"value", "other"}) {
		t.Fatalf("values: %q", values)
	}
	if at := strings.Index(text, "value"); unsafe.StringData(values[0]) != unsafe.StringData(text[at:]) {
		t.Error("the string is a copy")
	}
}

// stringsOf reads an object of strings and lists of strings.
func stringsOf(d *wire.Decoder) (names, values []string) {
	var s string
	for d.Object(); d.Member(); {
		names = append(names, d.Name())
		if d.Kind() == wire.String {
			d.String(&s, nil)
			values = append(values, s)
			continue
		}
		for d.Array(); d.Item(); {
			d.String(&s, nil)
			values = append(values, s)
		}
	}
	if err := d.Close("e"); err != nil {
		panic(err)
	}
	return names, values
}

func TestAdd_HasRoomForTheItemsThereAre(t *testing.T) {
	for text, want := range map[string]int{
		`[1]`: 1, `[1, 2,3]`: 3, `[ {"a":1,"b":2},{"a":1} ]`: 2, `["a"],[1,2,3]`: 1, `[[1],[2]]`: 1,
		`["a]","b"]`: 1, `[1,2`: 2, `[{}`: 1, "[" + strings.Repeat("1,", 100_000) + "1]": 64,
	} {
		d := wire.NewDecoder([]byte(text))
		d.Array()
		d.Item()
		var list []string
		wire.Add(d, &list)
		if got := cap(list); got < want || got > want+want/4+1 {
			t.Errorf("%.20s: room for %d", text, got)
		}
	}
}

func TestAdd_GrowsBeyondItsGuess(t *testing.T) {
	d := wire.NewDecoder([]byte("[" + strings.Repeat("[1],", 999) + "[1]]"))
	var list []int64
	for d.Array(); d.Item(); {
		n := wire.Add(d, &list)
		if *n != 0 {
			t.Fatal("the item that was added is not zero")
		}
		d.Array()
		d.Item()
		d.Int64(n, nil)
		d.Item()
	}
	if err := d.Err("e"); err != nil || len(list) != 1000 || list[0] != 1 || list[999] != 1 {
		t.Errorf("%d items: %v", len(list), err)
	}
}

func TestOrder_LeavesTheValueOnAnError(t *testing.T) {
	var o order
	if err := json.Unmarshal([]byte(orderJSON), &o); err != nil {
		t.Fatal(err)
	}
	before := o
	for _, text := range []string{`{}`, `null`, `[]`, strings.Replace(orderJSON, "EUR", "EU", 1), orderJSON + " x"} {
		if o.UnmarshalJSON([]byte(text)) == nil {
			t.Errorf("%.40s was taken", text)
		}
	}
	if !reflect.DeepEqual(o, before) {
		t.Error("the value has changed")
	}
}

func TestOrder_ComesBackEqual(t *testing.T) {
	var o order
	if err := json.Unmarshal([]byte(orderJSON), &o); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	a, b := wire.MustParse(orderJSON), wire.MustParse(string(text))
	if !wire.Equal(a, b) {
		t.Errorf("got %s", text)
	}
}
