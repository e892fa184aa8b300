package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/metrics"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if kind := answer.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Errorf("content type %q", kind)
	}
	return answer.Body.String()
}

func expect(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestMetrics_CountWhatIsSentAndHandled(t *testing.T) {
	t.Parallel()
	c := pgquetest.New(t)
	if err := c.CreateQueue(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	m := metrics.New(c)
	c.UseSend(m.Sending())
	c.Use(m.Handling())
	consumer := c.NewConsumer("orders", "billing", pgque.WithPageHook(m.Page))
	consumer.Handle("good", func(context.Context, pgque.Message) error { return nil })
	consumer.Handle("old", func(context.Context, pgque.Message) error { return pgque.Skip("too old") })
	consumer.Handle("failing", func(context.Context, pgque.Message) error { return errors.New("not now") })
	if err := c.SetQueueConfig(t.Context(), "orders", "max_retries", "1"); err != nil {
		t.Fatal(err)
	}
	consumer.Handle("bad", func(context.Context, pgque.Message) error { return pgque.Permanent(errors.New("no")) })
	if err := c.Subscribe(t.Context(), "orders", "billing"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendBatch(t.Context(), "orders", []pgque.Event{{Type: "good"}, {Type: "old"}, {Type: "good"}, {Type: "failing"}, {Type: "bad"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), "nowhere", pgque.Event{}); err == nil {
		t.Fatal("sent nowhere")
	}
	pgquetest.Drain(t, c, consumer)

	of := `{queue="orders",consumer="billing"`
	text := scrape(t, m)
	expect(t, text,
		"# TYPE pgque_sent_events_total counter",
		`pgque_sent_events_total{queue="orders",type="good"} 2`,
		`pgque_send_errors_total{queue="nowhere"} 1`,
		"pgque_received_messages_total"+of+"} 6",
		"pgque_done_messages_total"+of+"} 3",
		"pgque_dead_messages_total"+of+"} 2",
		"pgque_retried_messages_total"+of+"} 1",
		"# TYPE pgque_handler_seconds histogram",
		"pgque_handler_seconds_count"+of+`,type="good"} 2`,
		"pgque_handler_seconds_bucket"+of+`,type="good",le="+Inf"} 2`,
		"pgque_handler_errors_total"+of+`,type="bad"} 1`,
	)
	if strings.Contains(text, "pgque_handler_errors_total"+of+`,type="old"}`) {
		t.Errorf("what was skipped counts as an error in\n%s", text)
	}
	if !strings.Contains(text, "pgque_consumer_lag_seconds"+of+"} ") || !strings.Contains(text, "pgque_consumer_pending_events"+of+"} ") {
		t.Errorf("no lag in\n%s", text)
	}

	c.Pool().Close()
	text = scrape(t, m)
	expect(t, text, "pgque_scrape_errors_total 1", "pgque_done_messages_total"+of+"} 3")
	if strings.Contains(text, "pgque_consumer_lag_seconds{") {
		t.Error("a lag that nobody measured is shown")
	}
}

func TestMetrics_LabelsAreEscapedAndBounded(t *testing.T) {
	t.Parallel()
	m := metrics.New(nil)
	send := m.Sending()(func(context.Context, string, []pgque.Event) ([]int64, error) { return []int64{1}, nil })
	sent := func(eventType string) {
		if _, err := send(t.Context(), "orders", []pgque.Event{{Type: eventType}}); err != nil {
			t.Fatal(err)
		}
	}
	sent("a\"b\\c\nd")
	sent("")
	for i := range 3000 {
		sent(strconv.Itoa(i))
	}
	text := scrape(t, m)
	expect(t, text,
		`pgque_sent_events_total{queue="orders",type="a\"b\\c\nd"} 1`,
		`pgque_sent_events_total{queue="orders",type="default"} 1`,
		`pgque_sent_events_total{queue="(other)",type="(other)"} 2002`)
	if n := strings.Count(text, "\n"); n > 1100 {
		t.Errorf("%d lines", n)
	}
}

func TestMetrics_BucketsAreCumulative(t *testing.T) {
	t.Parallel()
	m := metrics.New(nil)
	for _, d := range []time.Duration{0, 30 * time.Millisecond} {
		h := m.Handling()(func(ctx context.Context, _ pgque.Message) error {
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			<-ctx.Done()
			return nil
		})
		if err := h(t.Context(), pgque.Message{Type: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	of := `{queue="",consumer="",type="x"`
	expect(t, scrape(t, m),
		"pgque_handler_seconds_bucket"+of+`,le="0.025"} 1`,
		"pgque_handler_seconds_bucket"+of+`,le="60"} 2`,
		"pgque_handler_seconds_count"+of+"} 2")
}
