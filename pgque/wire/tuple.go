package wire

// EndArray ends an array whose items each have a comma behind them: the last comma
// becomes the bracket.
func EndArray(b []byte) []byte {
	if last := len(b) - 1; b[last] == ',' {
		b[last] = ']'
		return b
	}
	return append(b, ']')
}

// Tuple counts the items of an array that ends at the first one that is not there,
// and reports prefixItems when others are behind it. The last may stand for several.
func (r *Report) Tuple(present ...bool) (items int) {
	for items < len(present) && present[items] {
		items++
	}
	for _, there := range present[items:] {
		if there {
			r.failUnshown("prefixItems", "an item is missing before others")
			break
		}
	}
	return items
}
