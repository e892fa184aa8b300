package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// An Encoder writes one value as JSON text and collects what is wrong with it, in one
// pass: Close returns the text of a value that breaks no rule.
//
// Methods that write a value take the text before it: the name of its member, and what
// else is always the same.
//
// What is reported is the value that the next byte would begin, or, where none can
// follow, the object around: the JSON pointer of a violation is found in the text.
type Encoder struct {
	report Report
	buf    []byte
	start  int    // of the value in buf, behind what was there
	dst    []byte // what the text is appended to when it is not buf
	direct bool   // the text is written to where it stays
	veil   int    // the length of buf at the first Conceal
	err    error  // of what Restore read

	spellings *Spellings // not nil: Restore judges the text
}

// The least room in which an Encoder writes at once, and the largest buffer that is kept
// for the next text.
const (
	roomy      = 512
	maxBuffer  = 64 << 10
	minContent = 1 << 10
)

var encoders = sync.Pool{New: func() any { return &Encoder{buf: make([]byte, 0, minContent)} }}

// Encode takes an Encoder from a pool that appends to b, in one allocation at most.
// Close gives it back.
//
//go:noinline
func Encode(b []byte) *Encoder {
	e := encoders.Get().(*Encoder) // as release left it
	if e.direct = cap(b)-len(b) >= roomy; e.direct {
		e.dst, e.buf = e.buf, b
		e.start = len(b)
		return e
	}
	e.dst = b
	return e
}

// Close returns the text behind what Encode was given, and a *ValidationError with
// what Encode was given when the value breaks a rule. It ends the use of the Encoder.
//
//go:noinline
func (e *Encoder) Close(event string) ([]byte, error) {
	err := e.failure(event)
	return e.release(err == nil), err
}

// Err is Close for those who do not want the text.
//
//go:noinline
func (e *Encoder) Err(event string) error {
	err := e.failure(event)
	e.release(false)
	return err
}

// Take is Close for those who want the text whatever rules it breaks.
func (e *Encoder) Take() []byte { return e.release(true) }

func (e *Encoder) failure(event string) error {
	if e.err != nil {
		return e.err
	}
	return e.report.Err(event)
}

// release gives the Encoder back. It returns what Encode was given, with the text when
// that is wanted.
func (e *Encoder) release(text bool) []byte {
	var result, buffer []byte
	switch {
	case e.direct && text:
		result, buffer = e.buf, e.dst
	case e.direct:
		result, buffer = e.buf[:e.start], e.dst
	case text:
		result, buffer = append(e.dst, e.buf...), e.buf
	default:
		result, buffer = e.dst, e.buf
	}
	if cap(buffer) > maxBuffer {
		buffer = make([]byte, 0, minContent)
	}
	*e = Encoder{report: Report{path: emptied(e.report.path[:cap(e.report.path)])}, buf: buffer[:0]}
	encoders.Put(e)
	return result
}

// Remember takes what Restore puts into the text. The rules are then for that text: the
// digits of a number may say what its float64 does not.
func (e *Encoder) Remember(s *Spellings) { e.spellings = s }

// Restore puts the remembered spellings into the text, and lets blank read it, which
// decides whether the value is valid. A value that its text does not show is refused
// before.
func (e *Encoder) Restore(blank json.Unmarshaler) {
	if e.report.Failed() {
		return
	}
	text := e.spellings.AppendRestored(nil, e.buf[e.start:])
	e.err = blank.UnmarshalJSON(text)
	e.buf = append(e.buf[:e.start], text...)
}

// here is the Report, pointing at what is written next; nil where Restore judges the
// text.
func (e *Encoder) here() *Report {
	if e.spellings != nil {
		return nil
	}
	return e.unshown()
}

// unshown is here for what the text does not show: what JSON cannot say, and is written
// as something else or not at all; a missing item, for those behind it are written in
// its place; a member without a field that has the name of one.
func (e *Encoder) unshown() *Report {
	if !e.report.done {
		e.point(len(e.buf))
	}
	return &e.report
}

// point moves the pointer to what begins at an offset.
func (e *Encoder) point(at int) {
	if e.report.concealed > 0 {
		at = min(at, e.veil)
	}
	e.report.path = trail(e.report.path[:0], e.buf[e.start:at])
	e.report.veil = len(e.report.path)
}

// Fail reports the value that follows, which there is no text for.
func (e *Encoder) Fail(keyword, message string) { e.unshown().Fail(keyword, message) }

// unsayable is Fail for a value that is of no type of JSON.
func (e *Encoder) unsayable(message string) { e.Fail("type", message) }

// Required reports that the object lacks a member, before anything of it is written.
func (e *Encoder) Required(name string) { e.unshown().Required(name) }

// Unique reports that two items of the array that follows are equal.
func (e *Encoder) Unique() { e.here().Unique() }

// Conceal keeps the value that follows out of what is reported, until Reveal.
//
//go:noinline
func (e *Encoder) Conceal() {
	if e.report.concealed == 0 {
		e.veil = len(e.buf)
	}
	e.report.concealed++
}

// Reveal takes the last Conceal back.
//
//go:noinline
func (e *Encoder) Reveal() { e.report.concealed-- }

// Mark is the place of the value that follows, for Decide.
//
//go:noinline
func (e *Encoder) Mark() int { return len(e.buf) }

// Decide lets predicates decide the value that begins at a mark. It does nothing after
// a violation: such a value has no text to speak of.
//
//go:noinline
func (e *Encoder) Decide(mark int, predicates ...Predicate) {
	if e.report.Failed() || e.spellings != nil {
		return
	}
	e.point(mark)
	v, err := Parse(e.buf[mark:])
	if err != nil {
		e.report.Fail("type", err.Error())
		return
	}
	for _, accept := range predicates {
		accept(v, nil, &e.report)
	}
}

// Text writes text that is always the same.
//
//go:noinline
func (e *Encoder) Text(text string) {
	if len(text) == 1 {
		e.buf = append(e.buf, text[0])
		return
	}
	e.buf = e.after(text)
}

// after is buf with a text behind it.
func (e *Encoder) after(text string) []byte { return append(e.buf, text...) }

// Comma writes a comma, unless the first member or item follows.
//
//go:noinline
func (e *Encoder) Comma() {
	if last := e.buf[len(e.buf)-1]; last != '{' && last != '[' {
		e.buf = append(e.buf, ',')
	}
}

// Name writes the name of a member whose object has a member for each name of a map.
//
//go:noinline
func (e *Encoder) Name(name string, rules *TextRules) {
	e.Comma()
	b, ok := appendText(e.buf, name)
	e.buf = append(b, ':')
	switch {
	case !ok:
		e.refuseName(name)
	case !rules.holds(name):
		rules.report(name, e.here())
	}
}

const msgNotText = "text that is not UTF-8"

// refuseName reports a name that was written, by what it is and not by what was written.
func (e *Encoder) refuseName(name string) {
	r := e.unshown()
	if !r.done && r.concealed == 0 {
		r.path[len(r.path)-1].name = name
	}
	r.Fail("type", msgNotText)
}

// OtherName is Name for a member that the schema does not name.
//
//go:noinline
func (e *Encoder) OtherName(name string, f *Fields) {
	if f.find(name) >= 0 {
		e.unshown().Unknown("additionalProperties", name)
	}
	e.Name(name, nil)
}

// Array begins an array of n items.
//
//go:noinline
func (e *Encoder) Array(text string, n int, c *Count) {
	e.Text(text)
	if !c.holds(n) {
		c.report("Items", n, e.here())
	}
	e.buf = append(e.buf, '[')
}

// Object begins an object with n members, the names of a map.
//
//go:noinline
func (e *Encoder) Object(text string, n int, c *Count) {
	e.Text(text)
	if !c.holds(n) {
		c.report("Properties", n, e.here())
	}
	e.buf = append(e.buf, '{')
}

// String writes a string.
//
//go:noinline
func (e *Encoder) String(text, s string, rules *TextRules) {
	b, ok := appendText(e.after(text), s)
	if !ok || !rules.holds(s) {
		e.Text(text)
		e.refuse(s, rules, ok)
	}
	e.buf = b
}

// refuse reports a string.
func (e *Encoder) refuse(s string, rules *TextRules, isText bool) {
	if isText {
		rules.report(s, e.here())
	} else {
		e.unsayable(msgNotText)
	}
}

// Constant writes the one string that the rules allow, for which "" stands, too.
//
//go:noinline
func (e *Encoder) Constant(text, s string, rules *TextRules) {
	if s == "" {
		s = rules.Const[0]
	}
	e.String(text, s, rules)
}

// Word writes one of the words.
//
//go:noinline
func (e *Encoder) Word(text, s string, w *Words) {
	if i := w.find(s); i >= 0 {
		e.buf = append(e.after(text), w.texts[i]...)
		return
	}
	e.Text(text)
	e.unshown().Enum(s)
	e.buf = AppendString(e.buf, s)
}

// Bool writes a boolean.
//
//go:noinline
func (e *Encoder) Bool(text string, v bool) {
	e.buf = AppendBool(e.after(text), v)
}

// ConstBool writes a boolean of which one value is allowed.
func (e *Encoder) ConstBool(text string, v, only bool) {
	e.Text(text)
	if v != only {
		e.here().Const(v, Show(only))
	}
	e.buf = AppendBool(e.buf, v)
}

// Int64 writes an integer.
//
//go:noinline
func (e *Encoder) Int64(text string, i int64, rules *IntegerRules) {
	if !rules.allow(i) {
		e.Text(text)
		rules.report(i, e.here())
		text = ""
	}
	e.buf = AppendInt(e.after(text), i)
}

// ConstantInt64 writes the one integer that the rules allow, for which 0 stands, too.
//
//go:noinline
func (e *Encoder) ConstantInt64(text string, i int64, rules *IntegerRules) {
	if i == 0 {
		i = rules.Const[0]
	}
	e.Int64(text, i, rules)
}

// Uint64 writes an integer.
func (e *Encoder) Uint64(text string, u uint64, rules *UnsignedRules) {
	if !rules.holds(u) {
		e.Text(text)
		rules.report(u, e.here())
		text = ""
	}
	e.buf = AppendUint(e.after(text), u)
}

// Float writes a number.
//
//go:noinline
func (e *Encoder) Float(text string, f float64, rules *NumberRules) {
	if !rules.surely(f) && !(ValidFloat(f) && rules.holds(ExactOf(f))) {
		e.Text(text)
		e.refuseFloat(f, rules)
		text = ""
	}
	e.buf = AppendFloat(e.after(text), f)
}

// refuseFloat reports a number.
func (e *Encoder) refuseFloat(f float64, rules *NumberRules) {
	if ValidFloat(f) {
		rules.report(ExactOf(f), e.here())
	} else {
		e.unsayable("not a number that JSON has")
	}
}

// Time writes a date-time.
//
//go:noinline
func (e *Encoder) Time(text string, t time.Time) {
	if !ValidTime(t) {
		text = e.refuseFormat(text, "date-time", t)
	}
	e.buf = AppendTime(e.after(text), t)
}

// refuseFormat reports a value that has no text of its format, behind the text before it.
// Nothing of that is left to write.
func (e *Encoder) refuseFormat(text, format string, value fmt.Stringer) (left string) {
	e.Text(text)
	e.unshown().Format(value.String(), format)
	return ""
}

// UUID writes a UUID.
//
//go:noinline
func (e *Encoder) UUID(text string, u UUID) {
	e.buf = AppendUUID(e.after(text), u)
}

// Date writes a date.
//
//go:noinline
func (e *Encoder) Date(text string, d Date) {
	if !d.Valid() {
		text = e.refuseFormat(text, "date", d)
	}
	e.buf = AppendDate(e.after(text), d)
}

// TimeOfDay writes a time.
//
//go:noinline
func (e *Encoder) TimeOfDay(text string, t TimeOfDay) {
	if !t.Valid() {
		text = e.refuseFormat(text, "time", t)
	}
	e.buf = AppendTimeOfDay(e.after(text), t)
}

// Duration writes a duration.
//
//go:noinline
func (e *Encoder) Duration(text string, d Duration) {
	if !d.Valid() {
		text = e.refuseFormat(text, "duration", d)
	}
	e.buf = AppendDuration(e.after(text), d)
}

// Raw writes one JSON value as it is.
//
//go:noinline
func (e *Encoder) Raw(text string, value json.RawMessage) {
	e.Text(text)
	if err := invalid(value); err != nil {
		e.unsayable(err.Error())
		value = json.RawMessage("null")
	}
	e.buf = append(e.buf, value...)
}

// invalid is the error of text that is not one JSON value.
func invalid(text json.RawMessage) error {
	if len(text) == 0 {
		return errNoValue
	}
	d := Open(text)
	d.Skip()
	return d.Close("value")
}

var errNoValue = errors.New("has no value")

// Other writes what stands in the place of an object. An object has fields, whose rules
// nobody would ask about.
func (e *Encoder) Other(value json.RawMessage) {
	if first := skipSpace(value, 0); first < len(value) && value[first] == '{' {
		e.unsayable("an object in Other; set the fields")
	}
	e.Raw("", value)
}

// Value writes the JSON of the foreign value that v points to. One that has none breaks
// the rule x-go-type.
func (e *Encoder) Value(text string, v any) {
	e.Text(text)
	json, err := jsonOf(v)
	if err != nil {
		e.Fail("x-go-type", "has no JSON: "+Quote(err.Error()))
	}
	e.buf = append(e.buf, json...)
}

// trail appends the steps to what would follow a text that is the beginning of a value:
// in an array the next item, in an object the value behind a name.
func trail(path []step, text []byte) []step {
	for i := 0; i < len(text); {
		switch text[i] {
		case '{':
			path = append(path, step{index: noStep})
		case '[':
			path = append(path, step{})
		case '}', ']':
			path = path[:len(path)-1]
			ended(path)
		case ',':
			if top := &path[len(path)-1]; top.index >= 0 {
				top.index++
			}
		case ':', ' ', '\t', '\n', '\r':
		case '"':
			end, _, _ := scanString(text, i+1)
			name := text[i+1 : end-1]
			if i = end; i < len(text) && text[i] == ':' && path[len(path)-1].index == noStep {
				path[len(path)-1] = step{string(unescape(nil, name)), nameStep}
			} else {
				ended(path)
			}
			continue
		default:
			for i < len(text) && !endsScalar(text[i]) {
				i++
			}
			ended(path)
			continue
		}
		i++
	}
	return path
}

func endsScalar(c byte) bool { return c == ',' || c == '}' || c == ']' || c <= ' ' }

// ended leaves the member whose value has ended.
func ended(path []step) {
	if last := len(path) - 1; last >= 0 && path[last].index == nameStep {
		path[last] = step{index: noStep}
	}
}
