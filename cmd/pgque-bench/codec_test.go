package main

import (
	"encoding/json"
	"testing"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
)

// codec is what generated events can do.
type codec interface {
	json.Unmarshaler
	AppendJSON(b []byte) ([]byte, error)
}

// samples are an event each, and the struct that encoding/json makes of its text.
var samples = []struct {
	name  string
	event codec
	fresh func() codec
	plain func() any
}{
	{"1KB", new(placed()), func() codec { return new(events.OrderPlaced) }, func() any { return new(plainPlaced) }},
	{"300B", new(paid(7)), func() codec { return new(events.OrderPaid) }, func() any { return new(paidJob) }},
}

func BenchmarkDecode(b *testing.B) {
	for _, s := range samples {
		text, err := s.event.AppendJSON(nil)
		if err != nil {
			b.Fatal(err)
		}
		measure(b, s.name+"/ours", func() error { return s.fresh().UnmarshalJSON(text) })
		measure(b, s.name+"/encoding-json", func() error { return json.Unmarshal(text, s.plain()) })
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, s := range samples {
		text, err := s.event.AppendJSON(nil)
		if err != nil {
			b.Fatal(err)
		}
		plain := s.plain()
		if err := json.Unmarshal(text, plain); err != nil {
			b.Fatal(err)
		}
		measure(b, s.name+"/ours", func() error { _, err := s.event.AppendJSON(nil); return err })
		measure(b, s.name+"/encoding-json", func() error { _, err := json.Marshal(plain); return err })
	}
}

func measure(b *testing.B, name string, do func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
