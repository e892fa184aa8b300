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

// formatted reads a string that a parse function reads. The text that parse gets
// is good during the call only.
func formatted[T any](d *Decoder, v *T, format string, parse func(string) (T, bool)) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	parsed, ok := parse(alias(text))
	if !ok {
		d.Format(string(text), format)
		return false
	}
	*v = parsed
	return true
}
