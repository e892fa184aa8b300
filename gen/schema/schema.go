// Package schema reads JSON Schema files into located, resolved schemas.
package schema

import (
	"slices"
	"strconv"
	"strings"
)

// A Schema is one JSON Schema, object or boolean, located in its file, with
// every reference resolved and the differences between the drafts folded away:
// whatever the dialect said, the fields below have their 2020-12 meaning.
//
// Keywords that the dialect or its vocabularies do not know are not in the
// fields; siblings of $ref that draft-07 and older ignore are dropped, but for
// Title, Description and Defs, which assert nothing; dependencies, definitions,
// items arrays and additionalItems arrive as DependentRequired/DependentSchemas,
// Defs, PrefixItems and Items; the boolean exclusiveMinimum of draft-04 and its
// minimum arrive as ExclusiveMinimum.
type Schema struct {
	Pos     Position // of the schema's first byte
	Pointer string   // JSON pointer from the root of File; "" is the root
	File    *File
	Draft   Draft
	Source  *Node // as written, for keywords that are not fields (x-…)

	Resource *Resource // the innermost $id (or file) around the schema

	Bool *bool // the schemas true and false; nothing below is set then

	// References. A target is never nil after Load.
	Ref        *Ref
	DynamicRef *DynamicRef // $dynamicRef, and $recursiveRef of 2019-09

	Defs []Property // $defs and definitions, in source order

	// Any type.
	Types   Kinds   // 0 when the schema has no type keyword
	HasEnum bool    // tells enum: [] (nothing is valid) from no enum
	Enum    []*Node // in source order
	Const   *Node

	// Numbers. The text of a JSON number, exact; "" when absent.
	Minimum, ExclusiveMinimum string
	Maximum, ExclusiveMaximum string
	MultipleOf                string

	// Strings. Lengths count code points.
	MinLength, MaxLength *int64
	Pattern              *Pattern
	Format               string
	FormatAsserted       bool // Format is a rule: the user or the dialect's vocabularies chose so
	ContentEncoding      string
	ContentMediaType     string

	// Arrays.
	PrefixItems              []*Schema
	Items                    *Schema // for the items behind PrefixItems
	Contains                 *Schema
	MinContains, MaxContains *int64 // MinContains nil means 1
	ContainsEvaluates        bool   // 2020-12: contained items count as evaluated
	MinItems, MaxItems       *int64
	UniqueItems              bool
	UnevaluatedItems         *Schema

	// Objects.
	Properties                   []Property // in source order
	PatternProperties            []PatternProperty
	AdditionalProperties         *Schema
	PropertyNames                *Schema
	Required                     []Located // in source order
	DependentRequired            []Dependency
	DependentSchemas             []Property
	MinProperties, MaxProperties *int64
	UnevaluatedProperties        *Schema

	// Combinations.
	AllOf, AnyOf, OneOf []*Schema
	Not                 *Schema
	If, Then, Else      *Schema

	// Annotations.
	Title, Description string
	Default            *Node
	Examples           []*Node
	Deprecated         bool
	ReadOnly           bool
	WriteOnly          bool
}

// Limits are natural numbers of any size in a schema. A maximum that no Go
// value can exceed is dropped at load; a minimum beyond math.MaxInt64 becomes
// math.MaxInt64, which nothing reaches.

// Ref is a static reference: $ref, or a $dynamicRef that behaves like one.
type Ref struct {
	Pos    Position
	Text   string // as written
	Target *Schema
}

// DynamicRef is a reference that depends on the dynamic scope.
type DynamicRef struct {
	Pos    Position
	Text   string
	Anchor string  // the dynamic anchor; "" for $recursiveRef
	Target *Schema // where it leads when no outer scope binds the anchor
}

// A Resource is a schema with an identity of its own: a file's root, or a
// subschema with $id.
type Resource struct {
	URI            string
	Root           *Schema
	DynamicAnchors []Property // name → schema, sorted by name
	Recursive      bool       // 2019-09: $recursiveAnchor is true
}

// Property is a named subschema with the position of its name.
type Property struct {
	Name   string
	Pos    Position
	Schema *Schema
}

// PatternProperty is one member of patternProperties.
type PatternProperty struct {
	Pattern *Pattern
	Schema  *Schema
}

// Dependency is one member of dependentRequired.
type Dependency struct {
	Name     string
	Pos      Position
	Required []Located
}

// Located is a string with its position.
type Located struct {
	Text string
	Pos  Position
}

// Pattern is an ECMA-262 regular expression and its exact translation.
type Pattern struct {
	Pos    Position
	Source string // as in the schema
	RE2    string // for Go's regexp: matches the same strings
}

// Kinds is a set of the types of JSON Schema.
type Kinds uint8

// The types of JSON Schema. Integer is a part of Number: a set with Number
// holds every integer, whether or not Integer is in it.
const (
	Null Kinds = 1 << iota
	Boolean
	Integer
	Number
	String
	Array
	Object
)

// String lists the types in words.
func (k Kinds) String() string {
	var names []string
	for name, kind := range typeNames {
		if k&kind != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}

// Draft is a dialect of JSON Schema.
type Draft int

// The drafts that Load reads, oldest first.
const (
	Draft4 Draft = iota + 1
	Draft6
	Draft7
	Draft2019
	Draft2020
)

// String is the draft's name.
func (d Draft) String() string {
	return map[Draft]string{Draft4: "draft-04", Draft6: "draft-06", Draft7: "draft-07", Draft2019: "2019-09", Draft2020: "2020-12"}[d]
}

// A Node is one JSON (or YAML) value as written, with its place.
type Node struct {
	Kind    Kinds // exactly one of Null, Boolean, Number, String, Array, Object
	Pos     Position
	Text    string   // of a string: its value; of a number: the exact JSON text; of a boolean: true or false
	Items   []*Node  // of an array
	Members []Member // of an object, in source order, names distinct
}

// Member is one member of an object.
type Member struct {
	Name  string
	Pos   Position // of the name
	Value *Node
}

// Member returns the value of the named member, or nil.
func (n *Node) Member(name string) *Node {
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// A Position is a place in a file: lines and columns count from 1, columns in
// bytes.
type Position struct {
	File         string // as the user would name it
	Line, Column int
}

// String renders a position the way that compilers do.
func (p Position) String() string {
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// A File is one schema document.
type File struct {
	Path string // slash-separated, relative to its root folder
	URI  string
	Root *Schema
	Hash string // SHA-256 of its bytes, hex
	// Event tells a file that was given to Load from one that was only reached
	// by a reference into a reference root.
	Event bool
}

// A Set is everything that Load read.
type Set struct {
	Files []*File // sorted by path
}

// A Diagnostic is one thing wrong, or smelling, in a schema.
type Diagnostic struct {
	Pos     Position
	Pointer string // JSON pointer of the schema or keyword
	Warning bool   // false: an error, and nothing is generated
	Message string // lower case, says what to do
}
