// Package pgqueotel traces events with OpenTelemetry: a span for each send and for
// each message handled, with a link from the handling to the sending.
//
//	client.UseSend(pgqueotel.Sending())
//	client.Use(pgqueotel.Handling())
//
// The trace context travels in Extra4 of the event, beside the payload, as a JSON
// object of what the propagator writes ({"traceparent": "00-…"}). An event whose
// Extra4 is in use already is sent as it is, and its handling has no link.
//
// The package is a module of its own, so that programs without OpenTelemetry do not
// have it among their dependencies.
package pgqueotel

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/pgque/pgque-go/pgque"
)

const scope = "github.com/pgque/pgque-go/pgque/otel"

// Option changes Sending or Handling.
type Option func(*options)

type options struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	child      bool
}

// WithTracerProvider sets where spans go. Defaults to OpenTelemetry's global provider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(o *options) { o.tracer = p.Tracer(scope) }
}

// WithPropagator sets what travels with the event. Defaults to the W3C trace context.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(o *options) { o.propagator = p }
}

// WithSameTrace makes the handling a child of the sending, in one trace, as well as
// linked. Defaults to a trace of its own: an event may have many consumers, and come
// back hours later.
func WithSameTrace() Option {
	return func(o *options) { o.child = true }
}

func build(opts []Option) options {
	o := options{tracer: otel.Tracer(scope), propagator: propagation.TraceContext{}}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Sending is middleware for Client.UseSend or pgque.SenderWith: one span of kind
// producer for each call, whatever the number of its events.
func Sending(opts ...Option) pgque.SendMiddleware {
	o := build(opts)
	return func(next pgque.SendFunc) pgque.SendFunc {
		return func(ctx context.Context, queue string, events []pgque.Event) ([]int64, error) {
			ctx, span := o.tracer.Start(ctx, "send "+queue, trace.WithSpanKind(trace.SpanKindProducer),
				trace.WithAttributes(
					attribute.String("messaging.system", "pgque"),
					attribute.String("messaging.operation.type", "send"),
					attribute.String("messaging.destination.name", queue),
					attribute.Int("messaging.batch.message_count", len(events))))
			defer span.End()
			ids, err := next(ctx, queue, o.inject(ctx, events))
			if len(ids) == 1 {
				span.SetAttributes(attribute.Int64("messaging.message.id", ids[0]))
			}
			note(span, err)
			return ids, err
		}
	}
}

// inject leaves the caller's events as they are.
func (o options) inject(ctx context.Context, events []pgque.Event) []pgque.Event {
	carrier := propagation.MapCarrier{}
	o.propagator.Inject(ctx, carrier)
	text, err := json.Marshal(carrier)
	if len(carrier) == 0 || err != nil {
		return events
	}
	extra := string(text)
	traced := make([]pgque.Event, len(events))
	for i, ev := range events {
		if ev.Extra4 == nil {
			ev.Extra4 = &extra
		}
		traced[i] = ev
	}
	return traced
}

// Handling is middleware for Client.Use or Consumer.Use: one span of kind consumer
// for each call of a handler, linked to the span that sent the message. What the
// handler returns is recorded as the span's error, unless it is Skip.
func Handling(opts ...Option) pgque.Middleware {
	o := build(opts)
	return func(next pgque.HandlerFunc) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			ctx, span := o.begin(ctx, msg)
			defer span.End()
			err := next(ctx, msg)
			if !pgque.Skipped(err) {
				note(span, err)
			}
			return err
		}
	}
}

func (o options) begin(ctx context.Context, msg pgque.Message) (context.Context, trace.Span) {
	attributes := []attribute.KeyValue{
		attribute.String("messaging.system", "pgque"),
		attribute.String("messaging.operation.type", "process"),
		attribute.Int64("messaging.message.id", msg.MsgID),
		attribute.Int64("pgque.batch.id", msg.BatchID),
		attribute.String("pgque.event.type", msg.Type),
		attribute.Int("pgque.attempt", msg.Attempt()),
	}
	if c, ok := pgque.ConsumerFromContext(ctx); ok {
		attributes = append(attributes,
			attribute.String("messaging.destination.name", c.Queue()),
			attribute.String("messaging.consumer.group.name", c.Name()))
	}
	start := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attributes...)}
	sent := o.extract(ctx, msg)
	if sender := trace.SpanContextFromContext(sent); sender.IsRemote() {
		start = append(start, trace.WithLinks(trace.Link{SpanContext: sender}))
	}
	if o.child {
		ctx = sent
	}
	return o.tracer.Start(ctx, "process "+msg.Type, start...)
}

// extract is ctx with what travelled with the message; other texts in Extra4 are
// somebody else's.
func (o options) extract(ctx context.Context, msg pgque.Message) context.Context {
	if msg.Extra4 == nil {
		return ctx
	}
	var carrier propagation.MapCarrier
	if json.Unmarshal([]byte(*msg.Extra4), &carrier) != nil {
		return ctx
	}
	return o.propagator.Extract(ctx, carrier)
}

func note(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
}
