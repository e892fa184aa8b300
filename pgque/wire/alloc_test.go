//go:build !race

package wire_test

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

// The race detector makes sync.Pool forget at random, so that allocations can
// be counted without it only.
func TestEncoder_InOneAllocation(t *testing.T) {
	text := strings.Repeat("x", 2000)
	encode := func() {
		e := wire.Encode(nil)
		e.String("", text, nil)
		if _, err := e.Close("e"); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, encode); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
