package wire

// CountItems reports a number of items of the current array that is beyond a limit.
//
//go:noinline
func (d *Decoder) CountItems(n int, c *Count) { c.report("Items", n, &d.Report) }

// CountMembers reports a number of members of the current object that is beyond a
// limit.
//
//go:noinline
func (d *Decoder) CountMembers(n int, c *Count) { c.report("Properties", n, &d.Report) }

// Tuple begins an array whose items may be left out at its end only: present tells which
// of the first ones are there, and rest is the number of those behind them.
func (e *Encoder) Tuple(c *Count, rest int, present ...bool) {
	n := 0
	for n < len(present) && present[n] {
		n++
	}
	missing := false
	for _, there := range present[n:] {
		missing = missing || there
	}
	if n == len(present) {
		n += rest
	} else {
		missing = missing || rest > 0
	}
	if missing {
		e.unshown().Fail("prefixItems", "an item is missing before others")
	}
	e.Array("", n, c)
}
