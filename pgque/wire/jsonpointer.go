package wire

import "strings"

// FormatJSONPointer is the format json-pointer: RFC 6901 section 3, not the form
// of a URI fragment.
func FormatJSONPointer(s string) bool {
	if s != "" && s[0] != '/' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return false
		}
	}
	return true
}

// FormatRelativeJSONPointer is the format relative-json-pointer: a number of
// levels up, an optional shift of the index, and # or a JSON pointer.
func FormatRelativeJSONPointer(s string) bool {
	rest, ok := cutNatural(s)
	if !ok {
		return false
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if rest, ok = cutNatural(rest[1:]); !ok {
			return false
		}
	}
	return rest == "#" || FormatJSONPointer(rest)
}

// cutNatural cuts a number without leading zeros from the front of s.
func cutNatural(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	n := len(s) - len(rest)
	return rest, n == 1 || n > 1 && s[0] != '0'
}
