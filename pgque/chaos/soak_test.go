package chaos_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

var soakFor = flag.Duration("soak", 20*time.Second, "how long the load is held")

const (
	soakProducers = 16
	soakAhead     = 2000             // events that producers are ahead of the slowest consumer
	soakLag       = 30 * time.Second // at most, from the sending to the end of the page, on a machine of our own
)

// TestSoak holds the load at what the machine can do: producers go as fast as the
// slowest consumer lets them.
func TestSoak_NothingGrows(t *testing.T) {
	server := pgquetest.Start(t, pgquetest.Durable())
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s := &soak{t: t, log: log.Name(), Client: pgquetest.New(t, pgquetest.On(server),
		pgquetest.WithPool(func(c *pgxpool.Config) { c.MaxConns = 20 }),
		pgquetest.WithClient(pgque.WithLogger(slog.New(slog.NewTextHandler(log, nil)))))}
	s.prepare()
	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	var load sync.WaitGroup
	for range soakProducers {
		load.Go(func() { s.produce(ctx) })
	}
	for _, c := range s.consumers() {
		load.Go(func() {
			if err := c.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("consumer %s ended: %v", c.Name(), err)
			}
		})
	}
	samples := s.watch(ctx)
	load.Wait()
	s.judge(samples)
}

// soak counts what goes through.
type soak struct {
	*pgque.Client
	t             *testing.T
	log           string // a file
	sent          atomic.Int64
	billed, heard atomic.Int64 // done by each of the consumers
	lag           atomic.Int64 // the longest since the last sample, in nanoseconds
}

func (s *soak) prepare() {
	s.t.Helper()
	for _, sql := range []string{
		"create table balance (account int primary key, n bigint) with (fillfactor = 50)",
		"insert into balance select n, 0 from generate_series(0, 99) n",
		"select pgque.create_queue('orders')",
		"select pgque.set_queue_config('orders', 'rotation_period', '2 seconds')",
	} {
		if _, err := s.Pool().Exec(s.t.Context(), sql); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, consumer := range []string{"billing", "audit"} {
		if err := s.Subscribe(s.t.Context(), orders, consumer); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *soak) produce(ctx context.Context) {
	payload := map[string]string{"text": string(slices.Repeat([]byte("x"), 250))}
	for ctx.Err() == nil {
		if s.sent.Load()-min(s.billed.Load(), s.heard.Load()) > soakAhead {
			rest(ctx, time.Millisecond)
			continue
		}
		events := slices.Repeat([]pgque.Event{{Type: "order", Payload: payload}}, 1+rand.N(8))
		if _, err := s.SendBatch(ctx, orders, events); err == nil {
			s.sent.Add(int64(len(events)))
		} else if ctx.Err() == nil {
			s.t.Errorf("send: %v", err)
			return
		}
	}
}

func (s *soak) consumers() []*pgque.Consumer {
	note := func(done *atomic.Int64) pgque.Option {
		return pgque.WithPageHook(func(p pgque.SettledPage) {
			done.Add(int64(p.Done))
			lag := int64(time.Since(p.Oldest))
			for longest := s.lag.Load(); lag > longest && !s.lag.CompareAndSwap(longest, lag); longest = s.lag.Load() {
			}
		})
	}
	billing := s.NewConsumer(orders, "billing", note(&s.billed), pgque.WithRetryAfter(0))
	billing.HandleTx("order", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		if msg.RetryCount == nil && oneIn(500) {
			return errOrdeal
		}
		_, err := tx.Exec(ctx, "update balance set n = n + 1 where account = $1", msg.MsgID%100)
		return err
	})
	audit := s.NewConsumer(orders, "audit", note(&s.heard), pgque.WithConcurrency(4), pgque.WithRetryAfter(0))
	audit.Handle("order", func(_ context.Context, msg pgque.Message) error {
		if msg.RetryCount == nil && oneIn(500) {
			return errOrdeal
		}
		return nil
	})
	return []*pgque.Consumer{billing, audit}
}

// sample is the state of affairs at one moment.
type sample struct {
	heap       uint64 // bytes in use after a collection
	goroutines int
	lag        time.Duration
	handled    int64 // by the slower consumer, since the last sample
	dead       int64 // rows of event tables
	size       int64 // bytes of all tables of the engine
}

const sqlSample = `
	select coalesce(sum(n_dead_tup) filter (where relname ~ '^event_[0-9]+'), 0)::bigint,
	       sum(pg_total_relation_size(relid))::bigint
	from pg_stat_all_tables where schemaname = 'pgque'`

func (s *soak) watch(ctx context.Context) (samples []sample) {
	s.t.Helper()
	var before int64
	for {
		rest(ctx, *soakFor/40)
		if ctx.Err() != nil {
			return samples
		}
		var now sample
		if err := s.Pool().QueryRow(ctx, sqlSample).Scan(&now.dead, &now.size); err != nil {
			if ctx.Err() == nil {
				s.t.Error(err)
			}
			continue
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now.heap, now.goroutines = m.HeapAlloc, runtime.NumGoroutine()
		now.lag = time.Duration(s.lag.Swap(0))
		handled := min(s.billed.Load(), s.heard.Load())
		now.handled, before = handled-before, handled
		samples = append(samples, now)
	}
}

// judge compares the second half with the first, the start aside.
func (s *soak) judge(samples []sample) {
	s.t.Helper()
	if len(samples) < 10 {
		s.t.Fatalf("only %d samples", len(samples))
	}
	samples = samples[len(samples)/10:]
	early, late := worst(samples[:len(samples)/2]), worst(samples[len(samples)/2:])
	s.t.Logf("%d events sent, %.0f/s, to two consumers", s.sent.Load(), float64(s.sent.Load())/soakFor.Seconds())
	s.t.Logf("first half %+v", early)
	s.t.Logf("second half %+v", late)
	if late.heap > early.heap*3/2+8<<20 {
		s.t.Errorf("memory grows: %d bytes, then %d", early.heap, late.heap)
	}
	if late.goroutines > early.goroutines+10 {
		s.t.Errorf("goroutines grow: %d, then %d", early.goroutines, late.goroutines)
	}
	if late.size > early.size*3/2+32<<20 {
		s.t.Errorf("tables grow: %d bytes, then %d", early.size, late.size)
	}
	if lag := max(early.lag, late.lag); lag > max(soakLag, 3*catchUp(samples)) {
		s.t.Errorf("a message took %v; the consumers said:\n%s", lag, s.said())
	}
	if dead := max(early.dead, late.dead); dead > 0 {
		s.t.Errorf("%d dead rows in event tables", dead)
	}
	if least := min(s.billed.Load(), s.heard.Load()); s.sent.Load()-least > 2*soakAhead {
		s.t.Errorf("%d sent, but only %d handled by the slower consumer", s.sent.Load(), least)
	}
}

// said is the end of the log, but for what every retry says.
func (s *soak) said() string {
	text, _ := os.ReadFile(s.log)
	lines := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"),
		func(line string) bool { return strings.Contains(line, "message put back") })
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// catchUp is how long the slower consumer was behind for what producers are ahead, when it
// was slowest: a machine that others use makes everything late, and no message stay.
func catchUp(samples []sample) time.Duration {
	least := samples[0].handled
	for _, s := range samples {
		least = min(least, s.handled)
	}
	return *soakFor / 40 * soakAhead / time.Duration(max(least, 1))
}

func worst(samples []sample) (w sample) {
	for _, s := range samples {
		w.heap, w.goroutines, w.lag = max(w.heap, s.heap), max(w.goroutines, s.goroutines), max(w.lag, s.lag)
		w.dead, w.size = max(w.dead, s.dead), max(w.size, s.size)
	}
	return w
}
