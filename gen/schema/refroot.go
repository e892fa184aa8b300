package schema

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

// refRoot is a reference root and what is known of its folder.
type refRoot struct {
	RefRoot
	base  *url.URL
	files map[string]bool // regular files, listed at the first use
	links map[string]bool // symbolic links, likewise
	ids   map[string]string
}

func newRefRoots(roots []RefRoot, rep *report) []*refRoot {
	var list []*refRoot
	for _, r := range roots {
		u, err := url.Parse(r.Prefix)
		if err != nil || r.FS == nil || !u.IsAbs() || u.Opaque != "" || u.Fragment != "" || u.RawQuery != "" {
			rep.errorf(filePosition(r.Name, "."), "", "the prefix %s of a reference root must be an absolute URI without query and fragment, and have a folder", quote(r.Prefix))
			continue
		}
		if !strings.HasSuffix(u.Path, "/") {
			u.Path += "/"
		}
		if i := slices.IndexFunc(list, func(other *refRoot) bool { return documentURI(other.base) == documentURI(u) }); i >= 0 {
			rep.errorf(filePosition(r.Name, "."), "", "the prefix %s is served from %s already; put the files into one folder", quote(r.Prefix), list[i].Name)
			continue
		}
		list = append(list, &refRoot{RefRoot: r, base: u})
	}
	slices.SortStableFunc(list, func(a, b *refRoot) int {
		return len(documentURI(b.base)) - len(documentURI(a.base))
	})
	return list
}

// refRootDocument reads the file that a reference root has for u, or returns
// nil when none has one.
func (l *loader) refRootDocument(u *url.URL) *document {
	r := l.refRootOf(u)
	if r == nil {
		return nil
	}
	if name := r.find(r.rest(u)); name != "" {
		return l.readFile(r.FS, name, r.Name, withoutFragment(u), false)
	}
	return nil
}

// refRootOf returns the reference root that u is below, the one with the longest
// prefix; nil when there is none.
func (l *loader) refRootOf(u *url.URL) *refRoot {
	for _, r := range l.roots {
		if strings.HasPrefix(documentURI(u), documentURI(r.base)) {
			return r
		}
	}
	return nil
}

// find returns the path of the file for the part of a URI behind the prefix.
// Only names that were listed are ever opened, so upper and lower case matter
// and dots, links and backslashes lead nowhere.
func (r *refRoot) find(rest string) string {
	name, err := url.PathUnescape(rest)
	if err != nil {
		return ""
	}
	r.list()
	for _, ext := range extensions {
		if r.files[name+ext] {
			return name + ext
		}
	}
	return ""
}

// extensions may be left out in a URI.
var extensions = []string{"", ".json", ".yaml", ".yml"}

// linkOnTheWay returns the symbolic link that a path to u would go through, or "".
func (r *refRoot) linkOnTheWay(u *url.URL) string {
	if r == nil {
		return ""
	}
	rest, err := url.PathUnescape(r.rest(u))
	if err != nil {
		return ""
	}
	r.list()
	for name := rest; name != "." && name != "/"; name = path.Dir(name) {
		for _, ext := range extensions {
			if r.links[name+ext] {
				return path.Join(r.Name, name+ext)
			}
		}
	}
	return ""
}

// rest is the part of u behind the prefix.
func (r *refRoot) rest(u *url.URL) string {
	return strings.TrimPrefix(documentURI(u), documentURI(r.base))
}

// maxListed bounds the listing of a reference root.
const maxListed = 200_000

var errListed = errors.New("listed enough")

func (r *refRoot) list() {
	if r.files != nil {
		return
	}
	r.files, r.links = map[string]bool{}, map[string]bool{}
	// What cannot be listed is not served; a reference to it says so.
	_ = fs.WalkDir(r.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if len(r.files) >= maxListed {
			return errListed
		}
		switch {
		case entry.Type().IsRegular():
			r.files[name] = true
		case entry.Type()&fs.ModeSymlink != 0:
			r.links[name] = true
		}
		return nil
	})
}

// declaredDocument returns the document of a reference root whose root
// declares uri with $id. It reads all schema files of the roots once; those
// that do not parse declare nothing.
func (l *loader) declaredDocument(uri string) *document {
	for _, r := range l.roots {
		if r.ids == nil {
			r.ids = l.declaredIDs(r)
		}
		name, ok := r.ids[uri]
		if !ok {
			continue
		}
		found := below(r.base, name)
		if doc := l.byURI[found.String()]; doc != nil {
			return doc
		}
		return l.readFile(r.FS, name, r.Name, found, false)
	}
	return nil
}

func (l *loader) declaredIDs(r *refRoot) map[string]string {
	r.list()
	names := make([]string, 0, len(r.files))
	for name := range r.files {
		if IsSchemaFile(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	ids := map[string]string{}
	for _, name := range names[:min(len(names), l.opts.Limits.Files)] {
		if id := l.declaredID(r, name); id != "" && ids[id] == "" {
			ids[id] = name
		}
	}
	return ids
}

func (l *loader) declaredID(r *refRoot, name string) string {
	src, err := readAll(r.FS, name, l.opts.Limits.FileBytes)
	if err != nil {
		return ""
	}
	quiet := loader{opts: l.opts}
	root := quiet.parse(src, path.Join(r.Name, name))
	if root == nil {
		return ""
	}
	return rootID(&document{root: root, uri: below(r.base, name)})
}
