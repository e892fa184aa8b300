package pgque

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// A consumer that is behind reads on while its handlers run: it makes the open page longer
// by as many messages as a page has, and with the same call shorter by those of the page
// before, which are done by then. So there are two pages at hand at most, and one that is
// done and not settled yet.

// extension is what came of making a page longer.
type extension struct {
	batchID int64 // of the page from then on
	added   []Message
	err     error
}

// extends reports a page behind which more messages wait, most likely, and that may be made
// longer, since no process died over it.
func (s *session) extends(page []Message) bool {
	return s.reads() && s.alone == 0 && s.noted.batchID != page[0].BatchID &&
		2*len(page) > s.maxMessages && s.taking.Err() == nil
}

// handleExtending handles a page while it is made longer. What was added comes with the
// next step, and this page is behind then.
func (s *session) handleExtending(page []Message) error {
	extended := make(chan extension, 1)
	go func() { extended <- s.extend(page[0].BatchID, s.behind) }()
	results := s.handlePage(page, len(page))
	e := <-extended
	if e.err != nil {
		if sentinelOf(e.err) == ErrBatchNotFound {
			s.behind = nil
			s.overtaken(page[0].BatchID, errTakenOver)
			return nil
		}
		return s.settleBehind(page, results)
	}
	if len(s.behind) > 0 {
		s.settled(settlement{batchID: e.batchID, finished: s.behind})
		s.behind = nil
	}
	if len(e.added) == 0 || !allDone(results) {
		return s.settle(append(inBatch(e.batchID, page), e.added...), append(results, make([]result, len(e.added))...))
	}
	s.behind, s.ahead, s.lookedAhead = page, e.added, true
	return nil
}

// extend asks for more of a page, and settles the messages done, the first ones of it. The
// commit is lazy, as in settleAhead.
func (s *session) extend(batchID int64, done []Message) extension {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	var last *int64
	if len(done) > 0 {
		last = &done[len(done)-1].MsgID
	}
	batch := &pgx.Batch{}
	batch.Queue(sqlLazy)
	var e extension
	batch.Queue(s.reader.extend, batchID, s.maxMessages, last).Query(func(rows pgx.Rows) (err error) {
		e.added, err = collectMessages(rows, s.maxMessages)
		return err
	})
	if e.err = s.client.pool.SendBatch(ctx, batch).Close(); e.err != nil {
		return e
	}
	e.batchID = e.added[0].BatchID
	if e.added[0].MsgID == 0 {
		e.added = nil
	}
	return e
}

// settleBehind settles what is behind, if anything, together with the page that follows it.
func (s *session) settleBehind(page []Message, results []result) error {
	if len(s.behind) == 0 {
		return s.settle(page, results)
	}
	all := append(inBatch(page[0].BatchID, s.behind), page...)
	outcomes := make([]result, len(s.behind), len(all))
	for i := range outcomes {
		outcomes[i].done = true
	}
	s.behind = nil
	return s.settle(all, append(outcomes, results...))
}

// dropAhead lets go of the page that came ahead, and settles what is behind.
func (s *session) dropAhead() {
	if len(s.behind) > 0 {
		if err := s.settleBehind(s.ahead, make([]result, len(s.ahead))); err != nil {
			s.log.Warn("pgque: messages that are done come again", "error", err)
		}
	}
	s.ahead, s.lookedAhead = nil, false
}

// inBatch is a copy of messages in another batch: handlers may still look at the old ones.
func inBatch(batchID int64, messages []Message) []Message {
	messages = slices.Clone(messages)
	for i := range messages {
		messages[i].BatchID = batchID
	}
	return messages
}
