package chaos_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

// What a producer reports on its standard output, one line each: certainties only.
const (
	lineSent   = "sent %d %s\n"
	lineUndone = "undone %s\n" // sent in a transaction that was rolled back
)

// label is unique, and sent once at most.
func label() string { return rand.Text() }

func event(label string) pgque.Event {
	ev := pgque.Event{Type: typePlain, Payload: label}
	switch n := mathrand.N(30); {
	case n == 0:
		ev.Type = typePoison
	case n < 15:
		ev.Type = typeTx
	}
	if mathrand.N(4) == 0 {
		ev.Extra1 = &label
	}
	return ev
}

// reporter writes each line with one call, so that a kill leaves no half of one
// behind that looks like a whole one.
type reporter struct{ mu sync.Mutex }

func (r *reporter) report(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(os.Stdout, format, args...)
}

const producerLanes = 6 // so that concurrent sends share transactions

func (w *worker) produce(ctx context.Context) error {
	var r reporter
	var lanes sync.WaitGroup
	for range producerLanes {
		lanes.Go(func() {
			for ctx.Err() == nil {
				w.produceSome(ctx, &r)
				rest(ctx, mathrand.N(60*time.Millisecond))
			}
		})
	}
	lanes.Wait()
	return nil
}

// produceSome sends in one of the ways that there are. An error means that it is
// unknown whether the events were sent, and they are not sent again.
func (w *worker) produceSome(ctx context.Context, r *reporter) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	switch mathrand.N(6) {
	case 0:
		w.sendBatch(ctx, r)
	case 1:
		w.sendInTx(ctx, r)
	case 2:
		w.sendInVain(ctx, r)
	case 3:
		hasty, cancel := context.WithTimeout(ctx, mathrand.N(5*time.Millisecond))
		defer cancel()
		w.sendOne(hasty, r)
	default:
		w.sendOne(ctx, r)
	}
}

func (w *worker) sendOne(ctx context.Context, r *reporter) {
	l := label()
	if id, err := w.Send(ctx, orders, event(l)); err == nil {
		r.report(lineSent, id, l)
	}
}

func (w *worker) sendBatch(ctx context.Context, r *reporter) {
	var events []pgque.Event
	var labels []string
	for range 1 + mathrand.N(10) {
		l := label()
		labels, events = append(labels, l), append(events, event(l))
	}
	ids, err := w.SendBatch(ctx, orders, events)
	if err != nil {
		return
	}
	for i, id := range ids {
		r.report(lineSent, id, labels[i])
	}
}

// sendInTx leaves a row in the outbox if and only if the event is sent.
func (w *worker) sendInTx(ctx context.Context, r *reporter) {
	l := "tx" + label()
	var id int64
	err := pgx.BeginFunc(ctx, w.Pool(), func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, "insert into outbox values ($1)", l); err != nil {
			return err
		}
		id, err = w.WithTx(tx).Send(ctx, orders, event(l))
		return err
	})
	if err == nil {
		r.report(lineSent, id, l)
	}
}

var errVain = errors.New("rolled back on purpose")

func (w *worker) sendInVain(ctx context.Context, r *reporter) {
	l := label()
	err := pgx.BeginFunc(ctx, w.Pool(), func(tx pgx.Tx) error {
		if _, err := w.WithTx(tx).Send(ctx, orders, event(l)); err != nil {
			return err
		}
		return errVain
	})
	if errors.Is(err, errVain) {
		r.report(lineUndone, l)
	}
}
