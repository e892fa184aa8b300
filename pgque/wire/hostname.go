package wire

import (
	"strings"
	"unicode/utf8"
)

// Lengths of RFC 1034 section 3.1, in bytes of ASCII and without the root's dot.
const (
	maxHost  = 253
	maxLabel = 63
)

// FormatHostname is the format hostname: a host name of RFC 1123 section 2.1.
// Labels that begin with xn-- are valid A-labels of RFC 5891.
func FormatHostname(s string) bool { return isHost(s, false) }

// FormatIDNHostname is the format idn-hostname: a host name whose labels may also
// be U-labels of RFC 5890. U+3002, U+FF0E and U+FF61 separate labels as dots do
// (RFC 3490 section 3.1).
func FormatIDNHostname(s string) bool {
	if isASCII(s) {
		return isHost(s, true)
	}
	return isHost(dots.Replace(s), true)
}

var dots = strings.NewReplacer("\u3002", ".", "\uFF0E", ".", "\uFF61", ".")

func isHost(s string, international bool) bool {
	switch {
	case isPlainHost(s):
		return true
	case len(s) > 4*maxHost:
		return false
	}
	length := -1 // of all labels in ASCII with the dots between them
	var labels []string
	beyond := false // a label is beyond ASCII
	for more := true; more; {
		var label string
		label, s, more = strings.Cut(s, ".")
		text, n, ok := hostLabel(label, international)
		if !ok {
			return false
		}
		length += n + 1
		labels = append(labels, text)
		beyond = beyond || !isASCII(text)
	}
	return length <= maxHost && (!beyond || bidiRule(labels))
}

// isPlainHost is the short way for most names: nothing but letters, digits and
// dots, and hyphens that are neither next to a dot nor to each other.
func isPlainHost(s string) bool {
	label := 0 // its length so far
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c != '.' && c != '-':
			if label++; !ldhSet[c] {
				return false
			}
			continue
		case label == 0 || s[i-1] == '-' || i+1 == len(s) || label > maxLabel:
			return false
		case c == '.':
			label = 0
		case s[i+1] == '.':
			return false
		default:
			label++
		}
	}
	return label > 0 && label <= maxLabel && len(s) <= maxHost
}

// hostLabel checks a label and returns it in Unicode, and its length in ASCII.
func hostLabel(s string, international bool) (text string, length int, ok bool) {
	switch {
	case !isASCII(s):
		if !international || !utf8.ValidString(s) || !isULabel(s) {
			return "", 0, false
		}
		length = len(acePrefix) + len(encodePunycode(s))
		return s, length, length <= maxLabel
	case !isLDH(s):
		return "", 0, false
	case len(s) > len(acePrefix) && strings.EqualFold(s[:len(acePrefix)], acePrefix):
		text, ok = decodeALabel(s[len(acePrefix):])
		return text, len(s), ok
	}
	return s, len(s), true
}

// acePrefix begins an A-label.
const acePrefix = "xn--"

// isLDH reads letters, digits and hyphens with no hyphen at either end.
func isLDH(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !ldhSet[s[i]] {
			return false
		}
	}
	return true
}

var ldhSet = byteSet("-" + alphanumeric)

// decodeALabel returns the U-label behind the prefix of an A-label, which must be
// the only A-label for it.
func decodeALabel(s string) (string, bool) {
	s = strings.ToLower(s)
	text, ok := decodePunycode(s)
	if !ok || isASCII(text) || !isULabel(text) || encodePunycode(text) != s {
		return "", false
	}
	return text, true
}
