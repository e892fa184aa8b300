package model

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// secrets know of schemas whether what they speak about is secret.
//
// One value is spoken about by several schemas: by those that references,
// combinations and conditions lead to, and for a part of a value by what each of
// these says about that part. Together they are a place. A value is secret when one
// schema of its place says so, be it in one alternative or under a condition, and a
// schema speaks about secrets when one of its places is secret. All of this is
// decided without a value, so that a little more is secret than has to be.
type secrets struct {
	roots     []*schema.Schema
	walked    map[*schema.Schema]int // every schema below a root, with its number
	annotated bool                   // one of them says x-secret
	anchors   map[string][]*schema.Schema
	patterns  map[string]*regexp.Regexp
	members   map[*schema.Schema]map[string]*schema.Schema
	places    map[string]*place // by the numbers of their schemas; nil before there is need
	of        map[*schema.Schema][]*place
	complete  bool
}

// A place is what speaks about one value.
type place struct {
	schemas []*schema.Schema
	secret  bool
	inside  bool     // it is secret, or a part of it
	wholes  []*place // of which it is a part
}

// maxPlaces bounds the work: schemas have hardly more than one place each, unless they
// are made to have one for every subset of them. Beyond it everything is secret.
func (k *secrets) maxPlaces() int { return 1000 + 4*len(k.walked) }

func newSecrets() *secrets {
	return &secrets{
		walked: map[*schema.Schema]int{}, anchors: map[string][]*schema.Schema{}, patterns: map[string]*regexp.Regexp{},
		members: map[*schema.Schema]map[string]*schema.Schema{},
	}
}

// add makes values of the schema known. What is asked depends on all that was added
// before.
func (k *secrets) add(root *schema.Schema) {
	if root == nil || slices.Contains(k.roots, root) {
		return
	}
	k.roots, k.complete = append(k.roots, root), false
	open := []*schema.Schema{root}
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if _, known := k.walked[s]; known {
			continue
		}
		k.walked[s] = len(k.walked)
		k.annotated = k.annotated || isSecret(s)
		k.bind(s.Resource)
		subschemas(s, func(sub *schema.Schema) { open = append(open, sub) })
	}
}

// misspelled tells of annotations that would be taken for no secret.
func (k *secrets) misspelled() (diags []schema.Diagnostic) {
	for s := range k.walked {
		if n := annotation(s, keywordSecret); n != nil && n.Kind != schema.Boolean {
			diags = append(diags, schema.Diagnostic{Pos: n.Pos, Pointer: s.Pointer + "/" + keywordSecret, Message: "must be true or false"})
		}
	}
	return diags
}

// bind notes where the dynamic references of a resource may lead.
func (k *secrets) bind(r *schema.Resource) {
	note := func(name string, s *schema.Schema) {
		if !slices.Contains(k.anchors[name], s) {
			k.anchors[name] = append(k.anchors[name], s)
		}
	}
	if r == nil {
		return
	}
	for _, a := range r.DynamicAnchors {
		note(a.Name, a.Schema)
	}
	if r.Recursive && r.Root != nil {
		note("", r.Root)
	}
}

// has reports a schema whose values logs and errors must not show.
func (k *secrets) has(s *schema.Schema) bool {
	return k.any(s, func(p *place) bool { return p.secret })
}

// alone reports schemas of a value that are secret wherever the value is.
func (k *secrets) alone(schemas []*schema.Schema) bool {
	return k.annotated && slices.ContainsFunc(k.applied(schemas), k.hides)
}

// hides reports a schema that calls its values secret, or the names of their members:
// those cannot be hidden without the members.
func (k *secrets) hides(s *schema.Schema) bool {
	return isSecret(s) || s.PropertyNames != nil && slices.ContainsFunc(k.applied([]*schema.Schema{s.PropertyNames}), isSecret)
}

func isSecret(s *schema.Schema) bool { return annotationTrue(s, keywordSecret) }

// inside reports a schema whose values are secret, or have secret parts.
func (k *secrets) inside(s *schema.Schema) bool {
	return k.any(s, func(p *place) bool { return p.inside })
}

func (k *secrets) any(s *schema.Schema, is func(*place) bool) bool {
	if s == nil || !k.annotated {
		return false
	}
	k.explore()
	return len(k.places) > k.maxPlaces() || slices.ContainsFunc(k.of[s], is)
}

// explore finds all places.
func (k *secrets) explore() {
	if k.complete {
		return
	}
	k.complete = true
	k.places, k.of = map[string]*place{}, map[*schema.Schema][]*place{}
	var open []*place
	visit := func(whole *place, schemas []*schema.Schema) {
		p, isNew := k.place(schemas)
		if isNew {
			open = append(open, p)
		}
		if p != nil && whole != nil {
			p.wholes = append(p.wholes, whole)
		}
	}
	for _, root := range k.roots {
		visit(nil, []*schema.Schema{root})
	}
	for len(open) > 0 && len(k.places) <= k.maxPlaces() {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		for _, part := range k.parts(p) {
			visit(p, part)
		}
	}
	k.spread()
}

// spread marks what has secret parts.
func (k *secrets) spread() {
	var open []*place
	for _, p := range k.places {
		if p.secret {
			open = append(open, p)
		}
	}
	for len(open) > 0 {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		if !p.inside {
			p.inside = true
			open = append(open, p.wholes...)
		}
	}
}

// place returns the place that the schemas and all that they apply in place make;
// nil when there are none.
func (k *secrets) place(schemas []*schema.Schema) (p *place, isNew bool) {
	all := k.applied(schemas)
	if len(all) == 0 {
		return nil, false
	}
	slices.SortFunc(all, func(a, b *schema.Schema) int { return k.walked[a] - k.walked[b] })
	var key strings.Builder
	for _, s := range all {
		key.WriteString(strconv.Itoa(k.walked[s]) + " ")
	}
	if known := k.places[key.String()]; known != nil {
		return known, false
	}
	p = &place{schemas: all, secret: slices.ContainsFunc(all, k.hides)}
	for _, s := range all {
		k.of[s] = append(k.of[s], p)
	}
	k.places[key.String()] = p
	return p, true
}

// applied are the schemas and those that speak about the same value because of them.
func (k *secrets) applied(schemas []*schema.Schema) []*schema.Schema {
	var all []*schema.Schema
	seen := map[*schema.Schema]bool{}
	open := slices.Clone(schemas)
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		all = append(all, s)
		open = append(open, slices.Concat(s.AllOf, s.AnyOf, s.OneOf, []*schema.Schema{s.Not, s.If, s.Then, s.Else})...)
		for _, d := range s.DependentSchemas {
			open = append(open, d.Schema)
		}
		if s.Ref != nil {
			open = append(open, s.Ref.Target)
		}
		if s.DynamicRef != nil {
			open = append(append(open, s.DynamicRef.Target), k.anchors[s.DynamicRef.Anchor]...)
		}
	}
	return all
}

// parts are what speaks about each part of a value.
func (k *secrets) parts(p *place) [][]*schema.Schema {
	var list [][]*schema.Schema
	seen := map[string]bool{}
	prefix := 0
	for _, s := range p.schemas {
		for _, member := range s.Properties {
			if !seen[member.Name] {
				seen[member.Name] = true
				list = append(list, k.member(p, member.Name))
			}
		}
		prefix = max(prefix, len(s.PrefixItems))
	}
	var others []*schema.Schema // for a member that no property names
	for _, s := range p.schemas {
		for _, pattern := range s.PatternProperties {
			others = append(others, pattern.Schema)
		}
		others = append(others, s.AdditionalProperties, s.UnevaluatedProperties)
	}
	list = append(list, others)
	for i := range prefix + 1 {
		list = append(list, item(p, i))
	}
	return list
}

// member is what speaks about the member of that name.
func (k *secrets) member(p *place, name string) []*schema.Schema {
	var list []*schema.Schema
	for _, s := range p.schemas {
		before := len(list)
		if member := k.properties(s)[name]; member != nil {
			list = append(list, member)
		}
		for _, pattern := range s.PatternProperties {
			if k.matches(pattern.Pattern.RE2, name) {
				list = append(list, pattern.Schema)
			}
		}
		if len(list) == before {
			list = append(list, s.AdditionalProperties, s.UnevaluatedProperties)
		}
	}
	return list
}

// properties are those of a schema, by name.
func (k *secrets) properties(s *schema.Schema) map[string]*schema.Schema {
	known, ok := k.members[s]
	if !ok {
		known = make(map[string]*schema.Schema, len(s.Properties))
		for _, member := range s.Properties {
			known[member.Name] = member.Schema
		}
		k.members[s] = known
	}
	return known
}

func (k *secrets) matches(pattern, name string) bool {
	re := k.patterns[pattern]
	if re == nil {
		re = regexp.MustCompile(pattern)
		k.patterns[pattern] = re
	}
	return re.MatchString(name)
}

// item is what speaks about item i.
func item(p *place, i int) []*schema.Schema {
	var list []*schema.Schema
	for _, s := range p.schemas {
		if i < len(s.PrefixItems) {
			list = append(list, s.PrefixItems[i])
		} else {
			list = append(list, s.Items)
		}
		list = append(list, s.Contains, s.UnevaluatedItems)
	}
	return list
}
