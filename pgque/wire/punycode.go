package wire

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The parameters of RFC 3492 section 5.
const (
	punyBase = 36
	punyMin  = 1
	punyMax  = 26
	punySkew = 38
	punyDamp = 700
	punyBias = 72
)

const punyDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// decodePunycode is RFC 3492 section 6.2 for lower-case text no longer than a
// label, whose numbers overflow nothing.
func decodePunycode(s string) (string, bool) {
	var out []rune
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		out, s = []rune(s[:i]), s[i+1:]
	}
	point, at, bias := utf8.RuneSelf, 0, punyBias
	for first := true; s != ""; first = false {
		delta, rest, ok := punyNumber(s, bias)
		if !ok {
			return "", false
		}
		at += delta
		bias = punyAdapt(delta, len(out)+1, first)
		point += at / (len(out) + 1)
		at %= len(out) + 1
		if point > utf8.MaxRune || !utf8.ValidRune(rune(point)) {
			return "", false
		}
		out = slices.Insert(out, at, rune(point))
		at++
		s = rest
	}
	return string(out), true
}

// punyMost is more than any number in a label: code points times a label's length.
const punyMost = 1 << 27

// punyNumber reads a number of variable length.
func punyNumber(s string, bias int) (n int, rest string, ok bool) {
	sum, weight := int64(0), int64(1)
	for k := punyBase; s != ""; k += punyBase {
		digit := strings.IndexByte(punyDigits, s[0])
		s = s[1:]
		if digit < 0 || weight > punyMost || sum > punyMost {
			return 0, "", false
		}
		sum += int64(digit) * weight
		t := punyThreshold(k, bias)
		if digit < t {
			return int(sum), s, sum <= punyMost
		}
		weight *= int64(punyBase - t)
	}
	return 0, "", false
}

func punyThreshold(k, bias int) int { return min(max(k-bias, punyMin), punyMax) }

// punyAdapt is RFC 3492 section 6.1.
func punyAdapt(delta, length int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / length
	k := 0
	for ; delta > (punyBase-punyMin)*punyMax/2; k += punyBase {
		delta /= punyBase - punyMin
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}

// encodePunycode is RFC 3492 section 6.3 for a text no longer than a host name.
func encodePunycode(s string) string {
	var out []byte
	runes := []rune(s)
	for _, r := range runes {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		}
	}
	done := len(out)
	if done > 0 {
		out = append(out, '-')
	}
	first := true
	point, delta, bias := rune(utf8.RuneSelf), 0, punyBias
	for done < len(runes) {
		next := nextPoint(runes, point)
		delta += int(next-point) * (done + 1)
		point = next
		for _, r := range runes {
			if r < point {
				delta++
			}
			if r == point {
				out = appendPunyNumber(out, delta, bias)
				bias = punyAdapt(delta, done+1, first)
				delta, first = 0, false
				done++
			}
		}
		delta++
		point++
	}
	return string(out)
}

// nextPoint returns the least of the runes that is not below point.
func nextPoint(runes []rune, point rune) rune {
	next := rune(utf8.MaxRune)
	for _, r := range runes {
		if r >= point && r < next {
			next = r
		}
	}
	return next
}

func appendPunyNumber(b []byte, n, bias int) []byte {
	for k := punyBase; ; k += punyBase {
		t := punyThreshold(k, bias)
		if n < t {
			return append(b, punyDigits[n])
		}
		b = append(b, punyDigits[t+(n-t)%(punyBase-t)])
		n = (n - t) / (punyBase - t)
	}
}
