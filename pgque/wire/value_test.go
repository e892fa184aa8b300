package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

func TestEqual_IsThatOfJSONSchema(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true}, {"1", "true", false}, {"0", "false", false}, {"0", "-0", true}, {"100", "1e2", true}, {`""`, "null", false}, {"[]", "{}", false},
		{`"a"`, `"\u0061"`, true}, {`"é"`, `"e\u0301"`, false}, {"[1,2]", "[2,1]", false}, {"[1,[2.0]]", "[1.0,[2]]", true}, {"[1]", "[1,1]", false},
		{`{"a":1,"b":2}`, `{"b":2.0,"a":1}`, true}, {`{"a":1}`, `{"b":1}`, false}, {`{"a":1}`, `{"a":1,"b":1}`, false}, {`{"a":null}`, `{}`, false},
		{manyMembers(50), manyMembers(50), true}, {manyMembers(50), strings.Replace(manyMembers(50), ":7,", ":8,", 1), false},
	} {
		a, b := wire.MustParse(c.a), wire.MustParse(c.b)
		if wire.Equal(a, b) != c.want || wire.Equal(b, a) != c.want {
			t.Errorf("%s equals %s: %v", c.a, c.b, !c.want)
		}
	}
}

func TestUnique_ManyItems(t *testing.T) {
	var items []string
	for i := range 200 {
		items = append(items, fmt.Sprintf(`{"n":%d,"list":[%d,"x",null,true]}`, i, i))
	}
	if !wire.MustParse("[" + strings.Join(items, ",") + "]").Unique() {
		t.Error("different items are equal")
	}
	items[150] = `{"list":[7.0,"\u0078",null,true],"n":0.7e1}`
	if wire.MustParse("[" + strings.Join(items, ",") + "]").Unique() {
		t.Error("two spellings of one item are different")
	}
}

func TestEnum_ShortAndLong(t *testing.T) {
	long := make([]string, 50)
	for i := range long {
		long[i] = fmt.Sprintf(`"v%d"`, i)
	}
	for _, e := range []*wire.Enum{wire.MustEnum(`["v1",1,null,{"a":[1]}]`), wire.MustEnum("[" + strings.Join(long, ",") + `,1,null,{"a":[1]}]`)} {
		for text, want := range map[string]bool{`"v1"`: true, `"\u00761"`: true, `"v"`: false, "1.0": true, "2": false, "null": true, "false": false, `{"a":[1.0]}`: true, `{"a":[2]}`: false} {
			if e.Has(wire.MustParse(text)) != want {
				t.Errorf("%s: want %v", text, want)
			}
		}
	}
	if wire.MustEnum("[]").Has(wire.MustParse("null")) {
		t.Error("an empty enum allows something")
	}
}

func TestEvaluated_MarksAndMerges(t *testing.T) {
	var e, other wire.Evaluated
	e.AddFirst(3)
	e.Add(200)
	other.Add(63)
	other.Add(64)
	e.Merge(&other)
	e.Merge(nil)
	for i := range 300 {
		if want := i < 3 || i == 63 || i == 64 || i == 200; e.Has(i) != want {
			t.Errorf("%d: want %v", i, want)
		}
	}
	other.AddAll()
	e.Merge(&other)
	if !e.Has(1000) {
		t.Error("all is not merged")
	}
	var nobody *wire.Evaluated
	nobody.Add(1)
	nobody.AddAll()
	nobody.Merge(&e)
	if nobody.Has(1) {
		t.Error("nil has something")
	}
}

func TestReport_ShowsValuesShortAndSafe(t *testing.T) {
	long := strings.Repeat("ä", 1000)
	var r wire.Report
	r.Enter("a/b~c")
	r.EnterIndex(7)
	r.Pattern(long, long)
	r.Format("a\n\x1b[31m\u202e", "date")
	r.Number("minimum", wire.Number(strings.Repeat("9", 1000)), "1")
	r.Enum(wire.MustParse(`{"secret":"x"}`))
	r.Count("minLength", 1, 3)
	r.Count("maxItems", 5, 3)
	r.Required("n\nm")
	r.Leave()
	r.Leave()
	err := r.Err("e").(*wire.ValidationError)
	for i, want := range []string{"", `"a\n\x1b[31m\u202e" is no date`, "", "object is none of the allowed values", "1 character, at least 3 required",
		"5 items, at most 3 allowed", `"n\nm" is missing`} {
		v := err.Violations[i]
		if want != "" && v.Message != want {
			t.Errorf("got %s, want %s", v.Message, want)
		}
		if v.Pointer != "/a~1b~0c/7" || len(v.Message) > 250 || strings.ContainsAny(v.Message, "\n\x1b") {
			t.Errorf("%+v", v)
		}
	}
	if len(err.Error()) > 400 || !strings.HasSuffix(err.Error(), "; and 6 more") {
		t.Error(err)
	}
}

func TestReport_NilDoesNothing(t *testing.T) {
	var r *wire.Report
	r.Enter("a")
	r.EnterIndex(1)
	r.Fail("a", "b")
	r.Required("a")
	r.Number("minimum", 1, "2")
	r.Type(wire.Null, "string")
	r.Leave()
	if r.Failed() || r.Full() || r.Err("e") != nil || r.Pointer() != "" {
		t.Error("nil reports something")
	}
}

func TestAppendString_IsReadBack(t *testing.T) {
	for _, s := range []string{"", "a", "aaaaaaaaaaaaaaa", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "é😀\u2028", "aaaaaaa\"", "aaaaaaaa\"bbbbbbbb\x01c", "\ufffd"} {
		text := wire.AppendString([]byte("x"), s)[1:]
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%q became %s", s, text)
		}
		d := wire.NewDecoder(text)
		if d.String(&back, nil); d.Err("e") != nil || back != s {
			t.Errorf("%q became %s", s, text)
		}
	}
	if got := string(wire.AppendString(nil, "a\xffb")); got != `"a`+"\ufffd"+`b"` {
		t.Errorf("invalid UTF-8 became %s", got)
	}
}

func TestStrings_OfAnyLengthAndPlace(t *testing.T) {
	for length := range 40 {
		for _, odd := range []string{"", "\"", "\\", "\n", "é", "\x1f"} {
			for at := range length + 1 {
				s := strings.Repeat("a", at) + odd + strings.Repeat("b", length-at)
				want, _ := json.Marshal(s)
				var back string
				d := wire.NewDecoder(wire.AppendString(nil, s))
				if d.String(&back, nil); d.Err("e") != nil || back != s {
					t.Fatalf("%s came back as %q: %v", want, back, d.Err("e"))
				}
				e := wire.Encode(nil)
				if e.String("", s[:at]+"\xff"+s[at:], nil); e.Err("e") == nil {
					t.Fatalf("%q with a byte 0xff is said to be UTF-8", s)
				}
			}
		}
	}
}

func TestLength_CountsCodePoints(t *testing.T) {
	for _, part := range []string{"", "é", "😀", "\xff", "\xe2\x82"} {
		for n := range 20 {
			for _, s := range []string{strings.Repeat("x", n) + part, part + strings.Repeat("x", n)} {
				if got := wire.Length(s); got != len([]rune(s)) {
					t.Errorf("the length of %q is %d", s, got)
				}
			}
		}
	}
}

func TestReport_IsPooledWithoutTraces(t *testing.T) {
	r := wire.OpenReport()
	r.Limit = 1
	r.Enter("a")
	r.Conceal()
	r.Fail("minimum", "0 is less than 1")
	if err := r.Close("e"); err == nil || err.Error() != "e: /a: a secret breaks minimum" {
		t.Fatal(err)
	}
	for range 10 {
		r := wire.OpenReport()
		r.Fail("minimum", "0 is less than 1")
		if err := r.Close("e"); r.Limit != 0 || err.Error() != "e: 0 is less than 1" {
			t.Fatal(err)
		}
	}
}

func TestAppendFloat_IsJSON(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 1: "1", -1.5: "-1.5", 1e21: "1e+21", 1e20: "100000000000000000000", 1e-7: "1e-07", 0.000001: "0.000001"} {
		if got := string(wire.AppendFloat(nil, f)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%v became %s", f, got)
		}
	}
}

func TestTimes_ComeBackEqual(t *testing.T) {
	for _, text := range []string{"2026-03-01T12:34:56Z", "2026-03-01T12:34:56.789+01:00", "0000-01-01T00:00:00-23:59", "9999-12-31T23:59:59.999999999Z"} {
		d := wire.NewDecoder([]byte(`"` + text + `"`))
		var at time.Time
		if !d.Time(&at) {
			t.Fatal(d.Err("e"))
		}
		want, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || !want.Equal(at) || !wire.ValidTime(at) {
			t.Errorf("%s became %v", text, at)
		}
		if got := string(wire.AppendTime(nil, at)); got != `"`+text+`"` {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	leap, ok := wire.ParseTime("2016-12-31T18:59:60.5-05:00")
	if want := time.Date(2017, 1, 1, 0, 0, 0, 5e8, time.UTC); !ok || !leap.Equal(want) {
		t.Errorf("the leap second became %v", leap)
	}
	for _, at := range []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 90)), time.Date(2000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 86400))} {
		if wire.ValidTime(at) {
			t.Errorf("%v is valid", at)
		}
	}
}

func TestDurations_ComeBackEqual(t *testing.T) {
	for _, text := range []string{"P1Y2M3DT4H5M6S", "P4W", "PT0S", "P0D", "P1YT1S", "P1Y0M2D", "PT36H", "P0001Y", "P99999999999999999999999D", "PT1H0M0S"} {
		d, ok := wire.ParseDuration(text)
		if !ok || d.String() != text {
			t.Errorf("%s became %s", text, d)
		}
	}
	d, _ := wire.ParseDuration("P0001Y")
	if d.Months = 2; d.String() != "P1Y2M" {
		t.Errorf("a changed duration is written as %s", d)
	}
	for want, d := range map[string]wire.Duration{"PT0S": {}, "P1Y0M2D": {Years: 1, Days: 2}, "PT1H0M1S": {Hours: 1, Seconds: 1}, "P2W": {Weeks: 2}, "P1DT1M": {Days: 1, Minutes: 1}} {
		if d.String() != want || !wire.FormatDuration(want) || !d.Valid() {
			t.Errorf("%+v is written as %s", d, d)
		}
	}
	if (wire.Duration{Weeks: 1, Days: 1}).Valid() {
		t.Error("weeks stand beside days")
	}
}

func TestTextTypes_ComeBackEqual(t *testing.T) {
	type all struct {
		ID   wire.UUID
		Day  wire.Date
		At   wire.TimeOfDay
		Long wire.Duration
	}
	const text = `{"ID":"2eb8aa08-aa98-11ea-b4aa-73b441d16380","Day":"2026-03-01","At":"12:34:56.789+01:00","Long":"P1DT2H"}`
	var v all
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(v); err != nil || string(got) != text {
		t.Errorf("got %s, %v", got, err)
	}
	before := v
	for _, bad := range []string{`{"ID":"x"}`, `{"Day":"x"}`, `{"At":"x"}`, `{"Long":"x"}`} {
		if json.Unmarshal([]byte(bad), &v) == nil || v != before {
			t.Errorf("%s was taken", bad)
		}
	}
	if v.Day.Valid() == (wire.Date{}).Valid() || !v.At.Valid() || (wire.TimeOfDay{Second: 60}).Valid() || (wire.Date{Year: 2023, Month: 2, Day: 29}).Valid() {
		t.Error("Valid is wrong")
	}
	if at := v.Day.In(time.UTC); wire.DateOf(at) != v.Day {
		t.Errorf("%v became %v", v.Day, wire.DateOf(at))
	}
}

func TestDecoder_FormatsAreReported(t *testing.T) {
	for format, read := range map[string]func(*wire.Decoder) bool{
		"uuid":      func(d *wire.Decoder) bool { var v wire.UUID; return d.UUID(&v) },
		"date":      func(d *wire.Decoder) bool { var v wire.Date; return d.Date(&v) },
		"time":      func(d *wire.Decoder) bool { var v wire.TimeOfDay; return d.TimeOfDay(&v) },
		"duration":  func(d *wire.Decoder) bool { var v wire.Duration; return d.Duration(&v) },
		"date-time": func(d *wire.Decoder) bool { var v time.Time; return d.Time(&v) },
	} {
		d := wire.NewDecoder([]byte(`"\u0078y"`))
		if read(d) || d.Err("e") == nil || d.Err("e").Error() != `e: "xy" is no `+format {
			t.Errorf("%s: %v", format, d.Err("e"))
		}
	}
}

func TestDecoder_UnknownPointsAtTheObject(t *testing.T) {
	d := wire.NewDecoder([]byte(`{"a":{"b":1}}`))
	for d.Object(); d.Member(); {
		for d.Object(); d.Member(); {
			d.Unknown("additionalProperties", string(d.Key()))
			d.Skip()
		}
	}
	if err := d.Err("e"); err == nil || err.Error() != `e: /a: "b" is not allowed` {
		t.Error(err)
	}
}

func TestNullable_HasThreeStates(t *testing.T) {
	var n wire.Nullable[int]
	if _, ok := n.Get(); ok || !n.IsAbsent() || n.IsNull() || !n.IsZero() {
		t.Error("the zero value is not absent")
	}
	n.SetNull()
	if _, ok := n.Get(); ok || n.IsAbsent() || !n.IsNull() || n != wire.NullOf[int]() {
		t.Error("not null")
	}
	if p := n.New(); *p != 0 || n != wire.NullableOf(0) {
		t.Error("not a zero")
	} else {
		*p = 7
	}
	if v, ok := n.Get(); !ok || v != 7 || n.IsAbsent() || n.IsNull() || n != wire.NullableOf(7) {
		t.Error("not 7")
	}
	if n.Set(8); n != wire.NullableOf(8) {
		t.Error("not 8")
	}
	if n.Clear(); !n.IsAbsent() {
		t.Error("not cleared")
	}
}

func TestDecoder_AcceptsLooksAhead(t *testing.T) {
	small := func(v *wire.Value, _ *wire.Evaluated, r *wire.Report) bool {
		if v.Len() < 2 {
			return true
		}
		r.Count("maxProperties", v.Len(), 1)
		return false
	}
	d := wire.NewDecoder([]byte(`{"\u0061":{"\u0062":1},"c":{"d":1,"e":2},"f":7}`))
	var log []string
	for d.Object(); d.Member(); {
		if d.Accepts(small) {
			d.Skip()
			log = append(log, string(d.Key()))
		}
	}
	if got := strings.Join(log, " "); got != "a f" {
		t.Errorf("read %s", got)
	}
	if err := d.Err("e"); err == nil || err.Error() != "e: /c: 2 members, at most 1 allowed" {
		t.Error(err)
	}
}
