package wire

import (
	"strconv"
	"strings"
	"sync"
)

// DefaultLimit is the number of violations that a Report keeps when its Limit
// is zero.
const DefaultLimit = 32

// A Violation is one rule that one place of an instance breaks.
type Violation struct {
	Pointer string // JSON pointer into the instance; "" is the root
	Keyword string // the rule: "minimum"
	Message string // "0 is less than 1"; never holds more than a short piece of a value
}

// A ValidationError says that a payload is JSON but no valid instance of its
// event's schema.
type ValidationError struct {
	Event      string
	Violations []Violation // at least one, in the order of the text
}

// Error names the first violation and counts the others.
func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString(e.Event)
	for _, v := range e.Violations[:1] {
		b.WriteString(": ")
		if v.Pointer != "" {
			b.WriteString(printable(v.Pointer) + ": ")
		}
		b.WriteString(v.Message)
	}
	if n := len(e.Violations) - 1; n > 0 {
		b.WriteString("; and " + strconv.Itoa(n) + " more")
	}
	return b.String()
}

// A SyntaxError says that a payload is not the JSON text that this package
// accepts.
type SyntaxError struct {
	Event   string
	Offset  int // of the byte at which reading stopped
	Message string
}

// Error names the event, what is wrong, and where.
func (e *SyntaxError) Error() string {
	return e.Event + ": invalid JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.Message
}

// A Report collects the violations of one instance. The zero Report is ready.
// All methods do nothing on a nil *Report, for predicates whose caller wants
// the verdict only; a caller that has to compute an argument guards the call
// with r != nil.
type Report struct {
	// Limit is the number of violations after which the Report takes no more
	// and a Decoder stops. 1 stops at the first. Defaults to DefaultLimit.
	Limit int

	path       []step
	violations []Violation
	concealed  int  // how many Conceals are open
	veil       int  // the length of path at the first of them
	done       bool // no more is taken: the limit is reached, or the text is broken
}

// A step is one reference token of the current pointer.
type step struct {
	name  string
	index int // of an item; nameStep, or noStep before the first member or item
}

const (
	nameStep = -1
	noStep   = -2
)

var reports = sync.Pool{New: func() any { return new(Report) }}

// OpenReport takes an empty Report from a pool. Close gives it back.
//
//go:noinline
func OpenReport() *Report { return reports.Get().(*Report) }

// Close is Err, and ends the use of a Report that OpenReport returned: the Report
// may not be used afterwards.
func (r *Report) Close(event string) error {
	err := r.Err(event)
	*r = Report{path: emptied(r.path[:cap(r.path)])}
	reports.Put(r)
	return err
}

// Enter moves the current pointer into the member of that name.
//
//go:noinline
func (r *Report) Enter(name string) {
	if r != nil {
		r.path = append(r.path, step{name: name, index: nameStep})
	}
}

// EnterIndex moves the current pointer into item i.
//
//go:noinline
func (r *Report) EnterIndex(i int) {
	if r != nil {
		r.path = append(r.path, step{index: i})
	}
}

// Leave takes the last Enter or EnterIndex back.
//
//go:noinline
func (r *Report) Leave() {
	if r != nil {
		r.path = r.path[:len(r.path)-1]
	}
}

// Fail records that the value at the current pointer breaks a rule. The message
// is taken as it is: values in it go through Quote first.
func (r *Report) Fail(keyword, message string) {
	if r != nil && !r.done {
		r.record(keyword, message)
	}
}

func (r *Report) record(keyword, message string) {
	if r.concealed > 0 {
		message = "a secret breaks " + keyword
	}
	r.violations = append(r.violations, Violation{r.shown(), keyword, message})
	r.done = len(r.violations) >= r.limit()
}

// Conceal keeps the value at the current pointer out of what is reported, until
// Reveal: messages name the rule only, and pointers lead to the value and not into it.
//
//go:noinline
func (r *Report) Conceal() {
	if r == nil {
		return
	}
	if r.concealed == 0 {
		r.veil = len(r.path)
	}
	r.concealed++
}

// Reveal takes the last Conceal back.
func (r *Report) Reveal() {
	if r != nil {
		r.concealed--
	}
}

func (r *Report) limit() int {
	if r.Limit > 0 {
		return r.Limit
	}
	return DefaultLimit
}

// Failed says whether a violation was recorded.
func (r *Report) Failed() bool { return r != nil && len(r.violations) > 0 }

// Full says whether the Report takes no more violations.
func (r *Report) Full() bool { return r != nil && r.done }

// Err returns a *ValidationError with the violations so far, nil without any.
func (r *Report) Err(event string) error {
	if !r.Failed() {
		return nil
	}
	return &ValidationError{Event: event, Violations: r.violations}
}

// Pointer returns the current JSON pointer (RFC 6901).
func (r *Report) Pointer() string {
	if r == nil {
		return ""
	}
	return pointer(r.path)
}

// shown is the pointer without what leads into a concealed value.
func (r *Report) shown() string {
	if r.concealed > 0 {
		return pointer(r.path[:r.veil])
	}
	return pointer(r.path)
}

func pointer(path []step) string {
	var b strings.Builder
	for _, s := range path {
		switch s.index {
		case noStep:
		case nameStep:
			b.WriteByte('/')
			pointerEscaper.WriteString(&b, s.name)
		default:
			b.WriteByte('/')
			b.WriteString(strconv.Itoa(s.index))
		}
	}
	return b.String()
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")
