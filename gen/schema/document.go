package schema

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A document is one parsed file.
type document struct {
	file  *File
	name  string // as in positions
	root  *Node
	uri   *url.URL // where it was found, whatever its $id says
	built bool
}

// uriScheme is the scheme of files that declare no $id. It is no scheme that
// anybody else uses, and tells nothing about the machine.
const uriScheme = "schema"

// sourceBase is the URI of the i-th source's root: its place below the common
// parent of all sources, so that relative references between them work.
func sourceBase(sources []Source, i int) *url.URL {
	parent := splitPlace(sources[i])
	for _, s := range sources {
		parent = commonPrefix(parent, splitPlace(s))
	}
	rest := splitPlace(sources[i])[len(parent):]
	base := &url.URL{Scheme: uriScheme, Path: "/"}
	if slices.Contains(rest, "..") || slices.Contains(rest, "") {
		base.Host = strconv.Itoa(i + 1)
		return base
	}
	return below(base, path.Join(rest...))
}

// splitPlace splits a source's place into its segments; an absolute one begins
// with an empty segment.
func splitPlace(s Source) []string {
	place := path.Clean(strings.ReplaceAll(cmp.Or(s.Place, s.Name), `\`, "/"))
	if place == "." {
		return nil
	}
	return strings.Split(strings.TrimSuffix(place, "/"), "/")
}

func commonPrefix(a, b []string) []string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// readFile reads and parses one file and registers it under uri. It returns
// nil after reporting an error.
func (l *loader) readFile(fsys fs.FS, name, root string, uri *url.URL, event bool) *document {
	pos := filePosition(root, name)
	src, err := readAll(fsys, name, l.opts.Limits.FileBytes)
	if err != nil {
		l.rep.errorf(pos, "", "%s", plainError(err))
		l.broken[uri.String()] = true
		return nil
	}
	file := &File{Path: name, Event: event}
	return l.parseDocument(src, file, pos.File, uri)
}

func (l *loader) parseDocument(src []byte, file *File, name string, uri *url.URL) *document {
	root := l.parse(src, name)
	if root == nil {
		l.broken[uri.String()] = true
		return nil
	}
	sum := sha256.Sum256(src)
	file.Hash = hex.EncodeToString(sum[:])
	file.URI = uri.String()
	doc := &document{file: file, name: name, root: root, uri: uri}
	l.docs = append(l.docs, doc)
	l.byURI[uri.String()] = doc
	if id := rootID(doc); id != "" && l.byURI[id] == nil {
		l.byURI[id] = doc
	}
	return doc
}

// rootID is the URI that the document's root declares with $id, or "".
func rootID(doc *document) string {
	id := doc.root.Member("$id")
	if id == nil || id.Kind != String {
		return ""
	}
	u, err := resolveURI(doc.uri, id.Text)
	if err != nil {
		return ""
	}
	return documentURI(u)
}

// Parse reads one JSON text, or YAML when the name ends so, into located values. With
// an error among the diagnostics the Node is nil.
func Parse(src []byte, name string) (*Node, []Diagnostic) {
	l := newLoader(Options{})
	n := l.parse(src, name)
	if l.rep.failed() {
		n = nil
	}
	return n, l.rep.sorted()
}

func (l *loader) parse(src []byte, name string) *Node {
	switch extension(name) {
	case ".yaml", ".yml":
		return parseYAML(src, name, l.opts.Limits, &l.rep)
	}
	return parseJSON(src, name, l.opts.Limits, &l.rep)
}

// buildDocument builds the schemas of doc, in dialect d unless it names
// its own; a second call does nothing.
func (l *loader) buildDocument(doc *document, d *dialect) {
	if doc.built {
		return
	}
	doc.built = true
	sc := scope{doc: doc, dialect: d}
	doc.file.Root = l.schema(doc.root, "", sc)
	doc.file.URI = doc.file.Root.Resource.URI
}
