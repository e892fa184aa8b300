package pgque

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// Errors that a caller can act on, for errors.Is. The server's own error, with
// its SQLSTATE, stays reachable through errors.As and *pgconn.PgError.
var (
	ErrNotInstalled       = errors.New("pgque is not installed in this database: call Client.Install or run \"pgque install\"")
	ErrForeignSchema      = errors.New("the schema pgque was not made by this engine, or by a newer version of it")
	ErrQueueNotFound      = errors.New("queue not found")
	ErrConsumerNotFound   = errors.New("consumer not found")
	ErrBatchNotFound      = errors.New("batch not found")
	ErrMessageNotFound    = errors.New("message not found in batch")
	ErrDeadLetterNotFound = errors.New("dead letter entry not found")
	ErrInsertDisallowed   = errors.New("insert into queue disallowed")
	ErrInvalidConfig      = errors.New("invalid queue configuration")
	ErrInvalidName        = errors.New("invalid name")
	ErrInvalidArgument    = errors.New("invalid argument")
	ErrQueueHasConsumers  = errors.New("queue has consumers")
	ErrTicker             = errors.New("queue is not ticked from here")
	ErrCooperative        = errors.New("consumer is cooperative")
	ErrIsolation          = errors.New("not possible in this transaction isolation level")
	ErrBusy               = errors.New("busy: try again")
	ErrPermission         = errors.New("permission denied")
	ErrClosed             = errors.New("client is closed")
	ErrRunning            = errors.New("consumer is running")
	ErrAborted            = errors.New("consumer was aborted")
)

// sentinelByState is the whole meaning of SQLSTATEs to this package. Class PQ is
// raised by our engine alone.
var sentinelByState = map[string]error{
	"PQ001": ErrQueueNotFound,
	"PQ002": ErrConsumerNotFound,
	"PQ003": ErrBatchNotFound,
	"PQ004": ErrMessageNotFound,
	"PQ005": ErrDeadLetterNotFound,
	"PQ006": ErrInsertDisallowed,
	"PQ007": ErrInvalidConfig,
	"PQ008": ErrInvalidName,
	"PQ009": ErrInvalidArgument,
	"PQ010": ErrQueueHasConsumers,
	"PQ011": ErrTicker,
	"PQ012": ErrCooperative,
	"PQ013": ErrForeignSchema,
	"PQ014": ErrIsolation,
	"22023": ErrInvalidArgument,
	"40001": ErrBusy,
	"42501": ErrPermission,
	"55P03": ErrBusy,
	"3F000": ErrNotInstalled,
}

// sentinelByText serves engines that raise P0001 for everything. Texts are
// compared in lower case; the first that occurs in the message decides.
var sentinelByText = []struct {
	text     string
	sentinel error
}{
	{"not subscriber to queue", ErrConsumerNotFound},
	{"consumer not registered", ErrConsumerNotFound},
	{"consumer not found", ErrConsumerNotFound},
	{"dead letter entry not found", ErrDeadLetterNotFound},
	{"not found in batch", ErrMessageNotFound},
	{"event not found", ErrMessageNotFound},
	{"batch not found", ErrBatchNotFound},
	{"cannot find data for batch", ErrBatchNotFound},
	{"queue not found", ErrQueueNotFound},
	{"no such queue", ErrQueueNotFound},
	{"no such event queue", ErrQueueNotFound},
	{"event queue not created", ErrQueueNotFound},
	{"insert into queue disallowed", ErrInsertDisallowed},
	{"queue name too long", ErrInvalidName},
	{"max_return must be", ErrInvalidArgument},
	{"cooperative main consumer", ErrCooperative},
	{"cooperative subconsumer", ErrCooperative},
	{"external tick", ErrTicker},
	{"ticker has been paused", ErrTicker},
}

// operationError says what was tried and how it ended.
type operationError struct {
	operation string
	sentinel  error // nil when the cause has no sentinel
	cause     error
}

func (e *operationError) Error() string {
	return "pgque: " + e.operation + ": " + e.reason()
}

func (e *operationError) Unwrap() []error {
	if e.sentinel == nil {
		return []error{e.cause}
	}
	return []error{e.sentinel, e.cause}
}

// reason prefers the plain sentinel where the server's text adds nothing to it.
func (e *operationError) reason() string {
	var pgErr *pgconn.PgError
	if !errors.As(e.cause, &pgErr) {
		return e.plainReason()
	}
	if e.sentinel == ErrPermission {
		return textOf(pgErr, cmp.Or(pgErr.Hint, grantHint(pgErr)))
	}
	if e.sentinel == ErrNotInstalled || e.sentinel != nil && strings.HasPrefix(strings.ToLower(pgErr.Message), e.sentinel.Error()) {
		return e.sentinel.Error()
	}
	return textOf(pgErr, pgErr.Hint)
}

func textOf(err *pgconn.PgError, hint string) string {
	text := fmt.Sprintf("%s (SQLSTATE %s)", err.Message, err.Code)
	if hint != "" {
		text += ": " + hint
	}
	return text
}

// grantHint says what a role needs that may not use something of the engine's.
func grantHint(err *pgconn.PgError) string {
	if !strings.HasPrefix(err.Message, "permission denied for ") || strings.HasPrefix(err.Message, "permission denied for database") {
		return ""
	}
	return "grant the role pgque_writer to send, pgque_reader to consume, pgque_admin to do both and to manage"
}

func (e *operationError) plainReason() string {
	if e.sentinel != nil {
		return e.sentinel.Error()
	}
	return strings.TrimPrefix(e.cause.Error(), "pgque: ")
}

// wrap puts the operation before err and finds err's sentinel. The operation is a
// format. A nil err stays nil.
func wrap(err error, operation string, args ...any) error {
	if err == nil {
		return nil
	}
	return &operationError{
		operation: fmt.Sprintf(operation, args...),
		sentinel:  sentinelOf(err),
		cause:     err,
	}
}

// sentinelOf returns nil for errors that have none, or that carry theirs already.
func sentinelOf(err error) error {
	if errors.Is(err, puddle.ErrClosedPool) {
		return ErrClosed
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return nil
	}
	if sentinel, ok := sentinelByState[pgErr.Code]; ok {
		return sentinel
	}
	return sentinelOfText(pgErr)
}

func sentinelOfText(pgErr *pgconn.PgError) error {
	text := strings.ToLower(pgErr.Message)
	if pgErr.Code == "42P01" && strings.Contains(text, "pgque.event_") {
		return ErrQueueNotFound // dropped between a sender's look for its table and its insert
	}
	if isMissingObject(pgErr.Code) && strings.Contains(text, "pgque.") {
		return ErrNotInstalled
	}
	if pgErr.Code != "P0001" {
		return nil
	}
	for _, known := range sentinelByText {
		if strings.Contains(text, known.text) {
			return known.sentinel
		}
	}
	return nil
}

// isMissingObject reports undefined_function, undefined_table, undefined_object.
func isMissingObject(code string) bool {
	return code == "42883" || code == "42P01" || code == "42704"
}

func isUndefinedFunction(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "42883"
}

// isLasting reports errors that waiting does not mend: somebody has to change the
// configuration.
func isLasting(err error) bool {
	if errors.Is(err, ErrInvalidArgument) {
		return true
	}
	switch sentinelOf(err) {
	case ErrNotInstalled, ErrQueueNotFound, ErrPermission, ErrInvalidName, ErrInvalidArgument, ErrCooperative, ErrClosed:
		return true
	}
	return false
}
