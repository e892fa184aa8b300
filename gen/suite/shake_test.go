package suite_test

// shakeSource changes a decoded value at random places, as an application might,
// with shake, and compares values of Go with same.
const shakeSource = `package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

var (
	texts = []string{"", "a", "ab", "id", "kind", "zz", "\xff", "2024-02-29", "\u2028\""}
	raws  = []string{"null", "{}", "[1]", "\"a\"", "{\"a\":1,\"a\":2}", "{", "1e400", ""}
)

// send changes an event that was accepted, again and again, and returns the texts of
// those that can be encoded, and what is wrong with one that does not come back.
func send(r *rand.Rand, event func() any, instance string) (sent []string, lost string) {
	for range 8 {
		v := event()
		if err := json.Unmarshal([]byte(instance), v); err != nil {
			panic(err)
		}
		for range 1 + r.IntN(2) {
			shake(r, reflect.ValueOf(v).Elem())
		}
		text, err := json.Marshal(v)
		if err != nil {
			continue
		}
		sent = append(sent, string(text))
		again := event()
		if err := json.Unmarshal(text, again); err != nil {
			lost = "sent as " + string(text) + ", which is refused: " + err.Error()
		} else if !same(reflect.ValueOf(v), reflect.ValueOf(again)) {
			lost = fmt.Sprintf("sent %+v as %s, which comes back as %+v", v, text, again)
		}
	}
	return sent, lost
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func shake(r *rand.Rand, v reflect.Value) {
	if nullable := v.Addr(); nullable.MethodByName("SetNull").IsValid() {
		shakeNullable(r, nullable)
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(r.Int64N(4e9), r.Int64N(1e9)).In(pick(r, time.UTC, time.FixedZone("", 3600)))
		return
	case *json.RawMessage:
		*p = json.RawMessage(pick(r, raws...))
		return
	case *wire.Number:
		*p = wire.Number(pick(r, "0", "1e3", "-1.50", "12345678901234567890.5", "x", ""))
		return
	case **big.Int:
		*p = pick(r, nil, big.NewInt(r.Int64N(9)-4), new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int64:
		v.SetInt(pick[int64](r, -1, 0, 1, 2, 3, 10, math.MaxInt64, math.MinInt64))
	case reflect.Uint64:
		v.SetUint(pick[uint64](r, 0, 1, 2, 10, math.MaxUint64))
	case reflect.Float64:
		v.SetFloat(pick(r, -1, 0, 1, 1.5, 0.3, 1e300, 1e-9, math.NaN(), math.Inf(1), math.Copysign(0, -1)))
	case reflect.String:
		v.SetString(pick(r, texts...))
	case reflect.Uint8, reflect.Int32:
	case reflect.Pointer:
		shakePointer(r, v)
	case reflect.Interface:
		if v.IsNil() || r.IntN(4) == 0 {
			v.SetZero()
			return
		}
		inner := reflect.New(v.Elem().Type()).Elem()
		inner.Set(v.Elem())
		shake(r, inner)
		v.Set(inner)
	case reflect.Slice:
		shakeSlice(r, v)
	case reflect.Map:
		shakeMap(r, v)
	case reflect.Struct:
		var fields []int
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fields = append(fields, i)
			}
		}
		if len(fields) > 0 {
			shake(r, v.Field(pick(r, fields...)))
		}
	}
}

func shakeNullable(r *rand.Rand, v reflect.Value) {
	switch r.IntN(3) {
	case 0:
		v.MethodByName("SetNull").Call(nil)
	case 1:
		v.MethodByName("Clear").Call(nil)
	default:
		got := v.MethodByName("Get").Call(nil)[0]
		inner := reflect.New(got.Type()).Elem()
		inner.Set(got)
		shake(r, inner)
		v.MethodByName("Set").Call([]reflect.Value{inner})
	}
}

func shakePointer(r *rand.Rand, v reflect.Value) {
	if !v.IsNil() && r.IntN(3) == 0 {
		v.SetZero()
		return
	}
	inner := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		inner.Elem().Set(v.Elem())
	}
	if !v.IsNil() || r.IntN(2) == 0 {
		shake(r, inner.Elem())
	}
	v.Set(inner)
}

func shakeSlice(r *rand.Rand, v reflect.Value) {
	list := reflect.MakeSlice(v.Type(), v.Len(), v.Len()+1)
	reflect.Copy(list, v)
	switch n := list.Len(); {
	case n == 0 || r.IntN(4) == 0:
		list = reflect.Append(list, reflect.Zero(v.Type().Elem()))
	case r.IntN(3) == 0:
		list = list.Slice(1, n)
	default:
		shake(r, list.Index(r.IntN(n)))
	}
	v.Set(list)
}

func shakeMap(r *rand.Rand, v reflect.Value) {
	m := reflect.MakeMap(v.Type())
	for _, k := range v.MapKeys() {
		m.SetMapIndex(k, v.MapIndex(k))
	}
	key := reflect.ValueOf(pick(r, texts...)).Convert(v.Type().Key())
	value := reflect.New(v.Type().Elem()).Elem()
	if old := m.MapIndex(key); old.IsValid() {
		value.Set(old)
	}
	shake(r, value)
	m.SetMapIndex(key, value)
	v.Set(m)
}

// same reports whether what can be seen of two values is the same. A list that is
// nil and an empty one are, and so are a text that nobody has set and the only one
// that its schema allows, and a pointer that is nil and one to null. What stands in the
// place of an object is all that is sent.
func same(a, b reflect.Value) bool {
	if a.Kind() != b.Kind() || a.Type() != b.Type() {
		return false
	}
	switch x := a.Interface().(type) {
	case time.Time:
		return x.Equal(b.Interface().(time.Time))
	case *big.Int:
		y := b.Interface().(*big.Int)
		return (x == nil) == (y == nil) && (x == nil || x.Cmp(y) == 0)
	case json.RawMessage:
		y := b.Interface().(json.RawMessage)
		return len(x)+len(y) == 0 || sameText(x, y)
	case wire.Number:
		return sameText([]byte(x), []byte(b.Interface().(wire.Number)))
	}
	switch a.Kind() {
	case reflect.String:
		return a.Len() == 0 || a.Interface() == b.Interface()
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return isNull(a) == isNull(b)
		}
		return same(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if v := b.MapIndex(k); !v.IsValid() || !same(a.MapIndex(k), v) {
				return false
			}
		}
	case reflect.Struct:
		if other := a.FieldByName("Other"); other.IsValid() && other.Kind() == reflect.Slice && !other.IsNil() {
			return same(other, b.FieldByName("Other"))
		}
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() && !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
	default:
		return a.Interface() == b.Interface()
	}
	return true
}

func isNull(v reflect.Value) bool {
	text, err := json.Marshal(v.Interface())
	return err == nil && string(text) == "null"
}

func sameText(a, b []byte) bool {
	v, err := wire.Parse(a)
	w, err2 := wire.Parse(b)
	return err == nil && err2 == nil && wire.Equal(v, w)
}
`
