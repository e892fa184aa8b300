package model

import "github.com/pgque/pgque-go/gen/schema"

// A Check is the exact predicate of one schema: what a value must satisfy,
// with every reference resolved to the check it leads to. Two checks of one
// schema differ in what its dynamic references mean.
//
// Rules for one type of value say nothing about values of other types: a
// minimum does not speak about strings.
type Check struct {
	Func    string          // name of the emitted function
	File    string          // path of the schema's file
	Pointer string          // of the schema in its file
	Pos     schema.Position // of the schema
	root    bool            // asked for by name: never folded away

	// Tracked tells that a caller may ask which members or items were
	// evaluated: somewhere around this check is an unevaluated rule.
	Tracked bool `json:",omitzero"`
	// Remembers tells that the check is part of a recursion in which several
	// ways lead to the same value: verdicts are remembered, or the work would
	// double with every level.
	Remembers bool `json:",omitzero"`
	// Shared tells that so many ways lead to the check that it is asked once for each
	// value, whatever is asked.
	Shared bool `json:",omitzero"`
	// Nothing is the schema false: no value passes.
	Nothing bool `json:",omitzero"`

	Types   schema.Kinds `json:",omitzero"` // 0: all types
	Const   *Literal     `json:",omitzero"`
	HasEnum bool         `json:",omitzero"` // tells an empty enum from none
	Enum    []Literal    `json:",omitzero"`

	Number NumberRules `json:",omitzero"`
	String StringRules `json:",omitzero"`
	Array  ArrayRules  `json:",omitzero"`
	Object ObjectRules `json:",omitzero"`

	// Other checks of the same value.
	All  []Call   `json:",omitzero"` // $ref, $dynamicRef, allOf; no two alike
	Any  []Call   `json:",omitzero"` // at least one; no two alike
	One  []Branch `json:",omitzero"` // exactly one; no two alike
	Not  *Call    `json:",omitzero"`
	If   *Call    `json:",omitzero"`
	Then *Call    `json:",omitzero"` // only with If
	Else *Call    `json:",omitzero"` // only with If
}

// A Call stands for the check of a subschema: the name of its function, or
// Anything or Nothing.
type Call string

// The calls that need no function.
const (
	Anything Call = "true"
	Nothing  Call = "false"
)

// A Branch is an alternative of oneOf. Weight counts how often the same
// alternative is written there: one that is written twice never is the only
// one that matches.
type Branch struct {
	Call   Call
	Weight int
}

// A Literal is a value out of a schema.
type Literal struct {
	Kind schema.Kinds // exactly one, never Integer
	Text string       // of a string: its value; of anything else: its JSON text
}

// NumberRules speak about numbers. Limits are exact JSON numbers; "" is none.
type NumberRules struct {
	Minimum          string `json:",omitzero"`
	ExclusiveMinimum string `json:",omitzero"`
	Maximum          string `json:",omitzero"`
	ExclusiveMaximum string `json:",omitzero"`
	MultipleOf       string `json:",omitzero"`
}

// StringRules speak about strings. Lengths count code points.
type StringRules struct {
	MinLength *int64        `json:",omitzero"`
	MaxLength *int64        `json:",omitzero"`
	Pattern   *CheckPattern `json:",omitzero"`
	Format    string        `json:",omitzero"` // "": none, or not asserted
}

// ArrayRules speak about arrays.
type ArrayRules struct {
	MinItems    *int64        `json:",omitzero"`
	MaxItems    *int64        `json:",omitzero"`
	Unique      bool          `json:",omitzero"`
	Prefix      []Call        `json:",omitzero"`
	Rest        *Call         `json:",omitzero"` // items behind Prefix
	Secret      bool          `json:",omitzero"` // no item is shown
	Contains    *ContainsRule `json:",omitzero"`
	Unevaluated *Call         `json:",omitzero"`
}

// ContainsRule counts the items that pass Call.
type ContainsRule struct {
	Call      Call
	Min       int64
	Max       *int64 `json:",omitzero"`
	Evaluates bool   // the items that pass count as evaluated
}

// ObjectRules speak about objects.
type ObjectRules struct {
	MinProperties *int64        `json:",omitzero"`
	MaxProperties *int64        `json:",omitzero"`
	Required      []string      `json:",omitzero"`
	Properties    []MemberRule  `json:",omitzero"`
	Patterns      []PatternRule `json:",omitzero"`
	Rest          *Call         `json:",omitzero"` // members that neither Properties nor Patterns name
	SecretRest    bool          `json:",omitzero"` // they are not shown
	Names         *Call         `json:",omitzero"` // the names themselves, as strings
	Requires      []Requirement `json:",omitzero"` // dependentRequired
	Implies       []MemberRule  `json:",omitzero"` // dependentSchemas: Call decides the whole object
	Unevaluated   *Call         `json:",omitzero"`

	SecretUnevaluated bool `json:",omitzero"` // they are not shown
}

// MemberRule binds a check to a member's name.
type MemberRule struct {
	Name   string
	Call   Call
	Secret bool `json:",omitzero"` // the value is not shown
}

// PatternRule binds a check to the members whose names match.
type PatternRule struct {
	Pattern CheckPattern
	Call    Call
	Secret  bool `json:",omitzero"` // the values are not shown
}

// CheckPattern is a regular expression: as in the schema, and for Go's regexp.
type CheckPattern struct {
	Source string
	RE2    string
}

// Requirement lists what must be there beside the member Name.
type Requirement struct {
	Name     string
	Required []string
}

// calls visits every call of the check; inPlace tells those that decide the
// same value from those that decide a part of it. The visitor may change the
// call.
func (c *Check) calls(visit func(call *Call, inPlace bool)) {
	c.inPlaceCalls(func(call *Call) { visit(call, true) })
	c.partCalls(func(call *Call) { visit(call, false) })
}

func (c *Check) inPlaceCalls(visit func(*Call)) {
	for i := range c.All {
		visit(&c.All[i])
	}
	for i := range c.Any {
		visit(&c.Any[i])
	}
	for i := range c.One {
		visit(&c.One[i].Call)
	}
	for i := range c.Object.Implies {
		visit(&c.Object.Implies[i].Call)
	}
	for _, call := range []*Call{c.Not, c.If, c.Then, c.Else} {
		if call != nil {
			visit(call)
		}
	}
}

func (c *Check) partCalls(visit func(*Call)) {
	for i := range c.Array.Prefix {
		visit(&c.Array.Prefix[i])
	}
	for i := range c.Object.Properties {
		visit(&c.Object.Properties[i].Call)
	}
	for i := range c.Object.Patterns {
		visit(&c.Object.Patterns[i].Call)
	}
	if c.Array.Contains != nil {
		visit(&c.Array.Contains.Call)
	}
	for _, call := range []*Call{
		c.Array.Rest, c.Array.Unevaluated,
		c.Object.Rest, c.Object.Names, c.Object.Unevaluated,
	} {
		if call != nil {
			visit(call)
		}
	}
}
