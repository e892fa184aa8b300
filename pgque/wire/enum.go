package wire

import "hash/maphash"

// An Enum is the table of the values that enum or const allows.
type Enum struct {
	list *Value
	// Of a long list: its strings, and its other values by their hashes.
	texts  map[string]bool
	hashed map[uint64][]*Value
	seed   maphash.Seed
}

// tableFrom is the number of values from which they are looked up in tables.
const tableFrom = 16

// MustEnum reads the values from the text of a JSON array. It panics on anything
// else: the text is a constant of generated code.
func MustEnum(text string) *Enum {
	e := &Enum{list: MustParse(text)}
	if e.list.kind != Array {
		panic("wire: an enum is an array")
	}
	if e.list.Len() >= tableFrom {
		e.index()
	}
	return e
}

func (e *Enum) index() {
	e.texts, e.hashed, e.seed = make(map[string]bool), make(map[uint64][]*Value), maphash.MakeSeed()
	for i := range e.list.Len() {
		v := e.list.Item(i)
		if v.kind == String {
			e.texts[v.text] = true
			continue
		}
		h := v.hash(e.seed)
		e.hashed[h] = append(e.hashed[h], v)
	}
}

// Has says whether v equals one of the values.
func (e *Enum) Has(v *Value) bool {
	switch {
	case e.texts == nil:
		return e.scan(v)
	case v.kind == String:
		return e.texts[v.text]
	case len(e.hashed) == 0:
		return false
	}
	for _, allowed := range e.hashed[v.hash(e.seed)] {
		if Equal(allowed, v) {
			return true
		}
	}
	return false
}

func (e *Enum) scan(v *Value) bool {
	for i := range e.list.Len() {
		if Equal(e.list.Item(i), v) {
			return true
		}
	}
	return false
}
