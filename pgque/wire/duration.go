package wire

import (
	"strconv"
	"strings"
)

// A Duration is an ISO 8601 duration by its parts, as RFC 3339 appendix A writes
// it: P1Y2M3DT4H5M6S or P4W. Its parts are not converted into each other: a month
// has no fixed number of days.
type Duration struct {
	Years, Months, Weeks, Days, Hours, Minutes, Seconds uint64
	// text is what was read, where the parts alone give another text.
	text string
}

// ParseDuration reads the format duration. A part beyond 2^64-1 is valid for the
// format and kept in the text; the part itself is then 2^64-1.
func ParseDuration(s string) (Duration, bool) {
	d, ok := scanDuration(s)
	if ok && string(d.parts(nil)) != s {
		d.text = strings.Clone(s)
	}
	return d, ok
}

// scanDuration reads the grammar of appendix A: units in order and without gaps,
// P1Y2D and PT1H1S are not in it, weeks alone.
func scanDuration(s string) (Duration, bool) {
	var d Duration
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return d, false
	}
	if n, rest := scanPart(s); rest == "W" && rest != s {
		d.Weeks = n
		return d, true
	}
	day, clock, hasClock := strings.Cut(s, "T")
	if !scanParts(day, "YMD", &d.Years, &d.Months, &d.Days) {
		return d, false
	}
	if hasClock {
		return d, clock != "" && scanParts(clock, "HMS", &d.Hours, &d.Minutes, &d.Seconds)
	}
	return d, true
}

// scanParts reads all of s as numbers with units that follow each other.
func scanParts(s, units string, parts ...*uint64) bool {
	next := -1 // index of the only unit that may come, -1 for any
	for s != "" {
		n, rest := scanPart(s)
		if rest == "" || len(rest) == len(s) {
			return false
		}
		i := strings.IndexByte(units, rest[0])
		if i < 0 || next >= 0 && i != next {
			return false
		}
		*parts[i] = n
		next = i + 1
		s = rest[1:]
	}
	return true
}

// scanPart reads digits, up to 2^64-1.
func scanPart(s string) (uint64, string) {
	i := 0
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	n, _ := strconv.ParseUint(s[:i], 10, 64)
	return n, s[i:]
}

// String returns the duration as it was read, or the text of its parts when they
// have changed since. The zero Duration is PT0S.
func (d Duration) String() string {
	if d.text != "" {
		if read, _ := scanDuration(d.text); read.sameParts(d) {
			return d.text
		}
	}
	return string(d.parts(nil))
}

func (d Duration) sameParts(o Duration) bool {
	d.text, o.text = "", ""
	return d == o
}

// parts appends the text of the parts, with zeros where the grammar allows no gap.
func (d Duration) parts(b []byte) []byte {
	b = append(b, 'P')
	if d.Weeks != 0 {
		return append(AppendUint(b, d.Weeks), 'W')
	}
	b = appendParts(b, "YMD", d.Years, d.Months, d.Days)
	if d.Hours|d.Minutes|d.Seconds != 0 {
		return appendParts(append(b, 'T'), "HMS", d.Hours, d.Minutes, d.Seconds)
	}
	if len(b) == 1 || b[len(b)-1] == 'P' {
		return append(b, "T0S"...)
	}
	return b
}

// appendParts appends the units from the first to the last that is not zero.
func appendParts(b []byte, units string, parts ...uint64) []byte {
	last := len(parts)
	for last > 0 && parts[last-1] == 0 {
		last--
	}
	begun := false
	for i, n := range parts[:last] {
		if begun = begun || n != 0; begun {
			b = append(AppendUint(b, n), units[i])
		}
	}
	return b
}

// Valid says whether the format can write the duration: weeks stand alone.
func (d Duration) Valid() bool {
	return d.Weeks == 0 || d.Years|d.Months|d.Days|d.Hours|d.Minutes|d.Seconds == 0
}

// AppendDuration appends d as a JSON string.
//
//go:noinline
func AppendDuration(b []byte, d Duration) []byte {
	return append(append(append(b, '"'), d.String()...), '"')
}

// MarshalText returns the text of String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the format duration.
func (d *Duration) UnmarshalText(text []byte) error {
	return unmarshalText(d, text, "duration", ParseDuration)
}

// FormatDuration is the format duration of RFC 3339 appendix A.
func FormatDuration(s string) bool {
	_, ok := scanDuration(s)
	return ok
}
