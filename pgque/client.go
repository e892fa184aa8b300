package pgque

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

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
	tables  eventTables
	windows windowCursors

	retryLimits retryLimits

	groups   sendGroups
	listener listener
	watch    watch

	mu      sync.Mutex
	closed  context.Context // ends with Close
	close   context.CancelFunc
	running sync.WaitGroup // consumers and tickers that Close waits for
}

// statementTimeout bounds each statement of consumers and tickers, so that a
// connection that died without a word does not hold them for ever.
const statementTimeout = 30 * time.Second

// ClientOption changes a client while it is made.
type ClientOption func(*Client)

// WithLogger sets where the client and its consumers log what no caller can see.
// Defaults to slog.Default(), as it is when the client is made; nil is the default.
func WithLogger(log *slog.Logger) ClientOption {
	return func(c *Client) {
		if log != nil {
			c.log = log
		}
	}
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
	c := &Client{pool: pool, log: slog.Default()}
	c.closed, c.close = context.WithCancel(context.Background())
	c.listener.client, c.listener.silence, c.listener.wait = c, selfTestInterval, selfTestWait
	c.watch.client = c
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
	c.mu.Lock()
	c.close()
	c.mu.Unlock()
	c.running.Wait()
	if c.ownsPool {
		c.pool.Close()
	}
}

// enter begins something that Close has to stop and wait for. The context ends
// with ctx and with the client; leave must be called at the end.
func (c *Client) enter(ctx context.Context) (running context.Context, leave func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Err() != nil {
		return nil, nil, ErrClosed
	}
	c.running.Add(1)
	running, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(c.closed, func() { cancel(ErrClosed) })
	return running, func() {
		detach()
		cancel(nil)
		c.running.Done()
	}, nil
}

// stopReason is why a context made by enter has ended.
func stopReason(running context.Context) error {
	for _, reason := range []error{ErrClosed, ErrAborted} {
		if errors.Is(context.Cause(running), reason) {
			return fmt.Errorf("pgque: %w", reason)
		}
	}
	return running.Err()
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
