package schema

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
)

type refKind int

const (
	staticRef refKind = iota
	dynamicRef
	recursiveRef
)

// pendingRef is a reference that stands in schema and waits for all documents.
type pendingRef struct {
	schema  *Schema
	scope   scope
	kind    refKind
	text    string
	pos     Position
	pointer string
}

// resolveRefs binds every reference, those too in what references reach.
func (l *loader) resolveRefs() {
	for len(l.refs) > 0 {
		r := l.refs[0]
		l.refs = l.refs[1:]
		t, err := l.resolve(r)
		if err != nil {
			l.rep.errorf(r.pos, r.pointer, "%v", err)
			continue
		}
		if t.schema != nil {
			r.bind(t)
		}
	}
}

// target is where a reference leads. The schema is nil when it leads into a
// file whose own errors were reported.
type target struct {
	schema *Schema
	res    *resource
	anchor string // the dynamic anchor by which it was found
}

// bind stores the reference in its schema. A dynamic reference whose target
// carries no dynamic anchor is a static one (2020-12, section 8.2.3.2).
func (r *pendingRef) bind(t target) {
	s := r.schema
	switch {
	case r.kind == dynamicRef && t.anchor != "":
		s.DynamicRef = &DynamicRef{Pos: r.pos, Text: r.text, Anchor: t.anchor, Target: t.schema}
	case r.kind == recursiveRef && t.res.pub.Recursive:
		s.DynamicRef = &DynamicRef{Pos: r.pos, Text: r.text, Target: t.schema}
	case s.Ref == nil:
		s.Ref = &Ref{Pos: r.pos, Text: r.text, Target: t.schema}
	default:
		s.AllOf = append(s.AllOf, r.branch(t))
	}
}

// branch is a schema of its own for the second static reference of a schema.
func (r *pendingRef) branch(t target) *Schema {
	text := &Node{Kind: String, Pos: r.pos, Text: r.text}
	source := &Node{Kind: Object, Pos: r.pos, Members: []Member{{Name: "$ref", Pos: r.pos, Value: text}}}
	return &Schema{
		Pos: r.pos, Pointer: r.pointer, File: r.schema.File, Draft: r.schema.Draft,
		Source: source, Resource: r.schema.Resource,
		Ref: &Ref{Pos: r.pos, Text: r.text, Target: t.schema},
	}
}

func (l *loader) resolve(r pendingRef) (target, error) {
	if r.kind == recursiveRef && r.text != "#" {
		return target{}, fmt.Errorf("$recursiveRef must be \"#\", not %s; use $ref", quote(r.text))
	}
	u, err := resolveURI(r.scope.res.base, r.text)
	if err != nil {
		return target{}, fmt.Errorf("the reference %s is no URI reference: %v", quote(r.text), err)
	}
	if climbs(r.scope.res.base, r.text) {
		return target{}, fmt.Errorf("the reference %s is refused: it leads out of the schema files; name the folder that it leads into as a source, too (-schemas)", quote(r.text))
	}
	res, err := l.resource(u, r)
	if err != nil || res == nil {
		return target{}, err
	}
	return l.locate(res, u.Fragment, r.text)
}

// climbs tells a relative path with more ".." than the file has folders around
// it. RFC 3986 would have the surplus dropped, and lead anywhere.
func climbs(base *url.URL, text string) bool {
	ref, err := url.Parse(text)
	if err != nil || base.Scheme != uriScheme || ref.IsAbs() || ref.Host != "" || strings.HasPrefix(ref.Path, "/") {
		return false
	}
	depth := strings.Count(base.Path, "/") - 1
	for _, segment := range strings.Split(ref.Path, "/") {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return true
		}
	}
	return false
}

// locate finds the schema that a fragment names in a resource.
func (l *loader) locate(res *resource, fragment, text string) (target, error) {
	if fragment == "" {
		return target{schema: l.places[res.root].schema, res: res}, nil
	}
	if strings.HasPrefix(fragment, "/") {
		s, err := l.locatePointer(res, fragment, text)
		return target{schema: s, res: res}, err
	}
	a, ok := res.anchors[fragment]
	if !ok {
		return target{}, fmt.Errorf("the reference %s leads nowhere: no anchor %s in %s", quote(text), quote(fragment), quote(res.pub.URI))
	}
	t := target{schema: l.places[a.node].schema, res: res}
	if a.dynamic {
		t.anchor = fragment
	}
	return t, nil
}

// locatePointer walks a JSON pointer from the root of a resource. Where it
// ends outside the keywords that hold schemas, the value becomes a schema in
// the scope of the nearest one around it.
func (l *loader) locatePointer(res *resource, pointer, text string) (*Schema, error) {
	tokens, ok := splitPointer(pointer)
	if !ok {
		return nil, fmt.Errorf("the reference %s has a malformed JSON pointer: '~' must be written ~0, and '/' in a name ~1", quote(text))
	}
	n, around := res.root, l.places[res.root]
	at := around.schema.Pointer
	for _, t := range tokens {
		if n = l.child(n, t); n == nil {
			return nil, fmt.Errorf("the reference %s leads nowhere: nothing at %s", quote(text), quote(pointer))
		}
		at += "/" + pointerToken(t)
		if p := l.places[n]; p != nil {
			around = p
		}
	}
	if n.Kind != Object && n.Kind != Boolean {
		return nil, fmt.Errorf("the reference %s leads to %s at %s, which is no schema", quote(text), kindName(n), n.Pos)
	}
	sc := around.scope
	sc.private = true
	return l.schema(n, at, sc), nil
}

// wideObject is from how many members on an object gets an index.
const wideObject = 32

// child is the function child with an index for wide objects, which are
// pointed into as often as they have members.
func (l *loader) child(n *Node, token string) *Node {
	if n.Kind != Object || len(n.Members) < wideObject {
		return child(n, token)
	}
	index := l.indexes[n]
	if index == nil {
		index = make(map[string]*Node, len(n.Members))
		for _, m := range n.Members {
			index[m.Name] = m.Value
		}
		l.indexes[n] = index
	}
	return index[token]
}

// child returns the member or item of n that a pointer's token names.
func child(n *Node, token string) *Node {
	if n.Kind != Array {
		return n.Member(token)
	}
	i, err := strconv.Atoi(token)
	if err != nil || strconv.Itoa(i) != token || i < 0 || i >= len(n.Items) {
		return nil
	}
	return n.Items[i]
}

// resource finds the resource of u: one that is known, else a metaschema, else
// a file of a reference root. A relative reference that its $id leads nowhere
// is tried once more from the place of the file itself. It returns nil without
// an error for a file that was reported already.
func (l *loader) resource(u *url.URL, r pendingRef) (*resource, error) {
	if res := l.known(u, r); res != nil {
		return res, nil
	}
	if res, ok := l.beside(r); ok {
		return res, nil
	}
	if l.broken[documentURI(u)] {
		return nil, nil
	}
	return nil, l.unreachable(u, r)
}

// known finds the resource of u. A document that names no dialect is read in the
// draft of the schema that refers to it.
func (l *loader) known(u *url.URL, r pendingRef) *resource {
	uri := documentURI(u)
	if res := l.resources[uri]; res != nil {
		return res
	}
	doc := l.metaschemaDocument(uri)
	if doc == nil {
		return nil
	}
	l.buildDocument(doc, l.draftDialect(r.scope.dialect.draft))
	if res := l.resources[uri]; res != nil {
		return res
	}
	return l.places[doc.root].scope.res
}

// metaschemaDocument returns the document at uri: a file that was read, a
// metaschema, or a file of a reference root.
func (l *loader) metaschemaDocument(uri string) *document {
	if doc := l.byURI[uri]; doc != nil {
		return doc
	}
	if doc := l.builtinDocument(uri); doc != nil {
		return doc
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil
	}
	if doc := l.refRootDocument(u); doc != nil {
		return doc
	}
	return l.declaredDocument(uri)
}

// beside resolves a relative reference against the place of its file.
func (l *loader) beside(r pendingRef) (*resource, bool) {
	u := r.besideURI()
	if u == nil {
		return nil, false
	}
	if res := l.known(u, r); res != nil {
		return res, true
	}
	return nil, l.broken[documentURI(u)]
}

// besideURI is where a relative reference leads from the place of its file; nil is
// nowhere.
func (r *pendingRef) besideURI() *url.URL {
	ref, err := url.Parse(r.text)
	if err != nil || ref.IsAbs() || ref.Host != "" || ref.Path == "" {
		return nil
	}
	return r.scope.doc.uri.ResolveReference(ref)
}

// unreachable says why nothing is at u, and what to do.
func (l *loader) unreachable(u *url.URL, r pendingRef) error {
	text := quote(r.text)
	switch {
	case u.Scheme == "file":
		return fmt.Errorf("the reference %s is refused: file URIs are never read; write the path relative to this file", text)
	case strings.Contains(u.Path, `\`):
		return fmt.Errorf("the reference %s is refused: it contains a backslash; separate folders with '/'", text)
	}
	beside, root := r.besideURI(), l.refRootOf(u)
	if link := cmp.Or(l.linkOnTheWay(beside), root.linkOnTheWay(u)); link != "" {
		return fmt.Errorf("the reference %s leads through %s, a symbolic link, which is not followed; put the file or folder itself there", text, link)
	}
	missing := ""
	if beside != nil && beside.Scheme == uriScheme {
		missing = fmt.Sprintf("there is no %s among the schema files", quote(strings.TrimPrefix(path.Clean(beside.Path), "/")))
	}
	switch {
	case u.Scheme == uriScheme && missing != "":
		return fmt.Errorf("the reference %s leads nowhere: %s", text, missing)
	case missing != "":
		missing += ", and "
	}
	if root != nil {
		return fmt.Errorf("the reference %s leads nowhere: %sthere is no such file in %s, the folder of the reference root %s", text, missing, root.Name, quote(root.Prefix))
	}
	return fmt.Errorf("the reference %s leads nowhere: %s%s is no $id of the schema files and below no reference root; nothing is fetched from the network, so serve it from a reference root (-ref-root)", text, missing, quote(documentURI(u)))
}
