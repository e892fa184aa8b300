package pgque

import (
	"context"
	"fmt"
)

// What follows is what the typed surface of generated code is made of. A decode
// function sets an event from the text of a payload, or says why it is none.

// A Delivery is an event with the message that brought it.
type Delivery[T any] struct {
	Event   T
	Message Message
}

// BatchOf is a handler of messages that gives their events to fn. A message whose
// payload is no such event never reaches fn and goes to the dead letters at once;
// when all are so, fn is not called. fn returns what a BatchHandlerFunc returns, for
// the events that it got. A nil fn gives nil.
func BatchOf[T any](decode func(*T, string) error, fn func(context.Context, []Delivery[T]) []error) BatchHandlerFunc {
	if fn == nil {
		return nil
	}
	return func(ctx context.Context, msgs []Message) []error {
		batch, outcomes, places := decodeBatch(decode, msgs)
		switch {
		case len(batch) == len(msgs):
			return fn(ctx, batch)
		case len(batch) == 0:
			return outcomes
		}
		return merged(outcomes, places, fn(ctx, batch))
	}
}

// decodeBatch returns the events with their places among the messages, and the
// outcomes of the messages that are none.
func decodeBatch[T any](decode func(*T, string) error, msgs []Message) (batch []Delivery[T], outcomes []error, places []int) {
	batch, outcomes, places = make([]Delivery[T], 0, len(msgs)), make([]error, len(msgs)), make([]int, 0, len(msgs))
	for i, msg := range msgs {
		batch = append(batch, Delivery[T]{Message: msg})
		last := len(batch) - 1
		if err := decode(&batch[last].Event, msg.Payload); err != nil {
			outcomes[i] = Permanent(err)
			batch = batch[:last]
			continue
		}
		places = append(places, i)
	}
	return batch, outcomes, places
}

// merged puts what the handler said into the places of its events.
func merged(outcomes []error, places []int, said []error) []error {
	if said == nil {
		return outcomes
	}
	wrong := fmt.Errorf("batch handler returned %d outcomes for %d events", len(said), len(places))
	for i, place := range places {
		outcomes[place] = wrong
		if len(said) == len(places) {
			outcomes[place] = said[i]
		}
	}
	return outcomes
}

// TypedDeadLetters are the dead letters of one event type of a queue.
type TypedDeadLetters[T any] struct {
	client           *Client
	queue, eventType string
	decode           func(*T, string) error
}

// DeadLettersOf returns them.
func DeadLettersOf[T any](c *Client, queue, eventType string, decode func(*T, string) error) TypedDeadLetters[T] {
	return TypedDeadLetters[T]{c, queue, eventType, decode}
}

// A TypedDeadLetter is a dead letter with its event.
type TypedDeadLetter[T any] struct {
	DeadLetter
	// Event is what the payload holds; zero when there is an Invalid.
	Event T
	// Invalid says why the payload is no such event. Nil: it is one.
	Invalid error
}

// List lists dead letters, newest first; the filter's Queue and Type do not matter.
func (l TypedDeadLetters[T]) List(ctx context.Context, filter DeadLetterFilter) ([]TypedDeadLetter[T], error) {
	letters, err := l.client.DeadLetters(ctx, l.only(filter))
	if err != nil {
		return nil, err
	}
	typed := make([]TypedDeadLetter[T], len(letters))
	for i, letter := range letters {
		typed[i] = l.typed(letter)
	}
	return typed, nil
}

func (l TypedDeadLetters[T]) only(filter DeadLetterFilter) DeadLetterFilter {
	filter.Queue, filter.Type = l.queue, l.eventType
	return filter
}

func (l TypedDeadLetters[T]) typed(letter DeadLetter) TypedDeadLetter[T] {
	t := TypedDeadLetter[T]{DeadLetter: letter}
	t.Invalid = l.decode(&t.Event, letter.Message.Payload)
	return t
}

// Show returns one dead letter; one of another queue or type is
// ErrDeadLetterNotFound.
func (l TypedDeadLetters[T]) Show(ctx context.Context, id int64) (TypedDeadLetter[T], error) {
	letter, err := l.client.DeadLetter(ctx, id)
	if err == nil {
		err = l.own(letter)
	}
	if err != nil {
		return TypedDeadLetter[T]{}, err
	}
	return l.typed(letter), nil
}

func (l TypedDeadLetters[T]) own(letter DeadLetter) error {
	if letter.Queue == l.queue && letter.Message.Type == l.eventType {
		return nil
	}
	return wrap(ErrDeadLetterNotFound, "dead letter %d is %q on %q, not %q on %q", letter.ID, letter.Message.Type, letter.Queue, l.eventType, l.queue)
}

// Edit replays a dead letter as the event that edit makes of it, which its schema has
// to accept: otherwise, and when edit returns an error, nothing happens and that error
// is returned. See Client.ReplayEdited.
func (l TypedDeadLetters[T]) Edit(ctx context.Context, id int64, edit func(TypedDeadLetter[T]) (T, error)) (int64, error) {
	return l.client.ReplayEdited(ctx, id, func(letter DeadLetter) (Event, error) {
		if err := l.own(letter); err != nil {
			return Event{}, err
		}
		ev, err := edit(l.typed(letter))
		return Event{Type: l.eventType, Payload: ev}, err
	})
}

// Replay replays all that the filter selects; its Queue and Type do not matter. See
// Client.ReplayDeadLetters.
func (l TypedDeadLetters[T]) Replay(ctx context.Context, filter DeadLetterFilter) (replayed int, err error) {
	return l.client.ReplayDeadLetters(ctx, l.only(filter))
}
