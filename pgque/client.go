package pgque

import (
	"context"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Client sends and receives through one pgx pool. It is safe for concurrent use.
type Client struct {
	pool     *pgxpool.Pool
	ownsPool bool
	log      *slog.Logger

	middleware     []Middleware
	sendMiddleware []SendMiddleware

	engine  engineCache
	windows windowCursors

	closeOnce sync.Once
	closed    chan struct{}
	running   sync.WaitGroup // consumers and tickers that Close waits for
}

// ClientOption changes a client while it is made.
type ClientOption func(*Client)

// WithLogger sets where the client and its consumers log what no caller can see.
// Defaults to slog.Default().
func WithLogger(log *slog.Logger) ClientOption {
	return func(c *Client) { c.log = log }
}

// Connect opens a pool of its own and checks that the server answers: a bad DSN or
// an unreachable server is an error here, not at the first query. Close ends the
// pool. Use New to choose options or to share a pool.
func Connect(ctx context.Context, dsn string) (*Client, error) {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return nil, wrap(err, "connect")
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, wrap(err, "connect")
	}
	c := New(pool)
	c.ownsPool = true
	return c, nil
}

// New is a client over a pool that the application already has. It sends nothing
// to the server. Close leaves the pool open.
func New(pool *pgxpool.Pool, opts ...ClientOption) *Client {
	c := &Client{
		pool:   pool,
		log:    slog.Default(),
		closed: make(chan struct{}),
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// Pool gives direct SQL access.
func (c *Client) Pool() *pgxpool.Pool { return c.pool }

// Close stops the client's consumers and tickers as a cancelled context would,
// waits for them, and closes the pool that Connect opened. A second call does
// nothing. Must not be called from a handler.
func (c *Client) Close() {
	c.closeOnce.Do(func() {
		close(c.closed)
		c.running.Wait()
		if c.ownsPool {
			c.pool.Close()
		}
	})
}

// Use adds middleware around the handlers of every consumer that is made from now
// on; what is added first is outermost. Not safe beside other calls: set a client
// up before sharing it.
func (c *Client) Use(middleware ...Middleware) {
	c.middleware = append(c.middleware, middleware...)
}

// UseSend adds middleware around every Send and SendBatch of this client, those of
// WithTx included; what is added first is outermost. Not safe beside other calls:
// set a client up before sharing it.
func (c *Client) UseSend(middleware ...SendMiddleware) {
	c.sendMiddleware = append(c.sendMiddleware, middleware...)
}

// querier is what pools, connections and transactions have in common.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// queryInt runs a statement that returns one integer; NULL is 0.
func queryInt(ctx context.Context, q querier, sql string, args ...any) (int64, error) {
	var n *int64
	if err := q.QueryRow(ctx, sql, args...).Scan(&n); err != nil || n == nil {
		return 0, err
	}
	return *n, nil
}
