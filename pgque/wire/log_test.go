package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

// broken has no JSON, as an event that is invalid.
type broken struct{ N int }

func (broken) MarshalJSON() ([]byte, error) { return nil, errors.New("invalid") }

func TestAttrs_ShowListsAsJSONAndWhatHasNoneAsItIs(t *testing.T) {
	n := 1
	var attrs wire.Attrs
	attrs.Add("list", []*int{&n})
	attrs.Add("raw", json.RawMessage(`{"a":1}`))
	attrs.Add("broken", []broken{{2}})
	for _, c := range []struct {
		handler func(*bytes.Buffer) slog.Handler
		want    string
	}{
		{func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }, `ev.list=[1] ev.raw="{\"a\":1}" ev.broken=[{N:2}]`},
		{func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }, `"ev":{"list":[1],"raw":{"a":1},"broken":"[{N:2}]"}`},
	} {
		var b bytes.Buffer
		slog.New(c.handler(&b)).Info("", "ev", attrs.Value())
		if !bytes.Contains(b.Bytes(), []byte(c.want)) {
			t.Errorf("%s does not contain %s", b.String(), c.want)
		}
	}
}
