package schema

import (
	"embed"
	"net/url"
	"path"
	"strings"
)

// metaschemaFiles are the drafts' metaschemas, written from the specifications:
// DRAFT.json, and DRAFT-VOCABULARY.json for each vocabulary.
//
//go:embed metaschema/*.json
var metaschemaFiles embed.FS

// metaschemaFile names the embedded file for a URI, or "".
func metaschemaFile(uri string) string {
	switch uri {
	case "http://json-schema.org/draft-04/schema", "http://json-schema.org/draft-06/schema", "http://json-schema.org/draft-07/schema":
		return "metaschema/" + path.Base(path.Dir(uri)) + ".json"
	}
	rest, ok := strings.CutPrefix(uri, "https://json-schema.org/draft/")
	if !ok {
		return ""
	}
	draft, name, _ := strings.Cut(rest, "/")
	if vocabulary, ok := strings.CutPrefix(name, "meta/"); ok {
		draft += "-" + vocabulary
	} else if name != "schema" {
		return ""
	}
	return "metaschema/" + draft + ".json"
}

// builtinDocument returns the metaschema of the drafts at uri, or nil.
func (l *loader) builtinDocument(uri string) *document {
	name := metaschemaFile(uri)
	src, err := metaschemaFiles.ReadFile(name)
	if err != nil {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil
	}
	return l.parseDocument(src, &File{Path: u.Host + u.Path}, uri, u)
}
