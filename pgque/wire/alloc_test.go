//go:build !race

package wire_test

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

// The race detector makes sync.Pool forget at random, so that allocations can
// be counted without it only.
func TestAppend_InOneAllocation(t *testing.T) {
	text := strings.Repeat("x", 2000)
	write := func(b []byte) []byte { return append(b, text...) }
	if n := testing.AllocsPerRun(100, func() { wire.Append(nil, write) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
