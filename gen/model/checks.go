package model

import (
	"fmt"

	"github.com/pgque/pgque-go/gen/schema"
)

// DefaultMaxSpecialisations is the number of checks that dynamic references may
// cost beyond one for each schema.
const DefaultMaxSpecialisations = 5000

// CheckOptions configures NewChecks. The zero value is ready.
type CheckOptions struct {
	// Prefix returns an identifier part, beginning with a capital letter, for
	// the names of the checks of a file: OrderCreated. Defaults to the words of
	// the file's path.
	Prefix func(*schema.File) string
	// MaxSpecialisations bounds what dynamic references may cost. Defaults to
	// DefaultMaxSpecialisations.
	MaxSpecialisations int
}

// Checks collects the checks of a set of schemas. Not safe for concurrent use.
type Checks struct {
	opts    CheckOptions
	names   checkNames
	dynamic checkDynamics

	roots   []*Check // what Of returned, each once
	built   map[checkKey]*Check
	special int // checks beyond one for each schema
	plain   map[*schema.Schema]bool
	diags   []schema.Diagnostic
	secrets *secrets

	byFunc map[string]*Check // of built
	all    []*Check          // what All returned
}

// A checkKey identifies a check: the schema and what its dynamic references
// mean.
type checkKey struct {
	schema *schema.Schema
	scope  string
}

// NewChecks returns an empty collection.
func NewChecks(opts CheckOptions) *Checks {
	if opts.Prefix == nil {
		opts.Prefix = checkPrefix
	}
	if opts.MaxSpecialisations <= 0 {
		opts.MaxSpecialisations = DefaultMaxSpecialisations
	}
	return &Checks{
		secrets: newSecrets(),
		opts:    opts,
		names:   newCheckNames(opts.Prefix),
		dynamic: checkDynamics{known: map[*schema.Schema]bool{}},
		built:   map[checkKey]*Check{},
		plain:   map[*schema.Schema]bool{},
		byFunc:  map[string]*Check{},
	}
}

// Of returns the check of s, entered from outside: no other schema has bound a
// dynamic anchor. The same schema gets the same check; a schema that is nothing
// but a reference gets its target's. Func is final; the rest is complete after
// All. It panics after All.
func (c *Checks) Of(s *schema.Schema) *Check {
	if c.all != nil {
		panic("model: Checks.Of after All")
	}
	c.secrets.add(s)
	check := c.in(s, nil)
	if !check.root {
		check.root = true
		c.roots = append(c.roots, check)
	}
	return check
}

// Diagnostics returns what could not be turned into checks; a set with an error
// among them must not be generated.
func (c *Checks) Diagnostics() []schema.Diagnostic { return c.diags }

// in returns the check of s within a scope.
func (c *Checks) in(s *schema.Schema, outer checkScope) *Check {
	s, inner := c.follow(s, outer)
	key := checkKey{s, inner.key()}
	if check, ok := c.built[key]; ok {
		return check
	}
	check := &Check{
		Func:    c.names.of(s, c.variant(s, key)),
		File:    s.File.Path,
		Pointer: s.Pointer,
		Pos:     s.Pos,
	}
	c.built[key] = check
	c.byFunc[check.Func] = check
	if c.admit(s) {
		c.fill(check, s, inner)
	}
	return check
}

// follow walks over schemas that are nothing but a reference and returns where
// it arrives, with the scope there. References that only lead to each other end
// at one of them.
func (c *Checks) follow(s *schema.Schema, outer checkScope) (*schema.Schema, checkScope) {
	seen := map[checkKey]bool{}
	for {
		var inner checkScope
		if c.dynamic.reaches(s) {
			inner = outer.enter(s.Resource)
		}
		key := checkKey{s, inner.key()}
		next := c.onlyReference(s, inner)
		if next == nil || seen[key] {
			return s, inner
		}
		seen[key] = true
		s, outer = next, inner
	}
}

// onlyReference returns the target of s when no other keyword of s decides or
// evaluates anything, else nil.
func (c *Checks) onlyReference(s *schema.Schema, in checkScope) *schema.Schema {
	if s.Bool != nil || (s.Ref == nil) == (s.DynamicRef == nil) {
		return nil
	}
	probe := Check{}
	(&checkFiller{checks: c, check: &probe, schema: s}).ownRules()
	applied := 0
	subschemas(s, func(*schema.Schema) { applied++ })
	if !probe.trivial() || applied > 1 {
		return nil
	}
	if s.Ref != nil {
		return s.Ref.Target
	}
	return in.target(s.DynamicRef)
}

// variant names the scope of a check unless it is the one that s has when it is
// entered from outside.
func (c *Checks) variant(s *schema.Schema, key checkKey) string {
	if !c.dynamic.reaches(s) || checkScope(nil).enter(s.Resource).key() == key.scope {
		return ""
	}
	return key.scope
}

// admit counts the check against the limit.
func (c *Checks) admit(s *schema.Schema) bool {
	if !c.plain[s] {
		c.plain[s] = true
		return true
	}
	c.special++
	if c.special == c.opts.MaxSpecialisations+1 {
		c.diags = append(c.diags, schema.Diagnostic{
			Pos:     s.Pos,
			Pointer: s.Pointer,
			Message: fmt.Sprintf("dynamic references need more than %d specialisations: use $ref, or bind fewer dynamic anchors", c.opts.MaxSpecialisations),
		})
	}
	return c.special <= c.opts.MaxSpecialisations
}
