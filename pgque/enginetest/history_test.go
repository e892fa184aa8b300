package enginetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// history is a random concurrent run against the queue q, and what came of it.
type history struct {
	t     testing.TB
	dsn   string
	seed  uint64
	clock atomic.Int64 // rises with everything that somebody relies on

	mu     sync.Mutex
	events map[string]*event
	seen   map[string]map[string]bool // consumer -> payloads that it got
	pages  map[string][]page          // consumer -> pages that it finished
	loose  map[string]map[string]bool // consumer -> payloads that may come again: their worker died
	kills  int
}

// event is what its producer knows about it.
type event struct {
	payload  string
	producer string
	number   int
	key      string // of partitioned consumers
	delayed  bool   // it comes when its time has come, after later ones
	fate     fate
	began    int64 // clock before its transaction
	ended    int64 // clock after its commit
}

type fate int

const (
	unknown fate = iota // the connection was lost during the commit
	committed
	aborted
)

// page is a page with an ack.
type page struct {
	batch    int64
	got      int64 // clock after it was received
	messages []message
	putBack  map[int64]bool
	sure     bool // the ack was answered
}

type message struct {
	id      int64
	batch   int64
	payload string
	retry   int
}

func newHistory(t testing.TB, dsn string) *history {
	t.Helper()
	h := &history{
		t: t, dsn: dsn, seed: newSeed(t),
		events: map[string]*event{}, seen: map[string]map[string]bool{},
		pages: map[string][]page{}, loose: map[string]map[string]bool{},
	}
	conn := dial(t, dsn)
	mustExec(t, conn, `select pgque.create_queue('q'), pgque.set_queue_config('q', 'rotation_period', '1 microsecond')`)
	mustExec(t, conn, `select pgque.set_queue_config('q', 'max_retries', '1000000'), pgque.set_queue_config('q', 'ticker_max_lag', '0')`)
	for name := range fullTime {
		h.seen[name], h.loose[name] = map[string]bool{}, map[string]bool{}
		switch name {
		case "group":
			mustExec(t, conn, `select pgque.subscribe_subconsumer('q', 'group', 'm1')`)
		case "slots":
			mustExec(t, conn, `select pgque.subscribe_partitioned('q', 'slots', $1)`, slots)
		default:
			mustExec(t, conn, `select pgque.subscribe('q', $1)`, name)
		}
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// fullTime are the consumers that are subscribed from the first event to the last, and
// how many workers each has.
var fullTime = map[string]struct {
	workers int
	step    func(*actor, string) error
}{
	"settler":   {2, settleSome},
	"atomic":    {2, ackInTransaction},
	"careless":  {1, nackThenAck},
	"primitive": {1, finishBatches},
	"sleeper":   {1, sleepAndFetch},
	"turner":    {2, turnPages},
	"group":     {3, cooperate},
	"slots":     {3, workOnSlots},
}

// slots is how many the partitioned consumer has.
const slots = 3

// run lets everything happen at once for a while. chaos runs beside it until its
// context ends. Then the last events are ticked and every consumer reads all that is
// left.
func (h *history) run(ctx context.Context, chaos ...func(context.Context)) {
	var cast sync.WaitGroup
	ctx, end := h.eventful(ctx)
	defer end()
	stream := 0
	enter := func(name string, do func(*actor) error) {
		stream++
		a := &actor{h: h, name: name, r: newRand(h.seed, stream)}
		cast.Go(func() { a.play(ctx, do) })
	}
	for i := range 4 {
		enter(fmt.Sprintf("producer%d", i), produce)
	}
	for range 2 {
		enter("upkeep", keep)
	}
	enter("locker", holdLocks)
	enter("reader", holdSnapshot)
	enter("guest", comeAndGo)
	for name, consumer := range fullTime {
		for i := range consumer.workers {
			enter(fmt.Sprintf("%s%d", name, i), func(a *actor) error { return consumer.step(a, name) })
		}
	}
	for _, c := range chaos {
		cast.Go(func() { c(ctx) })
	}
	cast.Wait()
	h.readToTheEnd()
}

// eventful ends when ctx does, but not before a fair number of events was committed:
// on a busy machine seconds may pass without any.
func (h *history) eventful(ctx context.Context) (context.Context, func()) {
	playing, end := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer end()
		<-ctx.Done()
		patience := time.After(2 * time.Minute)
		look := time.NewTicker(10 * time.Millisecond)
		defer look.Stop()
		for h.count(committed) < 100 {
			select {
			case <-look.C:
			case <-patience:
				return
			case <-playing.Done():
				return
			}
		}
	}()
	return playing, end
}

func (h *history) count(f fate) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.fate == f {
			n++
		}
	}
	return n
}

// killSessions ends sessions at random, in the middle of whatever they do.
func (h *history) killSessions(ctx context.Context) {
	a := &actor{h: h, name: "killer", r: newRand(h.seed, 1000)}
	a.play(ctx, func(a *actor) error {
		a.pauseUpTo(60 * time.Millisecond)
		killed, err := a.number(`select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity
			where datname = current_database() and application_name not in ('killer', 'guest', '') order by random() limit 1) as victim`)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.kills += int(killed)
		return err
	})
}

// readToTheEnd lets nobody but one well-behaved worker per consumer go on.
func (h *history) readToTheEnd() {
	a := &actor{h: h, name: "last", r: newRand(h.seed, 2000)}
	rounds := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	deadline := time.Now().Add(2 * time.Minute)
	a.play(ctx, func(a *actor) error {
		if time.Now().After(deadline) || h.t.Failed() {
			h.t.Errorf("the consumers do not come to an end")
			cancel()
			return nil
		}
		got, err := readRest(a)
		if err != nil {
			return err
		}
		if rounds++; got > 0 {
			rounds = 0
		}
		if rounds == 2 {
			cancel()
		}
		return nil
	})
}

// readRest makes everything receivable, receives it, and returns how much it was,
// with what still waits to be retried.
func readRest(a *actor) (int64, error) {
	if err := a.exec(`select pgque.maint()`); err != nil {
		return 0, err
	}
	if err := a.exec(`select pgque.force_next_tick('q')`); err != nil {
		return 0, err
	}
	if err := a.exec(`select pgque.ticker('q')`); err != nil {
		return 0, err
	}
	waiting, err := a.number(`select (select count(*) from pgque.retry_queue) + (select count(*) from pgque.delayed)`)
	if err != nil {
		return 0, err
	}
	for slot := range slots {
		got, err := readSlot(a, slot)
		if err != nil {
			return 0, err
		}
		waiting += got
	}
	for name := range fullTime {
		if name == "slots" {
			continue
		}
		source := `pgque.fetch('q', $1, 200)`
		if name == "group" {
			source = `pgque.receive_coop('q', $1, 'm0', 200, '1 millisecond')`
		}
		for {
			p, err := a.receive(name, source, name)
			if err != nil {
				return 0, err
			}
			if len(p.messages) == 0 {
				break
			}
			waiting += int64(len(p.messages))
			if err := a.ack(name, p); err != nil {
				return 0, err
			}
		}
	}
	return waiting, nil
}

// check holds what came of it against what had to come.
func (h *history) check() {
	h.t.Helper()
	fates := map[fate]int{}
	for _, e := range h.events {
		fates[e.fate]++
	}
	h.t.Logf("%d events committed, %d aborted, %d unknown; %d sessions killed", fates[committed], fates[aborted], fates[unknown], h.kills)
	if fates[committed] == 0 {
		h.t.Error("nothing happened")
	}
	reached := map[string]int{} // payload -> consumers that finished it
	for name := range fullTime {
		for payload := range h.checkConsumer(name) {
			reached[payload]++
		}
	}
	for payload, e := range h.events {
		if n := reached[payload]; e.fate == unknown && n != 0 && n != len(fullTime) {
			h.t.Errorf("%s reached %d of %d consumers", payload, n, len(fullTime))
		}
	}
}

func (h *history) checkConsumer(name string) (reached map[string]bool) {
	for payload := range h.seen[name] {
		if e := h.events[payload]; e == nil || e.fate == aborted {
			h.t.Errorf("%s got %s, which was never committed", name, payload)
		}
	}
	done, reached := map[string]int{}, map[string]bool{}
	batches := map[int64]bool{}
	for _, p := range h.pages[name] {
		if p.sure && batches[p.batch] {
			h.t.Errorf("%s finished batch %d twice", name, p.batch)
		}
		batches[p.batch] = batches[p.batch] || p.sure
		for _, m := range p.messages {
			if p.putBack[m.id] {
				continue
			}
			reached[m.payload] = true
			if p.sure {
				done[m.payload]++
			}
		}
	}
	for payload, e := range h.events {
		if e.fate == committed && !reached[payload] {
			h.t.Errorf("%s never finished %s", name, payload)
		}
		if done[payload] > 1 && !h.loose[name][payload] {
			h.t.Errorf("%s finished %s %d times", name, payload, done[payload])
		}
	}
	if name != "group" {
		h.checkOrder(name) // the members of a group have windows beside each other
	}
	return reached
}

// checkOrder: what a producer committed before it began the next transaction comes
// before that. A page is received after the one before it was finished.
func (h *history) checkOrder(name string) {
	pages := slices.Clone(h.pages[name])
	slices.SortStableFunc(pages, func(a, b page) int { return int(a.got - b.got) })
	last := map[string]int{}
	for _, p := range pages {
		for _, m := range p.messages {
			e := h.events[m.payload]
			if !p.sure || m.retry > 0 || e == nil || e.fate != committed || e.delayed || h.loose[name][m.payload] {
				continue
			}
			line := e.producer
			if name == "slots" {
				line += "/" + e.key
			}
			if e.number < last[line] {
				h.t.Errorf("%s got %s after number %d of its producer", name, m.payload, last[line])
			}
			last[line] = e.number
		}
	}
}
