package wire_test

import (
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

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
			d.Int64(&n, nil)
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
