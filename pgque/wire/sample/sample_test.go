package sample_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire/sample"
)

func source() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

func TestInteger_StaysWithinItsLimits(t *testing.T) {
	const least, most = -1 << 63, 1<<63 - 1
	r := source()
	for _, c := range [][3]int64{{1, 1, 1}, {1, 100, 7}, {-20, -10, 5}, {most - 3, most, 1}, {least, least + 3, 1}, {least, most, 1}, {0, most, 3}} {
		for range 100 {
			if n := sample.Integer(r, c[0], c[1], c[2]); n < c[0] || n > c[1] || n%c[2] != 0 {
				t.Fatalf("%d is not as wanted: %v", n, c)
			}
		}
	}
}

func TestNumber_IsAMultipleWithoutRoundingErrors(t *testing.T) {
	r := source()
	for range 100 {
		n := sample.Number(r, 0, 10, 0.01)
		if text, _ := json.Marshal(n); n < 0 || n > 10 || len(text) > len("10.00") {
			t.Fatalf("%s", text)
		}
	}
}

// even is valid when it is even.
type even int

func (e even) Validate() error {
	if e%2 != 0 {
		return errors.New("odd")
	}
	return nil
}

func (e even) MarshalJSON() ([]byte, error) { return json.Marshal(int(e)) }

func TestValidAndInvalid_AreWhatTheySay(t *testing.T) {
	r := source()
	valid := func(r *rand.Rand) (even, bool) {
		return sample.Valid(r, func(r *rand.Rand, _ int) even { return even(r.IntN(100)) })
	}
	if v, ok := valid(r); !ok || v%2 != 0 {
		t.Error(v, ok)
	}
	var n int
	decode := func(text []byte) error { return json.Unmarshal(text, &n) }
	if text, ok := sample.Invalid(r, valid, decode); !ok || decode(text) == nil {
		t.Errorf("%s", text)
	}
	if _, ok := sample.Valid(r, func(*rand.Rand, int) even { return 1 }); ok {
		t.Error("an odd number is valid")
	}
	if _, ok := sample.Invalid(r, valid, func([]byte) error { return nil }); ok {
		t.Error("nothing is refused, but a counterexample was found")
	}
}
