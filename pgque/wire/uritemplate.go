package wire

import (
	"strings"
	"unicode/utf8"
)

// FormatURITemplate is the format uri-template: URI-Template of RFC 6570, of any
// level, with the operators that are reserved for later ones.
func FormatURITemplate(s string) bool {
	for s != "" {
		literal, rest, expression := strings.Cut(s, "{")
		if !isTemplateLiteral(literal) {
			return false
		}
		if !expression {
			return true
		}
		inside, behind, closed := strings.Cut(rest, "}")
		if !closed || !isTemplateExpression(inside) {
			return false
		}
		s = behind
	}
	return true
}

// isTemplateLiteral takes the characters of a URI and, to be encoded, those of an
// IRI; the apostrophe is one of them (erratum 6937).
func isTemplateLiteral(s string) bool {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '%':
			if !isEncoded(s[i:]) {
				return false
			}
		case r < utf8.RuneSelf:
			if r <= ' ' || strings.ContainsRune("\"<>\\^`{|}\x7F", r) {
				return false
			}
		case size == 1 || !isUcschar(r) && !isPrivate(r):
			return false
		}
		i += size
	}
	return true
}

// isTemplateExpression reads [operator] variable *("," variable).
func isTemplateExpression(s string) bool {
	if s != "" && strings.IndexByte("+#./;?&=,!@|", s[0]) >= 0 {
		s = s[1:]
	}
	for more := true; more; {
		var variable string
		variable, s, more = strings.Cut(s, ",")
		if !isTemplateVariable(variable) {
			return false
		}
	}
	return true
}

// isTemplateVariable reads a name and a modifier: *, or a colon and a length from
// 1 to 9999.
func isTemplateVariable(s string) bool {
	name, length, prefixed := strings.Cut(s, ":")
	if prefixed {
		return isVariableName(name) && len(length) >= 1 && len(length) <= 4 &&
			length[0] != '0' && strings.Trim(length, "0123456789") == ""
	}
	return isVariableName(strings.TrimSuffix(s, "*"))
}

var variableSet = byteSet("_" + alphanumeric)

// isVariableName reads characters and percent-encoded bytes with single dots
// between them.
func isVariableName(s string) bool {
	dot := true // a dot may not come now
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case variableSet[c]:
			dot = false
		case c == '%' && isEncoded(s[i:]):
			i += 2
			dot = false
		case c == '.' && !dot:
			dot = true
		default:
			return false
		}
	}
	return !dot
}
