package schema

// distance counts the letters to insert, delete, replace or swap with a
// neighbour to get from a to b, if they are at most two, or one for short
// names; otherwise it returns 3.
func distance(a, b string, long bool) int {
	limit := 1
	if long {
		limit = 2
	}
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return 3
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	if d := last[len(b)]; d <= limit {
		return d
	}
	return 3
}

func differs(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
