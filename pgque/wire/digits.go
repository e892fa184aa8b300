package wire

import (
	"strconv"
	"strings"
)

// Digits remembers the numbers of a text that do not come back from a float64 with
// their value, so that a value that was read can be written without loss.
type Digits struct {
	numbers map[string]Number // by JSON pointer
}

// RememberDigits returns what there is to remember of a valid text: nil almost
// always. Decoder.LongNumbers says when it is worth a look.
func RememberDigits(text []byte) *Digits {
	v, err := Parse(text)
	if err != nil {
		return nil
	}
	m := Digits{numbers: make(map[string]Number)}
	m.remember(v, "")
	if len(m.numbers) == 0 {
		return nil
	}
	return &m
}

func (m *Digits) remember(v *Value, pointer string) {
	if v.Kind() == Num {
		if _, exact := v.Number().ExactFloat64(); !exact {
			m.numbers[pointer] = Number(strings.Clone(string(v.Number())))
		}
	}
	for i := range v.Len() {
		m.remember(v.Item(i), v.childPointer(pointer, i))
	}
}

// childPointer is the JSON pointer of child i of a value at a pointer.
func (v *Value) childPointer(pointer string, i int) string {
	if v.Kind() == Array {
		return pointer + "/" + strconv.Itoa(i)
	}
	return pointer + "/" + pointerEscaper.Replace(v.Name(i))
}

// AppendRestored appends a valid text with the remembered numbers at the places
// where its number is still the float64 nearest to them. On nil it appends the text
// as it is.
func (m *Digits) AppendRestored(b, text []byte) []byte {
	if m == nil {
		return append(b, text...)
	}
	v, err := Parse(text)
	if err != nil {
		return append(b, text...)
	}
	return m.restore(b, v, "")
}

func (m *Digits) restore(b []byte, v *Value, pointer string) []byte {
	switch v.Kind() {
	case Num:
		return append(b, m.number(v.Number(), pointer)...)
	case Array:
		b = append(b, '[')
		for i := range v.Len() {
			b = m.restore(separated(b, i), v.Item(i), v.childPointer(pointer, i))
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i := range v.Len() {
			b = append(AppendString(separated(b, i), v.Name(i)), ':')
			b = m.restore(b, v.Item(i), v.childPointer(pointer, i))
		}
		return append(b, '}')
	}
	return append(b, v.raw...)
}

// number returns the number to write where n stands.
func (m *Digits) number(n Number, pointer string) Number {
	if digits, ok := m.numbers[pointer]; ok {
		was, _ := digits.Float64()
		if is, _ := n.Float64(); is == was {
			return digits
		}
	}
	return n
}

// separated appends a comma unless what follows is the first.
func separated(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}
