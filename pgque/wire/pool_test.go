package wire

import (
	"strings"
	"testing"
)

func TestDecoder_KeepsNoReferencesIntoATextThatWasRead(t *testing.T) {
	for _, text := range []string{
		`{"a":{"b":[1,{"c":"d"}],"e":null},"f":["g","h"]}`,
		`[{"a":1,"b":2},{"a":1,"b":2},[{"c":{"d":[]}}]]`,
		`{"a":{"b":[1,2,{"c":3,"c":4}]}}`,
		`{"a":[{"b":1},{"c":`,
		`{"many":[` + strings.Repeat(`{"a":1},`, 90) + `0]}`,
	} {
		for name, read := range map[string]func(d *Decoder){
			"Value": func(d *Decoder) { d.Value() },
			"Skip":  func(d *Decoder) { d.Skip() },
			"both":  func(d *Decoder) { d.Accepts(func(*Value, *Evaluated, *Report) bool { return true }); d.Skip() },
		} {
			d := NewDecoder([]byte(text))
			read(d)
			d.Reset(nil)
			if !isZero(d.names) || !isZero(d.values) || !isZero(d.path) {
				t.Errorf("%.30s: %s leaves references", text, name)
			}
		}
	}
}

// isZero looks at all memory of a stack.
func isZero[T comparable](s []T) bool {
	var zero T
	for _, v := range s[:cap(s)] {
		if v != zero {
			return false
		}
	}
	return true
}
