package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
	"github.com/pgque/pgque-go/pgque/wire"
)

var sampleTime = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// paid is the n-th flat event, about 300 bytes of JSON.
func paid(n int) events.OrderPaid {
	return events.OrderPaid{
		OrderID:    sampleUUID(n),
		CustomerID: fmt.Sprintf("c-%08d", n%100_000_000),
		Currency:   events.OrderPaidCurrencyEUR,
		Amount:     int64(1000 + n%99_000),
		Method:     events.OrderPaidMethodCard,
		PaidAt:     sampleTime.Add(time.Duration(n) * time.Second),
		Reference:  "RF18 5390 0754 7034 invoice 2026-03-14 thank you for your order with us, yours sincerely, the shop",
		Items:      int64(1 + n%9),
		Express:    n%2 == 0,
	}
}

func sampleUUID(n int) (id wire.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(n)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], uint64(n)*0xbf58476d1ce4e5b9)
	return id
}

// placed is a nested event, about a kilobyte of JSON.
func placed() events.OrderPlaced {
	ev := events.OrderPlaced{
		OrderID: sampleUUID(1), PlacedAt: sampleTime, Channel: events.OrderPlacedChannelWeb,
		Customer: events.Customer{ID: "c-00000042", Email: "ada.lovelace@example.org", Name: "Ada Lovelace"},
		Total:    1234.5,
	}
	for i := range 10 {
		ev.Lines = append(ev.Lines, events.Line{SKU: fmt.Sprintf("ABC-%05d", i), Quantity: int64(i + 1), Unit: events.LineUnitPiece, Price: 12.25 + float64(i)})
	}
	return ev
}

// paidTexts are the JSON texts of n events.
func paidTexts(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		text, err := paid(i).AppendJSON(nil)
		if err != nil {
			panic(err) // the sample does not satisfy its own schema
		}
		texts[i] = string(text)
	}
	return texts
}

func paidEvents(n int) []events.OrderPaid {
	list := make([]events.OrderPaid, n)
	for i := range list {
		list[i] = paid(i)
	}
	return list
}
