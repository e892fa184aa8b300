package pgquetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
)

// Option changes what New makes.
type Option func(*options)

type options struct {
	server *Server
	pool   []func(*pgxpool.Config)
	client []pgque.ClientOption
}

// On puts the database on a server of Start's. Defaults to the server that the
// tests of the test binary share.
func On(s *Server) Option {
	return func(o *options) { o.server = s }
}

// WithPool changes the configuration of the client's pool. Defaults to pgx's.
func WithPool(change func(*pgxpool.Config)) Option {
	return func(o *options) { o.pool = append(o.pool, change) }
}

// WithClient passes options on to pgque.New. Defaults to none.
func WithClient(opts ...pgque.ClientOption) Option {
	return func(o *options) { o.client = append(o.client, opts...) }
}

// New returns a client on a fresh database with the engine installed. Client and
// database are gone when the test ends; a connection that the test did not give
// back to the pool by then fails it.
//
// More connections to the same database come from
// client.Pool().Config().ConnString().
func New(t testing.TB, opts ...Option) *pgque.Client {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return newClient(t, o.host(t).withEngine(t), o)
}

func (o *options) host(t testing.TB) *host {
	t.Helper()
	if o.server != nil {
		return o.server.host
	}
	return shared(t)
}

func newClient(t testing.TB, dsn string, o options) *pgque.Client {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	check(t, err)
	for _, change := range o.pool {
		change(config)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	check(t, err)
	client := pgque.New(pool, o.client...)
	t.Cleanup(func() {
		t.Helper()
		closeClient(t, client)
	})
	return client
}

// closeTimeout is far more than closing takes when nothing is held.
const closeTimeout = 30 * time.Second

// closeClient gives up waiting: the pool would wait for ever for a connection
// that nobody gives back, and the test would end without a word about it.
func closeClient(t testing.TB, client *pgque.Client) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		client.Close()
		client.Pool().Close()
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		t.Errorf("pgquetest: the test ended with %d connections of the pool in use, or with a consumer that does not stop",
			client.Pool().Stat().AcquiredConns())
	}
}

// withEngine creates a database with the engine. On a server of our own it is a
// copy of one into which the engine was installed once; on anybody else's such
// a template would stay behind, as nothing runs when a test binary ends.
func (h *host) withEngine(t testing.TB) (dsn string) {
	t.Helper()
	if h.template == nil {
		dsn := newDatabase(t, h, emptyTemplate)
		check(t, install(dsn))
		return dsn
	}
	check(t, h.template())
	return newDatabase(t, h, templateName)
}

const templateName = "pgque_template"

// makeTemplate forbids connections to the template: PostgreSQL copies no
// database that somebody is connected to, and autovacuum is somebody.
func (h *host) makeTemplate() error {
	return errors.Join(
		h.exec("create database "+templateName+" template "+emptyTemplate),
		install(h.dsn(templateName)),
		h.exec("alter database "+templateName+" is_template true allow_connections false"),
	)
}

func install(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(pgque.Install(ctx, conn), conn.Close(ctx))
}
