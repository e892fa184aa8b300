package pgquetest

import (
	"context"
	"slices"
	"sync"

	"github.com/pgque/pgque-go/pgque"
)

// Recorder stands in for a pgque.Sender where a test wants no database: it keeps
// what is sent, and refuses what a real one refuses before it asks the server.
// Generated producers take it too. The zero value is ready; it is safe for
// concurrent use.
//
//	var recorder pgquetest.Recorder
//	err := checkout(ctx, events.NewOrdersProducer(&recorder), cart)
//	pgquetest.AssertSent(t, recorder.Sent(), events.OrderCreated{…})
type Recorder struct {
	mu   sync.Mutex
	sent []Sent
	last int64
	fail error
}

var _ pgque.Sender = (*Recorder)(nil)

// Send keeps the event and returns its id: 1, 2, ...
func (r *Recorder) Send(ctx context.Context, queue string, ev pgque.Event) (int64, error) {
	ids, err := r.SendBatch(ctx, queue, []pgque.Event{ev})
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// SendBatch keeps all events or none.
func (r *Recorder) SendBatch(ctx context.Context, queue string, events []pgque.Event) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return nil, r.fail
	}
	batch := make([]Sent, len(events))
	ids := make([]int64, len(events))
	for i, ev := range events {
		text, err := ev.JSON()
		if err != nil {
			return nil, err
		}
		ids[i] = r.last + int64(i) + 1
		batch[i] = Sent{Queue: queue, ID: ids[i], Type: typeName(ev), Payload: text}
	}
	r.last += int64(len(events))
	r.sent = append(r.sent, batch...)
	return ids, nil
}

func typeName(ev pgque.Event) string {
	if ev.Type == "" {
		return pgque.DefaultType
	}
	return ev.Type
}

// Sent is what was sent so far, in order.
func (r *Recorder) Sent() []Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sent)
}

// Fail makes every Send fail with err from now on; nil ends that.
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// Reset forgets what was sent. Ids go on.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = nil
}
