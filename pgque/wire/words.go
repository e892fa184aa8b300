package wire

import "sync"

// Words are the strings that an enumeration allows, and what its type does with
// them.
type Words struct {
	Type   string // what errors call it
	Values []string
	Hidden bool // the value is secret

	once   sync.Once
	texts  []string // the values as JSON
	places lookup
}

func (w *Words) prepare() {
	for _, value := range w.Values {
		w.texts = append(w.texts, string(AppendString(nil, value)))
	}
	w.places = lookupOf(w.Values)
}

// Has says whether s is one of the values.
func (w *Words) Has(s string) bool { return w.find(s) >= 0 }

// find returns the place of s; -1 when it is none of the values.
func (w *Words) find(s string) int {
	w.once.Do(w.prepare)
	return w.places.find(s)
}

// Word reads one of the words.
//
//go:noinline
func (d *Decoder) Word(v *string, w *Words) bool {
	w.once.Do(w.prepare)
	d.next()
	if rest := d.buf[d.pos:]; w.places.index == nil && !d.done {
		for i, text := range w.texts { // as almost all texts have it
			if len(rest) >= len(text) && string(rest[:len(text)]) == text {
				d.pos += len(text)
				*v = w.Values[i]
				return true
			}
		}
	}
	text, ok := d.StringBytes()
	if !ok {
		return false
	}
	i := w.find(alias(text))
	if i < 0 {
		d.Enum(string(text))
		return false
	}
	*v = w.Values[i]
	return true
}

// Unmarshal reads one of the words as a text of its own. On an error v stays as it
// was.
func (w *Words) Unmarshal(v *string, b []byte) error {
	d := Open(b)
	if w.Hidden {
		d.Conceal()
	}
	fresh := *v
	d.Word(&fresh, w)
	if err := d.Close(w.Type); err != nil {
		return err
	}
	*v = fresh
	return nil
}

// Append appends the text of s. One that is none of the words is an error.
func (w *Words) Append(b []byte, s string) ([]byte, error) {
	if err := w.Validate(s); err != nil {
		return b, err
	}
	return AppendString(b, s), nil
}

// Validate returns a *ValidationError unless s is one of the words.
func (w *Words) Validate(s string) error {
	if w.Has(s) {
		return nil
	}
	r := OpenReport()
	if w.Hidden {
		r.Conceal()
	}
	r.Enum(s)
	return r.Close(w.Type)
}
