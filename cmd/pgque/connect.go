package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
)

// connectTimeout ends the wait for a host that drops what it is sent.
const connectTimeout = 15 * time.Second

// withClient runs f with a client on the database that the options name.
func withClient(ctx context.Context, o *options, f func(*pgque.Client) error, opts ...pgque.ClientOption) error {
	if o.dsn == "" {
		return usagef("", "no database: give -dsn or set %s, as in\n  export %s='%s'", dsnEnv, dsnEnv, dsnExample)
	}
	pool, err := connect(ctx, o.dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	c := pgque.New(pool, opts...)
	defer c.Close()
	return f(c)
}

// connect shows who is connected to whoever reads pg_stat_activity.
func connect(ctx context.Context, dsn string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("pgque: %w", err)
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "pgque"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("pgque: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("pgque: %w", err)
	}
	return pool, nil
}

func (o *options) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.stdout, format, args...)
}
