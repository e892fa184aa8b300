package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgque/pgque-go/pgque"
)

// advice says what to do about an error whose own text does not.
var advice = []struct {
	err  error
	text string
}{
	{pgque.ErrQueueNotFound, `"pgque queue list" shows the queues that exist`},
	{pgque.ErrQueueHasConsumers, `"pgque queue drop -force" drops the consumers too, with what they have not yet handled`},
	{pgque.ErrForeignSchema, `it was left as it is: use another database, or the version of pgque that made it`},
	{pgque.ErrPermission, `connect as the owner of the schema pgque or as a member of the role pgque_admin`},
}

// message is what a human reads of err.
func message(err error) string {
	if errors.Is(err, context.Canceled) {
		return "pgque: interrupted"
	}
	text := err.Error()
	for _, a := range advice {
		if errors.Is(err, a.err) {
			return text + "\n" + a.text
		}
	}
	if isUnreachable(err) {
		return text + "\ncheck that the server runs and that -dsn or " + dsnEnv + " names it"
	}
	return text
}

func isUnreachable(err error) bool {
	var connect *pgconn.ConnectError
	var parse *pgconn.ParseConfigError
	return errors.As(err, &connect) || errors.As(err, &parse)
}
