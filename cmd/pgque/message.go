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
	{pgque.ErrConsumerNotFound, `"pgque status" shows the consumers of each queue`},
	{pgque.ErrDeadLetterNotFound, `"pgque dead list" shows the dead letters that there are`},
	{pgque.ErrInvalidConfig, `"pgque help queue set" describes the parameters and their values`},
	{pgque.ErrPermission, `connect as the owner of the schema pgque, as a member of the role pgque_admin, or, to install, as a role that may create schemas`},
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
	var parse *pgconn.ParseConfigError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &parse):
		return text + "\n-dsn or " + dsnEnv + " is to look like " + dsnExample + " or host=HOST user=USER dbname=DATABASE"
	case errors.As(err, &connect):
		return text + "\ncheck that the server runs and that -dsn or " + dsnEnv + " names it"
	}
	return text
}
