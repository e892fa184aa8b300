// Package scratch gives an example program its database: the one that the user
// names, or a throw-away server that is gone when the program ends.
package scratch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// Database is where one run of an example happens.
type Database struct {
	Client *pgque.Client

	// Label names the database for people.
	Label string

	server  *server.Server // nil when the database was there before
	pool    *pgxpool.Pool
	cleanup []func(ctx context.Context) error
}

// cleanupTimeout bounds what Close asks of a database that was there before.
const cleanupTimeout = 30 * time.Second

// Open connects to dsn and installs the engine there; "" starts a throw-away
// server. The caller owns the database and calls Close.
func Open(ctx context.Context, dsn string, opts ...pgque.ClientOption) (*Database, error) {
	db := &Database{}
	if dsn == "" {
		s, err := server.Start(ctx, server.Options{})
		if err != nil {
			return nil, err
		}
		db.server, dsn = s, s.DSN("")
	}
	if err := db.connect(ctx, dsn, opts); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connections is enough for every consumer of an example to hold a transaction
// while others send.
const connections = 12

func (db *Database) connect(ctx context.Context, dsn string, opts []pgque.ClientOption) error {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return err
	}
	config.MaxConns = max(config.MaxConns, connections)
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	db.Client = pgque.New(db.pool, opts...)
	if err := db.describe(ctx); err != nil {
		return err
	}
	return db.Client.Install(ctx)
}

func (db *Database) describe(ctx context.Context) error {
	var version, name string
	err := db.pool.QueryRow(ctx, "select split_part(current_setting('server_version'), ' ', 1), current_database()").
		Scan(&version, &name)
	if err != nil {
		return err
	}
	db.Label = fmt.Sprintf("PostgreSQL %s, database %q", version, name)
	if db.server != nil {
		db.Label = fmt.Sprintf("PostgreSQL %s, a throw-away server on port %d", version, db.server.Port())
	}
	return nil
}

// CreateQueues creates queues that Close drops again. A queue that is there
// already belongs to somebody else: that is an error, and nothing is created.
func (db *Database) CreateQueues(ctx context.Context, queues ...string) error {
	for _, queue := range queues {
		switch _, err := db.Client.QueueInfo(ctx, queue); {
		case err == nil:
			return fmt.Errorf("the database has a queue %q already, and this program would drop it: choose another database, or remove what an earlier run left with \"pgque queue drop -force %s\"", queue, queue)
		case !errors.Is(err, pgque.ErrQueueNotFound):
			return err
		}
	}
	for _, queue := range queues {
		if err := db.Client.CreateQueue(ctx, queue); err != nil {
			return err
		}
		db.OnClose(func(ctx context.Context) error { return db.Client.ForceDropQueue(ctx, queue) })
	}
	return nil
}

// CreateSchema creates a schema and runs ddl with it as the search path. Close
// drops it with all that is in it.
func (db *Database) CreateSchema(ctx context.Context, name, ddl string) error {
	schema := pgx.Identifier{name}.Sanitize()
	err := pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "create schema "+schema+"; set local search_path = "+schema+"; "+ddl)
		return err
	})
	if err != nil {
		return err
	}
	db.OnClose(func(ctx context.Context) error {
		_, err := db.pool.Exec(ctx, "drop schema "+schema+" cascade")
		return err
	})
	return nil
}

// OnClose makes Close undo something in a database that outlives the program.
// What was added last is undone first.
func (db *Database) OnClose(undo func(ctx context.Context) error) {
	db.cleanup = append(db.cleanup, undo)
}

// Close takes back what the program left in the database, or stops the
// throw-away server. Consumers must have ended. A second call does nothing.
func (db *Database) Close() error {
	var errs []error
	if db.server == nil {
		errs = append(errs, db.undo())
	}
	if db.pool != nil {
		db.Client.Close()
		db.pool.Close()
	}
	if db.server != nil {
		errs = append(errs, db.server.Close())
	}
	return errors.Join(errs...)
}

func (db *Database) undo() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	var errs []error
	for len(db.cleanup) > 0 {
		last := len(db.cleanup) - 1
		errs = append(errs, db.cleanup[last](ctx))
		db.cleanup = db.cleanup[:last]
	}
	return errors.Join(errs...)
}
