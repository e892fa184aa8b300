package schema

import "strings"

// vocabulary is a set of the vocabularies of the drafts.
type vocabulary uint

const (
	vocabCore vocabulary = 1 << iota
	vocabApplicator
	vocabUnevaluated
	vocabValidation
	vocabMetadata
	vocabFormat
	vocabFormatAssertion
	vocabContent

	vocabAll = vocabCore | vocabApplicator | vocabUnevaluated | vocabValidation |
		vocabMetadata | vocabFormat | vocabContent
)

// A dialect says which keywords a schema object may use, and what they mean.
type dialect struct {
	draft        Draft
	vocabularies vocabulary
	meta         string // URI of a metaschema that is not built in, or ""
}

// metaschemaURIs are the dialects of the drafts, without the empty fragment.
var metaschemaURIs = map[string]Draft{
	"http://json-schema.org/draft-04/schema":       Draft4,
	"https://json-schema.org/draft-04/schema":      Draft4,
	"http://json-schema.org/draft-06/schema":       Draft6,
	"https://json-schema.org/draft-06/schema":      Draft6,
	"http://json-schema.org/draft-07/schema":       Draft7,
	"https://json-schema.org/draft-07/schema":      Draft7,
	"http://json-schema.org/draft/2019-09/schema":  Draft2019,
	"https://json-schema.org/draft/2019-09/schema": Draft2019,
	"http://json-schema.org/draft/2020-12/schema":  Draft2020,
	"https://json-schema.org/draft/2020-12/schema": Draft2020,
}

// vocabularyURIs name the vocabularies of 2019-09, whose unevaluated keywords
// are applicators, and those of 2020-12.
var vocabularyURIs = map[string]vocabulary{
	"https://json-schema.org/draft/2019-09/vocab/core":       vocabCore,
	"https://json-schema.org/draft/2019-09/vocab/applicator": vocabApplicator | vocabUnevaluated,
	"https://json-schema.org/draft/2019-09/vocab/validation": vocabValidation,
	"https://json-schema.org/draft/2019-09/vocab/meta-data":  vocabMetadata,
	"https://json-schema.org/draft/2019-09/vocab/format":     vocabFormat,
	"https://json-schema.org/draft/2019-09/vocab/content":    vocabContent,

	"https://json-schema.org/draft/2020-12/vocab/core":              vocabCore,
	"https://json-schema.org/draft/2020-12/vocab/applicator":        vocabApplicator,
	"https://json-schema.org/draft/2020-12/vocab/unevaluated":       vocabUnevaluated,
	"https://json-schema.org/draft/2020-12/vocab/validation":        vocabValidation,
	"https://json-schema.org/draft/2020-12/vocab/meta-data":         vocabMetadata,
	"https://json-schema.org/draft/2020-12/vocab/format-annotation": vocabFormat,
	"https://json-schema.org/draft/2020-12/vocab/format-assertion":  vocabFormat | vocabFormatAssertion,
	"https://json-schema.org/draft/2020-12/vocab/content":           vocabContent,
}

// idKeyword is the keyword that gives a schema its URI.
func (d *dialect) idKeyword() string {
	if d.draft == Draft4 {
		return "id"
	}
	return "$id"
}

// refHidesSiblings tells the drafts where a schema with $ref is nothing else.
func (d *dialect) refHidesSiblings() bool { return d.draft <= Draft7 }

func (l *loader) draftDialect(d Draft) *dialect {
	return &dialect{draft: d, vocabularies: vocabAll}
}

// dialectOf returns the dialect that the $schema at n names, or nil after
// reporting why there is none.
func (l *loader) dialectOf(n *Node, pointer string) *dialect {
	if n.Kind != String {
		l.rep.errorf(n.Pos, pointer, "$schema must be a string")
		return nil
	}
	uri := strings.TrimSuffix(n.Text, "#")
	if d, ok := metaschemaURIs[uri]; ok {
		return l.draftDialect(d)
	}
	if d, ok := l.dialects[uri]; ok {
		if d == nil {
			l.rep.errorf(n.Pos, pointer, "the metaschema %s describes itself, which tells no draft; name a draft in its $schema", quote(uri))
		}
		return d
	}
	l.dialects[uri] = nil
	d := l.customDialect(n, uri, pointer)
	if d == nil {
		delete(l.dialects, uri)
		return nil
	}
	l.dialects[uri] = d
	return d
}

// customDialect reads the metaschema at uri, which lies in a source or a
// reference root: its own $schema tells the draft, its $vocabulary the
// vocabularies.
func (l *loader) customDialect(n *Node, uri, pointer string) *dialect {
	doc := l.metaschemaDocument(uri)
	if doc == nil {
		l.rep.errorf(n.Pos, pointer, "unknown dialect %s; use draft-04, draft-06, draft-07, 2019-09 or 2020-12, or serve the metaschema from a reference root", quote(n.Text))
		return nil
	}
	base := l.draftDialect(l.opts.Default)
	if meta := doc.root.Member("$schema"); meta != nil {
		if base = l.dialectOf(meta, "/$schema"); base == nil {
			return nil
		}
	}
	d := &dialect{draft: base.draft, vocabularies: base.vocabularies, meta: uri}
	if v := doc.root.Member("$vocabulary"); v != nil && d.draft >= Draft2019 {
		d.vocabularies = l.vocabulariesOf(v)
	}
	return d
}

func (l *loader) vocabulariesOf(n *Node) vocabulary {
	set := vocabCore
	for _, m := range n.Members {
		v, known := vocabularyURIs[m.Name]
		required := m.Value.Kind == Boolean && m.Value.Text == "true"
		if m.Name == "https://json-schema.org/draft/2019-09/vocab/format" && required {
			v |= vocabFormatAssertion
		}
		set |= v
		if !known && required {
			l.rep.errorf(m.Pos, "/$vocabulary/"+pointerToken(m.Name), "unknown vocabulary %s is required; make it optional with false", quote(m.Name))
		}
	}
	return set
}
