package enginetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// produce is one transaction of a producer, or one send outside of any.
func produce(a *actor) error {
	tx := &sending{actor: a, began: a.h.clock.Add(1)}
	if a.chance(3) {
		fresh := tx.fresh(1)
		return tx.end(fresh, a.exec(`select pgque.send('q', 'single', $1::text)`, fresh[0].payload))
	}
	kept, err := tx.steps()
	if err != nil {
		return err
	}
	if a.chance(6) {
		return a.exec(`rollback`)
	}
	return tx.end(kept, a.exec(`commit`))
}

// sending is a transaction. Its events count as aborted until its end says otherwise.
type sending struct {
	*actor
	began int64
}

func (s *sending) fresh(n int) (events []*event) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	for range n {
		number := int(s.h.clock.Add(1))
		e := &event{payload: fmt.Sprintf("%s-%d", s.name, number), producer: s.name, number: number, fate: aborted, began: s.began}
		s.h.events[e.payload] = e
		events = append(events, e)
	}
	return events
}

// steps sends between savepoints that are rolled back or released, and returns the
// events of those that are kept.
func (s *sending) steps() (kept []*event, err error) {
	isolation := []string{"read committed", "read committed", "repeatable read", "serializable"}[s.r.IntN(4)]
	if err := s.exec(`begin isolation level ` + isolation); err != nil {
		return nil, err
	}
	if s.chance(4) { // a snapshot or a transaction id long before the first event
		if err := s.exec([]string{`select pg_current_xact_id()`, `select count(*) from pgque.queue`}[s.r.IntN(2)]); err != nil {
			return nil, err
		}
		s.pauseUpTo(40 * time.Millisecond)
	}
	for range 1 + s.r.IntN(3) {
		fresh := s.fresh(1 + s.r.IntN(6))
		if err := s.exec(`savepoint s`); err != nil {
			return nil, err
		}
		if err := s.send(isolation, fresh); err != nil {
			return nil, err
		}
		if s.chance(5) {
			if err := s.exec(`rollback to s`); err != nil {
				return nil, err
			}
			continue
		}
		kept = append(kept, fresh...)
		if s.chance(12) {
			s.pauseUpTo(150 * time.Millisecond)
		}
	}
	return kept, nil
}

// send uses one of the ways there are.
func (s *sending) send(isolation string, events []*event) error {
	if s.chance(2) {
		payloads := make([]string, len(events))
		for i, e := range events {
			payloads[i] = e.payload
		}
		return s.exec(`select pgque.send_batch('q', 'batch', $1::text[])`, payloads)
	}
	way := s.r.IntN(4)
	for _, e := range events {
		var err error
		switch {
		case way == 0:
			err = s.exec(`select pgque.insert_event('q', 'event', $1, null, null, null, 'x')`, e.payload)
		case way == 1 && isolation == "read committed":
			err = s.sendOnce(e)
		case way == 2:
			s.h.mu.Lock()
			e.delayed = true
			s.h.mu.Unlock()
			err = s.exec(`select pgque.send_at('q', 'later', $1::text, clock_timestamp() + $2 * interval '1 millisecond')`, e.payload, s.r.IntN(80))
		default:
			s.keyed(e)
			err = s.exec(`select pgque.send('q', 'keyed', $1::text, $2::text)`, e.payload, e.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keyed gives an event one of a few keys.
func (s *sending) keyed(e *event) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	e.key = fmt.Sprint("key", s.r.IntN(5))
}

// sendOnce sends an event twice under one key, which is once.
func (s *sending) sendOnce(e *event) error {
	s.keyed(e)
	for _, deduped := range []int64{0, 1} {
		got, err := s.number(`select deduped::int from pgque.send_idem('q', 'once', $1::text, $1, '1 second', $2)`, e.payload, e.key)
		if err != nil {
			return err
		}
		if got != deduped {
			s.h.t.Errorf("%s: deduped %d, expected %d", e.payload, got, deduped)
		}
	}
	return nil
}

// end records the fate that the answer to the commit tells.
func (s *sending) end(events []*event, err error) error {
	fate := committed
	if err != nil && (sqlState(err) == "" || isBroken(s.conn)) {
		fate = unknown
	} else if err != nil {
		fate = aborted
	}
	ended := s.h.clock.Add(1)
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	for _, e := range events {
		e.fate, e.ended = fate, ended
	}
	return err
}

// keep is what tickers and maintenance do, in all the ways there are.
func keep(a *actor) error {
	a.pauseUpTo(5 * time.Millisecond)
	calls := []string{
		`pgque.tick_queue('q')`, `pgque.tick_queues('{q}')`, `pgque.ticker()`, `pgque.ticker('q')`, `pgque.force_next_tick('q')`,
		`pgque.maint()`, `pgque.maint_queue('q')`, `pgque.maint_queues('{q}')`, `pgque.maint_retry_events()`,
		`pgque.maint_rotate_tables_step1('q')`, `pgque.maint_rotate_tables_step2()`,
	}
	return a.exec(`select ` + calls[a.r.IntN(len(calls))])
}

// holdLocks makes others wait where they never expect it.
func holdLocks(a *actor) error {
	a.pauseUpTo(100 * time.Millisecond)
	if err := a.exec(`begin`); err != nil {
		return err
	}
	locks := []string{
		fmt.Sprintf(`lock table pgque.event_1_%d in share mode`, a.r.IntN(3)),
		fmt.Sprintf(`lock table pgque.event_1_%d in access exclusive mode`, a.r.IntN(3)),
		fmt.Sprintf(`lock table pgque.event_1_%d in access share mode`, a.r.IntN(3)),
		`select from pgque.queue for update`,
		`select from pgque.subscription for update`,
	}
	if err := a.exec(locks[a.r.IntN(len(locks))]); err != nil {
		return err
	}
	a.pauseUpTo(30 * time.Millisecond)
	return a.exec(`commit`)
}

// holdSnapshot is a dump or a report, over and over.
func holdSnapshot(a *actor) error {
	if err := a.exec(`begin isolation level repeatable read`); err != nil {
		return err
	}
	if err := a.exec(`select count(*) from pgque.queue`); err != nil {
		return err
	}
	a.pauseUpTo(500 * time.Millisecond)
	return a.exec(`commit`)
}

// receive returns a page, and checks that it is one.
func (a *actor) receive(consumer, source string, args ...any) (page, error) {
	return a.events(consumer, `select msg_id, batch_id, payload, coalesce(retry_count, 0) from `+source, args...)
}

func (a *actor) events(consumer, sql string, args ...any) (page, error) {
	rows, err := a.conn.Query(a.ctx, sql, args...)
	if err != nil {
		return page{}, err
	}
	p := page{putBack: map[int64]bool{}}
	p.messages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m message, err error) {
		return m, row.Scan(&m.id, &m.batch, &m.payload, &m.retry)
	})
	if err != nil || len(p.messages) == 0 {
		return p, err
	}
	p.batch, p.got = p.messages[0].batch, a.h.clock.Add(1)
	if !slices.IsSortedFunc(p.messages, func(a, b message) int { return int(a.id - b.id) }) {
		a.h.t.Errorf("%s: batch %d is not in order", consumer, p.batch)
	}
	a.h.mu.Lock()
	defer a.h.mu.Unlock()
	for _, m := range p.messages {
		if a.h.seen[consumer] != nil {
			a.h.seen[consumer][m.payload] = true
		}
	}
	return p, nil
}

// finished records what the answer to an ack tells. An ack that found its batch gone
// finished nothing.
func (a *actor) finished(consumer string, p page, acked int64, err error) error {
	p.sure = err == nil
	if p.sure && acked == 0 || err != nil && sqlState(err) != "" && !isBroken(a.conn) {
		return err
	}
	a.h.mu.Lock()
	defer a.h.mu.Unlock()
	a.h.pages[consumer] = append(a.h.pages[consumer], p)
	return err
}

func (a *actor) ack(consumer string, p page) error {
	acked, err := a.number(`select pgque.ack($1)`, p.batch)
	return a.finished(consumer, p, acked, err)
}

func (a *actor) chooseSome(p page) (ids []int64) {
	ids = []int64{}
	for _, m := range p.messages {
		if m.retry < 3 && a.chance(8) {
			p.putBack[m.id] = true
			ids = append(ids, m.id)
		}
	}
	return ids
}

// settleSome finishes pages and puts some of their messages back, at once. Its workers
// get in each other's way; they ask for pages of the same size, since whoever acks
// finishes the page as far as anybody got it.
func settleSome(a *actor, name string) error {
	p, err := a.receive(name, []string{`pgque.receive('q', $1, 7)`, `pgque.fetch('q', $1, 7)`}[a.r.IntN(2)], name)
	if err != nil || len(p.messages) == 0 {
		return err
	}
	settled, err := a.number(sqlSettle, p.batch, a.chooseSome(p))
	return a.finished(name, p, settled, err)
}

// ackInTransaction does it with nack and ack, in the transaction of its own work,
// which fails at times.
func ackInTransaction(a *actor, name string) error {
	if err := a.exec(`begin`); err != nil {
		return err
	}
	p, err := a.receive(name, `pgque.receive('q', $1, 5)`, name)
	if err != nil || len(p.messages) == 0 {
		return err
	}
	for _, id := range a.chooseSome(p) {
		if err := a.nack(p.batch, id); err != nil {
			return err
		}
	}
	acked, err := a.number(`select pgque.ack($1)`, p.batch)
	if err != nil {
		return err
	}
	if a.chance(5) {
		return errStop
	}
	return a.finished(name, p, acked, a.exec(`commit`))
}

func (a *actor) nack(batch, id int64) error {
	return a.exec(`select pgque.nack($1, row($2,null,null,null,null,null,null,null,null,null)::pgque.message, '0')`, batch, id)
}

// nackThenAck crashes between the two at times. The page comes again then, and with it
// what was put back before.
func nackThenAck(a *actor, name string) error {
	p, err := a.receive(name, `pgque.receive('q', $1, $2::int)`, name, 1+a.r.IntN(20))
	if err != nil || len(p.messages) == 0 {
		return err
	}
	ids := a.chooseSome(p)
	a.h.mu.Lock()
	for _, m := range p.messages {
		if p.putBack[m.id] {
			a.h.loose[name][m.payload] = true
		}
	}
	a.h.mu.Unlock()
	for _, id := range ids {
		if err := a.nack(p.batch, id); err != nil {
			return err
		}
	}
	if a.chance(6) {
		return errStop
	}
	return a.ack(name, p)
}

// finishBatches uses the primitives.
func finishBatches(a *actor, name string) error {
	batch, err := a.number(`select coalesce(pgque.next_batch('q', $1), 0)`, name)
	if err != nil || batch == 0 {
		return err
	}
	p, err := a.events(name, `select ev_id, $1::bigint, ev_data, coalesce(ev_retry, 0) from pgque.get_batch_events($1::bigint)`, batch)
	if err != nil || a.chance(6) {
		return err
	}
	p.batch = batch
	done, err := a.number(`select pgque.finish_batch($1)`, batch)
	return a.finished(name, p, done, err)
}

// sleepAndFetch lets windows pile up, and keeps old tables from being emptied.
func sleepAndFetch(a *actor, name string) error {
	if a.chance(30) {
		a.pauseUpTo(1500 * time.Millisecond)
	}
	p, err := a.receive(name, `pgque.fetch('q', $1, $2::int)`, name, 1+a.r.IntN(100))
	if err != nil || len(p.messages) == 0 || a.chance(10) {
		return err
	}
	return a.ack(name, p)
}

// turnPages finishes each page with the call that brings the next one, or that opens what was
// read behind the page. An open page comes again as it is, so its workers may ask for pages of
// any size.
func turnPages(a *actor, name string) error {
	p, err := a.receive(name, `pgque.next_page('q', $1, $2, null, true)`, name, 1+a.r.IntN(20))
	for err == nil && len(p.messages) > 0 && !a.chance(10) {
		var next page
		if a.chance(50) {
			next, err = a.readOn(name, p)
		}
		if err == nil && len(next.messages) == 0 {
			from := []string{`pgque.next_page('q', $1, $2, $3, false)`, `pgque.next_page('q', $1, $2, $3, true)`,
				`pgque.pull('q', $1, $2, $3) where msg_id is not null`}[a.r.IntN(3)]
			next, err = a.receive(name, from, name, 1+a.r.IntN(20), p.batch)
		}
		if err = a.finished(name, p, 1, err); sqlState(err) == "PQ003" || sqlState(err) == "55P03" {
			return nil // the other worker was faster, or is at it
		}
		p = next
	}
	return err
}

// readOn reads some messages behind an open page and turns to them. None come where the
// window ends, and where the engine has to read it.
func (a *actor) readOn(consumer string, p page) (next page, err error) {
	var batch, end, low, high int64
	var last, upTo string
	err = a.conn.QueryRow(a.ctx, `select * from pgque.page_window_1($1)`, p.batch).Scan(&batch, &end, &low, &high, &last, &upTo)
	if errors.Is(err, pgx.ErrNoRows) {
		return page{}, nil
	} else if err != nil {
		return page{}, err
	}
	to := min(end+1+a.r.Int64N(20), high)
	next, err = a.events(consumer, `
		select ev_id, $1::bigint, ev_data, coalesce(ev_retry, 0) from pgque.event_1
		where ev_id > $2 and ev_id <= $3 and ev_owner is null
		  and pg_visible_in_snapshot(ev_txid, $5::text::pg_snapshot) and not pg_visible_in_snapshot(ev_txid, $4::text::pg_snapshot)
		order by ev_id`, batch, max(end, low), to, last, upTo)
	if err != nil || len(next.messages) == 0 || a.chance(10) {
		return page{}, err
	}
	_, err = a.number(`select pgque.turn_page($1, $2, $3, $4)`, p.batch, batch, to, len(next.messages))
	return next, err
}

// cooperate is a member of a group that stops for longer than the others wait.
func cooperate(a *actor, name string) error {
	p, err := a.receive(name, `pgque.receive_coop('q', $1, $2, 6, '100 milliseconds')`, name, "m"+a.name[len(a.name)-1:])
	if err != nil || len(p.messages) == 0 || a.chance(15) {
		return err
	}
	if a.chance(15) {
		a.pauseUpTo(300 * time.Millisecond)
	}
	settled, err := a.number(sqlSettle, p.batch, a.chooseSome(p))
	return a.finished(name, p, settled, err)
}

// workOnSlots leases a slot for a moment, works on a page of it, and at times falls
// silent for longer than its lease.
func workOnSlots(a *actor, name string) error {
	slot := a.r.IntN(slots)
	epoch, err := a.number(`select coalesce(pgque.claim_slot('q', $1, $2, $3, '100 milliseconds'), 0)`, name, slot, a.name)
	if err != nil || epoch == 0 {
		return err
	}
	p, err := a.receive(name, []string{
		`pgque.receive_partitioned('q', 'slots', $1, $2, $3, 7)`, `pgque.fetch_partitioned('q', 'slots', $1, $2, $3, 7)`,
	}[a.r.IntN(2)], slot, slots, a.name)
	if err != nil || len(p.messages) == 0 || a.chance(15) {
		return unlessFenced(err)
	}
	if a.chance(15) {
		a.pauseUpTo(300 * time.Millisecond)
	}
	for _, id := range a.chooseSome(p) {
		a.h.mu.Lock()
		for _, m := range p.messages {
			if m.id == id { // put back now, and again by who comes next if this lease runs out
				a.h.loose[name][m.payload] = true
			}
		}
		a.h.mu.Unlock()
		if err := a.exec(`select pgque.nack_partitioned('q', $1, $2, $3, $4, row($5,null,null,null,null,null,null,null,null,null)::pgque.message, '0')`,
			name, slot, slots, a.name, id); err != nil {
			return unlessFenced(err)
		}
	}
	return a.ackSlot(p, slot)
}

func (a *actor) ackSlot(p page, slot int) error {
	acked, err := a.number(`select pgque.ack_partitioned('q', 'slots', $1, $2, $3)`, slot, slots, a.name)
	return unlessFenced(a.finished("slots", p, acked, err))
}

// unlessFenced is nil for a worker who is told that its lease has run out.
func unlessFenced(err error) error {
	if sqlState(err) == "PQ017" {
		return nil
	}
	return err
}

// readSlot reads a slot to its end, and returns how many messages it was; one more when
// somebody else has the lease still.
func readSlot(a *actor, slot int) (got int64, err error) {
	epoch, err := a.number(`select coalesce(pgque.claim_slot('q', 'slots', $1, $2, '10 minutes'), 0)`, slot, a.name)
	if err != nil || epoch == 0 {
		return 1, err
	}
	for {
		p, err := a.receive("slots", `pgque.fetch_partitioned('q', 'slots', $1, $2, $3, 200)`, slot, slots, a.name)
		if err != nil || len(p.messages) == 0 {
			return got, err
		}
		got += int64(len(p.messages))
		if err := a.ackSlot(p, slot); err != nil {
			return got, err
		}
	}
}

// comeAndGo subscribes, reads, and unsubscribes after it has read all that was
// committed while it was there.
func comeAndGo(a *actor) error {
	if err := a.exec(`select pgque.unsubscribe('q', 'guest') from pgque.consumer where co_name = 'guest'`); err != nil {
		return err
	}
	if err := a.exec(`select pgque.subscribe('q', 'guest')`); err != nil {
		return err
	}
	came := a.h.clock.Add(1)
	a.pauseUpTo(300 * time.Millisecond)
	left := a.h.clock.Add(1)
	if err := tickNow(a); err != nil {
		return err
	}
	got := map[string]bool{}
	for {
		p, err := a.receive("guest", `pgque.receive('q', 'guest', 50)`)
		if err != nil {
			return err
		}
		if len(p.messages) == 0 {
			break
		}
		for _, m := range p.messages {
			got[m.payload] = true
		}
		if err := a.exec(`select pgque.ack($1)`, p.batch); err != nil {
			return err
		}
	}
	a.h.checkStay(came, left, got)
	return nil
}

// tickNow returns after a tick that began after the call.
func tickNow(a *actor) error {
	for {
		if err := a.exec(`select pgque.force_next_tick('q')`); err != nil {
			return err
		}
		ticked, err := a.number(`select coalesce(pgque.ticker('q'), 0)`)
		if err != nil || ticked > 0 {
			return err
		}
	}
}

func (h *history) checkStay(came, left int64, got map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for payload, e := range h.events {
		if e.fate == committed && !e.delayed && e.began > came && e.ended < left && !got[payload] {
			h.t.Errorf("a guest from %d to %d missed %s of a transaction from %d to %d", came, left, payload, e.began, e.ended)
		}
	}
	for payload := range got {
		if e := h.events[payload]; e == nil {
			h.t.Errorf("a guest got %s, which nobody sent", payload)
		}
	}
}
