package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
)

// plainPlaced has the fields of events.OrderPlaced and no methods, so that
// encoding/json does all of the work.
type plainPlaced struct {
	OrderID  string    `json:"order_id"`
	PlacedAt time.Time `json:"placed_at"`
	Channel  string    `json:"channel"`
	Customer struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Name  string `json:"name"`
	} `json:"customer"`
	Lines []struct {
		SKU      string  `json:"sku"`
		Quantity int64   `json:"quantity"`
		Unit     string  `json:"unit"`
		Price    float64 `json:"price"`
	} `json:"lines"`
	Total float64 `json:"total"`
}

func codecDuels() []duel {
	return []duel{
		{what: "decode + validate 1 KB : json.Unmarshal", goal: "> 1", arrange: decoding},
		{what: "validate + encode 1 KB : json.Marshal", goal: "> 1", arrange: encoding},
	}
}

func decoding(_ context.Context, _ *bench, p plan) (limit, ours work, err error) {
	text, err := placed().AppendJSON(nil)
	if err != nil {
		return nil, nil, err
	}
	limit = repeatedly(p.slice, func() error {
		var ev plainPlaced
		return json.Unmarshal(text, &ev)
	})
	ours = repeatedly(p.slice, func() error {
		var ev events.OrderPlaced
		return ev.UnmarshalJSON(text)
	})
	return limit, ours, nil
}

func encoding(_ context.Context, _ *bench, p plan) (limit, ours work, err error) {
	ev := placed()
	text, err := ev.AppendJSON(nil)
	if err != nil {
		return nil, nil, err
	}
	var plain plainPlaced
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, nil, err
	}
	limit = repeatedly(p.slice, func() error {
		_, err := json.Marshal(&plain)
		return err
	})
	ours = repeatedly(p.slice, func() error {
		_, err := ev.AppendJSON(nil)
		return err
	})
	return limit, ours, nil
}

func repeatedly(d time.Duration, do func() error) work {
	return func(context.Context) (int, error) {
		n := 0
		for end := time.Now().Add(d); time.Now().Before(end); {
			for range 100 {
				if err := do(); err != nil {
					return 0, err
				}
			}
			n += 100
		}
		return n, nil
	}
}
