package wire_test

import (
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

func TestDecoder_PointsAtWhatIsWrong(t *testing.T) {
	d := wire.NewDecoder([]byte(`{"lines":[{"quantity":1},{"quantity":"x"}]}`))
	for d.Object(); d.Member(); {
		for d.Array(); d.Item(); {
			for d.Object(); d.Member(); {
				var n int64
				d.Int64(&n)
			}
			d.Required("sku")
		}
	}
	err := d.Err("order.created")
	const want = `order.created: /lines/0: "sku" is missing; and 2 more`
	if err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
}

func TestReport_AtIsForOneViolation(t *testing.T) {
	r := &wire.Report{Limit: 3}
	r.Enter("line")
	r.At("sku").Pattern("x", "^[0-9]+$")
	r.At("title").NotText()
	r.Required("price")
	r.At("beyond the limit").NotFinite()
	r.Leave()
	err, ok := r.Err("order").(*wire.ValidationError)
	if !ok || len(err.Violations) != 3 || r.Pointer() != "" {
		t.Fatalf("%+v, then at %q", err, r.Pointer())
	}
	for i, want := range []string{"/line/sku", "/line/title", "/line"} {
		if got := err.Violations[i].Pointer; got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	var nobody *wire.Report
	nobody.At("sku").Unique() // as all else, nothing on nil
}

func TestDecoder_OnceStopsAtTheSecond(t *testing.T) {
	d := wire.NewDecoder([]byte(`{"n":1,"n":2}`))
	var seen uint64
	var n int64
	for d.Object(); d.Member(); {
		d.Once(&seen, 1<<0)
		d.Int64(&n)
	}
	const want = "e: invalid JSON at byte 11: duplicate member name"
	if err := d.Err("e"); err == nil || err.Error() != want || n != 1 {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestReport_CountsNamesTheLimitThatIsBroken(t *testing.T) {
	for got, want := range map[int]string{
		1: "e: 1 character, at least 2 required",
		4: "e: 4 characters, at most 3 allowed",
	} {
		r := new(wire.Report)
		if r.Counts("Length", got, 2, 3); r.Err("e") == nil || r.Err("e").Error() != want {
			t.Errorf("%v, not %s", r.Err("e"), want)
		}
	}
}

func TestPut_IsTheTextAndTheValue(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const text = `,"m":`
	for _, pair := range [][2][]byte{
		{wire.PutString(nil, text, `a"b`), wire.AppendString(nil, `a"b`)},
		{wire.PutBool(nil, text, true), wire.AppendBool(nil, true)},
		{wire.PutInt(nil, text, -7), wire.AppendInt(nil, -7)},
		{wire.PutUint(nil, text, 7), wire.AppendUint(nil, 7)},
		{wire.PutFloat(nil, text, 0.5), wire.AppendFloat(nil, 0.5)},
		{wire.PutTime(nil, text, at), wire.AppendTime(nil, at)},
		{wire.PutUUID(nil, text, wire.UUID{1}), wire.AppendUUID(nil, wire.UUID{1})},
		{wire.PutDate(nil, text, wire.Date{Year: 2026, Month: 1, Day: 2}), wire.AppendDate(nil, wire.Date{Year: 2026, Month: 1, Day: 2})},
		{wire.PutTimeOfDay(nil, text, wire.TimeOfDay{Hour: 3}), wire.AppendTimeOfDay(nil, wire.TimeOfDay{Hour: 3})},
		{wire.PutDuration(nil, text, wire.Duration{Days: 1}), wire.AppendDuration(nil, wire.Duration{Days: 1})},
	} {
		if string(pair[0]) != text+string(pair[1]) {
			t.Errorf("%s, not %s%s", pair[0], text, pair[1])
		}
	}
}
