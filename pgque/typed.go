package pgque

import (
	"context"
	"errors"
	"fmt"
)

// What follows is what the typed surface of generated code is made of.
//
// The compiler makes generic code anew for every type that is no pointer, under names
// that spell the type out with all of its fields. For packages of hundreds of events
// that was most of the work, so that type parameters with methods stand for pointers.

// A Delivery is an event with the message that brought it.
type Delivery[T any] struct {
	Event   T
	Message Message
}

// Deliver gives the events of a batch of messages to handle, and returns what a
// BatchHandlerFunc returns for the messages. read makes a message the event of that
// place, or says why it is none: it goes to the dead letters at once and leaves the
// place to the next one. handle returns what a BatchHandlerFunc returns, for the
// events in the places before n; it is not called when there are none.
func Deliver(msgs []Message, read func(place int, msg Message) error, handle func(n int) []error) []error {
	invalid := make([]error, len(msgs))
	n := 0
	for i, msg := range msgs {
		if invalid[i] = read(n, msg); invalid[i] == nil {
			n++
		}
	}
	if n == 0 {
		return outcomes(invalid, 0, nil)
	}
	return outcomes(invalid, n, handle(n))
}

// outcomes are those of all messages: of those that are invalid, and what the handler
// said of the events, in whose order the others are.
func outcomes(invalid []error, events int, said []error) []error {
	if events == len(invalid) {
		return said
	}
	all := make([]error, len(invalid))
	event := 0
	for i, err := range invalid {
		switch {
		case err != nil:
			all[i] = Permanent(err)
		case said == nil:
		case len(said) != events:
			all[i] = fmt.Errorf("batch handler returned %d outcomes for %d events", len(said), events)
		default:
			all[i] = said[event]
			event++
		}
	}
	return all
}

// TypedDeadLetters are the dead letters of one event type of a queue. E is a pointer
// to the type.
type TypedDeadLetters[E any] struct {
	letters lettersOf
	decode  func(string) (E, error)
}

// DeadLettersOf returns them. decode returns an event also when the text is none.
func DeadLettersOf[E any](c *Client, queue, eventType string, decode func(string) (E, error)) *TypedDeadLetters[E] {
	return &TypedDeadLetters[E]{lettersOf{c, queue, eventType}, decode}
}

// A TypedDeadLetter is a dead letter with its event.
type TypedDeadLetter[E any] struct {
	DeadLetter
	// Event is what the payload holds; a zero event when there is an Invalid.
	Event E
	// Invalid says why the payload is no such event. Nil: it is one.
	Invalid error
}

// List lists dead letters, newest first; the filter's Queue and Type do not matter.
func (l *TypedDeadLetters[E]) List(ctx context.Context, filter DeadLetterFilter) ([]TypedDeadLetter[E], error) {
	letters, err := l.letters.list(ctx, filter)
	if err != nil {
		return nil, err
	}
	typed := make([]TypedDeadLetter[E], len(letters))
	for i, letter := range letters {
		typed[i] = l.typed(letter)
	}
	return typed, nil
}

// Show returns one dead letter; one of another queue or type is
// ErrDeadLetterNotFound.
func (l *TypedDeadLetters[E]) Show(ctx context.Context, id int64) (TypedDeadLetter[E], error) {
	letter, err := l.letters.show(ctx, id)
	if err != nil {
		return TypedDeadLetter[E]{}, err
	}
	return l.typed(letter), nil
}

// Edit replays a dead letter as the event that edit makes of it, which its schema has
// to accept: otherwise, and when edit returns an error or nil, nothing happens and an
// error is returned. See Client.ReplayEdited.
func (l *TypedDeadLetters[E]) Edit(ctx context.Context, id int64, edit func(TypedDeadLetter[E]) (E, error)) (int64, error) {
	return l.letters.edit(ctx, id, func(letter DeadLetter) (any, error) {
		var none E
		ev, err := edit(l.typed(letter))
		if err == nil && any(ev) == any(none) {
			err = errors.New("edited to nil")
		}
		return ev, err
	})
}

// Replay replays all that the filter selects; its Queue and Type do not matter. See
// Client.ReplayDeadLetters.
func (l *TypedDeadLetters[E]) Replay(ctx context.Context, filter DeadLetterFilter) (replayed int, err error) {
	return l.letters.replay(ctx, filter)
}

//go:noinline
func (l *TypedDeadLetters[E]) typed(letter DeadLetter) TypedDeadLetter[E] {
	ev, err := l.decode(letter.Message.Payload)
	return TypedDeadLetter[E]{letter, ev, err}
}

// lettersOf are the dead letters of one event type of a queue, without the type.
type lettersOf struct {
	client           *Client
	queue, eventType string
}

func (l lettersOf) list(ctx context.Context, filter DeadLetterFilter) ([]DeadLetter, error) {
	return l.client.DeadLetters(ctx, l.only(filter))
}

func (l lettersOf) replay(ctx context.Context, filter DeadLetterFilter) (replayed int, err error) {
	return l.client.ReplayDeadLetters(ctx, l.only(filter))
}

func (l lettersOf) only(filter DeadLetterFilter) DeadLetterFilter {
	filter.Queue, filter.Type = l.queue, l.eventType
	return filter
}

func (l lettersOf) show(ctx context.Context, id int64) (DeadLetter, error) {
	letter, err := l.client.DeadLetter(ctx, id)
	if err == nil {
		err = l.own(letter)
	}
	if err != nil {
		return DeadLetter{}, err
	}
	return letter, nil
}

func (l lettersOf) edit(ctx context.Context, id int64, edit func(DeadLetter) (any, error)) (int64, error) {
	return l.client.ReplayEdited(ctx, id, func(letter DeadLetter) (Event, error) {
		if err := l.own(letter); err != nil {
			return Event{}, err
		}
		ev, err := edit(letter)
		return Event{Type: l.eventType, Payload: ev}, err
	})
}

func (l lettersOf) own(letter DeadLetter) error {
	if letter.Queue == l.queue && letter.Message.Type == l.eventType {
		return nil
	}
	return wrap(ErrDeadLetterNotFound, "dead letter %d is %q on %q, not %q on %q", letter.ID, letter.Message.Type, letter.Queue, l.eventType, l.queue)
}
