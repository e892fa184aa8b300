package pgque_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgque/pgque-go/examples/orderflow/events"
	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/wire"
)

const benchPage = 5000

// BenchmarkPage is what a consumer's processor time goes to beside the network: for
// each message of a page, reading its row, and giving its event to a typed handler.
func BenchmarkPage(b *testing.B) {
	rows := paymentRows(b, benchPage)
	driver := paymentDriver(b)
	page, err := pgque.ReadPage(rows.again(), benchPage)
	if err != nil {
		b.Fatal(err)
	}
	perMessage(b, "read", func() error {
		_, err := pgque.ReadPage(rows.again(), benchPage)
		return err
	})
	for _, concurrency := range []int{1, 4} {
		untyped := pgque.NewOffline().NewConsumer(events.QueuePayments, "bench", pgque.WithConcurrency(concurrency))
		untyped.Handle(events.TypePaymentCaptured, func(context.Context, pgque.Message) error { return nil })
		dispatcher := pgque.DrivePages(b.Context(), untyped)
		perMessage(b, fmt.Sprintf("dispatch/%d at once", concurrency), func() error { return dispatcher.Handle(page) })
	}
	batches := events.NewPaymentsConsumer(pgque.NewOffline(), "bench")
	batches.OnPaymentCapturedBatch(func(context.Context, []pgque.Delivery[events.PaymentCaptured]) []error { return nil },
		pgque.WithBatchLimit(100))
	batcher := pgque.DrivePages(b.Context(), batches.Consumer())
	perMessage(b, "handle batches", func() error { return batcher.Handle(page) })
	perMessage(b, "handle", func() error { return driver.Handle(page) })
	perMessage(b, "both", func() error {
		page, err := pgque.ReadPage(rows.again(), benchPage)
		if err != nil {
			return err
		}
		return driver.Handle(page)
	})
}

// perMessage reports the costs of one message; work has a page of them.
func perMessage(b *testing.B, name string, work func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := work(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchPage, "ns/msg")
	})
}

func paymentDriver(b *testing.B) *pgque.PageDriver {
	consumer := events.NewPaymentsConsumer(pgque.NewOffline(), "bench")
	consumer.OnPaymentCaptured(func(_ context.Context, ev events.PaymentCaptured) error {
		if ev.Amount.Amount == 0 {
			b.Error("an event came without its amount")
		}
		return nil
	})
	return pgque.DrivePages(b.Context(), consumer.Consumer())
}

func paymentRows(b *testing.B, n int) *wireRows {
	rows := &wireRows{types: pgtype.NewMap()}
	for i := range n {
		rows.rows = append(rows.rows, wireRow(int64(i+1), events.TypePaymentCaptured, payment(b, i)))
	}
	return rows
}

// payment is the JSON text of about 300 bytes of an event.
func payment(b *testing.B, n int) string {
	last4 := fmt.Sprintf("%04d", n%10000)
	reference := strings.Repeat("RF18 5390 ", 6)
	ev := events.PaymentCaptured{
		PaymentID:  wire.UUID{byte(n), byte(n >> 8), 7},
		OrderID:    fmt.Sprintf("o-%d", n),
		Amount:     events.Money{Amount: int64(n + 1), Currency: events.MoneyCurrencyEUR},
		Method:     events.PaymentMethod{Kind: events.PaymentMethodKindCard, CardLast4: &last4},
		CapturedAt: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC),
		Reference:  &reference,
	}
	text, err := ev.AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

func wireRow(id int64, eventType, payload string) [][]byte {
	const created = 820_000_000_000_000 // microseconds since 2000
	return [][]byte{
		binary.BigEndian.AppendUint64(nil, uint64(id)), binary.BigEndian.AppendUint64(nil, 1),
		[]byte(eventType), []byte(payload), nil, binary.BigEndian.AppendUint64(nil, created), nil, nil, nil, nil,
	}
}

// wireRows are rows as they come from the network.
type wireRows struct {
	pgx.Rows
	types *pgtype.Map
	rows  [][][]byte
	next  int
}

func (r *wireRows) again() *wireRows { return &wireRows{types: r.types, rows: r.rows} }

func (r *wireRows) Next() bool {
	r.next++
	return r.next <= len(r.rows)
}

func (r *wireRows) RawValues() [][]byte { return r.rows[r.next-1] }
func (r *wireRows) Err() error          { return nil }
func (r *wireRows) Close()              {}

func (r *wireRows) FieldDescriptions() []pgconn.FieldDescription {
	types := []uint32{pgtype.Int8OID, pgtype.Int8OID, pgtype.TextOID, pgtype.TextOID, pgtype.Int4OID,
		pgtype.TimestamptzOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID}
	fields := make([]pgconn.FieldDescription, len(types))
	for i, oid := range types {
		fields[i] = pgconn.FieldDescription{DataTypeOID: oid, Format: r.types.FormatCodeForOID(oid)}
	}
	return fields
}
