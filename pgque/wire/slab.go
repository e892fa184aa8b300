package wire

// slabs are where the parts of a tree lie, so that a tree of many parts takes few
// allocations.
type slabs struct {
	families slab[children]
	items    slab[Value]
	names    slab[string]
}

// A slab gives out slices of larger ones.
type slab[T any] struct {
	free []T
	size int // of the last larger one
}

// The sizes of the larger slices, which double.
const (
	minSlab = 4
	maxSlab = 256
)

// take returns n zero elements.
func (s *slab[T]) take(n int) []T {
	if len(s.free) < n {
		s.size = max(n, min(max(2*s.size, minSlab), maxSlab))
		s.free = make([]T, s.size)
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}
