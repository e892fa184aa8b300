// Package wire is the runtime of generated event types: it reads and writes
// their JSON, compares their values and names what is wrong with them.
//
// Programs do not call it directly, apart from the types that appear as fields
// (UUID, Date, TimeOfDay, Duration, Nullable) and the errors that decoding and
// validation return (ValidationError, SyntaxError).
//
// Generated code reads a message in one pass with a Decoder, and validates and writes
// one in one pass with an Encoder. Both take the rules of a place as a value: TextRules,
// IntegerRules, NumberRules, Count, Words. What one pass cannot decide is shown to a
// Predicate as a Value (Decoder.Accepts and Encoder.Decide). Predicates call
//
//	v.Kind, v.Len, v.Item, v.Name, v.Index, v.Get  the tree
//	v.Number().Compare, .IsInteger, .MultipleOf    exact decimals, constants by MustDecimal
//	v.Text, v.RuneCount, Pattern.Match, Format…    strings, patterns by MustPattern
//	Equal, Enum.Has, v.Unique                      JSON equality, constants by MustParse and MustEnum
//	Evaluated                                      which children a schema has looked at
//	Report                                         the violations, each with its pointer
//
// Only JSON as RFC 8259 defines it is read: no trailing data, no invalid UTF-8,
// no lone surrogates. Beyond that, member names of an object are unique and
// arrays and objects nest at most MaxDepth deep.
//
// What generated code calls for every member is kept small where it is called: what
// is marked go:noinline has a body, or calls one, that the compiler would copy into
// each of those places. Building packages of hundreds of events takes most of its
// time there.
package wire

// Version5 is the contract between generated code and this package. Generated code
// names the version that it was made for, so that it compiles with no other.
const Version5 = true
