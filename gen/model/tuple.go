package model

import (
	"math"
	"slices"
	"strconv"

	"github.com/pgque/pgque-go/gen/schema"
)

// maxTuple is the number of items beyond which an array with a schema for each is
// held item by item as text.
const maxTuple = 64

// isTuple reports an array whose first items have schemas of their own.
func (f *facts) isTuple() bool {
	if len(f.arrays) != 1 {
		return false
	}
	n := len(f.arrays[0].PrefixItems)
	return n > 0 && n <= maxTuple
}

// decideTuple chooses a struct with a field for each item that has a schema of its
// own. Items that may be left out are optional: those behind the smallest number of
// items.
func (b *builder) decideTuple(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) {
	f.inexact = f.inexact || f.rules.Const != nil || f.isEnum || f.rules.Unique
	t := b.declare(k, s, Tuple, schemas, into)
	t.Items = slices.Clone(f.rules.Items)
	array := f.arrays[0]
	least := f.fewestItems()
	for i, item := range array.PrefixItems {
		field := b.field(property{name: strconv.Itoa(i), schemas: []*schema.Schema{item}}, int64(i) < least)
		field.Item = i + 1
		t.Fields = append(t.Fields, field)
	}
	if !isFalse(array.Items) {
		t.Extra = b.shape(array.Items)
	}
}

// fewestItems is the number of items that every valid array has.
func (f *facts) fewestItems() int64 {
	var least int64
	for _, b := range f.rules.Items {
		if b.Min != nil {
			least = max(least, min(*b.Min, math.MaxInt32))
		}
	}
	return least
}
