package pgque

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// GoTest is the source of a Go test file of package pkg that fails as long as the dead
// letter's handler does: it holds the message and the recorded reason, and names the
// one line to fill in, the handler. The file belongs beside the handler's code; a
// suitable name is dead_letter_ID_test.go.
func (d DeadLetter) GoTest(pkg string) ([]byte, error) {
	var b bytes.Buffer
	m := d.Message
	fmt.Fprintf(&b, "package %s\n\nimport (\n\"testing\"\n\"time\"\n\n\"github.com/pgque/pgque-go/pgque\"\n)\n\n", pkg)
	fmt.Fprintf(&b, "// Dead letter %d of consumer %q on queue %q died at %s of\n//\n",
		d.ID, d.Consumer, d.Queue, d.DiedAt.UTC().Format(time.RFC3339))
	for line := range strings.Lines(d.Reason) {
		fmt.Fprintf(&b, "//\t%s\n", strings.TrimRight(line, "\r\n"))
	}
	fmt.Fprintf(&b, "func TestDeadLetter%d%s(t *testing.T) {\n", d.ID, testName(m.Type))
	fmt.Fprintf(&b, handlerHint, goName(m.Type))
	fmt.Fprintf(&b, "var handle pgque.HandlerFunc // the handler that has to cope with it\n\n")
	fmt.Fprintf(&b, "text := func(s string) *string { return &s }\n_ = text\n")
	fmt.Fprintf(&b, "msg := pgque.Message{\nMsgID: %d,\nType: %q,\nPayload: %s,\n", m.MsgID, m.Type, literal(m.Payload))
	if m.RetryCount != nil {
		fmt.Fprintf(&b, "RetryCount: func(n int) *int { return &n }(%d),\n", *m.RetryCount)
	}
	at := m.CreatedAt.UTC()
	fmt.Fprintf(&b, "CreatedAt: time.Date(%d, %d, %d, %d, %d, %d, %d, time.UTC),\n",
		at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond())
	for i, extra := range []*string{m.Extra1, m.Extra2, m.Extra3, m.Extra4} {
		if extra != nil {
			fmt.Fprintf(&b, "Extra%d: text(%s),\n", i+1, literal(*extra))
		}
	}
	fmt.Fprintf(&b, "}\nif handle == nil {\nt.Fatalf(\"set handle to the handler of %%q\", msg.Type)\n}\n")
	fmt.Fprintf(&b, "if err := handle(pgque.ContextWithMessage(t.Context(), msg), msg); err != nil {\nt.Errorf(\"it still fails: %%v\", err)\n}\n}\n")
	return format.Source(b.Bytes())
}

// handlerHint shows how a handler of a generated consumer gets the message.
const handlerHint = `// One that takes the event of a generated package gets it so:
//
//	handle = func(ctx context.Context, msg pgque.Message) error {
//		var ev events.%[1]s
//		if err := ev.UnmarshalJSON([]byte(msg.Payload)); err != nil {
//			return err
//		}
//		return on%[1]s(ctx, ev)
//	}
`

// testName makes an event type fit to follow a test's name.
func testName(eventType string) string {
	var name strings.Builder
	for word := range words(eventType) {
		name.WriteString("_" + word)
	}
	return name.String()
}

// goName is what a generated package usually calls the event.
func goName(eventType string) string {
	var name strings.Builder
	for word := range words(eventType) {
		first, size := utf8.DecodeRuneInString(word)
		name.WriteString(string(unicode.ToUpper(first)) + word[size:])
	}
	return cmp.Or(name.String(), "Event")
}

func words(eventType string) iter.Seq[string] {
	return strings.FieldsFuncSeq(eventType, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// literal prefers the form that a reader can read.
func literal(text string) string {
	if strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}
