// Package sample makes random values for the tests of generated code. All that it
// makes follows from the random numbers: the same source gives the same values.
package sample

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

// Pick returns one of the values, of which there is at least one.
func Pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// Integer returns a multiple of step from low to high, not far from 0 or from the
// limit that is nearer to it. When there is none it is the next one.
func Integer(r *rand.Rand, low, high, step int64) int64 {
	const near = 2000
	low = max(low, max(min(high, near/2), math.MinInt64+near)-near)
	if uint64(high)-uint64(low) > 2*near {
		high = low + 2*near
	}
	first := low / step
	if first*step < low {
		first++
	}
	if last := high / step; last > first {
		first += r.Int64N(last - first + 1)
	}
	return first * step
}

// Number returns a multiple of step from low to high.
func Number(r *rand.Rand, low, high, step float64) float64 {
	n := low + r.Float64()*(high-low)
	if whole := math.Round(1 / step); whole*step == 1 {
		return math.Round(n*whole) / whole
	}
	return math.Round(n/step) * step
}

// Text returns low to high letters.
func Text(r *rand.Rand, low, high int) string {
	b := make([]byte, low+r.IntN(high-low+1))
	for i := range b {
		b[i] = byte('a' + r.IntN(26))
	}
	return string(b)
}

// Size is how many items a list has: from low to high, deep inside as few as
// possible, so that recursion ends.
func Size(r *rand.Rand, depth, low, high int) int {
	if depth > 3 {
		return low
	}
	return low + r.IntN(high-low+1)
}

// Time returns a whole second of our days.
func Time(r *rand.Rand) time.Time { return time.Unix(r.Int64N(4_000_000_000), 0).UTC() }

// UUID returns 16 random bytes.
func UUID(r *rand.Rand) (u wire.UUID) {
	for i := range u {
		u[i] = byte(r.Uint32())
	}
	return u
}
