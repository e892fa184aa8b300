package wire

// Nullable is the value of a member that may be absent, null or a T. The zero
// Nullable is absent.
type Nullable[T any] struct {
	value T
	state presence
}

type presence uint8

const (
	absent presence = iota
	null
	present
)

// NullableOf holds a value.
func NullableOf[T any](v T) Nullable[T] { return Nullable[T]{value: v, state: present} }

// NullOf holds null.
func NullOf[T any]() Nullable[T] { return Nullable[T]{state: null} }

// Get returns the value; false when it is absent or null.
func (n Nullable[T]) Get() (T, bool) { return n.value, n.state == present }

// IsAbsent says that the member is not there.
func (n Nullable[T]) IsAbsent() bool { return n.state == absent }

// IsNull says that the member is there and null.
func (n Nullable[T]) IsNull() bool { return n.state == null }

// IsZero says that the member is not there; it serves the tag omitzero.
func (n Nullable[T]) IsZero() bool { return n.state == absent }

// Set makes the member the value v.
func (n *Nullable[T]) Set(v T) { *n = NullableOf(v) }

// New makes the member the zero T and returns where it is.
//
//go:noinline
func (n *Nullable[T]) New() *T {
	n.Set(*new(T))
	return &n.value
}

// SetNull makes the member null.
func (n *Nullable[T]) SetNull() { *n = NullOf[T]() }

// Clear takes the member away.
func (n *Nullable[T]) Clear() { *n = Nullable[T]{} }
