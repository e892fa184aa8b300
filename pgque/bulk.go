package pgque

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// bulkEvents is the number of events from which on COPY is the faster way. It costs the
// server less for each event, and two round trips more.
const bulkEvents = 2000

// copy inserts the events through COPY, in one transaction.
//
// COPY returns no ids. They are known all the same: an id is drawn before, and the last
// one is asked for afterwards; when there are as many in between as events, they are
// those of the events in their order, else somebody else drew some of them, and the
// stored events tell.
func (t *eventTable) copy(ctx context.Context, conn *pgx.Conn, l load) (ids []int64, err error) {
	defer func() {
		if err != nil {
			undo(ctx, conn)
		}
	}()
	before, err := t.begin(ctx, conn)
	if err != nil {
		return nil, err
	}
	source, statement := &copySource{load: l, uniform: isUniform(l)}, t.copyMixed
	if source.uniform {
		statement = t.copySame
	}
	ctx, end := t.traced(ctx, conn, statement)
	defer func() { end(err) }()
	_, err = conn.PgConn().CopyFrom(ctx, source, statement)
	if failure := source.end(); failure != nil {
		err = failure
	}
	if err != nil {
		return nil, err
	}
	return t.commit(ctx, conn, before, int64(l.len()))
}

// begin begins the transaction, whose id is assigned before any event id is drawn, and
// draws the id that those of the events will follow.
func (t *eventTable) begin(ctx context.Context, conn *pgx.Conn) (before int64, err error) {
	var batch pgx.Batch
	batch.Queue(sqlBegin)
	batch.Queue(t.bulkBegin, string(t.queue)).QueryRow(func(row pgx.Row) error { return row.Scan(&before) })
	err = conn.SendBatch(ctx, &batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		err = errOutdated
	}
	return before, err
}

func (t *eventTable) commit(ctx context.Context, conn *pgx.Conn, before, n int64) (ids []int64, err error) {
	var last int64
	var batch pgx.Batch
	batch.Queue(t.bulkIDs, before, n).QueryRow(func(row pgx.Row) error { return row.Scan(&last, &ids) })
	batch.Queue(sqlCommit).Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("commit ended as %s", tag)
		}
		return nil
	})
	if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, err
	}
	if last-before == n {
		ids = make([]int64, n)
		for i := range ids {
			ids[i] = before + 1 + int64(i)
		}
	}
	return ids, nil
}

// copySource is events in the binary format of COPY. It encodes them as they are read.
// When CopyFrom was cancelled its reader may still be at work, so there is an end.
type copySource struct {
	mu sync.Mutex

	load    load
	uniform bool
	next    int    // event to encode
	buf     []byte // encoded, from read on
	read    int
	ended   bool
	closed  bool
	err     error // why an event could not be encoded
}

// copyChunk is how much is encoded at a time, at least.
const copyChunk = 64 << 10

const copySignature = "PGCOPY\n\377\r\n\000"

// end waits until the events are not read any more, and returns why one could not be
// encoded.
func (s *copySource) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.err
}

func (s *copySource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	if s.read == len(s.buf) {
		if s.err = s.fill(); s.err != nil {
			return 0, s.err
		}
		if len(s.buf) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, s.buf[s.read:])
	s.read += n
	return n, nil
}

// fill leaves nothing in buf when all has been read.
func (s *copySource) fill() (err error) {
	s.buf, s.read = s.buf[:0], 0
	if s.next == 0 {
		s.buf = append(s.buf, copySignature...)
		s.buf = append(s.buf, 0, 0, 0, 0 /* flags */, 0, 0, 0, 0 /* header extension */)
	}
	for ; s.next < s.load.len() && len(s.buf) < copyChunk; s.next++ {
		if err = s.row(s.next); err != nil {
			return err
		}
	}
	if s.next == s.load.len() && !s.ended {
		s.buf = binary.BigEndian.AppendUint16(s.buf, 0xffff)
		s.ended = true
	}
	return nil
}

func (s *copySource) row(i int) (err error) {
	ev := s.load.event(i)
	columns := uint16(6)
	if s.uniform {
		columns = 2
	}
	s.buf = binary.BigEndian.AppendUint16(s.buf, columns)
	s.field(ev.typeName())
	s.buf = append(s.buf, 0, 0, 0, 0)
	at := len(s.buf)
	if s.buf, err = s.load.appendText(s.buf, i); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(s.buf[at-4:], uint32(len(s.buf)-at))
	if s.uniform {
		return nil
	}
	for _, extra := range ev.extras() {
		if extra == nil {
			s.buf = binary.BigEndian.AppendUint32(s.buf, 0xffffffff)
		} else {
			s.field(*extra)
		}
	}
	return nil
}

func (s *copySource) field(text string) {
	s.buf = append(binary.BigEndian.AppendUint32(s.buf, uint32(len(text))), text...)
}
