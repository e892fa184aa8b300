package sample

import (
	"encoding/json"
	"math/rand/v2"

	"github.com/pgque/pgque-go/pgque/wire"
)

// attempts is how often a value is made before there is none.
const attempts = 200

// Valid makes values until one is valid; false when none was. The second argument
// of makes is how deep the value is nested: 0.
func Valid[T interface{ Validate() error }](r *rand.Rand, makes func(*rand.Rand, int) T) (v T, ok bool) {
	for range attempts {
		if v = makes(r, 0); v.Validate() == nil {
			return v, true
		}
	}
	return v, false
}

// Invalid changes one place of valid events until decode refuses the text, which
// it returns; false when that never happened.
func Invalid[T json.Marshaler](r *rand.Rand, valid func(*rand.Rand) (T, bool), decode func([]byte) error) ([]byte, bool) {
	for range attempts {
		text, ok := Encoded(r, valid)
		if !ok {
			return nil, false
		}
		var tree any
		if json.Unmarshal(text, &tree) != nil {
			return nil, false
		}
		if text, err := json.Marshal(disturbed(r, tree)); err == nil && decode(text) != nil {
			return text, true
		}
	}
	return nil, false
}

// Encoded is the text of a valid event; false when none was found.
func Encoded[T json.Marshaler](r *rand.Rand, valid func(*rand.Rand) (T, bool)) ([]byte, bool) {
	v, ok := valid(r)
	if !ok {
		return nil, false
	}
	text, err := v.MarshalJSON()
	return text, err == nil
}

// disturbed is the value with one random change somewhere.
func disturbed(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 {
			return disturbedObject(r, v)
		}
	case []any:
		if len(v) > 0 {
			return disturbedArray(r, v)
		}
	}
	return Pick[any](r, nil, true, -1.5, "", "?", []any{}, map[string]any{})
}

func disturbedObject(r *rand.Rand, v map[string]any) any {
	switch name := Pick(r, wire.SortedKeys(v)...); r.IntN(4) {
	case 0:
		delete(v, name)
	case 1:
		v["zz"+name] = true
	default:
		v[name] = disturbed(r, v[name])
	}
	return v
}

func disturbedArray(r *rand.Rand, v []any) any {
	i := r.IntN(len(v) + 1)
	if i == len(v) {
		return append(v, v...)
	}
	v[i] = disturbed(r, v[i])
	return v
}
