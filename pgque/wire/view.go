package wire

import "unsafe"

// The two views below spare a copy of every name and text that is looked at and
// forgotten, which is most of what a Decoder does. They are sound as long as nobody
// writes to the bytes while the view is in use: the Decoder writes to no text that
// it was given, and what outlives the text is copied first (Decoder.keep). All
// other code of this package is free of package unsafe.

// alias views bytes that nobody writes to as a string.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// view is a string as bytes, which are not to be written to.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
