package wire

import (
	"encoding/json"
	"sync"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

// A Decoder reads one JSON text from its bytes, front to back, and collects what
// is wrong with it.
//
// The embedded Report's pointer follows the reading: behind a Member that
// returned true it is that member, behind an Item that returned true that item,
// and behind the Member or Item that returned false it is the object or array
// that has ended. Generated code calls Enter and Leave only to point at what is
// not being read.
//
// A method that reads a value of one kind and finds another reports keyword type,
// skips the value and returns false. Member is called after an Object that
// returned true, until it returns false itself, and Item likewise after Array.
// Behind every true Member or Item exactly one value is read. After a syntax error, and when the Report is full, every method
// returns false at once, so that loops end; Err then has the reason. Looking ahead
// is what Kind, Accepts and Tag are for: a copy of a Decoder shares its memory.
type Decoder struct {
	Report

	buf     []byte
	pos     int
	text    string // the text as a string that stays good; "" until there is one
	named   int    // where the last name begins; negative when it had escapes
	scratch []byte // the last text that had escapes
	syntax  *SyntaxError
	long    bool // the last number has more digits than a float64, or an exponent
	spelled map[string]spelling

	names  []string // stack of the members of objects that are being skipped or parsed
	values []Value  // stack of the children of what is being parsed
	slabs  slabs
}

// NewDecoder reads b. The Decoder keeps b but does not write to it.
func NewDecoder(b []byte) *Decoder { return &Decoder{buf: b} }

// Reset makes the Decoder read b, with an empty Report of the same Limit.
func (d *Decoder) Reset(b []byte) {
	d.buf, d.pos, d.text, d.syntax = b, 0, "", nil
	d.violations, d.done, d.concealed, d.spelled = nil, false, 0, nil
	d.path = emptied(d.path[:cap(d.path)])
	d.names, d.values, d.scratch = emptied(d.names), emptied(d.values), emptied(d.scratch)
	d.slabs = slabs{}
}

// emptied returns the memory of a stack for the next text, without references into
// the last one. What a large text needed is given up. What was taken from the stack
// was cleared then.
func emptied[T any](s []T) []T {
	const most = 256
	if cap(s) > most {
		return nil
	}
	clear(s)
	return s[:0]
}

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// Open takes a Decoder from a pool to read b. Close gives it back.
//
//go:noinline
func Open(b []byte) *Decoder {
	d := decoders.Get().(*Decoder) // as Close left it
	d.buf = b
	return d
}

// OpenText is Open for a text that is a string already: strings that are read are
// part of it.
func OpenText(text string) *Decoder {
	d := Open(view(text))
	if len(text) <= maxShared {
		d.text = text
	}
	return d
}

// maxShared bounds the text of which the strings that are read are parts, so that
// one of them that is kept for long does not keep much more with it. Of a longer
// text each string is a copy.
const maxShared = 8 << 10

// keep returns a part of the text that stays good when the text does not.
func (d *Decoder) keep(start, end int) string {
	switch {
	case start == end:
		return ""
	case len(d.buf) > maxShared:
		return string(d.buf[start:end])
	case d.text == "":
		d.text = string(d.buf)
	}
	return d.text[start:end]
}

// Close is Err, and ends the use of a Decoder that Open returned: the Decoder
// may not be used afterwards.
func (d *Decoder) Close(event string) error {
	err := d.Err(event)
	d.Reset(nil)
	d.Limit = 0
	decoders.Put(d)
	return err
}

// Err returns nil when one valid value was read and nothing is behind it;
// otherwise a *SyntaxError or a *ValidationError.
func (d *Decoder) Err(event string) error {
	if !d.done && len(d.path) == 0 {
		d.end()
	}
	if d.syntax != nil {
		d.syntax.Event = event
		return d.syntax
	}
	return d.Report.Err(event)
}

// end fails when the text goes on, or has no value at all.
func (d *Decoder) end() {
	i := skipSpace(d.buf, d.pos)
	switch {
	case d.pos == 0 && i == len(d.buf):
		d.broken(i, msgEnd)
	case i < len(d.buf):
		d.broken(i, msgTrailing)
	}
}

// broken records a syntax error and stops all reading. It returns false.
func (d *Decoder) broken(at int, message string) bool {
	if !d.done {
		if at >= len(d.buf) {
			message = msgEnd
		}
		d.syntax = &SyntaxError{Offset: at, Message: message}
		d.done = true
	}
	return false
}

// next skips white space and returns the byte there, 0 at the end and when all
// reading has stopped.
func (d *Decoder) next() byte {
	if d.pos < len(d.buf) && d.buf[d.pos] > ' ' && !d.done {
		return d.buf[d.pos]
	}
	return d.nextSlowly()
}

func (d *Decoder) nextSlowly() byte {
	if d.done {
		return 0
	}
	if d.pos = skipSpace(d.buf, d.pos); d.pos == len(d.buf) {
		return 0
	}
	return d.buf[d.pos]
}

// Kind returns the kind of the next value; End when there is none.
//
//go:noinline
func (d *Decoder) Kind() Kind { return kinds[d.next()] }

// mismatch reports the next value as not of the wanted type and skips it.
func (d *Decoder) mismatch(want string) bool {
	if d.done {
		return false
	}
	kind := kinds[d.next()]
	if kind == End {
		return d.broken(d.pos, msgValue)
	}
	d.Report.Type(kind, want)
	d.Skip()
	return false
}

// Mismatch reports the next value as not of the wanted type, "string or null"
// say, skips it and returns false.
func (d *Decoder) Mismatch(want string) bool { return d.mismatch(want) }

// Object begins an object.
func (d *Decoder) Object() bool {
	if d.next() != '{' {
		return d.mismatch("object")
	}
	return d.open()
}

// Array begins an array.
func (d *Decoder) Array() bool {
	if d.next() != '[' {
		return d.mismatch("array")
	}
	return d.open()
}

func (d *Decoder) open() bool {
	if len(d.path) >= MaxDepth {
		return d.broken(d.pos, msgDepth)
	}
	d.pos++
	d.path = append(d.path, step{index: noStep})
	return true
}

// Member goes on to the next member and reads its name; false at the end of the
// object.
func (d *Decoder) Member() bool {
	c := d.next()
	if d.done {
		return false
	}
	top := &d.path[len(d.path)-1]
	switch {
	case c == '}':
		d.pos++
		d.path = d.path[:len(d.path)-1]
		return false
	case top.index == noStep:
		top.index = nameStep
	case c != ',':
		return d.broken(d.pos, msgComma)
	default:
		d.pos++
		c = d.next()
	}
	if c != '"' {
		return d.broken(d.pos, msgName)
	}
	return d.readName(top)
}

// readName reads a member's name and the colon.
func (d *Decoder) readName(top *step) bool {
	start := d.pos + 1
	end, escaped, problem := scanString(d.buf, start)
	if problem != "" {
		return d.broken(end, problem)
	}
	d.pos = end
	if name := d.buf[start : end-1]; escaped {
		d.scratch = unescape(d.scratch[:0], name)
		top.name, d.named = string(d.scratch), -1
	} else {
		top.name, d.named = alias(name), start
	}
	if end < len(d.buf) && d.buf[end] == ':' {
		d.pos = end + 1
		return true
	}
	if d.next() != ':' {
		return d.broken(d.pos, msgColon)
	}
	d.pos++
	return true
}

// Key returns the name of the current member, unescaped, also after its value was
// read. It is part of the text and not to be written to.
func (d *Decoder) Key() []byte { return view(d.name()) }

// Name is Key as a string that stays good. It is called before the member's value
// is read.
//
//go:noinline
func (d *Decoder) Name() string {
	name := d.name()
	if d.named < 0 {
		return name
	}
	return d.keep(d.named, d.named+len(name))
}

// name is Key as a string, good as long as the text.
func (d *Decoder) name() string { return d.path[len(d.path)-1].name }

// Duplicate reports the current member's name as one that the object already had.
// It stops the reading: which of the members would count is unknown.
//
//go:noinline
func (d *Decoder) Duplicate() { d.broken(d.pos, msgDuplicate) }

// Item goes on to the next item; false at the end of the array.
func (d *Decoder) Item() bool {
	c := d.next()
	if d.done {
		return false
	}
	top := &d.path[len(d.path)-1]
	if top.index == noStep {
		if c == ']' {
			return d.endArray()
		}
		top.index = 0
		return true
	}
	switch c {
	case ',':
		d.pos++
		top.index++
		return true
	case ']':
		return d.endArray()
	}
	return d.broken(d.pos, msgItemComma)
}

func (d *Decoder) endArray() bool {
	d.pos++
	d.path = d.path[:len(d.path)-1]
	return false
}

// Null reads null when it is next; otherwise it reads nothing and returns false.
func (d *Decoder) Null() bool { return d.next() == 'n' && d.literal("null") }

// literal reads a text that begins with the next byte.
func (d *Decoder) literal(text string) bool {
	if rest := d.buf[d.pos:]; len(rest) < len(text) || string(rest[:len(text)]) != text {
		return d.broken(d.pos, msgLiteral)
	}
	d.pos += len(text)
	return true
}

// Bool reads a boolean.
func (d *Decoder) Bool(v *bool) bool {
	switch d.next() {
	case 't':
		*v = true
		return d.literal("true")
	case 'f':
		*v = false
		return d.literal("false")
	}
	return d.mismatch("boolean")
}

// ConstBool reads a boolean of which one value is allowed.
func (d *Decoder) ConstBool(v *bool, only bool) bool {
	if !d.Bool(v) {
		return false
	}
	if *v != only {
		d.Const(*v, Show(only))
		return false
	}
	return true
}

// String reads a string.
func (d *Decoder) String(v *string, rules *TextRules) bool {
	if d.next() != '"' {
		return d.mismatch("string")
	}
	start := d.pos + 1
	end, escaped, problem := scanString(d.buf, start)
	if problem != "" {
		return d.broken(end, problem)
	}
	d.pos = end
	if escaped {
		d.scratch = unescape(d.scratch[:0], d.buf[start:end-1])
		*v = string(d.scratch)
	} else {
		*v = d.keep(start, end-1)
	}
	if rules != nil && !rules.holds(*v) {
		rules.report(*v, &d.Report)
		return false
	}
	return true
}

// StringBytes reads a string and returns its unescaped text, good until the next
// call of any method of the Decoder.
func (d *Decoder) StringBytes() ([]byte, bool) {
	start, escaped, ok := d.quoted()
	if !ok {
		return nil, false
	}
	text := d.buf[start : d.pos-1]
	if escaped {
		d.scratch = unescape(d.scratch[:0], text)
		return d.scratch, true
	}
	return text, true
}

// quoted reads a string. What stands between the quotes begins at start and ends
// before the byte that was read last.
func (d *Decoder) quoted() (start int, escaped, ok bool) {
	if d.next() != '"' {
		return 0, false, d.mismatch("string")
	}
	start = d.pos + 1
	end, escaped, problem := scanString(d.buf, start)
	if problem != "" {
		return 0, false, d.broken(end, problem)
	}
	d.pos = end
	return start, escaped, true
}

// Raw reads any value and returns a copy of its text.
//
//go:noinline
func (d *Decoder) Raw() (json.RawMessage, bool) {
	span, ok := d.Span()
	if !ok {
		return nil, false
	}
	return append(json.RawMessage(nil), span...), true
}

// Span is Raw without the copy: the bytes are part of the text that is read.
func (d *Decoder) Span() ([]byte, bool) {
	d.next()
	start := d.pos
	if !d.Skip() {
		return nil, false
	}
	return d.buf[start:d.pos], true
}

// Extra reads the value of the current member, which the schema does not name,
// and stores a copy of its text under the member's name. It makes m when it is
// nil. A name that m already has is a Duplicate.
func (d *Decoder) Extra(m map[string]json.RawMessage) map[string]json.RawMessage {
	name := d.Name()
	if _, has := m[name]; has {
		d.Duplicate()
		return m
	}
	raw, ok := d.Raw()
	if !ok {
		return m
	}
	if m == nil {
		m = make(map[string]json.RawMessage)
	}
	m[name] = raw
	return m
}
