package wire

import (
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

// Time reads a string of the format date-time.
func (d *Decoder) Time(v *time.Time) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	t, ok := ParseTime(alias(text))
	if !ok {
		return d.misformed(text, "date-time")
	}
	if !usualTime(alias(text)) {
		d.spell(AppendTime(nil, t), AppendString(nil, alias(text)))
	}
	*v = t
	return true
}

// TimeOfDay reads a string of the format time.
func (d *Decoder) TimeOfDay(v *TimeOfDay) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	t, ok := ParseTimeOfDay(alias(text))
	if !ok {
		return d.misformed(text, "time")
	}
	if !usualClock(alias(text)) {
		d.spell(AppendTimeOfDay(nil, t), AppendString(nil, alias(text)))
	}
	*v = t
	return true
}

// UUID reads a string of the format uuid.
func (d *Decoder) UUID(v *UUID) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	u, ok := ParseUUID(alias(text))
	if !ok {
		return d.misformed(text, "uuid")
	}
	if !usualUUID(alias(text)) {
		d.spell(AppendUUID(nil, u), AppendString(nil, alias(text)))
	}
	*v = u
	return true
}

// Date reads a string of the format date.
func (d *Decoder) Date(v *Date) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	if *v, ok = ParseDate(alias(text)); !ok {
		return d.misformed(text, "date")
	}
	return true
}

// Duration reads a string of the format duration.
func (d *Decoder) Duration(v *Duration) bool {
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	if *v, ok = ParseDuration(alias(text)); !ok {
		return d.misformed(text, "duration")
	}
	return true
}

// misformed reports text that is not of the format. It returns false.
func (d *Decoder) misformed(text []byte, format string) bool {
	d.Format(string(text), format)
	return false
}

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
