package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
)

// Attrs are what logs show of an event, or of a part of one.
type Attrs []slog.Attr

// Add adds a member. Lists, maps and structs are shown as JSON: handlers for text
// would print the addresses behind pointers.
//
//go:noinline
func (a *Attrs) Add(name string, value any) {
	switch value.(type) {
	case slog.LogValuer, encoding.TextMarshaler:
	default:
		switch reflect.ValueOf(value).Kind() {
		case reflect.Slice, reflect.Map, reflect.Struct:
			value = shown{value}
		}
	}
	*a = append(*a, slog.Any(name, value))
}

// shown is a value that logs show as JSON, or as fmt does when it has none: what is
// logged may well be invalid.
type shown struct{ value any }

func (s shown) MarshalText() ([]byte, error) {
	text, err := json.Marshal(s.value)
	if err != nil {
		return fmt.Appendf(nil, "%+v", s.value), nil
	}
	return text, nil
}

func (s shown) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(s.value)
	if err != nil {
		return json.Marshal(fmt.Sprintf("%+v", s.value))
	}
	return text, nil
}

// Hide adds a member whose value logs do not show.
//
//go:noinline
func (a *Attrs) Hide(name string) { *a = append(*a, slog.String(name, "[hidden]")) }

// Value is the group of all members.
func (a *Attrs) Value() slog.Value { return slog.GroupValue(*a...) }
