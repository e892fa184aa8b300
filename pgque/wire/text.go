package wire

import "errors"

// unmarshalText is the UnmarshalText of a type that a parse function reads. The
// value stays as it was on an error.
func unmarshalText[T any](v *T, text []byte, format string, parse func(string) (T, bool)) error {
	parsed, ok := parse(string(text))
	if !ok {
		return errors.New("wire: " + Quote(string(text)) + " is no " + format)
	}
	*v = parsed
	return nil
}
