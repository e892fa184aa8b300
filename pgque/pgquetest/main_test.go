package pgquetest_test

import (
	"testing"

	"go.uber.org/goleak"
)

// The shared server runs until the process ends, and no goroutine with it.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}
