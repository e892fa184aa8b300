package wire

import (
	"bytes"
	"slices"
	"sync"
)

// Room returns a list with room for one more item of the array that d reads. The
// first call looks ahead for how many there are.
func Room[T any](d *Decoder, list []T) []T {
	switch {
	case len(list) < cap(list):
		return list
	case len(list) == 0:
		return make([]T, 0, d.expected())
	}
	return slices.Grow(list, 1)
}

// maxExpected bounds the items for which there is room before they were read.
const maxExpected = 64

// expected guesses how many items the array has whose first item is next: exactly
// for scalars and flat objects without brackets in strings. It is at least 1.
func (d *Decoder) expected() int {
	const window = 16 << 10
	first := d.next()
	rest := d.buf[d.pos:min(len(d.buf), d.pos+window)]
	if end := bytes.IndexByte(rest, ']'); end >= 0 {
		rest = rest[:end]
	}
	if first == '{' {
		return max(1, min(bytes.Count(rest, openBrace), maxExpected))
	}
	return min(bytes.Count(rest, comma)+1, maxExpected)
}

var openBrace, comma = []byte{'{'}, []byte{','}

// buffers hold texts until their length is known.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// The least room in which Append writes at once, and the largest buffer that is
// kept for the next text.
const (
	roomy      = 512
	maxBuffer  = 64 << 10
	minContent = 1 << 10
)

// Append appends what write appends to b, in one allocation at most.
func Append(b []byte, write func([]byte) []byte) []byte {
	if cap(b)-len(b) >= roomy {
		return write(b)
	}
	buffer := buffers.Get().(*[]byte)
	text := write(slices.Grow((*buffer)[:0], minContent))
	b = append(b, text...)
	if cap(text) <= maxBuffer {
		*buffer = text
		buffers.Put(buffer)
	}
	return b
}
