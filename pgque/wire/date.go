package wire

import "time"

// A Date is a calendar day of the years 0 to 9999, as RFC 3339 writes it.
type Date struct {
	Year, Month, Day int
}

// ParseDate reads the format date: 2006-01-02.
func ParseDate(s string) (Date, bool) {
	if len(s) != len("2006-01-02") {
		return Date{}, false
	}
	return scanDate(s)
}

// scanDate reads the first ten bytes of s, which are there.
func scanDate(s string) (Date, bool) {
	year, ok1 := twoDigits(s, 0)
	rest, ok2 := twoDigits(s, 2)
	month, ok3 := twoDigits(s, 5)
	day, ok4 := twoDigits(s, 8)
	year = year*100 + rest
	if !(ok1 && ok2 && ok3 && ok4) || s[4] != '-' || s[7] != '-' ||
		month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Date{}, false
	}
	return Date{year, month, day}, true
}

func twoDigits(s string, i int) (int, bool) {
	tens, ones := s[i]-'0', s[i+1]-'0'
	return int(tens)*10 + int(ones), tens <= 9 && ones <= 9
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// DateOf returns the day of t in t's zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, int(month), day}
}

// In returns the first moment of the day in a zone.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, zone)
}

// Valid says whether the day exists and RFC 3339 can write it. The zero Date does
// not exist.
func (d Date) Valid() bool {
	return d.Year >= 0 && d.Year <= 9999 && d.Month >= 1 && d.Month <= 12 &&
		d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// String returns the day as 2006-01-02.
func (d Date) String() string { return string(d.append(nil)) }

func (d Date) append(b []byte) []byte {
	b = appendTwo(b, d.Year/100)
	b = appendTwo(b, d.Year%100)
	b = appendTwo(append(b, '-'), d.Month)
	return appendTwo(append(b, '-'), d.Day)
}

// appendTwo appends the last two digits of n.
func appendTwo(b []byte, n int) []byte {
	return append(b, byte('0'+n/10%10), byte('0'+n%10))
}

// AppendDate appends d as a JSON string.
//
//go:noinline
func AppendDate(b []byte, d Date) []byte {
	return append(d.append(append(b, '"')), '"')
}

// MarshalText returns the day as 2006-01-02.
func (d Date) MarshalText() ([]byte, error) { return d.append(nil), nil }

// UnmarshalText reads the format date.
func (d *Date) UnmarshalText(text []byte) error {
	return unmarshalText(d, text, "date", ParseDate)
}

// FormatDate is the format date: full-date of RFC 3339.
func FormatDate(s string) bool {
	_, ok := ParseDate(s)
	return ok
}
