package pgquetest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Sent is an event that was sent.
type Sent struct {
	Queue   string
	ID      int64
	Type    string
	Payload string // the JSON text
}

// Typed is an event type, such as those that pgque-gen writes.
type Typed interface{ EventType() string }

// AssertSent fails the test unless the events of type T among sent are exactly
// want, in that order. Payloads are compared as JSON values.
func AssertSent[T Typed](t testing.TB, sent []Sent, want ...T) {
	t.Helper()
	got := ofType[T](sent)
	texts := make([]string, len(want))
	for i, ev := range want {
		text, err := json.Marshal(ev)
		if err != nil {
			t.Fatalf("pgquetest: %s that is wanted cannot be sent: %v", ev.EventType(), err)
		}
		texts[i] = string(text)
	}
	if !slices.EqualFunc(got, texts, func(s Sent, text string) bool { return sameJSON(s.Payload, text) }) {
		t.Errorf("pgquetest: %s sent:\n%s\nwant:\n%s", typeOf[T](), list(payloads(got)), list(texts))
	}
}

// AssertNotSent fails the test when there is an event of type T among sent.
func AssertNotSent[T Typed](t testing.TB, sent []Sent) {
	t.Helper()
	if got := ofType[T](sent); len(got) > 0 {
		t.Errorf("pgquetest: %s sent:\n%s\nwant none", typeOf[T](), list(payloads(got)))
	}
}

// AssertOrder fails the test unless the events in sent are of exactly these types,
// in that order. No types: nothing was sent.
func AssertOrder(t testing.TB, sent []Sent, types ...string) {
	t.Helper()
	got := make([]string, len(sent))
	for i, s := range sent {
		got[i] = s.Type
	}
	if !slices.Equal(got, types) {
		t.Errorf("pgquetest: sent in this order:\n%s\nwant:\n%s", list(got), list(types))
	}
}

// SentOf decodes the events of type T among sent, for a test that looks closer.
func SentOf[T Typed](t testing.TB, sent []Sent) []T {
	t.Helper()
	var events []T
	for _, s := range ofType[T](sent) {
		var ev T
		if err := json.Unmarshal([]byte(s.Payload), &ev); err != nil {
			t.Fatalf("pgquetest: %s %d: %v", s.Type, s.ID, err)
		}
		events = append(events, ev)
	}
	return events
}

func typeOf[T Typed]() string {
	var zero T
	return zero.EventType()
}

func ofType[T Typed](sent []Sent) []Sent {
	name := typeOf[T]()
	return slices.DeleteFunc(slices.Clone(sent), func(s Sent) bool { return s.Type != name })
}

func payloads(sent []Sent) []string {
	texts := make([]string, len(sent))
	for i, s := range sent {
		texts[i] = s.Payload
	}
	return texts
}

func sameJSON(a, b string) bool {
	x, errX := anyJSON(a)
	y, errY := anyJSON(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// anyJSON keeps the digits of numbers.
func anyJSON(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func list(lines []string) string {
	if len(lines) == 0 {
		return "  (nothing)"
	}
	return "  " + strings.Join(lines, "\n  ")
}
