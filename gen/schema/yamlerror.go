package schema

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntaxError reports what the library has to say. It names the line of an error
// in a word, but of one in the structure only where the structure begins, and of
// an unknown alias none at all; the line behind all that is well is later then, and
// nearer.
func (p *yamlParser) syntaxError(err error) {
	message := err.Error()
	if errors.Is(err, io.EOF) {
		p.failf(Position{File: p.file, Line: 1, Column: 1}, "the file is empty, want a schema")
		return
	}
	line := 1
	if m := yamlErrorLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	line = max(line, p.lines.good()+1)
	column, tab := p.lines.indent(line)
	if tab {
		message = "indented with a tab; use spaces"
	}
	p.failf(Position{File: p.file, Line: line, Column: column}, "%s", strings.TrimPrefix(message, "yaml: "))
}

// The search for the good lines is bounded: this many tries at each grain, in a
// file of that size at most.
const (
	yamlTries     = 16
	yamlSearchMax = 256 << 10
)

// good returns how many lines at the beginning of the file are a document of
// their own. It looks coarsely first, then finely behind the last place that
// was good: half a structure of many lines is as bad as a wrong one.
func (l *yamlLines) good() int {
	if len(l.src) > yamlSearchMax {
		return 0
	}
	good, bad := 0, len(l.starts)
	for step := bad; step > 1; bad = min(bad, good+step) {
		step = max((bad-good)/yamlTries, 1)
		for n := bad - 1; n > good; n -= step {
			var doc yaml.Node
			err := decodeYAML(yaml.NewDecoder(bytes.NewReader(l.src[:l.starts[n]])), &doc)
			if err == nil || errors.Is(err, io.EOF) {
				good = n
			}
		}
	}
	return good
}

// indent returns the column of the first character behind the white space that a
// line begins with, and whether a tab is in that.
func (l *yamlLines) indent(line int) (column int, tab bool) {
	if line > len(l.starts) {
		return 1, false
	}
	text := l.src[l.starts[line-1]:]
	space := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
	return len(space) + 1, bytes.IndexByte(space, '\t') >= 0
}
