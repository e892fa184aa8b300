package wire

import (
	"slices"
	"strings"
)

// isNormal says whether a label whose characters are all permitted is in
// normalisation form C: combining marks stand in the order of their classes, and
// nothing composes with the character that it belongs to.
func isNormal(label []rune) bool {
	base, last := rune(0), uint8(0) // the character that marks belong to, and the class before
	for i, r := range label {
		class := combiningClass(r)
		if class != 0 && class < last {
			return false
		}
		blocked := i == 0 || last != 0 && last >= class
		if !blocked && strings.ContainsRune(composes[r], base) {
			return false
		}
		if class == 0 {
			base = r
		}
		last = class
	}
	return true
}

// combiningClass returns the canonical combining class.
func combiningClass(r rune) uint8 {
	if r < 0x300 {
		return 0
	}
	list := combiningClasses()
	i, found := slices.BinarySearchFunc(list, r, func(c classRange, r rune) int {
		switch {
		case r < c.first:
			return 1
		case r > c.last:
			return -1
		}
		return 0
	})
	if !found {
		return 0
	}
	return list[i].class
}
