// Package model decides what the generated package declares: which schema is
// an event, which Go type holds it, what every identifier is called, and which
// rules the decoder checks in passing. The Model is plain data; rendering it
// needs no further decision.
package model

import "github.com/pgque/pgque-go/gen/schema"

// A Model is everything that one generated package declares.
type Model struct {
	Package string   `json:"package"`
	Events  []*Event `json:"events"` // sorted by queue, then by type
	Queues  []*Queue `json:"queues"` // sorted by name
	Types   []*Type  `json:"types"`  // sorted by Go name
	Checks  []*Check `json:"checks"`
	Sources []Source `json:"sources"` // sorted by file
	// Examples asks for generators of valid and invalid events.
	Examples bool `json:"examples,omitzero"`
	// Fuzz asks for fuzz targets, which need the generators.
	Fuzz bool `json:"fuzz,omitzero"`
	// Imports are the packages of types that are not generated, sorted by path.
	Imports []Import `json:"imports,omitzero"`
}

// A Source is a schema file that the package is made from.
type Source struct {
	File string `json:"file"`
	Home string `json:"home"` // queue of the generated file; "" is the shared file
	Hash string `json:"hash"`
}

// A Queue is a queue with at least one event.
type Queue struct {
	Name   string   `json:"queue"`
	Go     string   `json:"go"` // prefix of its producer and consumer: Orders
	Const  string   `json:"const"`
	Home   string   `json:"home"`
	Events []*Event `json:"-"` // sorted by type
}

// An Event is a schema whose instances travel through a queue.
type Event struct {
	File   string `json:"file"`  // path of the schema in its root
	Queue  string `json:"queue"` // name of the queue
	Type   string `json:"type"`  // type of the event: order.created
	Go     string `json:"go"`    // its Go type: OrderCreated
	Const  string `json:"const"` // the constant that holds Type: OrderCreatedType
	Hash   string `json:"hash"`  // SHA-256 of the schema's bytes, hex
	Schema string `json:"-"`     // the schema as compact JSON
	Root   *Type  `json:"-"`

	Methods Methods         `json:"methods"`
	Pos     schema.Position `json:"-"`

	root *schema.Schema
}

// Methods are the names of an event's methods of its queue's producer, consumer
// and handlers.
type Methods struct {
	Send      string `json:"send"`
	SendBatch string `json:"sendBatch"`
	On        string `json:"on"`
	OnTx      string `json:"onTx"`
	OnBatch   string `json:"onBatch"`
	Handle    string `json:"handle"`
}

// A Kind tells how a named Go type is declared.
type Kind string

// The kinds of named types.
const (
	Struct  Kind = "struct"  // an object
	Enum    Kind = "enum"    // a string with named values
	Defined Kind = "defined" // type X []T
	Wrapped Kind = "wrapped" // type X struct{ Value T }
	Union   Kind = "union"   // one of several objects, told apart by a member: an interface
	Sum     Kind = "sum"     // one of several alternatives, held as its text
	Tuple   Kind = "tuple"   // an array whose first items have schemas of their own
)

// A Type is a named Go type of the generated package.
type Type struct {
	Go      string          `json:"go"`
	Kind    Kind            `json:"kind"`
	Doc     []string        `json:"doc,omitzero"` // paragraphs
	File    string          `json:"file"`         // of the schema
	Pointer string          `json:"pointer"`      // of the schema
	Pos     schema.Position `json:"-"`
	Home    string          `json:"home"`            // queue of the generated file; "" is the shared file
	Event   *Event          `json:"-"`               // when the type is an event's
	Checks  []string        `json:"checks,omitzero"` // predicates that decide what the rules do not

	Fields []*Field `json:"fields,omitzero"` // Struct and Tuple, in source order
	// Extra holds the members that no field names, or the items behind those of a
	// Tuple. Nil: there are none.
	Extra *Shape `json:"extra,omitzero"`
	// Items bounds the number of a Tuple's items.
	Items []Bounds `json:"items,omitzero"`
	// Other tells that values which are no objects are valid too; the type
	// holds them as they are.
	Other bool `json:"other,omitzero"`

	Values []Value `json:"values,omitzero"` // Enum, in source order

	Of *Shape `json:"of,omitzero"` // Defined and Wrapped

	Union *Alternatives `json:"union,omitzero"` // Union and Sum

	// Respelled tells that somewhere inside is a value that Go may write in
	// another way than it was read.
	Respelled bool `json:"respelled,omitzero"`
	// Checked tells that this type, or one inside, has Checks.
	Checked bool `json:"checked,omitzero"`
	// Secret tells that somewhere inside is a value that logs must not show.
	Secret bool `json:"secret,omitzero"`
	// Hidden tells that it is the whole value.
	Hidden bool `json:"hidden,omitzero"`

	schemas []*schema.Schema // what the type stands for
	suffix  string           // of the name, where another type has the same place
}

// A Value is a named value of an Enum.
type Value struct {
	Go   string `json:"go"`
	Text string `json:"text"`
}

// A Field is one property of an object.
type Field struct {
	Name     string   `json:"name"`          // of the member; of a Tuple's item its index
	Item     int      `json:"item,omitzero"` // of a Tuple, counted from 1
	Go       string   `json:"go"`
	Doc      []string `json:"doc,omitzero"`
	Required bool     `json:"required,omitzero"`
	Shape    *Shape   `json:"shape"`
	Secret   bool     `json:"secret,omitzero"`
	// Default is filled in where a received event lacks the member. Nil: nothing.
	Default *Literal `json:"default,omitzero"`

	wanted  string           // Go name out of an annotation
	schemas []*schema.Schema // where a default is looked for
}

// A Basic is how Go holds a value without a name of its own.
type Basic string

// The basic shapes.
const (
	Bool      Basic = "bool"
	Int       Basic = "int64"
	Uint      Basic = "uint64"
	Float     Basic = "float64"
	String    Basic = "string"
	Time      Basic = "time.Time"
	UUID      Basic = "wire.UUID"
	Date      Basic = "wire.Date"
	TimeOfDay Basic = "wire.TimeOfDay"
	Duration  Basic = "wire.Duration"
	Raw       Basic = "json.RawMessage"
	Slice     Basic = "slice"
	Map       Basic = "map"
	Named     Basic = "named"
	Foreign   Basic = "foreign" // of a type that is not generated
)

// A Shape is what one place of an instance may be, and how Go holds it.
type Shape struct {
	Basic Basic  `json:"basic"`
	Name  string `json:"name,omitzero"` // Named: the Go type
	// Go is the type of a Foreign, and Held how it would be held otherwise, if that is
	// a string or number.
	Go       *GoType `json:"go,omitzero"`
	Held     *Shape  `json:"held,omitzero"`
	Elem     *Shape  `json:"elem,omitzero"` // Slice and Map
	Key      *Shape  `json:"key,omitzero"`  // Map: rules of the names; nil is none
	Nullable bool    `json:"nullable,omitzero"`
	// Secret tells that neither logs nor errors show the value.
	Secret bool `json:"secret,omitzero"`
	// Secrets tells that they do not show it, or a part of it.
	Secrets bool `json:"secrets,omitzero"`
	// Boxed tells that a type would contain itself but for a pointer here.
	Boxed  bool     `json:"boxed,omitzero"`
	Rules  Rules    `json:"rules,omitzero"`
	Checks []string `json:"checks,omitzero"`
	// Samples are strings that keep the Rules, where examples are wanted.
	Samples []string `json:"samples,omitzero"`

	Type *Type `json:"-"` // Named
}

// Rules are what the decoder checks in passing. They are exact for the Basic
// that they belong to.
type Rules struct {
	Numbers  []NumberRules `json:"numbers,omitzero"`  // of a Float
	Integers []IntegerRule `json:"integers,omitzero"` // of an Int or Uint
	Lengths  []Bounds      `json:"lengths,omitzero"`  // of strings, in code points
	Patterns []Pattern     `json:"patterns,omitzero"`
	Formats  []string      `json:"formats,omitzero"`
	Items    []Bounds      `json:"items,omitzero"`
	Members  []Bounds      `json:"members,omitzero"`
	Unique   bool          `json:"unique,omitzero"`
	Enum     []Literal     `json:"enum,omitzero"`
	Const    *Literal      `json:"const,omitzero"`
}

// An IntegerRule is a limit of an integer. Minimum: a value below Limit breaks
// it. Maximum: one above. MultipleOf: one that Limit does not divide.
type IntegerRule struct {
	Test    string `json:"test"`    // "<", ">" or "%"
	Limit   string `json:"limit"`   // decimal digits that fit the Go type
	Keyword string `json:"keyword"` // the rule as the schema has it
	Text    string `json:"text"`    // its limit as the schema has it
}

// Bounds are limits of a count. Nil is none.
type Bounds struct {
	Min *int64 `json:"min,omitzero"`
	Max *int64 `json:"max,omitzero"`
}

// A Pattern is a regular expression of a schema.
type Pattern struct {
	Source string `json:"source"` // as in the schema
	RE2    string `json:"re2"`
	Var    string `json:"var"` // the variable that holds it compiled
}

// Alternatives are the branches of oneOf or anyOf, or the types of a value that
// may be of several.
type Alternatives struct {
	// Property is the member that tells the branches of a Union apart.
	Property string         `json:"property,omitzero"`
	Switch   string         `json:"switch"` // the function that takes a Union apart
	Options  []*Alternative `json:"options"`
}

// An Alternative is one branch of a Union or Sum.
type Alternative struct {
	Go    string   `json:"go"`            // String in AsString
	Maker string   `json:"maker"`         // the function that makes a Sum
	Shape *Shape   `json:"shape"`         // what the branch holds
	Tags  []string `json:"tags,omitzero"` // values of Property that choose it

	number int // from 1
}
