package schema

import (
	"net/url"
	"slices"
	"strings"
)

// A resource is what is known of a Resource while references are resolved.
type resource struct {
	pub     *Resource
	base    *url.URL
	pos     Position // of its $id, or of its root
	root    *Node
	anchors map[string]anchor
}

// anchor is a schema that $anchor, $dynamicAnchor or a fragment in draft-07's
// $id names.
type anchor struct {
	node    *Node
	pos     Position
	dynamic bool
}

// scope is what a schema inherits from the schemas around it.
type scope struct {
	doc     *document
	res     *resource
	dialect *dialect
	// private tells a schema that only a reference made one: it lies where no
	// keyword puts a schema, so its $id and anchors are nobody's target.
	private bool
}

// place is a schema that was built, and the scope inside it.
type place struct {
	schema *Schema
	scope  scope
}

// identify returns the scope inside the schema object n: its own dialect and
// resource if it declares them. It registers URIs and anchors.
func (l *loader) identify(n *Node, pointer string, sc scope) scope {
	sc.dialect = l.ownDialect(n, pointer, sc)
	id := n.Member(sc.dialect.idKeyword())
	isRoot := sc.res == nil
	if isRoot {
		sc.res = &resource{pub: &Resource{URI: sc.doc.uri.String()}, base: sc.doc.uri, pos: n.Pos, root: n, anchors: map[string]anchor{}}
		l.register(sc.res.pub.URI, sc.res, n.Pos, pointer)
	}
	if id != nil && !l.isRefOnly(n, sc) {
		sc = l.identifyResource(n, id, pointer, sc, isRoot)
	}
	if sc.dialect.draft >= Draft2019 {
		l.identifyAnchors(n, pointer, sc)
	}
	return sc
}

// ownDialect honours $schema at the root of a document or of a resource.
func (l *loader) ownDialect(n *Node, pointer string, sc scope) *dialect {
	meta := n.Member("$schema")
	embedded := n.Member("$id") != nil || n.Member("id") != nil
	if meta == nil || sc.res != nil && !embedded {
		return sc.dialect
	}
	if d := l.dialectOf(meta, pointer+"/$schema"); d != nil {
		return d
	}
	return sc.dialect
}

// isRefOnly tells a schema object that is nothing but its $ref. A member named
// $ref that is no string is reported where keywords are read.
func (l *loader) isRefOnly(n *Node, sc scope) bool {
	return sc.dialect.refHidesSiblings() && n.Member("$ref") != nil
}

func (l *loader) identifyResource(n, id *Node, pointer string, sc scope, isRoot bool) scope {
	keyword := sc.dialect.idKeyword()
	pointer += "/" + keyword
	if id.Kind != String {
		l.rep.errorf(id.Pos, pointer, "%s must be a string, not %s", keyword, kindName(id))
		return sc
	}
	u, err := resolveURI(sc.res.base, id.Text)
	if err != nil {
		l.rep.errorf(id.Pos, pointer, "%s %s is no URI reference: %v", keyword, quote(id.Text), err)
		return sc
	}
	if u.Fragment != "" && sc.dialect.draft >= Draft2019 {
		l.rep.errorf(id.Pos, pointer, "$id %s must not have a fragment; use $anchor", quote(id.Text))
		return sc
	}
	if !strings.HasPrefix(id.Text, "#") {
		sc.res = l.newResource(n, id, u, pointer, sc, isRoot)
	}
	if u.Fragment != "" {
		l.addAnchor(sc, u.Fragment, anchor{node: n, pos: id.Pos}, pointer)
	}
	return sc
}

// newResource makes the resource that id declares at n. The root of a document
// keeps its resource and is found under both URIs.
func (l *loader) newResource(n, id *Node, u *url.URL, pointer string, sc scope, isRoot bool) *resource {
	uri := documentURI(u)
	res := sc.res
	if !isRoot {
		res = &resource{pub: &Resource{}, root: n, anchors: map[string]anchor{}}
	}
	res.pub.URI, res.base, res.pos = uri, withoutFragment(u), id.Pos
	if !sc.private {
		l.register(uri, res, id.Pos, pointer)
	}
	return res
}

func (l *loader) register(uri string, res *resource, pos Position, pointer string) {
	first := l.resources[uri]
	if first == nil || first == res {
		l.resources[uri] = res
		return
	}
	l.rep.errorf(pos, pointer, "the URI %s is taken by %s; an $id must be unique", quote(uri), first.pos)
}

func (l *loader) identifyAnchors(n *Node, pointer string, sc scope) {
	l.identifyAnchor(n, "$anchor", pointer, sc)
	if sc.dialect.draft >= Draft2020 {
		l.identifyAnchor(n, "$dynamicAnchor", pointer, sc)
	}
	if a := n.Member("$recursiveAnchor"); a != nil && sc.dialect.draft == Draft2019 {
		l.identifyRecursive(n, a, pointer+"/$recursiveAnchor", sc)
	}
}

func (l *loader) identifyAnchor(n *Node, keyword, pointer string, sc scope) {
	name := n.Member(keyword)
	if name == nil {
		return
	}
	pointer += "/" + keyword
	if name.Kind != String {
		l.rep.errorf(name.Pos, pointer, "%s must be a string", keyword)
		return
	}
	if !validAnchor(name.Text, sc.dialect.draft) {
		l.rep.errorf(name.Pos, pointer, "%s %s must begin with a letter and hold only letters, digits, '-', '_' and '.'", keyword, quote(name.Text))
		return
	}
	l.addAnchor(sc, name.Text, anchor{node: n, pos: name.Pos, dynamic: keyword == "$dynamicAnchor"}, pointer)
}

// validAnchor follows the metaschemas: 2019-09 allows ':' and 2020-12 allows a
// leading '_'.
func validAnchor(name string, draft Draft) bool {
	for i, c := range name {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		switch {
		case letter, c == '_' && (i > 0 || draft >= Draft2020):
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.'):
		case i > 0 && c == ':' && draft == Draft2019:
		default:
			return false
		}
	}
	return name != ""
}

func (l *loader) addAnchor(sc scope, name string, a anchor, pointer string) {
	if sc.private && sc.res.root != a.node {
		return
	}
	if first, taken := sc.res.anchors[name]; taken {
		l.rep.errorf(a.pos, pointer, "the anchor %s is taken by %s; an anchor must be unique in its resource", quote(name), first.pos)
		return
	}
	sc.res.anchors[name] = a
}

func (l *loader) identifyRecursive(n, value *Node, pointer string, sc scope) {
	switch {
	case value.Kind != Boolean:
		l.rep.errorf(value.Pos, pointer, "$recursiveAnchor must be true or false")
	case value.Text == "true" && sc.res.root == n:
		sc.res.pub.Recursive = true
	case value.Text == "true":
		l.rep.errorf(value.Pos, pointer, "$recursiveAnchor must stand at the root of a resource, beside $id or at the top of the file")
	}
}

// bindDynamicAnchors fills Resource.Root and Resource.DynamicAnchors.
func (l *loader) bindDynamicAnchors() {
	seen := map[*resource]bool{}
	for _, p := range l.places {
		if res := p.scope.res; res != nil && !seen[res] {
			seen[res] = true
			l.bindResource(res)
		}
	}
}

func (l *loader) bindResource(res *resource) {
	res.pub.Root = l.places[res.root].schema
	for name, a := range res.anchors {
		if p := l.places[a.node]; a.dynamic && p != nil {
			res.pub.DynamicAnchors = append(res.pub.DynamicAnchors, Property{Name: name, Pos: a.pos, Schema: p.schema})
		}
	}
	slices.SortFunc(res.pub.DynamicAnchors, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
}
