package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// checkMetaschemas validates every document against its metaschema. The shapes
// of the drafts' keywords were checked before, with better words; this finds
// what a metaschema of the user's own adds.
func (l *loader) checkMetaschemas() {
	c := conformance{loader: l, own: map[string]*jsonschema.Schema{}, known: map[string][]string{}}
	for _, d := range l.rep.diags {
		if !d.Warning {
			c.known[d.Pos.File] = append(c.known[d.Pos.File], d.Pointer)
		}
	}
	for _, doc := range l.docs {
		if doc.built && metaschemaFile(doc.uri.String()) == "" {
			c.check(doc.root)
		}
	}
}

type conformance struct {
	*loader
	own      map[string]*jsonschema.Schema // metaschemas of the user
	embedded []*Node                       // resources in another dialect, checked on their own
	known    map[string][]string           // pointers of errors that were reported, by file
}

func (c *conformance) check(root *Node) {
	c.embedded = []*Node{root}
	for len(c.embedded) > 0 {
		n := c.embedded[0]
		c.embedded = c.embedded[1:]
		c.checkResource(n)
	}
}

func (c *conformance) checkResource(n *Node) {
	p := c.places[n]
	meta, err := c.metaschema(p.scope.dialect)
	if err != nil && c.rep.failed() {
		return
	}
	if err != nil {
		c.rep.errorf(n.Pos, p.schema.Pointer, "the metaschema %s is unusable: %s", quote(p.scope.dialect.meta), quote(err.Error()))
		return
	}
	instance := c.instance(n, p.scope.dialect, n)
	var invalid *jsonschema.ValidationError
	err = guarded(func() error { return meta.Validate(instance) })
	if errors.As(err, &invalid) {
		c.reportInvalid(n, p.schema.Pointer, invalid)
	}
}

// guarded runs f and makes a panic of the validator an error.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("validator: %v", r)
		}
	}()
	return f()
}

var draftMetaschemas = map[Draft]func() (*jsonschema.Schema, error){
	Draft4:    compileOnce("http://json-schema.org/draft-04/schema"),
	Draft6:    compileOnce("http://json-schema.org/draft-06/schema"),
	Draft7:    compileOnce("http://json-schema.org/draft-07/schema"),
	Draft2019: compileOnce("https://json-schema.org/draft/2019-09/schema"),
	Draft2020: compileOnce("https://json-schema.org/draft/2020-12/schema"),
}

func compileOnce(uri string) func() (*jsonschema.Schema, error) {
	return sync.OnceValues(func() (*jsonschema.Schema, error) {
		c := jsonschema.NewCompiler()
		c.LoadURL = func(string) (io.ReadCloser, error) { return nil, errors.New("nothing is loaded") }
		return c.Compile(uri)
	})
}

func (c *conformance) metaschema(d *dialect) (*jsonschema.Schema, error) {
	if d.meta == "" {
		return draftMetaschemas[d.draft]()
	}
	if s := c.own[d.meta]; s != nil {
		return s, nil
	}
	compiler := jsonschema.NewCompiler()
	compiler.LoadURL = c.open
	err := guarded(func() (err error) {
		c.own[d.meta], err = compiler.Compile(d.meta)
		return err
	})
	return c.own[d.meta], err
}

// open serves the documents of the loader to the validator's compiler.
func (c *conformance) open(uri string) (io.ReadCloser, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	doc := c.metaschemaDocument(documentURI(u))
	if doc == nil {
		return nil, fmt.Errorf("nothing at %s", quote(uri))
	}
	b, err := json.Marshal(plain(doc.root))
	return io.NopCloser(strings.NewReader(string(b))), err
}

// maxPlainItems is how much of a long array of values a metaschema gets to see:
// the validator compares all pairs, and the shapes were checked before.
const maxPlainItems = 256

// instance is n for the validator, without the resources in another dialect.
func (c *conformance) instance(n *Node, d *dialect, root *Node) any {
	if p := c.places[n]; p != nil && n != root && *p.scope.dialect != *d {
		c.embedded = append(c.embedded, n)
		return map[string]any{}
	}
	switch n.Kind {
	case Array:
		items := n.Items
		if len(items) > maxPlainItems && c.places[items[0]] == nil {
			items = items[:maxPlainItems]
		}
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = c.instance(item, d, root)
		}
		return list
	case Object:
		object := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			if !c.isLaxEnum(n, m, d) {
				object[m.Name] = c.instance(m.Value, d, root)
			}
		}
		return object
	}
	return plain(n)
}

// isLaxEnum tells an enum of draft-06 and draft-07, which the validator's copies
// of the metaschemas want filled and unique; the specifications only say that
// they should be.
func (c *conformance) isLaxEnum(n *Node, m Member, d *dialect) bool {
	return m.Name == "enum" && c.places[n] != nil && (d.draft == Draft6 || d.draft == Draft7)
}

// plain is n as encoding/json would decode it with json.Number.
func plain(n *Node) any {
	switch n.Kind {
	case Boolean:
		return n.Text == "true"
	case Number:
		return json.Number(tame(n.Text))
	case String:
		return n.Text
	case Array:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = plain(item)
		}
		return list
	case Object:
		object := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			object[m.Name] = plain(m.Value)
		}
		return object
	}
	return nil
}

// tame replaces a number that the validator could not bear by one of the same
// sign that is as much of an integer: no metaschema asks more.
func tame(text string) string {
	const limit = 300
	d := parseDecimal(text)
	if len(d.digits) <= limit && -limit <= d.exp && d.exp <= limit && len(text) <= 2*limit {
		return text
	}
	sign := ""
	if d.negative {
		sign = "-"
	}
	if d.integer() {
		return sign + "1e300"
	}
	return sign + "1e-300"
}

// maxViolations bounds what is said about one document.
const maxViolations = 100

func (c *conformance) reportInvalid(root *Node, base string, invalid *jsonschema.ValidationError) {
	all := leaves(invalid)
	for _, leaf := range all[:min(len(all), maxViolations)] {
		if strings.HasSuffix(leaf.KeywordLocation, "/format") {
			continue
		}
		n, pointer := follow(root, base, leaf.InstanceLocation)
		if !c.explained(n, pointer) {
			c.rep.errorf(n.Pos, pointer, "against the metaschema: %s", truncate(leaf.Message))
			c.known[n.Pos.File] = append(c.known[n.Pos.File], pointer)
		}
	}
}

func truncate(s string) string {
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}

func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var list []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		list = append(list, leaves(cause)...)
	}
	return list
}

// follow walks the validator's instance location, whose tokens are percent
// encoded.
func follow(n *Node, pointer, location string) (*Node, string) {
	tokens, _ := splitPointer(location)
	for _, t := range tokens {
		name, err := url.PathUnescape(t)
		next := child(n, name)
		if err != nil || next == nil {
			break
		}
		n = next
		pointer += "/" + pointerToken(name)
	}
	return n, pointer
}

// explained says whether an error stands already at pointer, above or below it.
func (c *conformance) explained(n *Node, pointer string) bool {
	return slices.ContainsFunc(c.known[n.Pos.File], func(known string) bool {
		return within(known, pointer) || within(pointer, known) && known != ""
	})
}

func within(inner, outer string) bool {
	return inner == outer || strings.HasPrefix(inner, outer+"/")
}
