package model

// A schema may reach one part of itself in more ways than any value could be looked
// at: with two references a level, thirty levels are a billion ways. Where the ways
// outnumber the checks, those that several others call remember their verdict.
const (
	maxWeight   = 1 << 40
	freeWeight  = 4096
	weightRatio = 16
)

// share sets Shared where it is needed.
func (c *Checks) share() {
	w := checkWeights{checks: c, known: map[*Check]int{}}
	callers := map[*Check]int{}
	for _, check := range c.all {
		check.calls(func(call *Call, _ bool) { callers[c.byFunc[string(*call)]]++ })
	}
	for _, check := range c.all {
		weight := w.of(check)
		if weight <= freeWeight || check.Shared {
			continue
		}
		below := c.reachable([]*Check{check})
		if weight <= freeWeight+weightRatio*len(below) {
			continue
		}
		for _, to := range below {
			to.Shared = to.Shared || callers[to] > 1
		}
	}
}

// checkWeights estimate how many checks look at one place of a value.
type checkWeights struct {
	checks *Checks
	known  map[*Check]int
}

func (w checkWeights) of(check *Check) int {
	if n, ok := w.known[check]; ok {
		return n
	}
	w.known[check] = 1 // ends the walk around a cycle
	same, sum, most := 1, 0, 0
	check.calls(func(call *Call, inPlace bool) {
		to := w.checks.byFunc[string(*call)]
		switch {
		case to == nil:
		case inPlace:
			same += w.of(to)
		default:
			sum += w.of(to)
			most = max(most, w.of(to))
		}
	})
	if check.Array.Contains == nil && len(check.Object.Patterns) == 0 {
		sum = most // each part of the value is looked at by one of them
	}
	n := min(same+sum, maxWeight)
	w.known[check] = n
	return n
}
