package pgque

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watch looks after the queues of idle consumers: one question to the server for all of
// them, where each consumer would ask for its own. A consumer that has nothing to do
// entrusts its queue to the watch, and takes it back when it hears of anything. The watch
// runs until the last consumer that it knows ends.
type watch struct {
	client *Client

	mu      sync.Mutex
	wards   map[*ward]struct{}
	tickDue time.Time     // of the next look, if any queue is entrusted
	changed chan struct{} // cap 1: a queue was entrusted
	stop    context.CancelFunc
	done    chan struct{} // of the last run
	upkeep  bool          // maintenance is under way
}

// ward is the queue of one consumer. The watch's lock guards what changes.
type ward struct {
	watch *watch
	queue string
	told  chan struct{} // cap 1: there is news

	entrusted bool
	maintDue  time.Time // while it is
	news      news
}

// news is what the watch found for a queue.
type news struct {
	tick int64  // that it made; 0 is none
	what string // could not be done, because of err
	err  error
	odd  bool // this queue alone could not be ticked: its own tick_queue tells why
}

// open starts the watch with the first consumer.
func (w *watch) open(queue string) *ward {
	d := &ward{watch: w, queue: queue, told: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wards == nil {
		w.wards = make(map[*ward]struct{})
		w.changed = make(chan struct{}, 1)
	}
	w.wards[d] = struct{}{}
	if w.stop == nil {
		w.start()
	}
	return d
}

func (w *watch) start() {
	ctx, stop := context.WithCancel(context.Background())
	before, done := w.done, make(chan struct{})
	w.stop, w.done = stop, done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		w.run(ctx)
	}()
}

// close ends the watch with the last consumer, and waits for its end.
func (d *ward) close() {
	if done := d.watch.remove(d); done != nil {
		<-done
	}
}

// remove returns what to wait for when d was the last one.
func (w *watch) remove(d *ward) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.wards, d)
	if len(w.wards) > 0 || w.stop == nil {
		return nil
	}
	w.stop()
	w.stop = nil
	return w.done
}

// entrust hands the queue over, which was looked at just now. Maintenance is due by maintDue.
func (d *ward) entrust(maintDue, now time.Time) {
	w := d.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if soon := now.Add(watchPace()); len(w.entrusted()) == 0 || w.tickDue.After(soon) {
		w.tickDue = soon
	}
	d.entrusted, d.maintDue = true, maintDue
	signal(w.changed)
}

// takeBack ends that, and returns the time of its next maintenance.
func (d *ward) takeBack() (maintDue time.Time) {
	d.watch.mu.Lock()
	defer d.watch.mu.Unlock()
	d.entrusted = false
	return d.maintDue
}

// take returns what is new since the last call.
func (d *ward) take() news {
	d.watch.mu.Lock()
	defer d.watch.mu.Unlock()
	n := d.news
	d.news = news{}
	return n
}

// entrusted needs the lock.
func (w *watch) entrusted() (wards []*ward) {
	for d := range w.wards {
		if d.entrusted {
			wards = append(wards, d)
		}
	}
	return wards
}

// run maintains beside the looks: a queue with much to do there holds up no tick.
func (w *watch) run(ctx context.Context) {
	var upkeep sync.WaitGroup
	defer upkeep.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-timer.C:
			if wards := w.toMaintain(ctx, time.Now()); len(wards) > 0 {
				upkeep.Go(func() { w.maintain(ctx, wards) })
			}
			w.tick(ctx, time.Now())
		}
		timer.Reset(time.Until(w.due()))
	}
}

// due is when there is something to do; with nothing entrusted it is never.
func (w *watch) due() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	wards := w.entrusted()
	if len(wards) == 0 {
		return time.Now().Add(24 * time.Hour)
	}
	due := w.tickDue
	for _, d := range wards {
		if !w.upkeep && d.maintDue.Before(due) {
			due = d.maintDue
		}
	}
	return due
}

// tick ticks the queues in which there is something new, and tells their consumers: also
// one that took its queue back meanwhile, lest it takes the tick for somebody else's.
func (w *watch) tick(ctx context.Context, now time.Time) {
	wards := w.toTick(ctx, now)
	if len(wards) == 0 {
		return
	}
	ticks, err := w.tickQueues(ctx, queuesOf(wards))
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.fail(ctx, wards, "tick", err)
		return
	}
	for _, d := range wards {
		if tick, ok := ticks[d.queue]; ok {
			d.tell(news{tick: tick, odd: tick == 0})
		}
	}
}

// watchPace is the time between two looks. It varies enough for the looks of several
// clients to drift apart.
func watchPace() time.Duration { return tickMost - rand.N(tickMost/8) }

// toTick returns whose queue waits for a look now, and puts the next one off.
func (w *watch) toTick(ctx context.Context, now time.Time) []*ward {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil || now.Before(w.tickDue) {
		return nil
	}
	w.tickDue = now.Add(watchPace())
	return w.entrusted()
}

// tickQueues returns the new ticks; 0 for a queue that could not be ticked.
func (w *watch) tickQueues(ctx context.Context, queues []string) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	rows, err := w.client.pool.Query(ctx, sqlTickQueues, queues)
	if err != nil {
		return nil, err
	}
	ticks := make(map[string]int64)
	var queue string
	var tick int64
	_, err = pgx.ForEachRow(rows, []any{&queue, &tick}, func() error {
		ticks[queue] = tick
		return nil
	})
	return ticks, err
}

// maintain brings retries back and rotates tables. If anything came back it is ticked at
// once.
func (w *watch) maintain(ctx context.Context, wards []*ward) {
	moved, err := w.maintainQueues(ctx, queuesOf(wards))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.upkeep = false
	if err != nil {
		w.fail(ctx, wards, "maintain", err)
	} else if moved > 0 {
		w.tickDue = time.Now()
	}
	signal(w.changed)
}

func (w *watch) maintainQueues(ctx context.Context, queues []string) (moved int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	return queryInt(ctx, w.client.pool, sqlMaintQueues, queues)
}

// toMaintain returns all wards, if it is time for one of them, and puts the next time off.
// That is done beforehand: a consumer may bring it forward again meanwhile.
func (w *watch) toMaintain(ctx context.Context, now time.Time) []*ward {
	w.mu.Lock()
	defer w.mu.Unlock()
	wards := w.entrusted()
	isDue := func(d *ward) bool { return !now.Before(d.maintDue) }
	if ctx.Err() != nil || w.upkeep || !slices.ContainsFunc(wards, isDue) {
		return nil
	}
	w.upkeep = true
	for _, d := range wards {
		d.maintDue = maintAfter(now)
	}
	return wards
}

// fail leaves it to each consumer to make sense of an error. Those that are busy and do
// not hear of it leave their queues here, to be looked after again after a pause.
func (w *watch) fail(ctx context.Context, wards []*ward, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	w.tickDue = time.Now().Add(tickErrorPause)
	for _, d := range wards {
		d.tell(news{what: what, err: err})
	}
}

// tell needs the watch's lock. A tick that was not heard of yet stays news.
func (d *ward) tell(n news) {
	if n.tick == 0 {
		n.tick = d.news.tick
	}
	d.news = n
	signal(d.told)
}

func queuesOf(wards []*ward) []string {
	known := make(map[string]bool, len(wards))
	queues := make([]string, 0, len(wards))
	for _, d := range wards {
		if !known[d.queue] {
			known[d.queue] = true
			queues = append(queues, d.queue)
		}
	}
	return queues
}
