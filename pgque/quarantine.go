package pgque

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
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
// death; of several that get the same pages, as behind a pooler, one counts at a time.
// In a group the count follows a batch to whoever begins with it; a stable
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
	batchID int64     // 0 for no note
	made    bool      // one was made since Start, or left to another process
	guard   *pgx.Conn // of notesAlone; nil for most
}

// beware returns how many messages of the page may be handled at once: all of them, or
// the first, when a process died over this page; and when it died of the first message
// too often, the result that makes an end of it.
func (s *session) beware(page []Message) (limit int, deadly result, err error) {
	if s.quarantine == 0 || !s.engine.begin || !s.engine.parts() {
		return len(page), result{}, nil
	}
	if s.noted.made && s.alone == 0 || s.lease != nil && !s.lease.orphaned {
		s.dropGuard()
		return len(page), result{}, nil
	}
	if s.noted.batchID != page[0].BatchID {
		if !s.notesAlone() {
			s.noted.made = true
			return len(page), result{}, nil
		}
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

// notesAlone makes sure that no process that lives makes notes of the same pages: they
// would count each other as dead. Who has the turn is alone. Where turns cannot be taken,
// one of those who have the same page is, by a lock; the others handle it without a note.
func (s *session) notesAlone() bool {
	name := s.exclusiveName()
	switch {
	case s.lease != nil || s.hadTurn || s.noted.guard != nil:
		return true
	case s.member != "":
		if turn(s.seat.turn.Load()) == turnMine {
			return true
		}
		name = s.seatName()
	}
	guard, err := s.newGuard(guardPrefix + name)
	if err != nil {
		s.log.Info("pgque: a death of this process at its first page would not be counted", "reason", err)
	}
	s.noted.guard = guard
	return guard != nil
}

const guardPrefix = "pgque quarantine "

// newGuard is nil when somebody else has the lock. It is one of a transaction, which a
// pooler lets keep its connection, and outside the pool, which handlers may need.
func (s *session) newGuard(name string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(s.working, statementTimeout)
	defer cancel()
	conn, err := s.client.listener.connect(ctx, " quarantine")
	if err != nil {
		return nil, err
	}
	mine := false
	if _, err = conn.Exec(ctx, sqlBegin); err == nil {
		err = conn.QueryRow(ctx, sqlTryLock, name).Scan(&mine)
	}
	if err != nil || !mine {
		closeConn(ctx, conn)
		return nil, err
	}
	return conn, nil
}

func (s *session) dropGuard() {
	if s.noted.guard != nil {
		closeConn(s.working, s.noted.guard)
		s.noted.guard = nil
	}
}

// noteBeginning tells the engine, for good, with which message of an open page the
// process begins, and returns how often that has happened.
func (s *session) noteBeginning(msg Message) (times int64, err error) {
	ctx, cancel := context.WithTimeout(s.working, statementTimeout)
	defer cancel()
	times, err = queryInt(ctx, s.client.pool, sqlBeginMessage, msg.BatchID, msg.MsgID)
	if err == nil {
		s.noted.batchID, s.noted.made = msg.BatchID, true
	}
	return times, err
}

// noteSettled forgets the note of a page that was settled, by whomever, and counts the
// messages that are left to be handled alone.
func (s *session) noteSettled(batchID int64) {
	if s.noted.batchID == batchID {
		s.noted.batchID = 0
		if s.alone = max(s.alone-1, 0); s.alone == 0 {
			s.dropGuard()
		}
	}
}

// takeNoteBack makes the end of Start no death.
func (s *session) takeNoteBack() {
	defer s.dropGuard()
	if s.noted.batchID == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.working), settleDeadline)
	defer cancel()
	if _, err := queryInt(ctx, s.client.pool, sqlBeginMessage, s.noted.batchID, nil); err != nil {
		s.log.Warn("pgque: the end of this consumer may count as a death at the message it stopped at", "error", err)
	}
}
