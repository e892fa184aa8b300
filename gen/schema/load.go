package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A Source is a folder of event schemas, or a folder with a single one. Every
// .json, .yaml and .yml file in it is read, at any depth; names that begin
// with a dot are passed over, symbolic links are refused.
type Source struct {
	FS    fs.FS
	Name  string // how the user wrote it: the prefix of positions
	Place string // where it is; relative references between sources go by that. Defaults to Name
}

// A RefRoot serves the references below a URI from a folder. A file in it is
// read when a reference leads to it: by its path behind the prefix (.json,
// .yaml and .yml may be left out), or by the $id that it declares.
type RefRoot struct {
	Prefix string // http://schemas.example.com/
	FS     fs.FS
	Name   string // how the user wrote it: the prefix of positions
}

// Options tell Load what the files alone do not.
type Options struct {
	RefRoots []RefRoot // the longest matching prefix wins
	Default  Draft     // of files without $schema; defaults to Draft2020
	Limits   Limits
	// AssertFormat makes format a rule in every dialect. Defaults to false: it is
	// one where the dialect's vocabularies say so.
	AssertFormat bool
	// Formats are names of formats that are no mistake, beside those of the drafts.
	Formats []string
}

// Load reads all schema files of the sources and whatever their references
// reach. A reference leads to a file of the sources, to a reference root, or
// to a metaschema of the drafts, which are built in; nothing else is ever
// opened. Sources whose places have a common parent see each other by relative
// paths.
//
// The diagnostics are sorted by place and each stands there once. When one of
// them is an error the Set is nil: half of the schemas would be half of the
// truth. No file at all is an error.
func Load(sources []Source, opts Options) (*Set, []Diagnostic) {
	l := newLoader(opts)
	for i, s := range sources {
		l.readSource(s, sourceBase(sources, i))
	}
	if len(l.docs) == 0 && !l.rep.failed() {
		l.rep.errorf(Position{File: sourceNames(sources), Line: 1, Column: 1}, "", "no .json, .yaml or .yml file found")
	}
	// The list grows while references reach new documents; those are built
	// where they are reached.
	for _, doc := range slices.Clone(l.docs) {
		l.buildDocument(doc, l.draftDialect(l.opts.Default))
	}
	l.resolveRefs()
	l.bindDynamicAnchors()
	l.checkMetaschemas()
	if !l.rep.failed() {
		l.checkCycles()
		l.warn()
	}
	if l.rep.failed() {
		return nil, l.rep.sorted()
	}
	return l.set(), l.rep.sorted()
}

// loader is the state of one Load.
type loader struct {
	opts      Options
	rep       report
	keywords  map[string]keyword
	docs      []*document                // all that were parsed, in the order of reading
	byURI     map[string]*document       // the same by retrieval URI and by $id of the root
	broken    map[string]bool            // retrieval URIs of files that do not parse
	links     map[string]string          // names of symbolic links, by the URIs that they would have
	roots     []*refRoot                 // longest prefix first
	resources map[string]*resource       // by URI
	places    map[*Node]*place           // the schemas that were built
	refs      []pendingRef               // not yet resolved
	dialects  map[string]*dialect        // of metaschemas that are not built in
	patterns  map[string]translation     // by source text
	indexes   map[*Node]map[string]*Node // the members of wide objects
	// patternSize is about the instructions of all patterns.
	patternSize int
}

func newLoader(opts Options) *loader {
	opts.Limits = opts.Limits.withDefaults()
	if opts.Default == 0 {
		opts.Default = Draft2020
	}
	l := &loader{
		opts:      opts,
		keywords:  keywordTable(),
		byURI:     map[string]*document{},
		broken:    map[string]bool{},
		links:     map[string]string{},
		resources: map[string]*resource{},
		places:    map[*Node]*place{},
		dialects:  map[string]*dialect{},
		patterns:  map[string]translation{},
		indexes:   map[*Node]map[string]*Node{},
	}
	l.roots = newRefRoots(opts.RefRoots, &l.rep)
	return l
}

func (l *loader) set() *Set {
	set := &Set{}
	for _, d := range l.docs {
		if d.file.Root != nil {
			set.Files = append(set.Files, d.file)
		}
	}
	slices.SortStableFunc(set.Files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	return set
}

// readSource parses every schema file of s.
func (l *loader) readSource(s Source, base *url.URL) {
	if s.FS == nil {
		l.rep.errorf(filePosition(s.Name, "."), "", "the source has no folder")
		return
	}
	err := fs.WalkDir(s.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			l.rep.errorf(filePosition(s.Name, name), "", "%s", plainError(err))
			return nil
		}
		return l.visit(s, base, name, entry)
	})
	if err != nil {
		l.rep.errorf(filePosition(s.Name, "."), "", "%v", err)
	}
}

func (l *loader) visit(s Source, base *url.URL, name string, entry fs.DirEntry) error {
	skipped := name != "." && Skips(entry)
	switch {
	case skipped && entry.IsDir():
		return fs.SkipDir
	case skipped || entry.IsDir():
		return nil
	case entry.Type()&fs.ModeSymlink != 0:
		l.refuseLink(s, below(base, name), name)
		return nil
	case !entry.Type().IsRegular():
		l.rep.errorf(filePosition(s.Name, name), "", "is not a regular file")
		return nil
	case len(l.docs) >= l.opts.Limits.Files:
		return fmt.Errorf("more than %d schema files", l.opts.Limits.Files)
	}
	uri := below(base, name)
	if l.byURI[uri.String()] == nil && !l.broken[uri.String()] {
		l.readFile(s.FS, name, s.Name, uri, true)
	}
	return nil
}

// Skips reports an entry of a Source that is passed over without a word: its name
// begins with a dot, or it is a file of another kind.
func Skips(entry fs.DirEntry) bool {
	link := entry.Type()&fs.ModeSymlink != 0
	return strings.HasPrefix(entry.Name(), ".") || !entry.IsDir() && !link && !IsSchemaFile(entry.Name())
}

// refuseLink reports a link that hides a schema. One to a folder might, and so
// might one that leads out of the source, where nobody looks what it leads to.
func (l *loader) refuseLink(s Source, uri *url.URL, name string) {
	pos := filePosition(s.Name, name)
	l.links[uri.String()] = pos.File
	if IsSchemaFile(name) {
		l.rep.errorf(pos, "", "is a symbolic link, which could lead anywhere; put the file itself here")
		return
	}
	switch info, err := fs.Stat(s.FS, name); {
	case err == nil && info.IsDir():
		l.rep.warnf(pos, "", "is a symbolic link to a folder and was passed over; put the folder itself here")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		l.rep.warnf(pos, "", "is a symbolic link out of the folder and was passed over; if schemas are behind it, put them here")
	}
}

// linkOnTheWay returns the symbolic link that a path to u would go through, or "".
func (l *loader) linkOnTheWay(u *url.URL) string {
	if u == nil {
		return ""
	}
	for p := path.Clean("/" + u.Path); p != "/"; p = path.Dir(p) {
		at := *withoutFragment(u)
		at.Path, at.RawPath = p, ""
		if name, ok := l.links[at.String()]; ok {
			return name
		}
	}
	return ""
}

// IsSchemaFile reports a name with one of the extensions of schemas.
func IsSchemaFile(name string) bool {
	switch extension(name) {
	case ".json", ".yaml", ".yml":
		return true
	}
	return false
}

// extension tells what a file is; .JSON is .json.
func extension(name string) string { return strings.ToLower(path.Ext(name)) }

func filePosition(root, name string) Position {
	return Position{File: path.Join(root, name), Line: 1, Column: 1}
}

func sourceNames(sources []Source) string {
	var names []string
	for _, s := range sources {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// plainError is err without the path that the position names already.
func plainError(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// readAll reads at most limit bytes.
func readAll(fsys fs.FS, name string, limit int) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("is not a regular file"))
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("is larger than %d bytes", limit)
	}
	return b, err
}
