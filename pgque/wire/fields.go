package wire

import "sync"

// Fields are the members of an object that its schema names.
type Fields struct {
	Names []string
	// Required has a bit for each name, the first one in the lowest bit of the first
	// word, that is set when the object has to have the member. Words without any may
	// be left out at the end.
	Required []uint64
	// Open tells that the object may have other members.
	Open bool

	once   sync.Once
	texts  []string // the names as they stand in a text: ,"name":
	places lookup
}

func (f *Fields) prepare() {
	for _, name := range f.Names {
		f.texts = append(f.texts, string(append(AppendString([]byte{','}, name), ':')))
	}
	f.places = lookupOf(f.Names)
}

// find returns the place of a name; Other when there is none.
func (f *Fields) find(name string) int {
	f.once.Do(f.prepare)
	return f.places.find(name)
}

// Fields reads an object by its members. A value that is none is reported and
// skipped, and has no members.
//
//go:noinline
func (d *Decoder) Fields(f *Fields) Members {
	if !d.Object() {
		return Members{Field: Other}
	}
	f.once.Do(f.prepare)
	if len(f.Names) > wordSize {
		return Members{Field: Other, fields: f, more: &moreSeen{make([]uint64, (len(f.Names)-1)/wordSize)}}
	}
	return Members{Field: Other, fields: f}
}

const wordSize = 64

// Members are those of an object that is being read. They are few words, which the
// compiler keeps in registers.
type Members struct {
	// Field is the place of the current member's name among the Fields; Other when it
	// is none of them.
	Field int

	fields *Fields // nil behind the last member
	seen   uint64  // the members that were read, as Fields.Required
	more   *moreSeen
}

// moreSeen has the words behind the first one.
type moreSeen struct{ words []uint64 }

// Other is the Field of a member that the schema does not name.
const Other = -1

// Next goes on to the next member, whose value is then read; false at the end of the
// object. It reports names that are not allowed and members that are missing. After a
// member that was there already reading has stopped.
//
//go:noinline
func (m *Members) Next(d *Decoder) bool {
	f := m.fields
	if f == nil {
		return false
	}
	// Most texts have their members in the order of the schema, and nothing stands
	// between: the name that follows the last one is compared, without a look at each
	// of its bytes.
	if next := uint(m.Field + 1); next < uint(len(f.texts)) && !d.done {
		text, top := f.texts[next], &d.path[len(d.path)-1]
		if top.index == noStep {
			text = text[1:] // the first one has no comma
		}
		if rest := d.buf[d.pos:]; len(rest) >= len(text) && string(rest[:len(text)]) == text {
			d.pos += len(text)
			d.named = -1
			top.name, top.index = f.Names[next], nameStep
			m.Field = int(next)
			return m.first(d, next)
		}
	}
	return m.search(d)
}

// search reads the next name, and looks for it among all. It reports and skips members
// that are not allowed.
func (m *Members) search(d *Decoder) bool {
	for d.Member() {
		m.Field = m.fields.find(d.name())
		switch {
		case m.Field >= 0:
			return m.first(d, uint(m.Field))
		case m.fields.Open:
			return true
		}
		d.Unknown("additionalProperties", d.name())
		d.Skip()
	}
	m.end(d)
	return false
}

// first marks a member as read. One that was read before is a Duplicate.
func (m *Members) first(d *Decoder, field uint) bool {
	word, bit := &m.seen, uint64(1)<<(field%wordSize)
	if field >= wordSize {
		word = m.word(field / wordSize)
	}
	if *word&bit != 0 {
		d.Duplicate()
		return false
	}
	*word |= bit
	return true
}

func (m *Members) word(i uint) *uint64 {
	if i == 0 {
		return &m.seen
	}
	return &m.more.words[i-1]
}

// end reports the members that are missing.
func (m *Members) end(d *Decoder) {
	for i, required := range m.fields.Required {
		if missing := required &^ *m.word(uint(i)); missing != 0 {
			m.missing(d, i*wordSize, missing)
		}
	}
	m.fields = nil
}

func (m *Members) missing(d *Decoder, from int, bits uint64) {
	for i, name := range m.fields.Names[from:min(from+wordSize, len(m.fields.Names))] {
		if bits&(1<<i) != 0 {
			d.Required(name)
		}
	}
}

// Has tells, behind the last member, whether the member of that place was there.
func (m *Members) Has(field int) bool {
	return *m.word(uint(field) / wordSize)&(1<<(uint(field)%wordSize)) != 0
}
