package wire

import "hash/maphash"

// Equal compares as JSON Schema does: numbers by value, arrays by order, objects
// without order; true is not 1.
func Equal(a, b *Value) bool {
	if a.kind != b.kind || a.Len() != b.Len() {
		return false
	}
	switch a.kind {
	case Bool:
		return a.Bool() == b.Bool()
	case String:
		return a.text == b.text
	case Num:
		return equalNumbers(a.raw, b.raw)
	case Array:
		return equalItems(a, b)
	case Object:
		return equalMembers(a, b)
	}
	return true
}

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, y := parseDecimal(a), parseDecimal(b)
	return x.compare(&y) == 0
}

func equalItems(a, b *Value) bool {
	for i := range a.Len() {
		if !Equal(a.Item(i), b.Item(i)) {
			return false
		}
	}
	return true
}

func equalMembers(a, b *Value) bool {
	for i := range a.Len() {
		other := b.Get(a.Name(i))
		if other == nil || !Equal(a.Item(i), other) {
			return false
		}
	}
	return true
}

// hashFrom is the number of items from which uniqueness is decided by hashes.
const hashFrom = 16

// Unique says whether v, if it is an array, has no two equal items.
func (v *Value) Unique() bool {
	if v.kind != Array {
		return true
	}
	if v.Len() < hashFrom {
		return v.uniquePairs()
	}
	seed := maphash.MakeSeed()
	seen := make(map[uint64][]int, v.Len())
	for i := range v.Len() {
		h := v.Item(i).hash(seed)
		for _, j := range seen[h] {
			if Equal(v.Item(i), v.Item(j)) {
				return false
			}
		}
		seen[h] = append(seen[h], i)
	}
	return true
}

func (v *Value) uniquePairs() bool {
	for i := range v.Len() {
		for j := range i {
			if Equal(v.Item(i), v.Item(j)) {
				return false
			}
		}
	}
	return true
}

// hash is equal for equal values, and nobody can make many values of one hash.
func (v *Value) hash(seed maphash.Seed) uint64 {
	switch v.kind {
	case Bool:
		return maphash.Comparable(seed, v.Bool())
	case String:
		return maphash.String(seed, v.text)
	case Num:
		d := parseDecimal(v.raw)
		return maphash.Comparable(seed, d)
	case Array:
		h := maphash.Comparable(seed, Array)
		for i := range v.Len() {
			h = mix(h) ^ v.Item(i).hash(seed)
		}
		return h
	case Object:
		h := maphash.Comparable(seed, Object)
		for i := range v.Len() {
			h += mix(maphash.String(seed, v.Name(i)) ^ mix(v.Item(i).hash(seed)))
		}
		return h
	}
	return maphash.Comparable(seed, v.kind)
}

// mix spreads the bits of h.
func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return h
}
