package wire

import (
	"math"
	"strconv"
	"time"
)

// Spellings remembers the values of a text that Go's types write in another way:
// numbers with more digits than a float64 has, UUIDs in upper case, times with
// zeros at the end of their fraction, leap seconds. A value that was read is so
// written as it was, unless it was changed in between. Almost all texts have
// nothing to remember; nil stands for that.
type Spellings struct {
	at map[string]spelling // by JSON pointer
}

// A spelling is the JSON text of one value.
type spelling struct {
	written string // by the Go type
	read    string
}

// Spellings returns what there is to remember of the values read so far. It is the
// caller's: the Decoder begins anew.
func (d *Decoder) Spellings() *Spellings {
	if d.spelled == nil {
		return nil
	}
	s := &Spellings{d.spelled}
	d.spelled = nil
	return s
}

// spell remembers the value at the current pointer.
func (d *Decoder) spell(written, read []byte) {
	if d.spelled == nil {
		d.spelled = make(map[string]spelling)
	}
	d.spelled[d.Pointer()] = spelling{string(written), string(read)}
}

// Float reads a number of any size as the finite float64 that is nearest to it, and
// returns the number's text for rules about its exact value.
func (d *Decoder) Float(v *float64) (Number, bool) {
	n, ok := d.Number()
	if !ok {
		return "", false
	}
	f, fits := n.Float64()
	*v = max(-math.MaxFloat64, min(f, math.MaxFloat64))
	if d.long && !(fits && n.exactly(f)) {
		d.spell(AppendFloat(nil, *v), []byte(n))
	}
	return n, true
}

// Time reads a string of the format date-time.
func (d *Decoder) Time(v *time.Time) bool {
	return formatted(d, v, "date-time", ParseTime, usualTime, AppendTime)
}

// TimeOfDay reads a string of the format time.
func (d *Decoder) TimeOfDay(v *TimeOfDay) bool {
	return formatted(d, v, "time", ParseTimeOfDay, usualClock, AppendTimeOfDay)
}

// UUID reads a string of the format uuid.
func (d *Decoder) UUID(v *UUID) bool {
	return formatted(d, v, "uuid", ParseUUID, usualUUID, AppendUUID)
}

// Date reads a string of the format date.
func (d *Decoder) Date(v *Date) bool { return formatted(d, v, "date", ParseDate, always, AppendDate) }

// Duration reads a string of the format duration.
func (d *Decoder) Duration(v *Duration) bool {
	return formatted(d, v, "duration", ParseDuration, always, AppendDuration)
}

// formatted reads a string that a parse function reads. The text that parse and
// usual get is good during the call only. Usual tells that the value is written as
// it was read.
func formatted[T any](d *Decoder, v *T, format string, parse func(string) (T, bool), usual func(string) bool, write func([]byte, T) []byte) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	parsed, ok := parse(alias(text))
	if !ok {
		d.Format(string(text), format)
		return false
	}
	if !usual(alias(text)) {
		d.spell(write(nil, parsed), AppendString(nil, alias(text)))
	}
	*v = parsed
	return true
}

// always tells of formats with one spelling, or types that keep theirs.
func always(string) bool { return true }

// usualTime tells that a valid date-time is the one that AppendTime writes.
func usualTime(s string) bool {
	const day = len("2006-01-02")
	return s[day] == 'T' && usualClock(s[day+1:])
}

// usualClock tells that a valid time is the one that AppendTimeOfDay writes, and
// no leap second.
func usualClock(s string) bool {
	const whole, nano = len("15:04:05"), len("15:04:05.123456789")
	end := len(s) - 1
	if s[end] != 'Z' {
		if end -= len("+01:00") - 1; end < whole || s[end+1:] == "00:00" {
			return false
		}
	}
	return s[whole-2] != '6' && (end == whole || end <= nano && s[end-1] != '0')
}

// usualUUID tells that a valid UUID has no capital letters.
func usualUUID(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'F' {
			return false
		}
	}
	return true
}

// AppendRestored appends a valid text with the remembered values in the places
// where the value is still the same. On nil it appends the text as it is.
func (s *Spellings) AppendRestored(b, text []byte) []byte {
	if s == nil {
		return append(b, text...)
	}
	v, err := Parse(text)
	if err != nil {
		return append(b, text...)
	}
	return s.restore(b, v, "")
}

func (s *Spellings) restore(b []byte, v *Value, pointer string) []byte {
	switch v.Kind() {
	case Array:
		b = append(b, '[')
		for i := range v.Len() {
			b = s.restore(separated(b, i), v.Item(i), v.childPointer(pointer, i))
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i := range v.Len() {
			b = append(AppendString(separated(b, i), v.Name(i)), ':')
			b = s.restore(b, v.Item(i), v.childPointer(pointer, i))
		}
		return append(b, '}')
	}
	if known, ok := s.at[pointer]; ok && known.written == string(v.raw) {
		return append(b, known.read...)
	}
	return append(b, v.raw...)
}

// childPointer is the JSON pointer of child i of a value at a pointer.
func (v *Value) childPointer(pointer string, i int) string {
	if v.Kind() == Array {
		return pointer + "/" + strconv.Itoa(i)
	}
	return pointer + "/" + pointerEscaper.Replace(v.Name(i))
}

// separated appends a comma unless what follows is the first.
func separated(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}
