package wire

// Distinct says that no two items are equal.
func Distinct[T comparable](items []T) bool {
	if len(items) <= few {
		return distinctFew(items)
	}
	seen := make(map[T]struct{}, len(items))
	for _, item := range items {
		seen[item] = struct{}{}
	}
	return len(seen) == len(items)
}

// few items are compared one by one.
const few = 8

func distinctFew[T comparable](items []T) bool {
	for i, a := range items {
		for _, b := range items[:i] {
			if a == b {
				return false
			}
		}
	}
	return true
}
