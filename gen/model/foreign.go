package model

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// keywordGoType is the annotation that names a Go type of another package for the
// values of a schema: "github.com/google/uuid.UUID", "*math/big.Int".
const keywordGoType = "x-go-type"

// A GoType is a type that was not generated.
type GoType struct {
	Path    string `json:"path,omitzero"` // of its package; "" is the generated one
	Name    string `json:"name"`
	Pointer bool   `json:"pointer,omitzero"` // values are held behind a pointer
}

// String is the type as ParseGoType reads it.
func (g GoType) String() string {
	name := g.Name
	if g.Path != "" {
		name = g.Path + "." + name
	}
	if g.Pointer {
		return "*" + name
	}
	return name
}

// ParseGoType reads IMPORTPATH.NAME, with a star in front for a pointer. Without an
// import path the type is one that the user writes in the generated package.
func ParseGoType(text string) (GoType, error) {
	var g GoType
	rest, pointer := strings.CutPrefix(text, "*")
	g.Pointer, g.Name = pointer, rest
	if dot := strings.LastIndexByte(rest, '.'); dot > strings.LastIndexByte(rest, '/') {
		g.Path, g.Name = rest[:dot], rest[dot+1:]
		if !isImportPath(g.Path) {
			return g, fmt.Errorf("%q is no import path", g.Path)
		}
		if !token.IsExported(g.Name) {
			return g, fmt.Errorf("%q is not the name of an exported type", g.Name)
		}
	}
	if !token.IsIdentifier(g.Name) || g.Name == "_" {
		return g, fmt.Errorf("%q is no Go type: write IMPORTPATH.NAME, such as github.com/google/uuid.UUID", text)
	}
	if g.Path == "math/big" && !g.Pointer {
		return g, fmt.Errorf("values of %s must not be copied: write *%s", text, text)
	}
	return g, nil
}

// isImportPath reports a path of plain ASCII that imports something ordinary.
func isImportPath(path string) bool {
	for _, part := range strings.Split(path, "/") {
		if part == "" || part[0] == '.' || part[len(part)-1] == '.' || strings.IndexFunc(part, isNoPathRune) >= 0 {
			return false
		}
	}
	return path != "C" && path != "unsafe"
}

func isNoPathRune(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r))
}

// A TypeMapping gives the values of a format, or of one schema, a Go type of the
// user's.
type TypeMapping struct {
	// Key is a format, or the place of a schema: the path of its file in its root,
	// "#", and a JSON pointer: "shared/money.json#/$defs/amount".
	Key string
	Go  GoType
	Pos schema.Position // where it was asked for; may be empty
}

func (t TypeMapping) isPlace() bool { return strings.Contains(t.Key, "#") }

// typeMappings are the mappings of the options, and which were of use.
type typeMappings struct {
	byKey map[string]*TypeMapping
	used  map[string]bool
}

func newTypeMappings(list []TypeMapping) (t typeMappings, diags []schema.Diagnostic) {
	t = typeMappings{map[string]*TypeMapping{}, map[string]bool{}}
	for i, m := range list {
		if other := t.byKey[m.Key]; other != nil && other.Go != m.Go {
			diags = append(diags, schema.Diagnostic{Pos: m.Pos, Message: fmt.Sprintf("%s is %s and %s: give it one Go type", m.Key, other.Go, m.Go)})
		}
		t.byKey[m.Key] = &list[i]
	}
	return t, diags
}

// unused warns about mappings that no schema asked for.
func (t typeMappings) unused() (diags []schema.Diagnostic) {
	for key, m := range t.byKey {
		switch {
		case t.used[key]:
		case m.isPlace():
			diags = append(diags, schema.Diagnostic{Pos: m.Pos, Message: fmt.Sprintf("no schema at %s: write FILE#POINTER, the file as -dump names it", key)})
		default:
			diags = append(diags, schema.Diagnostic{Pos: m.Pos, Warning: true, Message: fmt.Sprintf("no schema has the format %s, which is to become %s", key, m.Go)})
		}
	}
	slices.SortFunc(diags, func(a, b schema.Diagnostic) int { return strings.Compare(a.Message, b.Message) })
	return diags
}

// A typeWish is a Go type that a schema asks for.
type typeWish struct {
	goType  GoType
	schema  *schema.Schema
	pos     schema.Position
	pointer string
}

// goType is the Go type that is asked for by one of the schemas, all of which hold
// for the value; nil when none is asked for. What the schemas or their places say
// goes before what a mapping says about formats.
func (b *builder) goType(schemas []*schema.Schema, f *facts) *GoType {
	var wish *typeWish
	for _, w := range b.wishes(schemas, map[*schema.Schema]bool{}) {
		if wish != nil && wish.goType != w.goType {
			b.refuse(w, "%s beside %s at %s: one value has one Go type", w.goType, wish.goType, wish.pos)
			return nil
		}
		wish = w
	}
	if wish == nil {
		return b.formatType(f)
	}
	if complaint := f.refuses(wish); complaint != "" {
		b.refuse(wish, "%s", complaint)
		return nil
	}
	return &wish.goType
}

func (b *builder) refuse(w *typeWish, format string, args ...any) {
	d := schema.Diagnostic{Pos: w.pos, Pointer: w.pointer, Message: fmt.Sprintf(format, args...)}
	if !slices.Contains(b.diags, d) {
		b.diags = append(b.diags, d)
	}
}

// wishes are what the schemas ask for: each by itself, or else what it refers to
// and consists of.
func (b *builder) wishes(schemas []*schema.Schema, seen map[*schema.Schema]bool) []*typeWish {
	var list []*typeWish
	for _, s := range schemas {
		if s.Bool != nil || seen[s] {
			continue
		}
		seen[s] = true
		if w := b.wishOf(s); w != nil {
			list = append(list, w)
			continue
		}
		if s.Ref != nil {
			list = append(list, b.wishes([]*schema.Schema{s.Ref.Target}, seen)...)
		}
		list = append(list, b.wishes(s.AllOf, seen)...)
	}
	return list
}

// wishOf is what the schema, or a mapping of its place, asks for.
func (b *builder) wishOf(s *schema.Schema) *typeWish {
	if node := annotation(s, keywordGoType); node != nil {
		w := &typeWish{schema: s, pos: node.Pos, pointer: s.Pointer + "/" + keywordGoType}
		if node.Kind != schema.String {
			b.refuse(w, "must be a Go type in quotes, such as %q", "github.com/google/uuid.UUID")
			return nil
		}
		g, err := ParseGoType(node.Text)
		if err != nil {
			b.refuse(w, "%v", err)
			return nil
		}
		w.goType = g
		return w
	}
	key := s.File.Path + "#" + s.Pointer
	m := b.types.byKey[key]
	if m == nil {
		return nil
	}
	b.types.used[key] = true
	return &typeWish{goType: m.Go, schema: s, pos: s.Pos, pointer: s.Pointer}
}

// formatType is what a mapping says about the format of a string or number.
func (b *builder) formatType(f *facts) *GoType {
	if kinds := f.kinds &^ schema.Null; kinds != schema.String && kinds != schema.Number {
		return nil
	}
	for _, s := range f.members {
		if m := b.types.byKey[s.Format]; s.Format != "" && m != nil {
			b.types.used[s.Format] = true
			return &m.Go
		}
	}
	return nil
}

// holders say what known types can hold.
var holders = map[string]struct {
	what  string
	holds func(*facts) bool
}{
	"*math/big.Int":        {"integers", func(f *facts) bool { return f.kinds&^schema.Null == schema.Number && f.onlyIntegers() }},
	wirePath + ".Number":   {"numbers", func(f *facts) bool { return f.kinds&^schema.Null == schema.Number }},
	"encoding/json.Number": {"numbers", func(f *facts) bool { return f.kinds&^schema.Null == schema.Number }},
	"time.Time":            {"strings", func(f *facts) bool { return f.kinds&^schema.Null == schema.String }},
}

const wirePath = "github.com/pgque/pgque-go/pgque/wire"

// refuses says why the values cannot be of the Go type; "" when they may.
func (f *facts) refuses(w *typeWish) string {
	if h, known := holders[w.goType.String()]; known && !h.holds(f) {
		return fmt.Sprintf("%s holds %s, and this may be something else", w.goType, h.what)
	}
	if len(gather([]*schema.Schema{w.schema}).properties) < len(f.properties) {
		return fmt.Sprintf("%s would hold a part of this object only: say %s where all its members are", w.goType, keywordGoType)
	}
	return ""
}

// decideForeign gives the value the type that was asked for. The predicates decide
// what is valid: what the type takes is not known here.
func (b *builder) decideForeign(s *Shape, f *facts, g *GoType) {
	*s = Shape{Basic: Foreign, Go: g, Held: f.scalar(), Nullable: f.allowsNull()}
	f.inexact = f.inexact || !f.saysNothing()
}

// allowsNull reports that null may be valid.
func (f *facts) allowsNull() bool {
	mayBeNull := func(s *schema.Schema) bool { return gather([]*schema.Schema{s}).kinds&schema.Null != 0 }
	for _, c := range f.choices {
		if !slices.ContainsFunc(append(slices.Clone(c.AnyOf), c.OneOf...), mayBeNull) {
			return false
		}
	}
	return f.kinds&schema.Null != 0
}

// scalar is how the value would be held by itself, for examples; nil when it is no
// string or number.
func (f *facts) scalar() *Shape {
	s := &Shape{}
	switch f.kinds &^ schema.Null {
	case schema.Number:
		decideNumber(s, f)
	case schema.String:
		s.Basic = String
		s.Rules = Rules{Lengths: f.rules.Lengths, Patterns: f.rules.Patterns, Formats: f.rules.Formats, Const: f.rules.Const}
	default:
		return nil
	}
	return s
}

// An Import is a package of types that are not generated, and what generated code
// calls it. Packages of the standard library have their own name.
type Import struct {
	Path string `json:"path"`
	Name string `json:"name"`
}

// IsStandard reports a package of the standard library.
func (i Import) IsStandard() bool {
	first, _, _ := strings.Cut(i.Path, "/")
	return !strings.Contains(first, ".")
}

// imports are the packages of all Foreign shapes. Their names do not depend on one
// another's order.
func (m *Model) imports() []Import {
	var claims []*claim
	seen := map[string]bool{}
	var list []*Import
	m.eachShape(func(_ *Type, s *Shape) {
		if s.Go == nil || s.Go.Path == "" || seen[s.Go.Path] || isRuntime(s.Go.Path) {
			return
		}
		seen[s.Go.Path] = true
		imp := &Import{Path: s.Go.Path}
		list = append(list, imp)
		stem := packageStem(imp.Path)
		candidates := []string{stem, stem + "pkg", stem + strings.ToLower(mark(imp.Path))}
		if imp.IsStandard() {
			candidates = candidates[:1]
		}
		claims = append(claims, &claim{candidates: candidates, set: func(name string) { imp.Name = name }})
	})
	settle(claims, localNames())
	var imports []Import
	for _, imp := range list {
		imports = append(imports, *imp)
	}
	slices.SortFunc(imports, func(a, b Import) int { return strings.Compare(a.Path, b.Path) })
	return imports
}

// isRuntime reports packages that generated code imports anyway.
func isRuntime(path string) bool {
	return path == wirePath || path == "encoding/json" || path == "time"
}

// packageStem is what a package is likely called: the last element of its path
// without a version, or what is around "go".
func packageStem(path string) string {
	parts := strings.Split(path, "/")
	last := len(parts) - 1
	if v := parts[last]; last > 0 && len(v) > 1 && v[0] == 'v' && strings.Trim(v[1:], "0123456789") == "" {
		last--
	}
	name, _, _ := strings.Cut(parts[last], ".")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "go-"), "-go")
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	if name = strings.TrimLeft(name, "0123456789"); name == "" {
		return "foreign"
	}
	return name
}

// localNames are names that generated functions use, and those of packages that
// generated files import.
func localNames() map[string]bool {
	taken := map[string]bool{}
	for _, name := range strings.Fields("accepted append attrs b batch branch c consumer context ctx d declared ev events " +
		"fn fresh fuzz has i inner item json k known list m matched matches members msg n name o ok opts option p " +
		"pgque pgx r rand s sample seen slog spellings t testing time tx v valid value wire x") {
		taken[name] = true
	}
	for _, name := range types.Universe.Names() {
		taken[name] = true
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		taken[t.String()] = true
	}
	return taken
}
