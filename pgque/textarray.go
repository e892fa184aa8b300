package pgque

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"
)

// textArray is a text[] in PostgreSQL's binary format (array_recv).
type textArray struct{ bytes []byte }

// begin empties the array and keeps its room. How many elements follow is filled in by
// end.
func (a *textArray) begin() {
	a.bytes = a.bytes[:0]
	for _, word := range []uint32{1 /* dimension */, 1 /* may have nulls */, pgtype.TextOID, 0, 1 /* lower bound */} {
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, word)
	}
}

func (a *textArray) end(n int) []byte {
	binary.BigEndian.PutUint32(a.bytes[12:], uint32(n))
	return a.bytes
}

// open begins an element whose bytes are appended until close is called with at.
func (a *textArray) open() (at int) {
	a.bytes = append(a.bytes, 0, 0, 0, 0)
	return len(a.bytes)
}

func (a *textArray) close(at int) {
	binary.BigEndian.PutUint32(a.bytes[at-4:], uint32(len(a.bytes)-at))
}

func (a *textArray) add(text string) {
	a.bytes = append(binary.BigEndian.AppendUint32(a.bytes, uint32(len(text))), text...)
}

func (a *textArray) addNull() { a.bytes = binary.BigEndian.AppendUint32(a.bytes, 0xffffffff) }
