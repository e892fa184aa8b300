package wire

import "unicode"

// bidiClass is a set of bidirectional classes, as the rule of RFC 5893 needs them.
type bidiClass uint8

const (
	bidiL  bidiClass = 1 << iota
	bidiR            // R and AL
	bidiEN           // European numbers
	bidiAN           // Arabic numbers
	bidiNSM
	bidiON // ES, CS, ET, ON and BN
)

// bidiOf returns the class of a code point that is permitted in a label.
func bidiOf(r rune) bidiClass {
	switch {
	case r >= '0' && r <= '9', r >= 0x6F0 && r <= 0x6F9:
		return bidiEN
	case r < 0x80 && r != '-':
		return bidiL
	case r >= 0x660 && r <= 0x669, r >= 0x10D30 && r <= 0x10D39:
		return bidiAN
	case unicode.In(r, unicode.Mn, unicode.Me):
		return bidiNSM
	case unicode.Is(rightToLeft(), r):
		return bidiR
	}
	switch {
	case r == '-', r == 0xB7, r == 0x2B9, r == 0x2BA, r == 0x2EC, r == 0x2E2F, r == 0x375, r == 0x30FB,
		r >= 0x2C6 && r <= 0x2CF, r == 0x200C, r == 0x200D, r == 0xA67F, r >= 0xA717 && r <= 0xA71F, r == 0xA788:
		return bidiON
	}
	return bidiL
}

// bidiRule is RFC 5893 section 2, which holds for all labels of a name that has a
// label written from right to left.
func bidiRule(labels []string) bool {
	rightToLeft := false
	for _, label := range labels {
		for _, r := range label {
			rightToLeft = rightToLeft || bidiOf(r)&(bidiR|bidiAN) != 0
		}
	}
	if !rightToLeft {
		return true
	}
	for _, label := range labels {
		if !bidiLabel(label) {
			return false
		}
	}
	return true
}

func bidiLabel(label string) bool {
	var first, last, all bidiClass
	for _, r := range label {
		class := bidiOf(r)
		if first == 0 {
			first = class
		}
		if class != bidiNSM {
			last = class
		}
		all |= class
	}
	switch first {
	case bidiR:
		return all&bidiL == 0 && last&(bidiR|bidiEN|bidiAN) != 0 && all&(bidiEN|bidiAN) != bidiEN|bidiAN
	case bidiL:
		return all&(bidiR|bidiAN) == 0 && last&(bidiL|bidiEN) != 0
	}
	return false
}
