package schema

import (
	"strconv"
	"strings"
)

// A keyword is one that the drafts define.
type keyword struct {
	vocabulary vocabulary
	from, to   Draft
	besideRef  bool  // survives beside a $ref of draft-07, since it asserts nothing
	applies    Kinds // the types it says something about; 0 is all
	read       func(*builder, Member)
}

func (k keyword) in(d *dialect) bool {
	return k.from <= d.draft && d.draft <= k.to && d.vocabularies&k.vocabulary != 0
}

// keywordTable holds every keyword of the drafts. definitions and dependencies
// have successors since 2019-09, whose metaschemas still describe them.
func keywordTable() map[string]keyword {
	every := func(v vocabulary, read func(*builder, Member)) keyword {
		return keyword{vocabulary: v, from: Draft4, to: Draft2020, read: read}
	}
	since6 := func(v vocabulary, read func(*builder, Member)) keyword {
		return keyword{vocabulary: v, from: Draft6, to: Draft2020, read: read}
	}
	since7 := func(v vocabulary, read func(*builder, Member)) keyword {
		return keyword{vocabulary: v, from: Draft7, to: Draft2020, read: read}
	}
	since2019 := func(v vocabulary, read func(*builder, Member)) keyword {
		return keyword{vocabulary: v, from: Draft2019, to: Draft2020, read: read}
	}
	beside := func(k keyword) keyword {
		k.besideRef = true
		return k
	}
	table := map[string]keyword{
		"$schema":          beside(every(vocabCore, identified)),
		"$id":              beside(since6(vocabCore, identified)),
		"id":               {vocabulary: vocabCore, from: Draft4, to: Draft4, besideRef: true, read: identified},
		"$anchor":          since2019(vocabCore, identified),
		"$dynamicAnchor":   {vocabulary: vocabCore, from: Draft2020, to: Draft2020, read: identified},
		"$recursiveAnchor": {vocabulary: vocabCore, from: Draft2019, to: Draft2019, read: identified},
		"$vocabulary":      since2019(vocabCore, readVocabulary),
		"$comment":         beside(since7(vocabCore, readText(func(*Schema) *string { return new(string) }))),
		"$defs":            since2019(vocabCore, readDefs),
		"definitions":      beside(every(vocabCore, readDefs)),
		"$ref":             beside(every(vocabCore, readRef(staticRef))),
		"$dynamicRef":      {vocabulary: vocabCore, from: Draft2020, to: Draft2020, read: readRef(dynamicRef)},
		"$recursiveRef":    {vocabulary: vocabCore, from: Draft2019, to: Draft2019, read: readRef(recursiveRef)},

		"allOf":                 every(vocabApplicator, readSchemas(func(s *Schema) *[]*Schema { return &s.AllOf })),
		"anyOf":                 every(vocabApplicator, readSchemas(func(s *Schema) *[]*Schema { return &s.AnyOf })),
		"oneOf":                 every(vocabApplicator, readSchemas(func(s *Schema) *[]*Schema { return &s.OneOf })),
		"not":                   every(vocabApplicator, readSchema(func(s *Schema) **Schema { return &s.Not })),
		"if":                    since7(vocabApplicator, readSchema(func(s *Schema) **Schema { return &s.If })),
		"then":                  since7(vocabApplicator, readThen),
		"else":                  since7(vocabApplicator, readElse),
		"dependentSchemas":      since2019(vocabApplicator, readNamed(func(s *Schema) *[]Property { return &s.DependentSchemas })),
		"dependencies":          every(vocabApplicator, readDependencies),
		"prefixItems":           {vocabulary: vocabApplicator, from: Draft2020, to: Draft2020, read: readSchemas(func(s *Schema) *[]*Schema { return &s.PrefixItems })},
		"items":                 every(vocabApplicator, readItems),
		"additionalItems":       {vocabulary: vocabApplicator, from: Draft4, to: Draft2019, read: readAdditionalItems},
		"contains":              since6(vocabApplicator, readSchema(func(s *Schema) **Schema { return &s.Contains })),
		"properties":            every(vocabApplicator, readNamed(func(s *Schema) *[]Property { return &s.Properties })),
		"patternProperties":     every(vocabApplicator, readPatternProperties),
		"additionalProperties":  every(vocabApplicator, readSchema(func(s *Schema) **Schema { return &s.AdditionalProperties })),
		"propertyNames":         since6(vocabApplicator, readSchema(func(s *Schema) **Schema { return &s.PropertyNames })),
		"unevaluatedItems":      since2019(vocabUnevaluated, readSchema(func(s *Schema) **Schema { return &s.UnevaluatedItems })),
		"unevaluatedProperties": since2019(vocabUnevaluated, readSchema(func(s *Schema) **Schema { return &s.UnevaluatedProperties })),

		"type":              every(vocabValidation, readType),
		"enum":              every(vocabValidation, readEnum),
		"const":             since6(vocabValidation, readConst),
		"minimum":           every(vocabValidation, readNumber(func(s *Schema) *string { return &s.Minimum })),
		"exclusiveMinimum":  every(vocabValidation, readExclusive(func(b *builder) *bool { return &b.exclusiveMin }, func(s *Schema) *string { return &s.ExclusiveMinimum })),
		"maximum":           every(vocabValidation, readNumber(func(s *Schema) *string { return &s.Maximum })),
		"exclusiveMaximum":  every(vocabValidation, readExclusive(func(b *builder) *bool { return &b.exclusiveMax }, func(s *Schema) *string { return &s.ExclusiveMaximum })),
		"multipleOf":        every(vocabValidation, readMultipleOf),
		"minLength":         every(vocabValidation, readMinimum(func(b *builder) **int64 { return &b.schema.MinLength })),
		"maxLength":         every(vocabValidation, readMaximum(func(b *builder) **int64 { return &b.schema.MaxLength })),
		"pattern":           every(vocabValidation, readPattern),
		"minItems":          every(vocabValidation, readMinimum(func(b *builder) **int64 { return &b.schema.MinItems })),
		"maxItems":          every(vocabValidation, readMaximum(func(b *builder) **int64 { return &b.schema.MaxItems })),
		"uniqueItems":       every(vocabValidation, readFlag(func(s *Schema) *bool { return &s.UniqueItems })),
		"minContains":       since2019(vocabValidation, readMinimum(func(b *builder) **int64 { return &b.minContains })),
		"maxContains":       since2019(vocabValidation, readMaximum(func(b *builder) **int64 { return &b.maxContains })),
		"minProperties":     every(vocabValidation, readMinimum(func(b *builder) **int64 { return &b.schema.MinProperties })),
		"maxProperties":     every(vocabValidation, readMaximum(func(b *builder) **int64 { return &b.schema.MaxProperties })),
		"required":          every(vocabValidation, readRequired),
		"dependentRequired": since2019(vocabValidation, readDependentRequired),

		"title":       beside(every(vocabMetadata, readText(func(s *Schema) *string { return &s.Title }))),
		"description": beside(every(vocabMetadata, readText(func(s *Schema) *string { return &s.Description }))),
		"default":     every(vocabMetadata, readDefault),
		"examples":    since6(vocabMetadata, readExamples),
		"deprecated":  since2019(vocabMetadata, readFlag(func(s *Schema) *bool { return &s.Deprecated })),
		"readOnly":    since7(vocabMetadata, readFlag(func(s *Schema) *bool { return &s.ReadOnly })),
		"writeOnly":   since7(vocabMetadata, readFlag(func(s *Schema) *bool { return &s.WriteOnly })),

		"format":           every(vocabFormat, readText(func(s *Schema) *string { return &s.Format })),
		"contentEncoding":  since7(vocabContent, readText(func(s *Schema) *string { return &s.ContentEncoding })),
		"contentMediaType": since7(vocabContent, readText(func(s *Schema) *string { return &s.ContentMediaType })),
		"contentSchema":    since2019(vocabContent, readSchema(func(*Schema) **Schema { return new(*Schema) })),
	}
	for kinds, names := range keywordsOf {
		for _, name := range strings.Fields(names) {
			k := table[name]
			k.applies = kinds
			table[name] = k
		}
	}
	return table
}

// keywordsOf lists the keywords that say nothing about all other types.
var keywordsOf = map[Kinds]string{
	Integer | Number: "minimum exclusiveMinimum maximum exclusiveMaximum multipleOf",
	String:           "minLength maxLength pattern",
	Array:            "prefixItems items additionalItems contains minItems maxItems uniqueItems minContains maxContains unevaluatedItems",
	Object: "properties patternProperties additionalProperties propertyNames minProperties maxProperties required " +
		"dependentRequired dependentSchemas dependencies unevaluatedProperties",
}

// identified keywords were read before all others, by identify.
func identified(*builder, Member) {}

func readSchema(field func(*Schema) **Schema) func(*builder, Member) {
	return func(b *builder, m Member) { *field(b.schema) = b.sub(m.Value, b.at(m.Name)) }
}

func readThen(b *builder, m Member) { b.thenSchema = b.sub(m.Value, b.at(m.Name)) }

func readElse(b *builder, m Member) { b.elseSchema = b.sub(m.Value, b.at(m.Name)) }

func readAdditionalItems(b *builder, m Member) {
	b.additionalItems = b.sub(m.Value, b.at(m.Name))
}

func readSchemas(field func(*Schema) *[]*Schema) func(*builder, Member) {
	return func(b *builder, m Member) { *field(b.schema) = b.schemas(m) }
}

// schemas reads a non-empty array of schemas.
func (b *builder) schemas(m Member) []*Schema {
	if m.Value.Kind != Array {
		b.wrong(m, "an array of schemas")
		return nil
	}
	if len(m.Value.Items) == 0 {
		b.rep.errorf(m.Value.Pos, b.at(m.Name), "%s must not be empty; leave it out", m.Name)
	}
	list := make([]*Schema, len(m.Value.Items))
	for i, n := range m.Value.Items {
		list[i] = b.sub(n, b.at(m.Name)+"/"+strconv.Itoa(i))
	}
	return list
}

func readNamed(field func(*Schema) *[]Property) func(*builder, Member) {
	return func(b *builder, m Member) { *field(b.schema) = b.named(m) }
}

// named reads an object of schemas.
func (b *builder) named(m Member) []Property {
	if m.Value.Kind != Object {
		b.wrong(m, "an object of schemas")
		return nil
	}
	list := make([]Property, len(m.Value.Members))
	for i, p := range m.Value.Members {
		list[i] = Property{Name: p.Name, Pos: p.Pos, Schema: b.sub(p.Value, b.at(m.Name)+"/"+pointerToken(p.Name))}
	}
	return list
}

func readDefs(b *builder, m Member) {
	b.schema.Defs = append(b.schema.Defs, b.named(m)...)
}

func readItems(b *builder, m Member) {
	switch {
	case m.Value.Kind != Array:
		b.schema.Items = b.sub(m.Value, b.at(m.Name))
	case b.scope.dialect.draft >= Draft2020:
		b.rep.errorf(m.Value.Pos, b.at(m.Name), "items must be a schema, not an array; since 2020-12 the array goes into prefixItems")
	default:
		b.itemsIsArray = true
		b.schema.PrefixItems = b.schemas(m)
	}
}

func readPatternProperties(b *builder, m Member) {
	for _, p := range b.named(m) {
		pointer := b.at(m.Name) + "/" + pointerToken(p.Name)
		b.schema.PatternProperties = append(b.schema.PatternProperties,
			PatternProperty{Pattern: b.pattern(p.Name, p.Pos, pointer), Schema: p.Schema})
	}
}

func readDependencies(b *builder, m Member) {
	if m.Value.Kind != Object {
		b.wrong(m, "an object of schemas and arrays of names")
		return
	}
	for _, p := range m.Value.Members {
		pointer := b.at(m.Name) + "/" + pointerToken(p.Name)
		if p.Value.Kind == Array {
			b.schema.DependentRequired = append(b.schema.DependentRequired,
				Dependency{Name: p.Name, Pos: p.Pos, Required: b.names(p.Value, pointer, m.Name)})
			continue
		}
		b.schema.DependentSchemas = append(b.schema.DependentSchemas,
			Property{Name: p.Name, Pos: p.Pos, Schema: b.sub(p.Value, pointer)})
	}
}

func readDependentRequired(b *builder, m Member) {
	if m.Value.Kind != Object {
		b.wrong(m, "an object of arrays of names")
		return
	}
	for _, p := range m.Value.Members {
		pointer := b.at(m.Name) + "/" + pointerToken(p.Name)
		b.schema.DependentRequired = append(b.schema.DependentRequired,
			Dependency{Name: p.Name, Pos: p.Pos, Required: b.names(p.Value, pointer, m.Name)})
	}
}

func readRequired(b *builder, m Member) {
	b.schema.Required = b.names(m.Value, b.at(m.Name), m.Name)
}

// names reads an array of distinct strings.
func (b *builder) names(n *Node, pointer, keyword string) []Located {
	if n.Kind != Array {
		b.rep.errorf(n.Pos, pointer, "%s must be an array of member names, not %s", keyword, kindName(n))
		return nil
	}
	list := make([]Located, 0, len(n.Items))
	seen := map[string]bool{}
	for i, item := range n.Items {
		at := pointer + "/" + strconv.Itoa(i)
		switch {
		case item.Kind != String:
			b.rep.errorf(item.Pos, at, "%s must hold member names only, not %s", keyword, kindName(item))
		case seen[item.Text]:
			b.rep.errorf(item.Pos, at, "%s names %s twice; remove one", keyword, quote(item.Text))
		default:
			seen[item.Text] = true
			list = append(list, Located{Text: item.Text, Pos: item.Pos})
		}
	}
	return list
}

func readVocabulary(b *builder, m Member) {
	if m.Value.Kind != Object {
		b.wrong(m, "an object of true and false")
		return
	}
	for _, v := range m.Value.Members {
		if v.Value.Kind != Boolean {
			b.rep.errorf(v.Value.Pos, b.at(m.Name)+"/"+pointerToken(v.Name), "$vocabulary must say true or false, not %s", kindName(v.Value))
		}
	}
}

func readRef(kind refKind) func(*builder, Member) {
	return func(b *builder, m Member) {
		if m.Value.Kind != String {
			b.wrong(m, "a string")
			return
		}
		b.loader.refs = append(b.loader.refs, pendingRef{
			schema: b.schema, scope: b.scope, kind: kind, text: m.Value.Text,
			pos: m.Value.Pos, pointer: b.at(m.Name),
		})
	}
}
