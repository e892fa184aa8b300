package emit

import (
	"go/token"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"
)

// Text of a schema enters Go in two ways only: as a string through jen.Lit, and
// as a comment through comment. Identifiers come from the model and are checked
// by id.

// id is an identifier of the generated package. It panics on anything else,
// which Render turns into an error.
func id(name string) *jen.Statement {
	if !token.IsIdentifier(name) {
		panic("emit: not an identifier: " + name)
	}
	return jen.Id(name)
}

// Widths of comments, in bytes.
const (
	commentWidth = 77
	commentLimit = 4000 // of one paragraph
)

// comment yields the paragraphs as lines that each begin with "// ", so that no
// text can end the comment or be taken for a directive.
func comment(paragraphs ...string) *jen.Statement {
	s := jen.Null()
	first := true
	line := func(text string) {
		if !first {
			s.Line()
		}
		first = false
		s.Comment(strings.TrimRight("// "+text, " "))
	}
	for i, p := range paragraphs {
		if i > 0 {
			line("")
		}
		for _, l := range wrap(p) {
			line(l)
		}
	}
	return s
}

// wrap breaks text into lines at white space. Line breaks of the text stay.
func wrap(text string) []string {
	if len(text) > commentLimit {
		text = strings.ToValidUTF8(text[:commentLimit], "") + " …"
	}
	var lines []string
	for _, raw := range strings.FieldsFunc(text, isLineBreak) {
		line := ""
		for _, word := range strings.Fields(printable(raw)) {
			if line != "" && len(line)+1+len(word) > commentWidth {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func isLineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// printable replaces what a reader could not see or be misled by: control
// characters, byte order marks, marks that change the direction of writing.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, text)
}
