package pgqueotel_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	apitrace "go.opentelemetry.io/otel/trace"

	"github.com/pgque/pgque-go/pgque"
	pgqueotel "github.com/pgque/pgque-go/pgque/otel"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// traced is a client with a consumer, and the spans of both.
func traced(t *testing.T, opts ...pgqueotel.Option) (*pgque.Client, *pgque.Consumer, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	opts = append(opts, pgqueotel.WithTracerProvider(provider))
	c := pgquetest.New(t)
	if err := c.CreateQueue(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	c.UseSend(pgqueotel.Sending(opts...))
	c.Use(pgqueotel.Handling(opts...))
	consumer := c.NewConsumer("orders", "billing")
	consumer.Handle("good", func(context.Context, pgque.Message) error { return nil })
	consumer.Handle("bad", func(context.Context, pgque.Message) error { return pgque.Permanent(errors.New("broken")) })
	return c, consumer, spans
}

func pair(t *testing.T, spans *tracetest.SpanRecorder) (sending, handling trace.ReadOnlySpan) {
	t.Helper()
	ended := spans.Ended()
	if len(ended) != 2 || ended[0].SpanKind() != apitrace.SpanKindProducer || ended[1].SpanKind() != apitrace.SpanKindConsumer {
		t.Fatalf("spans %v", ended)
	}
	return ended[0], ended[1]
}

func attributes(span trace.ReadOnlySpan) map[string]string {
	found := make(map[string]string)
	for _, a := range span.Attributes() {
		found[string(a.Key)] = a.Value.String()
	}
	return found
}

func TestHandling_IsLinkedToTheSending(t *testing.T) {
	t.Parallel()
	c, consumer, spans := traced(t)
	pgquetest.Handle(t, c, consumer, pgque.Event{Type: "good"})
	sending, handling := pair(t, spans)
	links := handling.Links()
	if len(links) != 1 || links[0].SpanContext.SpanID() != sending.SpanContext().SpanID() {
		t.Errorf("links %v, want one to %v", links, sending.SpanContext())
	}
	if handling.SpanContext().TraceID() == sending.SpanContext().TraceID() {
		t.Error("the handling is in the sender's trace")
	}
	got := attributes(handling)
	if got["messaging.destination.name"] != "orders" || got["messaging.consumer.group.name"] != "billing" ||
		got["messaging.message.id"] != attributes(sending)["messaging.message.id"] || got["pgque.attempt"] != "1" {
		t.Errorf("attributes %v", got)
	}
}

func TestWithSameTrace_MakesTheHandlingAChild(t *testing.T) {
	t.Parallel()
	c, consumer, spans := traced(t, pgqueotel.WithSameTrace())
	pgquetest.Handle(t, c, consumer, pgque.Event{Type: "good"})
	sending, handling := pair(t, spans)
	if handling.Parent().SpanID() != sending.SpanContext().SpanID() {
		t.Errorf("parent %v, want %v", handling.Parent(), sending.SpanContext())
	}
}

func TestHandling_RecordsTheError(t *testing.T) {
	t.Parallel()
	c, consumer, spans := traced(t)
	if o := pgquetest.Handle(t, c, consumer, pgque.Event{Type: "bad"}); !o.Dead {
		t.Errorf("the outcome did not pass: %+v", o)
	}
	if _, handling := pair(t, spans); handling.Status().Code != codes.Error || handling.Status().Description != "broken" {
		t.Errorf("status %v", handling.Status())
	}
}

func TestHandling_WhatIsSkippedIsNoError(t *testing.T) {
	t.Parallel()
	c, consumer, spans := traced(t)
	consumer.Handle("old", func(context.Context, pgque.Message) error { return pgque.Skip("too old") })
	if o := pgquetest.Handle(t, c, consumer, pgque.Event{Type: "old"}); !o.Done {
		t.Errorf("the outcome did not pass: %+v", o)
	}
	if _, handling := pair(t, spans); handling.Status().Code != codes.Unset || len(handling.Events()) != 0 {
		t.Errorf("status %v, events %v", handling.Status(), handling.Events())
	}
}

func TestExtra4_InUseIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, _, spans := traced(t)
	mine, seen := "mine", ""
	consumer := c.NewConsumer("orders", "audit")
	consumer.Handle("*", func(_ context.Context, msg pgque.Message) error { seen = *msg.Extra4; return nil })
	events := []pgque.Event{{Type: "good", Extra4: &mine}}
	pgquetest.Handle(t, c, consumer, events[0])
	if _, handling := pair(t, spans); len(handling.Links()) != 0 || seen != mine {
		t.Errorf("links %v, extra4 %q", handling.Links(), seen)
	}
}

func TestSending_LeavesTheCallersEventsAlone(t *testing.T) {
	t.Parallel()
	c, _, spans := traced(t)
	events := []pgque.Event{{Type: "good"}, {Type: "good"}}
	if _, err := c.SendBatch(t.Context(), "orders", events); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), "nowhere", pgque.Event{}); err == nil {
		t.Fatal("sent nowhere")
	}
	if events[0].Extra4 != nil {
		t.Error("the caller's event was changed")
	}
	ended := spans.Ended()
	if len(ended) != 2 || ended[0].Status().Code == codes.Error || ended[1].Status().Code != codes.Error {
		t.Errorf("spans %v", ended)
	}
}

func TestSending_TracesWhatIsScheduledOrSentOnce(t *testing.T) {
	t.Parallel()
	c, _, _ := traced(t)
	if err := c.Subscribe(t.Context(), "orders", "audit"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendAt(t.Context(), "orders", pgque.Event{Type: "good"}, time.Now()); err != nil {
		t.Error(err)
	}
	if _, _, err := c.SendOnce(t.Context(), "orders", pgque.Event{Type: "good"}, "request 7", time.Hour); err != nil {
		t.Error(err)
	}
	pgquetest.Tick(t, c, "orders")
	page, err := c.Receive(t.Context(), "orders", "audit", 10)
	if err != nil || len(page) != 2 {
		t.Fatalf("received %v, %v", page, err)
	}
	for _, msg := range page {
		if msg.Extra4 == nil || !strings.Contains(*msg.Extra4, "traceparent") {
			t.Errorf("message %d carries no trace", msg.MsgID)
		}
	}
}

func TestHandling_OfABatchHasASpanForEachMessage(t *testing.T) {
	t.Parallel()
	c, _, spans := traced(t)
	consumer := c.NewConsumer("orders", "audit")
	calls := 0
	consumer.HandleBatch("good", func(ctx context.Context, msgs []pgque.Message) []error {
		calls++
		return []error{nil, pgque.Permanent(errors.New("broken"))}
	})
	if err := c.Subscribe(t.Context(), "orders", "audit"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendBatch(t.Context(), "orders", []pgque.Event{{Type: "good"}, {Type: "good"}}); err != nil {
		t.Fatal(err)
	}
	pgquetest.Tick(t, c, "orders")
	pgquetest.Drain(t, c, consumer)
	ended := spans.Ended()
	if len(ended) != 3 || calls != 1 {
		t.Fatalf("%d calls, spans %v", calls, ended)
	}
	for i, want := range []codes.Code{codes.Unset, codes.Error} {
		handling := ended[1+i]
		if handling.Status().Code != want || len(handling.Links()) != 1 || handling.Links()[0].SpanContext.SpanID() != ended[0].SpanContext().SpanID() {
			t.Errorf("message %d: status %v, links %v", i, handling.Status(), handling.Links())
		}
	}
}
