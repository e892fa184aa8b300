package wire_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

// readFields is what Members tell of a text whose members are integers.
func readFields(text string, f *wire.Fields) (log string, err error) {
	d := wire.NewDecoder([]byte(text))
	m := d.Fields(f)
	for m.Next(d) {
		var n int64
		d.Int64(&n, nil)
		log += fmt.Sprintf("%d:%s=%d ", m.Field, d.Key(), n)
	}
	for i := range f.Names {
		if m.Has(i) {
			log += strconv.Itoa(i)
		}
	}
	return log, d.Err("e")
}

func TestMembers_InAnyOrderAndSpelling(t *testing.T) {
	closed := &wire.Fields{Names: []string{"a", "b", "c\"/", "é"}, Required: []uint64{0x3}}
	open := &wire.Fields{Names: []string{"a"}, Open: true}
	for _, c := range []struct {
		fields    *wire.Fields
		text      string
		log, fail string
	}{
		{closed, `{"a":1,"b":2,"c\"/":3,"é":4}`, `0:a=1 1:b=2 2:c"/=3 3:é=4 0123`, ""},
		{closed, `{"a":1,"b":2,"c\u0022\/":3,"\u00e9":4}`, `0:a=1 1:b=2 2:c"/=3 3:é=4 0123`, ""},
		{closed, " { \"a\" :1 ,\n\"b\":2,\"é\": 4 } ", "0:a=1 1:b=2 3:é=4 013", ""},
		{closed, `{"b":2,"a":1}`, "1:b=2 0:a=1 01", ""},
		{closed, `{}`, "", `e: "a" is missing; and 1 more`},
		{closed, `{"a":1}`, "0:a=1 0", `e: "b" is missing`},
		{closed, `{"a":1,"x":{"a":[]},"b":2,"b2":1}`, "0:a=1 1:b=2 01", `e: "x" is not allowed; and 1 more`},
		{closed, `{"a":"x","b":2}`, "0:a=0 1:b=2 01", `e: /a: string, not integer`},
		{closed, `{"a":1,"b":2,"a":3}`, "0:a=1 1:b=2 01", `e: invalid JSON at byte 17: duplicate member name`},
		{closed, `{"a":1,"a":1}`, "0:a=1 0", `e: invalid JSON at byte 11: duplicate member name`},
		{closed, `{,"a":1}`, "", `e: invalid JSON at byte 1: a member name is expected`},
		{closed, `{"a":1"b":2}`, "0:a=1 0", `e: invalid JSON at byte 6: a comma or the end of the object is expected`},
		{closed, `{"a":1,"b":`, "0:a=1 1:b=0 01", `e: invalid JSON at byte 11: unexpected end`},
		{closed, `{"a":1,`, "0:a=1 0", `e: invalid JSON at byte 7: unexpected end`},
		{closed, `[1]`, "", `e: array, not object`},
		{open, `{"z":0,"a":1,"b":2}`, "-1:z=0 0:a=1 -1:b=2 0", ""},
		{&wire.Fields{}, `{}`, "", ""},
		{&wire.Fields{}, `{"a":1}`, "", `e: "a" is not allowed`},
	} {
		log, err := readFields(c.text, c.fields)
		if fail := fmt.Sprint(err); strings.TrimSpace(log) != c.log || fail != c.fail && (c.fail != "" || err != nil) {
			t.Errorf("%s: got %s, %v", c.text, log, err)
		}
	}
}

func TestMembers_OfManyNames(t *testing.T) {
	const many = 150
	f := &wire.Fields{Required: []uint64{0, 1 << 63, 1 << 1}} // 127 and 129
	var texts []string
	for i := range many {
		f.Names = append(f.Names, fmt.Sprint("m", i))
		texts = append(texts, fmt.Sprintf("%q:%d", f.Names[i], i))
	}
	backwards := make([]string, many)
	for i, text := range texts {
		backwards[many-1-i] = text
	}
	for _, list := range [][]string{texts, backwards} {
		log, err := readFields("{"+strings.Join(list, ",")+"}", f)
		if err != nil || strings.Count(log, "=") != many {
			t.Fatalf("%s: %v", log, err)
		}
		for i := range many {
			if !strings.Contains(log, fmt.Sprintf("%d:m%d=%d ", i, i, i)) {
				t.Fatalf("member %d: %s", i, log)
			}
		}
	}
	_, err := readFields(`{"m128":1,"m0":1,"m64":1,"m65":1}`, f)
	if err == nil || err.Error() != `e: "m127" is missing; and 1 more` {
		t.Error(err)
	}
	for _, text := range []string{`{"m1":1,"m65":1,"m65":1}`, `{"m149":1,"m128":1,"m149":1}`} {
		if _, err := readFields(text, f); err == nil || !strings.Contains(err.Error(), "duplicate") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Reading stops at the limit of violations also where names would follow.
func TestMembers_StopWhenTheReportIsFull(t *testing.T) {
	d := wire.NewDecoder([]byte(`{"a":"x","b":2}`))
	d.Limit = 1
	n := 0
	m := d.Fields(&wire.Fields{Names: []string{"a", "b"}})
	for m.Next(d) {
		var i int64
		d.Int64(&i, nil)
		n++
	}
	if err := d.Err("e"); n != 1 || err == nil || err.Error() != "e: /a: string, not integer" {
		t.Errorf("%d members, %v", n, err)
	}
}
