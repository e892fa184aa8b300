package schema

import (
	"slices"
	"strconv"
	"strings"
)

// appendCanonical writes n so that values are equal as JSON exactly if their
// texts are.
func appendCanonical(b []byte, n *Node) []byte {
	switch n.Kind {
	case Null:
		return append(b, 'n')
	case Number:
		d := parseDecimal(n.Text)
		if d.negative {
			b = append(b, '-')
		}
		return strconv.AppendInt(append(append(b, d.digits...), 'e'), int64(d.exp), 10)
	case String:
		return strconv.AppendQuote(b, n.Text)
	case Array:
		b = append(b, '[')
		for _, item := range n.Items {
			b = append(appendCanonical(b, item), ',')
		}
		return append(b, ']')
	case Object:
		members := slices.SortedFunc(slices.Values(n.Members), func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
		b = append(b, '{')
		for _, m := range members {
			b = append(appendCanonical(append(strconv.AppendQuote(b, m.Name), ':'), m.Value), ',')
		}
		return append(b, '}')
	}
	return append(b, n.Text...)
}
