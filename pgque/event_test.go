package pgque

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

type ownText string

func (t ownText) AppendJSON(buf []byte) ([]byte, error) {
	if t == "" {
		return nil, errors.New("nothing to say")
	}
	return append(buf, t...), nil
}

func TestEvent_PayloadBecomesJSON(t *testing.T) {
	t.Parallel()
	var noMap map[string]int
	cases := map[string]struct {
		payload any
		want    string
	}{
		"nil":                    {nil, `null`},
		"nil map":                {noMap, `null`},
		"string":                 {`say "hi"`, `"say \"hi\""`},
		"string that looks JSON": {`{"a":1}`, `"{\"a\":1}"`},
		"number":                 {42, `42`},
		"struct":                 {struct{ A int }{1}, `{"A":1}`},
		"raw":                    {json.RawMessage(`{"b": 1.50, "a": 9007199254740993}`), `{"b":1.50,"a":9007199254740993}`},
		"raw nil":                {json.RawMessage(nil), `null`},
		"markup":                 {"<a> & <b>", `"<a> & <b>"`},
		"encoder":                {ownText(`{"own":true}`), `{"own":true}`},
		"bytes":                  {[]byte("hi"), `"aGk="`},
	}
	for name, c := range cases {
		text, err := Event{Payload: c.payload}.JSON()
		if err != nil || text != c.want {
			t.Errorf("%s: %q, %v; want %q", name, text, err, c.want)
		}
	}
}

func TestEvent_UnencodablePayloadNamesTheType(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]any{
		"channel":        make(chan int),
		"broken raw":     json.RawMessage(`{`),
		"empty raw":      json.RawMessage{},
		"failed encoder": ownText(""),
	} {
		_, err := Event{Type: "order.created", Payload: payload}.JSON()
		if err == nil || !strings.Contains(err.Error(), `"order.created"`) {
			t.Errorf("%s: error %v does not name the type", name, err)
		}
	}
}

// refused is a payload as generated code refuses it: its error begins with the type.
type refused struct{}

func (refused) AppendJSON([]byte) ([]byte, error) {
	return nil, errors.New("order.created: /lines/0/quantity: 0 is less than 1")
}

func TestEvent_RefusedPayloadIsNamedOnce(t *testing.T) {
	t.Parallel()
	_, err := New(nil).Send(t.Context(), "orders", Event{Type: "order.created", Payload: refused{}})
	const want = `pgque: send to "orders": order.created: /lines/0/quantity: 0 is less than 1`
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestMessage_AttemptCountsDeliveries(t *testing.T) {
	t.Parallel()
	two := 2
	if n := (Message{}).Attempt(); n != 1 {
		t.Errorf("first delivery is attempt %d", n)
	}
	if n := (Message{RetryCount: &two}).Attempt(); n != 3 {
		t.Errorf("second retry is attempt %d", n)
	}
}
