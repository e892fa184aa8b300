package wire

// A UUID is a universally unique identifier. Its text is read in either case and
// written in lower case.
type UUID [16]byte

// uuidLength is the length of the text of a UUID.
const uuidLength = 36

// ParseUUID reads the 36 characters of a UUID; false for anything else.
func ParseUUID(s string) (UUID, bool) {
	var u UUID
	if len(s) != uuidLength || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, false
	}
	bad := int8(0)
	for i, at := range uuidOffsets {
		hi, lo := hexValue[s[at]], hexValue[s[at+1]]
		bad |= hi | lo
		u[i] = byte(hi)<<4 | byte(lo)&15
	}
	if bad < 0 {
		return UUID{}, false
	}
	return u, true
}

// uuidOffsets are the places of the sixteen bytes in the text.
var uuidOffsets = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// String returns the 36 characters.
func (u UUID) String() string { return string(u.append(nil)) }

func (u UUID) append(b []byte) []byte {
	var text [uuidLength]byte
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	for i, at := range uuidOffsets {
		text[at], text[at+1] = hexDigits[u[i]>>4], hexDigits[u[i]&15]
	}
	return append(b, text[:]...)
}

// AppendUUID appends u as a JSON string.
//
//go:noinline
func AppendUUID(b []byte, u UUID) []byte {
	return append(u.append(append(b, '"')), '"')
}

// MarshalText returns the 36 characters.
func (u UUID) MarshalText() ([]byte, error) { return u.append(nil), nil }

// UnmarshalText reads the 36 characters.
func (u *UUID) UnmarshalText(text []byte) error {
	return unmarshalText(u, text, "uuid", ParseUUID)
}

// FormatUUID is the format uuid.
func FormatUUID(s string) bool {
	_, ok := ParseUUID(s)
	return ok
}
