package wire

// A Kind is the kind of a JSON value, named by a byte that begins one.
type Kind byte

// The kinds of JSON values. End stands for the end of the text, and for a text
// that is broken.
const (
	End    Kind = 0
	Null   Kind = 'n'
	Bool   Kind = 'b'
	Num    Kind = '0'
	String Kind = '"'
	Array  Kind = '['
	Object Kind = '{'
)

// String is the name of the kind in JSON Schema.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Num:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	}
	return "nothing"
}

// kinds maps the first byte of a value to its kind.
var kinds = [256]Kind{
	'n': Null, 't': Bool, 'f': Bool, '"': String, '[': Array, '{': Object, '-': Num,
	'0': Num, '1': Num, '2': Num, '3': Num, '4': Num, '5': Num, '6': Num, '7': Num, '8': Num, '9': Num,
}
