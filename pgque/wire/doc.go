// Package wire is the runtime of generated event types: it reads and writes
// their JSON, compares their values and names what is wrong with them.
//
// Programs do not call it directly, apart from the types that appear as fields
// (UUID, Date, TimeOfDay, Duration, Nullable) and the errors that decoding and
// validation return (ValidationError, SyntaxError).
//
// Generated code reads a message in one pass with a Decoder. What one pass
// cannot decide it shows to a Predicate as a Value (Decoder.Accepts, and
// Report.Decide before sending). Predicates call
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

// Version1 is the first contract between generated code and this package.
// Generated code names the newest version that it needs, so that it does not
// compile with an older runtime.
const Version1 = true

// Version2 adds all that generated code used to bring along: values are checked
// with Report.Text, Number and JSON, examples come from package sample.
const Version2 = true

// Version3 adds what generated code needs to read strings and lists, and to check
// and write values, with few allocations: OpenText, Name, Exact, Room, OpenReport,
// Append.
const Version3 = true

// Version4 adds what keeps generated code small: Decoder.Once, Report.At and the
// rules without interfaces, the Put functions, Attrs.
const Version4 = true

// Version5 adds Report.Restored and Other.
const Version5 = true
