package wire_test

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

func TestDigits_SurviveARoundTrip(t *testing.T) {
	for _, n := range []string{"0.1000000000000000055511151231257827", "9007199254740993", "1e-400", "1.23456789e-320", "123456789012345678901234567890", "-0.30000000000000000001", "3.14159265358979323846264338327950288e+2"} {
		read := `{"a/b":[1,` + n + `],"c":{"~":` + n + `,"s":"x\n"},"t":true}`
		d := wire.NewDecoder([]byte(read))
		if d.Skip(); !d.LongNumbers() {
			t.Errorf("%s is not noticed", n)
		}
		m := wire.RememberDigits([]byte(read))
		f, _ := wire.Number(n).Float64()
		written := strings.ReplaceAll(read, n, string(wire.AppendFloat(nil, f)))
		if got := string(m.AppendRestored(nil, []byte(written))); !wire.Equal(wire.MustParse(got), wire.MustParse(read)) {
			t.Errorf("%s became %s", read, got)
		}
		changed := strings.ReplaceAll(read, n, "7")
		if got := string(m.AppendRestored(nil, []byte(changed))); !wire.Equal(wire.MustParse(got), wire.MustParse(changed)) {
			t.Errorf("%s became %s", changed, got)
		}
	}
}

func TestDigits_NothingToRemember(t *testing.T) {
	for _, text := range []string{"1", `[0.1,1e2,"9007199254740993",123456789012345]`, orderJSON, "1.7976931348623157e308", "broken"} {
		m := wire.RememberDigits([]byte(text))
		if m != nil {
			t.Errorf("%s: %v", text, m)
		}
		if got := string(m.AppendRestored([]byte("x"), []byte(text))); got != "x"+text {
			t.Errorf("%s became %s", text, got)
		}
	}
	d := wire.NewDecoder([]byte(orderJSON))
	if d.Skip(); d.LongNumbers() {
		t.Error("an order has long numbers")
	}
}

// FuzzDigits: numbers that are not noticed come back as they were.
func FuzzDigits_LongNumbersMissesNone(f *testing.F) {
	for _, n := range numbers {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n string) {
		if !isNumber(n) {
			t.Skip()
		}
		d := wire.NewDecoder([]byte(n))
		d.Skip()
		if _, exact := wire.Number(n).ExactFloat64(); !exact && !d.LongNumbers() {
			t.Errorf("%s is not exact", n)
		}
	})
}

func TestDecoder_TagLooksAhead(t *testing.T) {
	for text, want := range map[string]string{
		`[{"kind":"a","x":1},7]`:             "a",
		`[{"x":{"kind":"b"},"kind":"c"},7]`:  "c",
		`[{"x":1},7]`:                        `e: /0: "kind" is missing`,
		`[{"kind":1,"x":[1,2]},7]`:           "e: /0/kind: number, not string",
		`["x",7]`:                            "e: /0: string, not object",
		`[{"x":1,"x":2,"kind":"d"},7]`:       "d",
		`[{"kind":"\ud800"},7]`:              "e: invalid JSON at byte 10: lone surrogate",
		`[{"kind":{"kind":"e"},"z":null},7]`: "e: /0/kind: object, not string",
	} {
		d := wire.NewDecoder([]byte(text))
		d.Array()
		d.Item()
		got, ok := d.Tag("kind")
		if ok {
			for d.Object(); d.Member(); {
				d.Skip()
			}
		}
		var n int64
		if d.Item() {
			d.Int64(&n)
			d.Item()
		}
		if err := d.Err("e"); !ok && err != nil {
			got = err.Error()
		} else if err != nil || n != 7 {
			t.Errorf("%s: reading goes wrong: %v", text, err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestReport_DecideOnText(t *testing.T) {
	refuse := func(_ *wire.Value, _ *wire.Evaluated, r *wire.Report) bool {
		r.Fail("not", "no")
		return false
	}
	var r wire.Report
	r.Decide([]byte(`{}`), refuse, refuse)
	if err := r.Err("e"); err == nil || err.Error() != "e: no; and 1 more" {
		t.Error(err)
	}
	r.Decide([]byte(`{`), refuse)
	if err := r.Err("e"); err.Error() != "e: no; and 1 more" {
		t.Error(err)
	}
	var broken wire.Report
	if broken.Decide([]byte(`{`)); !broken.Failed() {
		t.Error("broken text was taken")
	}
}
