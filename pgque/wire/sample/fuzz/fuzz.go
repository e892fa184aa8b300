// Package fuzz is what the fuzz targets of generated code call.
package fuzz

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire/sample"
)

// seeds is how many valid and invalid events the fuzzing begins with.
const seeds = 10

// Codec looks for texts that an event type accepts but does not give back. Blank
// makes an empty value. It begins with valid and invalid events, where any are
// found.
func Codec[T json.Marshaler](f *testing.F, blank func() json.Unmarshaler, valid func(*rand.Rand) (T, bool), invalid func(*rand.Rand) ([]byte, bool)) {
	r := rand.New(rand.NewPCG(1, 2))
	for range seeds {
		if text, ok := sample.Encoded(r, valid); ok {
			f.Add(text)
		}
		if text, ok := invalid(r); ok {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		once := blank()
		if once.UnmarshalJSON(text) != nil {
			return
		}
		first := encode(t, once)
		again := blank()
		if err := again.UnmarshalJSON(first); err != nil {
			t.Fatalf("encoded as %s, which is not accepted: %v", first, err)
		}
		if second := encode(t, again); !bytes.Equal(first, second) {
			t.Fatalf("encoded as %s, then as %s", first, second)
		}
	})
}

func encode(t *testing.T, v json.Unmarshaler) []byte {
	t.Helper()
	text, err := v.(json.Marshaler).MarshalJSON()
	if err != nil {
		t.Fatalf("accepted, but not encoded: %v", err)
	}
	return text
}
