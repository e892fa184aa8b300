package wire

import (
	"strings"
	"unicode/utf8"
)

// FormatURI is the format uri: URI of RFC 3986, with a scheme.
func FormatURI(s string) bool { return ascii.reference(s, true) }

// FormatURIReference is the format uri-reference: URI-reference of RFC 3986.
func FormatURIReference(s string) bool { return ascii.reference(s, false) }

// FormatIRI is the format iri: IRI of RFC 3987, with a scheme.
func FormatIRI(s string) bool { return international.reference(s, true) }

// FormatIRIReference is the format iri-reference: IRI-reference of RFC 3987.
func FormatIRIReference(s string) bool { return international.reference(s, false) }

// uriGrammar is the grammar of RFC 3986, or with wide that of RFC 3987, which
// lets more characters in.
type uriGrammar struct {
	wide bool
}

var ascii, international = uriGrammar{}, uriGrammar{wide: true}

const (
	subDelims  = "!$&'()*+,;="
	unreserved = "-._~" + alphanumeric
)

var (
	schemeSet   = byteSet("+-." + alphanumeric)
	userinfoSet = byteSet(unreserved + subDelims + ":")
	hostSet     = byteSet(unreserved + subDelims)
	pathSet     = byteSet(unreserved + subDelims + ":@/")
	querySet    = byteSet(unreserved + subDelims + ":@/?")
)

// reference reads [scheme ":"] hierarchy ["?" query] ["#" fragment].
func (g uriGrammar) reference(s string, absolute bool) bool {
	s, fragment, _ := strings.Cut(s, "#")
	s, query, _ := strings.Cut(s, "?")
	if !g.all(fragment, querySet, false) || !g.all(query, querySet, true) {
		return false
	}
	if scheme, rest, ok := cutScheme(s); ok {
		return isScheme(scheme) && g.hierarchy(rest)
	}
	return !absolute && g.hierarchy(s)
}

// cutScheme cuts at a colon in the first segment: what has one there and is no
// scheme is nothing at all.
func cutScheme(s string) (scheme, rest string, ok bool) {
	i := strings.IndexAny(s, ":/")
	if i < 0 || s[i] == '/' {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func isScheme(s string) bool {
	if s == "" || !isLetter(s[0]) {
		return false
	}
	return ascii.all(s, schemeSet, false)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// hierarchy reads ["//" authority] path.
func (g uriGrammar) hierarchy(s string) bool {
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		authority, path := rest, ""
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			authority, path = rest[:i], rest[i:]
		}
		return g.authority(authority) && g.all(path, pathSet, false)
	}
	return g.all(s, pathSet, false)
}

// authority reads [userinfo "@"] host [":" port].
func (g uriGrammar) authority(s string) bool {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		if !g.all(s[:i], userinfoSet, false) {
			return false
		}
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		return end > 0 && isIPLiteral(s[1:end]) && isPort(s[end+1:])
	}
	port := ""
	if i := strings.IndexByte(s, ':'); i >= 0 {
		s, port = s[:i], s[i:]
	}
	return g.all(s, hostSet, false) && isPort(port)
}

// isPort reads nothing, or a colon and any number of digits.
func isPort(s string) bool {
	if s == "" {
		return true
	}
	return s[0] == ':' && strings.Trim(s[1:], "0123456789") == ""
}

// isIPLiteral reads an IPv6 address or IPvFuture.
func isIPLiteral(s string) bool {
	if s == "" || s[0]|0x20 != 'v' {
		return FormatIPv6(s)
	}
	version, address, ok := strings.Cut(s[1:], ".")
	return ok && version != "" && strings.Trim(version, "0123456789abcdefABCDEF") == "" &&
		address != "" && strings.IndexByte(address, '%') < 0 && ascii.all(address, userinfoSet, false)
}

// all says whether s holds only percent-encoded bytes and characters of the set,
// and those beyond ASCII that the grammar lets in; private ones in queries only.
func (g uriGrammar) all(s string, set *[256]bool, private bool) bool {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case set[c]:
			i++
		case c == '%' && set != schemeSet:
			if !isEncoded(s[i:]) {
				return false
			}
			i += 3
		case c >= utf8.RuneSelf && g.wide:
			r, size := utf8.DecodeRuneInString(s[i:])
			if size == 1 || !isUcschar(r) && !(private && isPrivate(r)) {
				return false
			}
			i += size
		default:
			return false
		}
	}
	return true
}

// isEncoded says whether s begins with a percent-encoded byte.
func isEncoded(s string) bool {
	return len(s) >= 3 && s[0] == '%' && hexValue[s[1]] >= 0 && hexValue[s[2]] >= 0
}

// isUcschar is ucschar of RFC 3987.
func isUcschar(r rune) bool {
	switch {
	case r < 0x10000:
		return r >= 0xA0 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFEF
	case r&0xFFFF > 0xFFFD:
		return false
	}
	return r < 0xE0000 || r >= 0xE1000 && r < 0xF0000
}

// isPrivate is iprivate of RFC 3987.
func isPrivate(r rune) bool {
	return r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 && r&0xFFFF <= 0xFFFD
}
