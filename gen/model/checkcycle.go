package model

// remember sets Remembers for the checks at which a recursion enters a part of
// a value, if its ways fork before they get there.
func (c *Checks) remember() {
	for _, cycle := range c.cycles() {
		within := map[string]bool{}
		for _, check := range cycle {
			within[check.Func] = true
		}
		if forks(cycle, within) {
			for _, check := range cycle {
				check.partCalls(func(call *Call) {
					if within[string(*call)] {
						c.byFunc[string(*call)].Remembers = true
					}
				})
			}
		}
	}
}

// forks tells that two calls of one check can lead on to the same part of a
// value: both are about the same value, or about parts that overlap.
func forks(cycle []*Check, within map[string]bool) bool {
	for _, check := range cycle {
		same, parts := 0, 0
		check.inPlaceCalls(func(call *Call) {
			if within[string(*call)] {
				same++
			}
		})
		check.partCalls(func(call *Call) {
			if within[string(*call)] {
				parts++
			}
		})
		overlap := check.Array.Contains != nil || len(check.Object.Patterns) > 0
		if same > 1 || same == 1 && parts > 0 || overlap && parts > 1 {
			return true
		}
	}
	return false
}

// cycles returns the sets of checks that can lead back to themselves.
func (c *Checks) cycles() [][]*Check {
	f := cycleFinder{checks: c, order: map[*Check]int{}, low: map[*Check]int{}, open: map[*Check]bool{}}
	for _, check := range c.all {
		f.walk(check)
	}
	return f.found
}

// A cycleFinder finds strongly connected checks (Tarjan).
type cycleFinder struct {
	checks *Checks
	order  map[*Check]int // from 1, in the order of the first visit
	low    map[*Check]int // the earliest check that can be reached and is open
	open   map[*Check]bool
	stack  []*Check
	found  [][]*Check
}

func (f *cycleFinder) walk(check *Check) {
	if f.order[check] != 0 {
		return
	}
	f.order[check] = len(f.order) + 1
	f.low[check] = f.order[check]
	f.stack, f.open[check] = append(f.stack, check), true
	itself := false
	check.calls(func(call *Call, _ bool) {
		to := f.checks.byFunc[string(*call)]
		if to == nil {
			return
		}
		itself = itself || to == check
		f.walk(to)
		if f.open[to] {
			f.low[check] = min(f.low[check], f.low[to])
		}
	})
	if f.low[check] != f.order[check] {
		return
	}
	i := len(f.stack) - 1
	for f.stack[i] != check {
		i--
	}
	set := f.stack[i:]
	f.stack = f.stack[:i:i]
	for _, member := range set {
		f.open[member] = false
	}
	if len(set) > 1 || itself {
		f.found = append(f.found, set)
	}
}
