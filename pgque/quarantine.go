package pgque

import (
	"context"
	"fmt"
)

const (
	defaultQuarantine = 3

	// From this many beginnings of a page on its messages are handled one by one, so
	// that it shows which of them the process dies of.
	suspicious = 2
)

// WithQuarantine sets after how many deaths of the process at one message that message
// goes to the dead letters, with the reason. A death is an end without a word: a crash,
// os.Exit, kill -9, out of memory.
//
// A process that begins, for the second time, with a page that was never finished
// handles its messages one by one and notes each before it runs, which costs a round
// trip for a message and nothing otherwise. So the message is found after the first
// deaths, and those beside it are handled. A consumer that was told to stop counts no
// death. In a group the count follows a batch to whoever begins with it; a stable
// WithSubconsumer name makes sure that it is found. At least 2; 0 is no limit. Defaults
// to 3.
func WithQuarantine(deaths int) Option {
	return func(c *Consumer) {
		c.quarantine = deaths
		c.require(deaths == 0 || deaths >= suspicious, "WithQuarantine(%d): must be 0 or at least %d", deaths, suspicious)
	}
}

// note is a message that the engine knows to have been begun.
type note struct {
	batchID int64 // 0 for no note
	made    bool  // one was made since Start
}

// beware returns how many messages of the page may be handled at once: all of them, or
// the first, when a process died over this page; and when it died of the first message
// too often, the result that makes an end of it.
func (s *session) beware(page []Message) (limit int, deadly result, err error) {
	if s.quarantine == 0 || !s.engine.begin || !s.engine.parts() {
		return len(page), result{}, nil
	}
	if s.noted.made && s.alone == 0 || s.lease != nil && !s.lease.orphaned {
		return len(page), result{}, nil
	}
	if s.noted.batchID != page[0].BatchID {
		times, err := s.noteBeginning(page[0])
		if err != nil {
			return 0, result{}, err
		}
		if (times >= suspicious || s.lease != nil) && s.alone == 0 {
			s.alone = len(page)
			s.messageLog(page[0]).Warn("pgque: a process died over this page; its messages are handled one by one", "deaths", max(times-1, 1))
		}
		if times > int64(s.quarantine) {
			deadly = result{outcome: &outcome{verdict: verdictDead,
				err: fmt.Errorf("quarantined: the process died %d times while it handled this message", times-1)}}
		}
	}
	if s.alone > 0 {
		return 1, deadly, nil
	}
	return len(page), deadly, nil
}

// noteBeginning tells the engine, for good, with which message of an open page the
// process begins, and returns how often that has happened.
func (s *session) noteBeginning(msg Message) (times int64, err error) {
	ctx, cancel := context.WithTimeout(s.working, statementTimeout)
	defer cancel()
	times, err = queryInt(ctx, s.client.pool, sqlBeginMessage, msg.BatchID, msg.MsgID)
	if err == nil {
		s.noted = note{batchID: msg.BatchID, made: true}
	}
	return times, err
}

// noteSettled forgets the note of a page that was settled, and counts the messages
// that are left to be handled alone.
func (s *session) noteSettled(batchID int64) {
	if s.noted.batchID == batchID {
		s.noted.batchID = 0
		s.alone = max(s.alone-1, 0)
	}
}

// takeNoteBack makes the end of Start no death.
func (s *session) takeNoteBack() {
	if s.noted.batchID == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	if _, err := queryInt(ctx, s.client.pool, sqlBeginMessage, s.noted.batchID, nil); err != nil {
		s.log.Warn("pgque: the end of this consumer may count as a death at the message it stopped at", "error", err)
	}
}
