// Package metrics counts what a program sends and handles, in the text format that
// Prometheus and everything compatible with it reads.
//
//	m := metrics.New(client)
//	client.UseSend(m.Sending())
//	client.Use(m.Handling())
//	billing := client.NewConsumer("orders", "billing", pgque.WithPageHook(m.Page))
//	http.Handle("/metrics", m)
//
// The format is written here: it is a page of code, and a program that has no
// Prometheus client does not get one. A program that has one serves these metrics
// on a path of their own, or appends WriteTo to what it serves.
package metrics

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// Metrics holds the numbers of one program. It is safe for concurrent use.
type Metrics struct {
	client *pgque.Client

	mu       sync.Mutex
	families []*family

	sent, sendErrors                            *family
	received, done, retried, dead               *family
	handlerSeconds, handlerErrors, lag, pending *family
	scrapeErrors                                *family
}

// New makes metrics that ask client, at each scrape, how far the consumers of all
// queues are behind. Without a client (nil) those metrics are left out.
func New(client *pgque.Client) *Metrics {
	m := &Metrics{client: client}
	m.sent = m.counter("pgque_sent_events_total", "Events sent; those of a transaction count when it has not ended yet.", "queue", "type")
	m.sendErrors = m.counter("pgque_send_errors_total", "Calls of Send and SendBatch that failed.", "queue")
	m.received = m.counter("pgque_received_messages_total", "Messages of pages that were settled.", "queue", "consumer")
	m.done = m.counter("pgque_done_messages_total", "Messages handled, or skipped on purpose.", "queue", "consumer")
	m.retried = m.counter("pgque_retried_messages_total", "Messages put back.", "queue", "consumer")
	m.dead = m.counter("pgque_dead_messages_total", "Messages sent to the dead letters, at once or with their last retry.", "queue", "consumer")
	m.handlerSeconds = m.histogram("pgque_handler_seconds", "How long handlers ran.", "queue", "consumer", "type")
	m.handlerErrors = m.counter("pgque_handler_errors_total", "Handler calls that returned an error, Skip excepted.", "queue", "consumer", "type")
	m.lag = m.gauge("pgque_consumer_lag_seconds", "Age of the last tick that the consumer has finished.", "queue", "consumer")
	m.pending = m.gauge("pgque_consumer_pending_events", "Events between the consumer and the last tick, about.", "queue", "consumer")
	m.scrapeErrors = m.counter("pgque_scrape_errors_total", "Scrapes at which the database did not answer.")
	return m
}

// Sending is middleware for Client.UseSend or pgque.SenderWith.
func (m *Metrics) Sending() pgque.SendMiddleware {
	return func(next pgque.SendFunc) pgque.SendFunc {
		return func(ctx context.Context, queue string, events []pgque.Event) ([]int64, error) {
			ids, err := next(ctx, queue, events)
			m.noteSent(queue, events, err)
			return ids, err
		}
	}
}

func (m *Metrics) noteSent(queue string, events []pgque.Event, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.sendErrors.add(1, queue)
		return
	}
	for _, ev := range events {
		m.sent.add(1, queue, typeName(ev.Type))
	}
}

func typeName(eventType string) string {
	if eventType == "" {
		return pgque.DefaultType
	}
	return eventType
}

// Handling is middleware for Client.Use or Consumer.Use.
func (m *Metrics) Handling() pgque.Middleware {
	return func(next pgque.HandlerFunc) pgque.HandlerFunc {
		return func(ctx context.Context, msg pgque.Message) error {
			begun := time.Now()
			err := next(ctx, msg)
			m.noteHandled(ctx, msg, time.Since(begun), err)
			return err
		}
	}
}

func (m *Metrics) noteHandled(ctx context.Context, msg pgque.Message, took time.Duration, err error) {
	var queue, name string
	if c, ok := pgque.ConsumerFromContext(ctx); ok {
		queue, name = c.Queue(), c.Name()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handlerSeconds.observe(took.Seconds(), queue, name, msg.Type)
	if err != nil && !pgque.Skipped(err) {
		m.handlerErrors.add(1, queue, name, msg.Type)
	}
}

// Page is for pgque.WithPageHook.
func (m *Metrics) Page(p pgque.SettledPage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.received.add(float64(p.Received), p.Queue, p.Consumer)
	m.done.add(float64(p.Done), p.Queue, p.Consumer)
	m.retried.add(float64(p.Retried), p.Queue, p.Consumer)
	m.dead.add(float64(p.Dead), p.Queue, p.Consumer)
}

// scrapeTimeout bounds what a scrape asks the database.
const scrapeTimeout = 5 * time.Second

// ServeHTTP answers a scrape. When the database does not answer, the metrics of the
// program itself are served all the same.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.askLag(r.Context())
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = m.WriteTo(w) // nobody is there to be told
}

func (m *Metrics) askLag(ctx context.Context) {
	if m.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	consumers, err := m.client.Consumers(ctx, "")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lag.reset() // consumers that are gone, and numbers that are old, are not shown
	m.pending.reset()
	if err != nil {
		m.scrapeErrors.add(1)
		return
	}
	for _, c := range consumers {
		m.lag.set(c.Lag.Seconds(), c.Queue, c.Consumer)
		m.pending.set(float64(c.Pending), c.Queue, c.Consumer)
	}
}

// WriteTo writes the metrics as they are, without asking the database.
func (m *Metrics) WriteTo(w io.Writer) (int64, error) {
	var text bytes.Buffer
	m.mu.Lock()
	for _, f := range m.families {
		f.write(&text)
	}
	m.mu.Unlock()
	return text.WriteTo(w)
}
