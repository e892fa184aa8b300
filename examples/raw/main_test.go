package main

import (
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest"
)

func TestRun_EachConsumerSeesEveryEvent(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), pgquetest.NewDatabase(t), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, line := range []string{
		`by-hand: temperature {"celsius":31.5,"room":"attic"}, attempt 1`,
		`by-hand: humidity {"room":"cellar","percent":81}, attempt 2`,
		`by-hand: default "a string is a payload, too", attempt 1`,
		`by-handler: temperature {"celsius":31.5,"room":"attic"}`,
		`by-handler: humidity {"room":"cellar","percent":81}`,
		`by-handler: default "a string is a payload, too"`,
	} {
		if n := strings.Count(out.String(), line+"\n"); n != 1 {
			t.Errorf("%d times %q in the output:\n%s", n, line, &out)
		}
	}
}
