package wire

// An Enum is the table of the values that enum or const allows.
type Enum struct {
	list  *Value
	texts map[string]bool // the strings of a long list
}

// textsFrom is the number of values from which strings are looked up in a map.
const textsFrom = 16

// MustEnum reads the values from the text of a JSON array. It panics on anything
// else: the text is a constant of generated code.
func MustEnum(text string) *Enum {
	e := &Enum{list: MustParse(text)}
	if e.list.kind != Array {
		panic("wire: an enum is an array")
	}
	if e.list.Len() >= textsFrom {
		e.texts = make(map[string]bool)
		for i := range e.list.Len() {
			if v := e.list.Item(i); v.kind == String {
				e.texts[v.text] = true
			}
		}
	}
	return e
}

// Has says whether v equals one of the values.
func (e *Enum) Has(v *Value) bool {
	if v.kind == String && e.texts != nil {
		return e.texts[v.text]
	}
	for i := range e.list.Len() {
		if Equal(e.list.Item(i), v) {
			return true
		}
	}
	return false
}
