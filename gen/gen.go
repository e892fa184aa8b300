// Package gen turns folders of JSON Schema files into a Go package: a type with
// an exact codec for every event, and a typed producer and consumer for every
// queue. It reads schemas through fs.FS and returns bytes; it does no other
// input or output.
package gen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/token"
	"slices"

	"github.com/pgque/pgque-go/gen/emit"
	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// Options say what to generate. The zero value is ready.
type Options struct {
	// Package is the name of the generated package. Defaults to "events".
	Package string
	// FormatAnnotation makes format say nothing about validity, except in dialects
	// whose vocabularies assert it. Defaults to false: an instance that breaks its
	// format is invalid.
	FormatAnnotation bool
	// Examples adds generators of random valid and invalid events, for tests.
	Examples bool
	// Fuzz adds a fuzz target for every event, and Examples for their seeds.
	Fuzz bool
	// Defaults fills in the default of a member that a received event lacks, where
	// its type's rules surely accept it. Defaults to false: what is absent stays so.
	Defaults bool
	// Types are Go types of the user's for formats and schemas.
	Types []model.TypeMapping
	// RefRoots serve references below a URI from a folder.
	RefRoots []schema.RefRoot
	// RootQueues names the queue of the files right in a root, by the root's
	// name. Defaults to the last part of the root's name.
	RootQueues map[string]string
	// Limits bound what the schemas may cost.
	Limits schema.Limits
}

// File is one file of the generated package.
type File = emit.File

// Generate reads the schemas of all sources and returns the files of the package,
// sorted by name, with everything there is to say about the schemas, sorted by
// place. With an error among the diagnostics there are no files. The same
// schemas and options give the same bytes.
func Generate(sources []schema.Source, opts Options) ([]File, []schema.Diagnostic) {
	m, diags := Model(sources, opts)
	if HasErrors(diags) {
		return nil, diags
	}
	files, err := emit.Render(m)
	if err != nil {
		return nil, append(diags, schema.Diagnostic{Message: err.Error()})
	}
	return files, diags
}

// Model is what Generate renders, for tools: it marshals to JSON.
func Model(sources []schema.Source, opts Options) (*model.Model, []schema.Diagnostic) {
	if d := checkPackage(opts.Package); d != nil {
		return nil, []schema.Diagnostic{*d}
	}
	set, diags := schema.Load(sources, schema.Options{
		RefRoots:     opts.RefRoots,
		Limits:       opts.Limits,
		AssertFormat: !opts.FormatAnnotation,
		Formats:      mappedFormats(opts.Types),
	})
	if HasErrors(diags) {
		return nil, diags
	}
	m, more := model.Build(set, model.Options{
		Package:    opts.Package,
		Examples:   opts.Examples,
		Fuzz:       opts.Fuzz,
		Defaults:   opts.Defaults,
		Types:      opts.Types,
		RootQueues: opts.RootQueues,
	})
	return m, sorted(append(diags, more...))
}

// mappedFormats are the formats that the user knows.
func mappedFormats(types []model.TypeMapping) []string {
	var formats []string
	for _, t := range types {
		formats = append(formats, t.Key)
	}
	return formats
}

// IsPackageName reports whether Options can have that package.
func IsPackageName(name string) bool { return token.IsIdentifier(name) && name != "_" }

func checkPackage(name string) *schema.Diagnostic {
	if name == "" || IsPackageName(name) {
		return nil
	}
	return &schema.Diagnostic{Message: fmt.Sprintf("package name %q: must be a Go identifier", name)}
}

// Dump returns the Model as indented JSON.
func Dump(m *model.Model) ([]byte, error) {
	out, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("gen: %w", err)
	}
	return append(out, '\n'), nil
}

func sorted(diags []schema.Diagnostic) []schema.Diagnostic {
	slices.SortStableFunc(diags, func(a, b schema.Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(diags)
}
