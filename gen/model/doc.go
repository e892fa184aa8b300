package model

import (
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// documentation is what the schema says about itself, as paragraphs.
func documentation(s *schema.Schema) []string {
	if s.Bool != nil {
		return nil
	}
	var doc []string
	for _, text := range []string{s.Title, s.Description} {
		if text = strings.TrimSpace(text); text != "" {
			doc = append(doc, text)
		}
	}
	if examples := exampleTexts(s); examples != "" {
		doc = append(doc, examples)
	}
	if text := shortText(s.Default); text != "" {
		doc = append(doc, "Default: "+text)
	}
	if s.Deprecated {
		doc = append(doc, "Deprecated: the schema marks it so.")
	}
	return doc
}

// maxExample bounds what a comment shows of an example or a default, in bytes.
const maxExample = 80

// shortText is the JSON of the value; "" when there is none, or too much.
func shortText(n *schema.Node) string {
	if n == nil {
		return ""
	}
	if text := string(appendNodeJSON(nil, n)); len(text) <= maxExample {
		return text
	}
	return ""
}

func exampleTexts(s *schema.Schema) string {
	var list []string
	for _, n := range s.Examples {
		if text := shortText(n); text != "" && len(list) < 3 {
			list = append(list, text)
		}
	}
	switch len(list) {
	case 0:
		return ""
	case 1:
		return "Example: " + list[0]
	}
	return "Examples: " + strings.Join(list, ", ")
}

// annotate takes over what the schema of a property says beside its rules. What
// a named type says about itself is not repeated at the field.
func annotate(f *Field, s *schema.Schema) {
	for range maxConjunction {
		if f.Doc == nil && (f.Shape.Type == nil || s.Pointer != f.Shape.Type.Pointer || s.File.Path != f.Shape.Type.File) {
			f.Doc = documentation(s)
		}
		if !plain(s) {
			break
		}
		s = s.Ref.Target
	}
}

// annotation returns the value of a keyword that is no part of JSON Schema.
func annotation(s *schema.Schema, keyword string) *schema.Node {
	if s.Source == nil || s.Source.Kind != schema.Object {
		return nil
	}
	return s.Source.Member(keyword)
}

func annotationTrue(s *schema.Schema, keyword string) bool {
	n := annotation(s, keyword)
	return n != nil && n.Kind == schema.Boolean && n.Text == "true"
}
