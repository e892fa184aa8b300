package main

import (
	"testing"

	"go.uber.org/goleak"
)

// Every run gives back what it took, tickers included.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}
