package wire

import "unicode/utf8"

// A Value is a parsed JSON value, as predicates look at it. It is part of the text
// that was read: good as long as that text is not written to. Methods that do not
// fit the kind return zero values.
type Value struct {
	kind     Kind
	raw      string // as it was read
	text     string // of a string, unescaped
	children *children
}

// children are the items of an array or the members of an object; nil when there
// are none.
type children struct {
	items []Value
	names []string       // of an object, parallel to items
	index map[string]int // of an object with many members
	name  Value          // what NameValue returned last
	// verdicts are those of predicates of recursive schemas.
	verdicts []verdict
}

// indexFrom is the number of members from which an object has an index.
const indexFrom = 12

// Parse reads one JSON text. The Value is part of b. The error is a *SyntaxError.
func Parse(b []byte) (*Value, error) {
	d := Open(b)
	v, _ := d.Value()
	if err := d.Close("wire"); err != nil {
		return nil, err
	}
	return v, nil
}

// MustParse is Parse for a constant of generated code: it panics on an error.
func MustParse(text string) *Value {
	v, err := Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return v
}

// Kind returns the kind of the value.
func (v *Value) Kind() Kind { return v.kind }

// Len returns the number of items of an array or of members of an object.
func (v *Value) Len() int {
	if v.children == nil {
		return 0
	}
	return len(v.children.items)
}

// Item returns item i of an array, or the value of member i of an object.
func (v *Value) Item(i int) *Value { return &v.children.items[i] }

// Name returns the name of member i of an object.
func (v *Value) Name(i int) string { return v.children.names[i] }

// Index returns the place of the member of that name; -1 when there is none, or v
// is no object.
func (v *Value) Index(name string) int {
	c := v.children
	if c == nil {
		return -1
	}
	if c.index != nil {
		if i, ok := c.index[name]; ok {
			return i
		}
		return -1
	}
	for i, n := range c.names {
		if n == name {
			return i
		}
	}
	return -1
}

// Get returns the value of the member of that name; nil when there is none, or v
// is no object.
func (v *Value) Get(name string) *Value {
	if i := v.Index(name); i >= 0 {
		return v.Item(i)
	}
	return nil
}

// Has says whether v is an object with a member of that name.
func (v *Value) Has(name string) bool { return v.Index(name) >= 0 }

// Bool returns the value of a boolean.
func (v *Value) Bool() bool { return v.kind == Bool && v.raw[0] == 't' }

// Text returns the text of a string.
func (v *Value) Text() string { return v.text }

// Number returns the text of a number, "0" for other kinds.
func (v *Value) Number() Number {
	if v.kind != Num {
		return "0"
	}
	return Number(v.raw)
}

// IsInteger says whether v is a number without fractional part.
func (v *Value) IsInteger() bool { return v.kind == Num && v.Number().IsInteger() }

// RuneCount returns the number of code points of a string.
func (v *Value) RuneCount() int { return utf8.RuneCountInString(v.text) }

// Raw returns a copy of the text of the value.
func (v *Value) Raw() []byte { return []byte(v.raw) }

// show renders the value for a message.
func (v *Value) show() string {
	switch v.kind {
	case String:
		return Quote(v.text)
	case Array, Object:
		return v.kind.String()
	}
	return shorten(v.raw)
}
