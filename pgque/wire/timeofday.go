package wire

import "time"

// A TimeOfDay is a time with an offset from UTC but without a day, as RFC 3339
// writes it. Second 60 is a leap second.
type TimeOfDay struct {
	Hour, Minute, Second int
	Nanosecond           int
	Offset               int // minutes east of UTC
}

// ParseTimeOfDay reads the format time: 15:04:05.999Z or 15:04:05+01:00. Digits of
// a fraction beyond nanoseconds are dropped. Second 60 is read where a leap second
// can be: at 23:59 UTC.
func ParseTimeOfDay(s string) (TimeOfDay, bool) {
	var t TimeOfDay
	if len(s) < len("15:04:05Z") || s[2] != ':' || s[5] != ':' {
		return t, false
	}
	var ok1, ok2, ok3 bool
	t.Hour, ok1 = twoDigits(s, 0)
	t.Minute, ok2 = twoDigits(s, 3)
	t.Second, ok3 = twoDigits(s, 6)
	if !(ok1 && ok2 && ok3) || t.Hour > 23 || t.Minute > 59 || t.Second > 60 {
		return t, false
	}
	s = s[8:]
	var ok bool
	if t.Nanosecond, s, ok = scanFraction(s); !ok {
		return t, false
	}
	if t.Offset, ok = scanOffset(s); !ok {
		return t, false
	}
	return t, t.Second < 60 || t.beforeMidnight()
}

// beforeMidnight says whether the minute is the last of a day in UTC.
func (t TimeOfDay) beforeMidnight() bool {
	const day = 24 * 60
	return (t.Hour*60+t.Minute-t.Offset+2*day)%day == day-1
}

// scanFraction reads .999 at the front of s, if it is there, and returns what is
// behind it.
func scanFraction(s string) (nano int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, 100_000_000
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		nano += int(s[i]-'0') * unit
		unit /= 10
	}
	return nano, s[i:], i > 1
}

// scanOffset reads Z or +01:00, which is all of s, as minutes.
func scanOffset(s string) (int, bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+01:00") || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, ok1 := twoDigits(s, 1)
	minutes, ok2 := twoDigits(s, 4)
	offset := hours*60 + minutes
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok1 && ok2 && hours <= 23 && minutes <= 59
}

// Valid says whether RFC 3339 can write the time.
func (t TimeOfDay) Valid() bool {
	return t.Hour >= 0 && t.Hour <= 23 && t.Minute >= 0 && t.Minute <= 59 &&
		t.Second >= 0 && (t.Second <= 59 || t.Second == 60 && t.beforeMidnight()) &&
		t.Nanosecond >= 0 && t.Nanosecond < int(time.Second) &&
		t.Offset > -24*60 && t.Offset < 24*60
}

// String returns the time as 15:04:05.999+01:00, with as many digits of the
// fraction as it has, and Z for offset 0.
func (t TimeOfDay) String() string { return string(t.append(nil)) }

func (t TimeOfDay) append(b []byte) []byte {
	b = appendTwo(b, t.Hour)
	b = appendTwo(append(b, ':'), t.Minute)
	b = appendTwo(append(b, ':'), t.Second)
	return appendOffset(appendFraction(b, t.Nanosecond), t.Offset)
}

// appendFraction appends .999 without trailing zeros, nothing for 0.
func appendFraction(b []byte, nano int) []byte {
	if nano == 0 {
		return b
	}
	b = append(b, '.')
	for unit := 100_000_000; nano > 0; unit /= 10 {
		b = append(b, byte('0'+nano/unit))
		nano %= unit
	}
	return b
}

// appendOffset appends minutes as +01:00, 0 as Z.
func appendOffset(b []byte, minutes int) []byte {
	if minutes == 0 {
		return append(b, 'Z')
	}
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	b = appendTwo(append(b, sign), minutes/60)
	return appendTwo(append(b, ':'), minutes%60)
}

// AppendTimeOfDay appends t as a JSON string.
//
//go:noinline
func AppendTimeOfDay(b []byte, t TimeOfDay) []byte {
	return append(t.append(append(b, '"')), '"')
}

// MarshalText returns the text of String.
func (t TimeOfDay) MarshalText() ([]byte, error) { return t.append(nil), nil }

// UnmarshalText reads the format time.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	return unmarshalText(t, text, "time", ParseTimeOfDay)
}

// FormatTime is the format time: full-time of RFC 3339.
func FormatTime(s string) bool {
	_, ok := ParseTimeOfDay(s)
	return ok
}
