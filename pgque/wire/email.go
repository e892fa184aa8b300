package wire

import (
	"strings"
	"unicode/utf8"
)

// FormatEmail is the format email: Mailbox of RFC 5321 section 4.1.2.
func FormatEmail(s string) bool { return mailbox(s, false) }

// FormatIDNEmail is the format idn-email: Mailbox as RFC 6531 section 3.3 extends
// it.
func FormatIDNEmail(s string) bool { return mailbox(s, true) }

// maxLocal is the longest local part, in bytes (RFC 5321 section 4.5.3.1.1).
const maxLocal = 64

func mailbox(s string, international bool) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > maxLocal {
		return false
	}
	return localPart(s[:at], international) && mailDomain(s[at+1:], international)
}

// mailDomain is a host name or an address literal. Of the general address
// literals only IPv6 is registered.
func mailDomain(s string, international bool) bool {
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		if tag := "IPv6:"; len(literal) > len(tag) && strings.EqualFold(literal[:len(tag)], tag) {
			return ok && FormatIPv6(literal[len(tag):])
		}
		return ok && FormatIPv4(literal)
	}
	if international {
		return FormatIDNHostname(s)
	}
	return FormatHostname(s)
}

func localPart(s string, international bool) bool {
	if s[0] == '"' {
		return quotedLocal(s, international)
	}
	dot := true // a dot may not come now
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.' && dot:
			return false
		case c == '.':
			dot = true
		case atext[c] || c >= utf8.RuneSelf && international:
			dot = false
		default:
			return false
		}
	}
	return !dot && (!international || utf8.ValidString(s))
}

// atext holds the ASCII characters of an atom of RFC 5322.
var atext = byteSet("!#$%&'*+-/=?^_`{|}~" + alphanumeric)

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func byteSet(s string) *[256]bool {
	var t [256]bool
	for i := 0; i < len(s); i++ {
		t[s[i]] = true
	}
	return &t
}

// quotedLocal is Quoted-string of RFC 5321.
func quotedLocal(s string, international bool) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			if i++; i == len(s) || s[i] < ' ' || s[i] > '~' {
				return false
			}
		case c == '"', c < ' ', c == 0x7F, c >= utf8.RuneSelf && !international:
			return false
		}
	}
	return !international || utf8.ValidString(s)
}
