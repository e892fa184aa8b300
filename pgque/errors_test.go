package pgque

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestErrors_ServerErrorsHaveSentinels(t *testing.T) {
	t.Parallel()
	cases := []struct {
		code, text string
		want       error
	}{
		{"PQ001", "queue not found: orders", ErrQueueNotFound},
		{"PQ004", "msg_id 7 not found in batch 3", ErrMessageNotFound},
		{"3F000", `schema "pgque" does not exist`, ErrNotInstalled},
		{"42883", "function pgque.send(text, text, text) does not exist", ErrNotInstalled},
		{"42P01", `relation "pgque.config" does not exist`, ErrNotInstalled},
		{"42P01", `relation "pgque.event_7_0" does not exist`, ErrQueueNotFound},
		{"42883", "function nonsense() does not exist", nil},
		{"42501", "permission denied for schema pgque", ErrPermission},
		{"P0001", "Queue not found: orders", ErrQueueNotFound},
		{"P0001", "No such queue: orders", ErrQueueNotFound},
		{"P0001", "Event queue not found", ErrQueueNotFound},
		{"P0001", "Not subscriber to queue: orders/billing", ErrConsumerNotFound},
		{"P0001", "batch not found", ErrBatchNotFound},
		{"P0001", "msg_id 7 not found in batch 3", ErrMessageNotFound},
		{"P0001", "Insert into queue disallowed", ErrInsertDisallowed},
		{"P0001", "dead letter entry not found: 4", ErrDeadLetterNotFound},
		{"P0001", "something else", nil},
		{"23505", "queue not found, says a trigger", nil},
	}
	for _, c := range cases {
		err := wrap(&pgconn.PgError{Severity: "ERROR", Code: c.code, Message: c.text}, "send to %q", "orders")
		for state, sentinel := range sentinelByState {
			if is := errors.Is(err, sentinel); is != (sentinel == c.want) {
				t.Errorf("%s %q: errors.Is(%s %v) is %t", c.code, c.text, state, sentinel, is)
			}
		}
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || pgErr.SQLState() != c.code {
			t.Errorf("%s %q: the SQLSTATE is lost: %v", c.code, c.text, err)
		}
	}
}

func TestErrors_TextSaysWhatWasTriedAndWhy(t *testing.T) {
	t.Parallel()
	cases := map[string]error{
		`pgque: send to "orders": queue not found`: &pgconn.PgError{Code: "PQ001", Message: "queue not found: orders"},
		`pgque: send to "orders": ticker_max_lag must not be negative (SQLSTATE PQ007): give an interval`: &pgconn.PgError{
			Code: "PQ007", Message: "ticker_max_lag must not be negative", Hint: "give an interval"},
		`pgque: send to "orders": permission denied for schema pgque (SQLSTATE 42501): grant the role pgque_writer to send, pgque_reader to consume, pgque_admin to do both and to manage`: &pgconn.PgError{
			Code: "42501", Message: "permission denied for schema pgque"},
		`pgque: send to "orders": permission denied for database shop (SQLSTATE 42501)`: &pgconn.PgError{
			Code: "42501", Message: "permission denied for database shop"},
		`pgque: send to "orders": context canceled`:   context.Canceled,
		`pgque: send to "orders": queue not found: 7`: fmt.Errorf("pgque: %w: 7", ErrQueueNotFound),
	}
	for want, cause := range cases {
		if got := wrap(cause, "send to %q", "orders").Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestErrors_ContextErrorsStayFindable(t *testing.T) {
	t.Parallel()
	if err := wrap(fmt.Errorf("query: %w", context.DeadlineExceeded), "ack"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("lost: %v", err)
	}
	if wrap(nil, "ack") != nil {
		t.Error("no error became one")
	}
}
