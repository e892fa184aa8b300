package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseYAML parses one YAML document into what JSON could have said: names are
// strings, numbers are written as JSON writes them, and there are no tags but
// those of JSON's types. Aliases are copies of what they stand for. It reports
// errors and returns nil after the first that leaves no tree.
func parseYAML(src []byte, file string, limits Limits, rep *report) *Node {
	p := &yamlParser{lines: newYAMLLines(src), file: file, limits: limits, report: rep, open: map[*yaml.Node]bool{}}
	root := p.document(src)
	if root == nil {
		return nil
	}
	n := p.node(root)
	if p.broken {
		return nil
	}
	return n
}

type yamlParser struct {
	lines  *yamlLines
	file   string
	depth  int
	nodes  int
	limits Limits
	report *report
	broken bool
	open   map[*yaml.Node]bool // the nodes around the current one
}

func (p *yamlParser) failf(pos Position, format string, args ...any) {
	if !p.broken {
		p.report.errorf(pos, "", format, args...)
	}
	p.broken = true
}

// document reads the only document of src.
func (p *yamlParser) document(src []byte) *yaml.Node {
	start := Position{File: p.file, Line: 1, Column: 1}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		p.failf(start, "starts with a byte order mark; save the file as UTF-8 without one")
		return nil
	}
	if !utf8.Valid(src) {
		p.failf(invalidUTF8(src, p.file), "invalid UTF-8")
		return nil
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(src))
	if err := decodeYAML(d, &doc); err != nil {
		p.syntaxError(err)
		return nil
	}
	switch err := decodeYAML(d, &second); {
	case errors.Is(err, io.EOF):
	case err != nil && strings.HasSuffix(err.Error(), "<document start>"):
		p.syntaxError(errors.New("there is more text behind the end of the schema"))
		return nil
	case err != nil:
		p.syntaxError(err)
		return nil
	default:
		pos := Position{File: p.file, Line: max(second.Line, 1), Column: max(second.Column, 1)}
		p.failf(pos, "more than one YAML document; put each into a file of its own")
		return nil
	}
	return doc.Content[0]
}

// decodeYAML keeps a panic of the library from the caller.
func decodeYAML(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return d.Decode(n)
}

func invalidUTF8(src []byte, file string) Position {
	pos := Position{File: file, Line: 1, Column: 1}
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		if r == utf8.RuneError && n <= 1 {
			break
		}
		pos.Column += n
		if r == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
		src = src[n:]
	}
	return pos
}

func (p *yamlParser) pos(n *yaml.Node) Position {
	return Position{File: p.file, Line: n.Line, Column: p.lines.column(n.Line, n.Column)}
}

func (p *yamlParser) node(y *yaml.Node) *Node {
	pos := p.pos(y)
	n := &Node{Pos: pos}
	p.depth++
	defer func() { p.depth-- }()
	p.nodes++
	switch {
	case p.broken:
	case p.depth > p.limits.Depth:
		p.failf(pos, "nested deeper than %d levels", p.limits.Depth)
	case p.nodes > p.limits.Nodes:
		p.failf(pos, "more than %d values in one file, with aliases written out", p.limits.Nodes)
	case p.open[y]:
		p.failf(pos, "the alias stands for a value around itself; use $ref")
	case y.Kind == yaml.AliasNode:
		p.depth--
		n = p.node(y.Alias)
		p.depth++
	case y.Kind == yaml.ScalarNode:
		p.scalar(n, y)
	default:
		p.collection(n, y)
	}
	return n
}

func (p *yamlParser) collection(n *Node, y *yaml.Node) {
	p.open[y] = true
	defer delete(p.open, y)
	n.Kind = Array
	if y.Kind == yaml.MappingNode {
		n.Kind = Object
	}
	if tag := y.ShortTag(); tag != "!!map" && tag != "!!seq" {
		p.failf(n.Pos, "the tag %s has no equivalent in JSON", quote(tag))
		return
	}
	if n.Kind == Object {
		p.mapping(n, y)
		return
	}
	for _, item := range y.Content {
		n.Items = append(n.Items, p.node(item))
	}
}

func (p *yamlParser) mapping(n *Node, y *yaml.Node) {
	seen := map[string]Position{}
	for i := 0; i+1 < len(y.Content) && !p.broken; i += 2 {
		name := p.name(y.Content[i])
		value := p.node(y.Content[i+1])
		if name != nil {
			n.addMember(Member{Name: name.Text, Pos: name.Pos, Value: value}, seen, p.report)
		}
	}
}

// name reads the name of a member.
func (p *yamlParser) name(y *yaml.Node) *Node {
	pos := p.pos(y)
	if y.Kind == yaml.ScalarNode && y.Value == "<<" && y.Style == 0 {
		p.failf(pos, "merge keys have no equivalent in JSON; use $ref or allOf")
		return nil
	}
	n := p.node(y)
	if !p.broken && n.Kind != String {
		p.failf(pos, "a member name must be a string, not %s; put it in quotes", kindName(n))
	}
	return n
}

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	yamlWords  = map[string]Node{
		"": {Kind: Null}, "~": {Kind: Null}, "null": {Kind: Null}, "Null": {Kind: Null}, "NULL": {Kind: Null},
		"true": {Kind: Boolean, Text: "true"}, "True": {Kind: Boolean, Text: "true"}, "TRUE": {Kind: Boolean, Text: "true"},
		"false": {Kind: Boolean, Text: "false"}, "False": {Kind: Boolean, Text: "false"}, "FALSE": {Kind: Boolean, Text: "false"},
	}
)

// scalar follows YAML 1.2's core schema, with numbers in JSON's spelling only;
// what older YAML reads as a date is a string.
func (p *yamlParser) scalar(n *Node, y *yaml.Node) {
	n.Kind, n.Text = String, y.Value
	tagged := y.Style&yaml.TaggedStyle != 0
	if y.Style&^yaml.TaggedStyle == 0 && !(tagged && y.Tag == "!!str") {
		p.plainScalar(n, y)
	}
	want, known := map[string]Kinds{"!!str": String, "!!int": Number, "!!float": Number, "!!bool": Boolean, "!!null": Null}[y.ShortTag()]
	if tagged && (!known || n.Kind != want) && !p.broken {
		p.failf(n.Pos, "the tag %s has no equivalent in JSON here", quote(y.ShortTag()))
	}
}

func (p *yamlParser) plainScalar(n *Node, y *yaml.Node) {
	if word, ok := yamlWords[y.Value]; ok {
		n.Kind, n.Text = word.Kind, word.Text
		return
	}
	if jsonNumber.MatchString(y.Value) {
		n.Kind = Number
		return
	}
	if tag := y.ShortTag(); tag == "!!int" || tag == "!!float" {
		p.failf(n.Pos, "the number %s is not written as JSON writes it; write it in decimal, or in quotes if it is a string", quote(y.Value))
	}
}

// yamlLines turns the library's columns, which count characters, into bytes.
// Positions of one line are mostly asked for from left to right.
type yamlLines struct {
	src     []byte
	starts  []int
	line    int // the line of the position below
	reached int // its column in characters
	offset  int
}

func newYAMLLines(src []byte) *yamlLines {
	l := &yamlLines{src: src, starts: []int{0}}
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		i += n
		switch {
		case r == '\r' && i < len(src) && src[i] == '\n':
		case r == '\r', r == '\n', r == 0x85, r == 0x2028, r == 0x2029:
			l.starts = append(l.starts, i)
		}
	}
	return l
}

func (l *yamlLines) column(line, column int) int {
	if line < 1 || line > len(l.starts) {
		return max(column, 1)
	}
	if l.line != line || column < l.reached {
		l.line, l.reached, l.offset = line, 1, l.starts[line-1]
	}
	for ; l.reached < column && l.offset < len(l.src); l.reached++ {
		_, n := utf8.DecodeRune(l.src[l.offset:])
		l.offset += n
	}
	return l.offset - l.starts[line-1] + 1
}
