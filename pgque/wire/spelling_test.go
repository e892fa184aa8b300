package wire_test

import (
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

// reread reads the members of {"a/b":[0,X]} with read, which also writes what it
// has read.
func reread(t *testing.T, value string, read func(d *wire.Decoder) []byte) (text, written string) {
	t.Helper()
	d := wire.NewDecoder([]byte(`{"a/b":[0,` + value + `]}`))
	d.Object()
	d.Member()
	d.Array()
	d.Item()
	d.Skip()
	d.Item()
	b := read(d)
	d.Item()
	d.Member()
	spellings := d.Spellings()
	if err := d.Err("e"); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	if d.Spellings() != nil {
		t.Errorf("%s is remembered twice", value)
	}
	written = `{"a/b":[0,` + string(b) + `]}`
	return string(spellings.AppendRestored([]byte("x"), []byte(written)))[1:], written
}

func TestSpellings_BringBackWhatWasRead(t *testing.T) {
	float := func(d *wire.Decoder) []byte { var f float64; d.Float(&f, nil); return wire.AppendFloat(nil, f) }
	uuid := func(d *wire.Decoder) []byte { var u wire.UUID; d.UUID(&u); return wire.AppendUUID(nil, u) }
	at := func(d *wire.Decoder) []byte { var v time.Time; d.Time(&v); return wire.AppendTime(nil, v) }
	clock := func(d *wire.Decoder) []byte {
		var v wire.TimeOfDay
		d.TimeOfDay(&v)
		return wire.AppendTimeOfDay(nil, v)
	}
	date := func(d *wire.Decoder) []byte { var v wire.Date; d.Date(&v); return wire.AppendDate(nil, v) }
	duration := func(d *wire.Decoder) []byte { var v wire.Duration; d.Duration(&v); return wire.AppendDuration(nil, v) }
	for _, c := range []struct {
		read  func(d *wire.Decoder) []byte
		texts []string
	}{
		{float, []string{"0", "-1.5", "123456789012345", "0.1000000000000000055511151231257827", "9007199254740993", "1e400", "-1e400", "1e-400", "1.23456789e-320"}},
		{uuid, []string{`"6f1c7c1e-54b1-4a6e-9d0d-5a1c9b1f0a11"`, `"6F1C7C1E-54b1-4a6e-9d0d-5a1c9b1f0a11"`}},
		{at, []string{`"2026-03-01T12:34:56Z"`, `"2026-03-01T12:34:56.000Z"`, `"2026-03-01T12:34:56.120+01:00"`, `"2026-03-01T12:34:56.1234567891Z"`,
			`"2026-03-01t12:34:56z"`, `"2026-03-01T12:34:56+00:00"`, `"2026-03-01T12:34:56-00:00"`, `"2016-12-31T23:59:60Z"`, `"2017-01-01T00:59:60+01:00"`, `"2026-03-01T12:34:56-07:30"`}},
		{clock, []string{`"12:34:56Z"`, `"12:34:56.500Z"`, `"12:34:56+00:00"`, `"23:59:60z"`, `"12:34:56.1234567891+02:00"`}},
		{date, []string{`"2026-03-01"`}},
		{duration, []string{`"P4W"`, `"PT0S"`, `"P0D"`, `"PT007S"`, `"P1Y0M1D"`}},
	} {
		for _, text := range c.texts {
			got, _ := reread(t, text, c.read)
			if want := `{"a/b":[0,` + text + `]}`; !wire.Equal(wire.MustParse(got), wire.MustParse(want)) {
				t.Errorf("%s became %s", want, got)
			}
		}
	}
}

func TestSpellings_NothingToRemember(t *testing.T) {
	var at time.Time
	var f float64
	for _, text := range []string{`"2026-03-01T12:34:56Z"`, `"2026-03-01T12:34:56.123456789+01:00"`, `"2026-03-01T23:59:06.06Z"`} {
		d := wire.NewDecoder([]byte(text))
		if d.Time(&at); d.Spellings() != nil {
			t.Errorf("%s is remembered", text)
		}
	}
	for _, text := range []string{"0.1", "1e2", "1.7976931348623157e308", "100000000000000000000"} {
		d := wire.NewDecoder([]byte(text))
		if d.Float(&f, nil); d.Spellings() != nil {
			t.Errorf("%s is remembered", text)
		}
	}
}

func TestSpellings_ChangedValueStaysChanged(t *testing.T) {
	d := wire.NewDecoder([]byte(`"2026-03-01T12:34:56.000Z"`))
	var at time.Time
	d.Time(&at)
	const changed = `"2026-03-02T12:34:56Z"`
	if got := string(d.Spellings().AppendRestored(nil, []byte(changed))); got != changed {
		t.Error(got)
	}
}

// FuzzSpellings: what is written is what was read.
func FuzzSpellings(f *testing.F) {
	for _, n := range numbers {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n string) {
		if !isNumber(n) {
			t.Skip()
		}
		got, _ := reread(t, n, func(d *wire.Decoder) []byte { var f float64; d.Float(&f, nil); return wire.AppendFloat(nil, f) })
		if want := `{"a/b":[0,` + n + `]}`; !wire.Equal(wire.MustParse(got), wire.MustParse(want)) {
			t.Errorf("%s became %s", want, got)
		}
	})
}

func TestFloat_ComparesExactly(t *testing.T) {
	for _, c := range []struct {
		f     float64
		limit string
		want  int
	}{
		{0.1, "0.1", 0}, {0.1, "0.1000000000000000001", -1}, {0.1, "0.0999999999999999999", 1},
		{0.1, "0.2", -1}, {1, "1e400", -1}, {1, "-1e400", 1}, {0, "1e-400", -1}, {9007199254740992, "9007199254740993", -1},
	} {
		if got := wire.ExactOf(c.f).Compare(wire.MustDecimal(c.limit)); got != c.want {
			t.Errorf("%v against %s is %d", c.f, c.limit, got)
		}
	}
	if !wire.ExactOf(0.3).MultipleOf(wire.MustDecimal("0.1")) || wire.ExactOf(0.35).MultipleOf(wire.MustDecimal("0.1")) {
		t.Error("multiples of 0.1")
	}
}

func TestReport_SecretsStayOutOfMessages(t *testing.T) {
	var r wire.Report
	r.Enter("card")
	r.Conceal()
	r.Format("4711", "uuid")
	r.AnyOf(wire.MustParse(`"4711"`), func(v *wire.Value, _ *wire.Evaluated, r *wire.Report) bool { r.Enum(v); return false })
	r.Reveal()
	r.Enum("shown")
	err := r.Err("e").(*wire.ValidationError)
	for i, want := range []string{"a secret breaks format", "a secret breaks anyOf", `"shown" is none of the allowed values`} {
		if err.Violations[i].Message != want {
			t.Errorf("%+v, want %s", err.Violations[i], want)
		}
	}
}
