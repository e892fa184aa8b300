package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// A foreign value is one of a type that was not generated. Its JSON is what
// encoding/json makes of it: through MarshalJSON and UnmarshalJSON, MarshalText and
// UnmarshalText, or its fields. A Number and a *big.Int keep every digit.

// Into reads any value into the foreign value that v points to. A value that the type
// does not take breaks the rule x-go-type.
func (d *Decoder) Into(v any) bool {
	span, ok := d.Span()
	if !ok {
		return false
	}
	if err := store(v, span); err != nil {
		d.Fail("x-go-type", "does not fit the Go type: "+Quote(err.Error()))
		return false
	}
	if kind := kinds[span[0]]; kind != Array && kind != Object {
		if written, _ := jsonOf(v); string(written) != string(span) {
			d.spell(written, span)
		}
	}
	return true
}

// store sets what v points to from the text of one JSON value.
func store(v any, text []byte) error {
	number := kinds[text[0]] == Num
	switch v := v.(type) {
	case *Number:
		if !number {
			return errors.New("not a number")
		}
		*v = Number(strings.Clone(string(text)))
		return nil
	case **big.Int:
		if !number {
			return errors.New("not a number")
		}
		i, ok := Number(text).BigInt()
		if !ok {
			return fmt.Errorf("no integer of at most %d digits", maxBigDigits)
		}
		*v = i
		return nil
	}
	return json.Unmarshal(text, v)
}

// jsonOf is what encoding/json makes of the foreign value that v points to; null where
// it has no JSON, with the reason.
func jsonOf(v any) ([]byte, error) {
	text, err := marshal(v)
	if err != nil {
		return []byte("null"), err
	}
	return text, nil
}

func marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case *Number:
		if end, _, problem := scanNumber([]byte(*v), 0); problem != "" || end != len(*v) {
			return nil, errors.New("not the text of a number")
		}
		return []byte(*v), nil
	case **big.Int:
		if *v == nil {
			return []byte("null"), nil
		}
		return (*v).Append(nil, 10), nil
	}
	return json.Marshal(v)
}
