package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// side is one of the two engines, running a program on a queue of its own. Where both
// take the same SQL, %s stands for the engine's schema.
type side struct {
	schema    string
	admin     *pgx.Conn
	producers []*pgx.Conn
}

// delivery is one event as a consumer gets it. What tells the engines apart, the
// event's id, is not compared.
type delivery struct {
	id   int64
	text string
}

// run is a program on its way through both engines.
type run struct {
	ctx       context.Context
	queue     string
	old, new  *side
	inTx      [producerCount]bool
	saved     [producerCount]bool
	consumers [consumerCount]cursor
}

// cursor is where a consumer stands in both engines.
type cursor struct {
	subscribed  bool
	old, new    int64 // open batches; 0 when there is none
	got, gotNew []delivery
	putBack     map[string]bool // what was put back, ever
}

// difference is what the engines disagree about. Other errors are accidents of SQL.
type difference struct{ text string }

func (d difference) Error() string { return d.text }

func differ(format string, args ...any) error { return difference{fmt.Sprintf(format, args...)} }

// compare runs a program on a fresh queue of both engines. The error tells the first
// step at which they differ. At the end everything is committed, ticked and read, so
// that an event that only one of them has lost is missed.
func compare(ctx context.Context, old, new *side, queue string, p program) error {
	r := &run{ctx: ctx, queue: queue, old: old, new: new}
	err := r.all(p)
	return errors.Join(err, r.clean())
}

func (r *run) all(p program) error {
	if err := r.both(`select %s.create_queue($1)`, r.queue); err != nil {
		return err
	}
	if err := r.new.exec(r.ctx, `select pgque.set_queue_config($1, 'max_retries', '1000000')`, r.queue); err != nil {
		return err
	}
	for i, s := range slices.Concat(program{{verb: subscribe, who: 0}, {verb: subscribe, who: 1}}, p, epilogue()) {
		if err := r.step(s); err != nil {
			return fmt.Errorf("step %d, %s: %w", i-2, s, err)
		}
	}
	return nil
}

func epilogue() (p program) {
	for who := range producerCount {
		p = append(p, step{verb: commit, who: who})
	}
	p = append(p, step{verb: tick})
	for who := range consumerCount {
		p = append(p, step{verb: finish, who: who}, step{verb: maintain}, step{verb: tick}, step{verb: drain, who: who})
	}
	return p
}

func (r *run) clean() error {
	var errs []error
	for who, inTx := range r.inTx {
		if inTx {
			errs = append(errs, r.producer(who, `rollback`))
		}
	}
	for _, s := range []*side{r.old, r.new} {
		errs = append(errs, s.exec(r.ctx, `select %s.drop_queue($1, true)`, r.queue))
	}
	return errors.Join(errs...)
}

func (r *run) step(s step) error {
	switch s.verb {
	case begin, beginFrozen, commit, rollback, savepoint, rollbackTo:
		return r.transaction(s)
	case send:
		return r.send(s)
	case tick:
		return r.tick()
	case rotate:
		return r.rotate()
	case maintain:
		return r.maintain()
	}
	return r.consume(s, &r.consumers[s.who])
}

func (r *run) transaction(s step) error {
	inTx, saved := &r.inTx[s.who], &r.saved[s.who]
	switch {
	case s.verb == begin && !*inTx:
		*inTx, *saved = true, false
		return r.producer(s.who, `begin`)
	case s.verb == beginFrozen && !*inTx:
		*inTx, *saved = true, false
		if err := r.producer(s.who, `begin isolation level repeatable read`); err != nil {
			return err
		}
		return r.producer(s.who, `select count(*) from %s.queue`)
	case s.verb == commit && *inTx:
		*inTx = false
		return r.producer(s.who, `commit`)
	case s.verb == rollback && *inTx:
		*inTx = false
		return r.producer(s.who, `rollback`)
	case s.verb == savepoint && *inTx:
		*saved = true
		return r.producer(s.who, `savepoint s`)
	case s.verb == rollbackTo && *saved && *inTx:
		return r.producer(s.who, `rollback to s`)
	}
	return nil
}

func (r *run) send(s step) error {
	for i := s.id; i < s.id+s.n; i++ {
		var err error
		switch i % 3 {
		case 0:
			err = r.producer(s.who, `select %s.insert_event($1, $2, $3)`, r.queue, fmt.Sprint("t", i%5), fmt.Sprint("e", i))
		case 1:
			err = r.producer(s.who, `select %s.insert_event($1, null, $2)`, r.queue, fmt.Sprint("e", i))
		default:
			err = r.producer(s.who, `select %s.insert_event($1, 't', $2, $3, null, '', 'x')`, r.queue, fmt.Sprint("e", i), fmt.Sprint(i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tick uses all three ways of this engine to make a tick.
func (r *run) tick() error {
	if err := r.both(`select %s.force_tick($1)`, r.queue); err != nil {
		return err
	}
	old, err := r.old.number(r.ctx, `select coalesce(pgq.ticker($1), 0)`, r.queue)
	if err != nil {
		return err
	}
	ticker := []string{`pgque.ticker($1)`, `pgque.tick_queue($1)`}[old%2]
	got, err := r.new.number(r.ctx, `select coalesce(`+ticker+`, pgque.ticker($1))`, r.queue)
	if err != nil {
		return err
	}
	if old != got {
		return differ("tick is %d in PgQ and %d here", old, got)
	}
	return nil
}

// rotate may be refused by either engine while somebody needs a table: what counts is
// what consumers get. Without any consumer PgQ would delete all its ticks, and then
// take no consumer until the next.
func (r *run) rotate() error {
	if !slices.ContainsFunc(r.consumers[:], func(c cursor) bool { return c.subscribed }) {
		return nil
	}
	return errors.Join(
		r.both(`update %s.queue set queue_switch_time = '2000-01-01' where queue_name = $1`, r.queue),
		r.both(`select %s.maint_rotate_tables_step1($1)`, r.queue),
		r.both(`select %s.maint_rotate_tables_step2()`),
	)
}

// maintain calls PgQ until it finds nothing: a call moves ten retries at most.
func (r *run) maintain() error {
	if err := r.new.exec(r.ctx, `select pgque.maint_retry_events()`); err != nil {
		return err
	}
	for {
		moved, err := r.old.number(r.ctx, `select pgq.maint_retry_events()`)
		if err != nil || moved == 0 {
			return err
		}
	}
}

func (r *run) consume(s step, c *cursor) error {
	name := fmt.Sprint("c", s.who)
	switch s.verb {
	case subscribe:
		if !c.subscribed {
			*c = cursor{subscribed: true, putBack: map[string]bool{}}
		}
		return r.both(`select %s.register_consumer($1, $2)`, r.queue, name)
	case unsubscribe:
		if !c.subscribed {
			return nil
		}
		*c = cursor{}
		return r.both(`select %s.unregister_consumer($1, $2)`, r.queue, name)
	case seek:
		if !c.subscribed {
			return nil
		}
		last, err := r.old.number(r.ctx, `select max(tick_id) from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = $1`, r.queue)
		if err != nil {
			return err
		}
		c.close()
		return r.both(`select %s.register_consumer_at($1, $2, $3)`, r.queue, name, min(int64(s.n), last))
	}
	if !c.subscribed {
		return nil
	}
	switch s.verb {
	case open:
		return r.open(name, c)
	case putBack:
		return r.putBack(c, s.pick)
	case putAllBack:
		if c.old == 0 || slices.ContainsFunc(c.got, func(d delivery) bool { return c.putBack[d.text] }) {
			return nil
		}
		for _, d := range c.got {
			c.putBack[d.text] = true
		}
		return errors.Join(
			r.old.exec(r.ctx, `select pgq.batch_retry($1, 0)`, c.old),
			r.new.exec(r.ctx, `select pgque.batch_retry($1, 0)`, c.new))
	case finish:
		return r.finish(c)
	case pages:
		return r.pages(name, c, s)
	case wish:
		return r.wish(name, c, s.n)
	}
	return r.drain(name, c)
}

// open opens the next batch, or sees the open one again.
func (r *run) open(name string, c *cursor) error {
	var err error
	if c.old, err = r.old.number(r.ctx, `select coalesce(pgq.next_batch($1, $2), 0)`, r.queue, name); err != nil {
		return err
	}
	if c.new, err = r.new.number(r.ctx, `select coalesce(pgque.next_batch($1, $2), 0)`, r.queue, name); err != nil {
		return err
	}
	if (c.old == 0) != (c.new == 0) {
		return differ("next_batch is %d in PgQ and %d here", c.old, c.new)
	}
	if c.old == 0 {
		return nil
	}
	if c.got, err = r.old.events(r.ctx, sqlBatch, c.old); err != nil {
		return err
	}
	if c.gotNew, err = r.new.events(r.ctx, sqlBatch, c.new); err != nil {
		return err
	}
	return same(c.got, c.gotNew)
}

const (
	sqlBatch = `select ev_id, concat_ws('|', ev_data, coalesce(ev_type, '(null)'), coalesce(ev_retry, 0), coalesce(ev_extra1, '(null)'),
	            coalesce(ev_extra2, '(null)'), coalesce(ev_extra3, '(null)'), coalesce(ev_extra4, '(null)')) from %s.get_batch_events($1)`
	sqlPage = `select msg_id, concat_ws('|', payload, coalesce(type, '(null)'), coalesce(retry_count, 0), coalesce(extra1, '(null)'),
	           coalesce(extra2, '(null)'), coalesce(extra3, '(null)'), coalesce(extra4, '(null)')), batch_id from `
)

// sqlSettle puts messages back at once.
const sqlSettle = `select pgque.settle($1, $2::bigint[], array_fill(0::float8, array[cardinality($2::bigint[])]),
	array_fill(null::text, array[cardinality($2::bigint[])]), array_fill(false, array[cardinality($2::bigint[])]))`

// putBack never chooses the same delivery twice, neither while its batch is open nor
// after the consumer went back: the first may have been moved in between, and then PgQ
// would have the event twice, while this engine would not.
func (r *run) putBack(c *cursor, pick uint64) error {
	if c.old == 0 {
		return nil
	}
	for i := range c.got {
		if !c.chooses(pick, i) {
			continue
		}
		c.putBack[c.got[i].text] = true
		if err := r.old.exec(r.ctx, `select pgq.event_retry($1, $2, 0)`, c.old, c.got[i].id); err != nil {
			return err
		}
		if err := r.new.exec(r.ctx, `select pgque.event_retry($1, $2, 0)`, c.new, c.gotNew[i].id); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) finish(c *cursor) error {
	if c.old == 0 {
		return nil
	}
	old, new := c.old, c.new
	c.close()
	return errors.Join(
		r.old.exec(r.ctx, `select pgq.finish_batch($1)`, old),
		r.new.exec(r.ctx, `select pgque.finish_batch($1)`, new))
}

func (c *cursor) close() { c.old, c.new, c.got, c.gotNew = 0, 0, nil, nil }

func (c *cursor) chooses(pick uint64, i int) bool {
	return pick>>(i%64)&1 == 1 && i < len(c.got) && !c.putBack[c.got[i].text]
}

// pages reads one batch that has events: as a batch from PgQ, by pages from this
// engine. Both engines pass over empty windows.
func (r *run) pages(name string, c *cursor, s step) error {
	expected, err := r.nextFilled(name, c)
	if err != nil {
		return err
	}
	var all []delivery
	for more := true; more; more = len(all) < len(expected) {
		page, batch, err := r.new.page(r.ctx, `pgque.receive($1, $2, $3)`, r.queue, name, s.n)
		if err != nil {
			return err
		}
		all = append(all, page...)
		if len(page) == 0 {
			break
		}
		if err := r.settle(c, s.pick, page, batch, len(all)-len(page)); err != nil {
			return err
		}
	}
	if err := same(expected, all); err != nil || c.old == 0 {
		return err
	}
	for i, e := range expected {
		if c.chooses(s.pick, i) {
			c.putBack[e.text] = true
			if err := r.old.exec(r.ctx, `select pgq.event_retry($1, $2, 0)`, c.old, e.id); err != nil {
				return err
			}
		}
	}
	old := c.old
	c.close()
	return r.old.exec(r.ctx, `select pgq.finish_batch($1)`, old)
}

// settle finishes a page that begins at position at of its batch, and puts some of it
// back: message by message, or all at once.
func (r *run) settle(c *cursor, pick uint64, page []delivery, batch int64, at int) error {
	ids := []int64{}
	for i, d := range page {
		if c.chooses(pick, at+i) {
			ids = append(ids, d.id)
		}
	}
	if pick%2 == 0 {
		return r.new.exec(r.ctx, sqlSettle, batch, ids)
	}
	for _, id := range ids {
		if err := r.new.exec(r.ctx, `select pgque.nack($1, row($2,null,null,null,null,null,null,null,null,null)::pgque.message, '0')`, batch, id); err != nil {
			return err
		}
	}
	return r.new.exec(r.ctx, `select pgque.ack($1)`, batch)
}

// nextFilled opens the next batch of PgQ's that has events and returns them; none at
// the end of the queue.
func (r *run) nextFilled(name string, c *cursor) ([]delivery, error) {
	for {
		var err error
		if c.old, err = r.old.number(r.ctx, `select coalesce(pgq.next_batch($1, $2), 0)`, r.queue, name); err != nil || c.old == 0 {
			return nil, err
		}
		if c.got, err = r.old.events(r.ctx, sqlBatch, c.old); err != nil || len(c.got) > 0 {
			return c.got, err
		}
		if err := r.old.exec(r.ctx, `select pgq.finish_batch($1)`, c.old); err != nil {
			return nil, err
		}
	}
}

// drain compares without order: fetch joins windows and orders what it has joined. An
// event may be in joined windows twice, as it was sent and as it was put back later,
// if the consumer went back; it need not come twice then.
func (r *run) drain(name string, c *cursor) error {
	if err := r.finish(c); err != nil {
		return err
	}
	expected, err := r.restOfOld(name, c)
	if err != nil {
		return err
	}
	all, err := r.restOfNew(name)
	if err != nil {
		return err
	}
	return same(once(expected), once(all))
}

// wish reads batches of so many events at least, as long as there are such, and then
// the rest. The engines join different windows, so it compares as drain does.
func (r *run) wish(name string, c *cursor, events int) error {
	if err := r.finish(c); err != nil {
		return err
	}
	expected, err := r.old.wished(r.ctx, r.queue, name, events)
	if err != nil {
		return err
	}
	all, err := r.new.wished(r.ctx, r.queue, name, events)
	if err != nil {
		return err
	}
	oldRest, err := r.restOfOld(name, c)
	if err != nil {
		return err
	}
	newRest, err := r.restOfNew(name)
	if err != nil {
		return err
	}
	return same(once(append(expected, oldRest...)), once(append(all, newRest...)))
}

func (s *side) wished(ctx context.Context, queue, name string, events int) (all []delivery, err error) {
	for {
		batch, err := s.number(ctx, `select coalesce(batch_id, 0) from %s.next_batch_custom($1, $2, null, $3, null)`, queue, name, events)
		if err != nil || batch == 0 {
			return all, err
		}
		got, err := s.events(ctx, sqlBatch, batch)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
		if err := s.exec(ctx, `select %s.finish_batch($1)`, batch); err != nil {
			return nil, err
		}
	}
}

// restOfOld reads PgQ's queue to its end.
func (r *run) restOfOld(name string, c *cursor) (all []delivery, err error) {
	defer c.close()
	for {
		batch, err := r.nextFilled(name, c)
		if err != nil || len(batch) == 0 {
			return all, err
		}
		all = append(all, batch...)
		if err := r.old.exec(r.ctx, `select pgq.finish_batch($1)`, c.old); err != nil {
			return nil, err
		}
	}
}

// restOfNew fetches this engine's queue to its end.
func (r *run) restOfNew(name string) (all []delivery, err error) {
	for {
		page, batch, err := r.new.page(r.ctx, `pgque.fetch($1, $2, $3)`, r.queue, name, 3)
		if err != nil || len(page) == 0 {
			return all, err
		}
		if !slices.IsSortedFunc(page, func(a, b delivery) int { return int(a.id - b.id) }) {
			return nil, differ("a page is not in the order of its ids: %v", page)
		}
		all = append(all, page...)
		if err := r.new.exec(r.ctx, `select pgque.ack($1)`, batch); err != nil {
			return nil, err
		}
	}
}

// once keeps the first delivery of each event, in the order of their texts.
func once(deliveries []delivery) []delivery {
	slices.SortFunc(deliveries, func(a, b delivery) int { return strings.Compare(a.text, b.text) })
	return slices.CompactFunc(deliveries, func(a, b delivery) bool { return a.id == b.id })
}

func same(old, new []delivery) error {
	if slices.Equal(texts(old), texts(new)) {
		return nil
	}
	return differ("PgQ gives %v\n  this engine  %v", texts(old), texts(new))
}

func texts(deliveries []delivery) []string {
	all := make([]string, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.text
	}
	return all
}

// both runs one statement on both engines.
func (r *run) both(sql string, args ...any) error {
	return errors.Join(r.old.exec(r.ctx, sql, args...), r.new.exec(r.ctx, sql, args...))
}

func (r *run) producer(who int, sql string, args ...any) error {
	return errors.Join(
		execOn(r.ctx, r.old.producers[who], r.old.sql(sql), args...),
		execOn(r.ctx, r.new.producers[who], r.new.sql(sql), args...))
}

func (s *side) sql(text string) string { return strings.ReplaceAll(text, "%s", s.schema) }

func (s *side) exec(ctx context.Context, sql string, args ...any) error {
	return execOn(ctx, s.admin, s.sql(sql), args...)
}

func execOn(ctx context.Context, conn *pgx.Conn, sql string, args ...any) error {
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s %v: %w", sql, args, err)
	}
	return nil
}

func (s *side) number(ctx context.Context, sql string, args ...any) (n int64, err error) {
	if err = s.admin.QueryRow(ctx, s.sql(sql), args...).Scan(&n); err != nil {
		err = fmt.Errorf("%s %v: %w", sql, args, err)
	}
	return n, err
}

func (s *side) events(ctx context.Context, sql string, args ...any) ([]delivery, error) {
	rows, err := s.admin.Query(ctx, s.sql(sql), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d delivery, err error) {
		return d, row.Scan(&d.id, &d.text)
	})
}

func (s *side) page(ctx context.Context, from string, args ...any) (page []delivery, batch int64, err error) {
	rows, err := s.admin.Query(ctx, sqlPage+from, args...)
	if err != nil {
		return nil, 0, err
	}
	page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (d delivery, err error) {
		return d, row.Scan(&d.id, &d.text, &batch)
	})
	return page, batch, err
}
