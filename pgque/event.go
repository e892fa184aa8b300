package pgque

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// DefaultType is the type of an event that was sent without one.
const DefaultType = "default"

// Event is what a producer sends.
type Event struct {
	// Type tells consumers what the payload is. Defaults to DefaultType.
	Type string

	// Payload is encoded to JSON: nil becomes null, a string a JSON string, a
	// json.RawMessage is checked and sent as it is (without insignificant white
	// space), an Encoder encodes itself, all else goes through encoding/json.
	// A []byte becomes a base64 string, as encoding/json defines it.
	Payload any

	// Extra1 to Extra4 travel beside the payload, as they are; nil is SQL NULL.
	Extra1, Extra2, Extra3, Extra4 *string
}

// Encoder is a payload that appends its own JSON text to buf. The text is sent
// as it is, so it must be one valid JSON value.
type Encoder interface {
	AppendJSON(buf []byte) ([]byte, error)
}

// Message is an event as one consumer receives it.
type Message struct {
	// MsgID is the event's number; a retried event keeps it.
	MsgID int64 `json:"msg_id"`
	// BatchID names the page that this message came with; Ack and Nack take it.
	BatchID int64 `json:"batch_id"`
	// Type is the event's type, "" where the stored type is NULL.
	Type string `json:"type"`
	// Payload is the JSON text as stored, "" where the stored payload is NULL.
	Payload string `json:"payload"`
	// RetryCount is nil on the first delivery, then 1, 2, ...
	RetryCount *int `json:"retry_count"`
	// CreatedAt is when the transaction that sent the event began.
	CreatedAt time.Time `json:"created_at"`
	Extra1    *string   `json:"extra1"`
	Extra2    *string   `json:"extra2"`
	Extra3    *string   `json:"extra3"`
	Extra4    *string   `json:"extra4"`
}

// Attempt counts deliveries: 1 on the first, 2 on the first retry, and so on.
func (m Message) Attempt() int {
	if m.RetryCount == nil {
		return 1
	}
	return *m.RetryCount + 1
}

func (ev *Event) typeName() string {
	if ev.Type == "" {
		return DefaultType
	}
	return ev.Type
}

func (ev *Event) hasExtras() bool {
	return ev.Extra1 != nil || ev.Extra2 != nil || ev.Extra3 != nil || ev.Extra4 != nil
}

func (ev *Event) extras() [4]*string {
	return [...]*string{ev.Extra1, ev.Extra2, ev.Extra3, ev.Extra4}
}

// JSON is the text of the payload, as Send sends it. Its error names the event, once:
// that of a payload that was refused does so by itself.
func (ev Event) JSON() (string, error) {
	text, err := ev.appendJSON(nil)
	return string(text), err
}

// appendJSON appends to buf what JSON returns.
func (ev *Event) appendJSON(buf []byte) ([]byte, error) {
	text, err := appendPayload(buf, ev.Payload)
	switch {
	case err == nil:
		return text, nil
	case strings.HasPrefix(err.Error(), ev.typeName()+":"):
		return nil, err
	}
	return nil, fmt.Errorf("encode the payload of event %q: %w", ev.typeName(), err)
}

func appendPayload(buf []byte, payload any) ([]byte, error) {
	switch p := payload.(type) {
	case nil:
		return append(buf, "null"...), nil
	case Encoder:
		return p.AppendJSON(buf)
	}
	out := bytes.NewBuffer(buf)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(payload); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
