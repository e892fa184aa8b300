package wire

import (
	"sync/atomic"
	"time"
)

// ParseTime reads the format date-time: 2006-01-02T15:04:05.999Z07:00. The Time
// has the offset that was written. Digits of a fraction beyond nanoseconds are
// dropped. A leap second, which can be at 23:59:60 UTC only, becomes the second
// that follows it.
func ParseTime(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' && s[10] != 't' {
		return time.Time{}, false
	}
	day, ok := scanDate(s)
	if !ok {
		return time.Time{}, false
	}
	clock, ok := ParseTimeOfDay(s[11:])
	if !ok {
		return time.Time{}, false
	}
	return day.at(clock), true
}

// at returns the moment of a clock on the day.
func (d Date) at(t TimeOfDay) time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, t.Hour, t.Minute, t.Second, t.Nanosecond, zone(t.Offset))
}

// zones has the zones that were needed, by offset. There are few.
var zones [2*maxOffset + 1]atomic.Pointer[time.Location]

// maxOffset is the greatest offset of RFC 3339, in minutes.
const maxOffset = 24*60 - 1

func zone(offset int) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	slot := &zones[offset+maxOffset]
	if slot.Load() == nil {
		slot.CompareAndSwap(nil, time.FixedZone("", offset*60))
	}
	return slot.Load()
}

// AppendTime appends t as a JSON string of the format date-time.
//
//go:noinline
func AppendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// ValidTime says whether RFC 3339 can write t: the year has four digits and the
// offset is less than a day and a whole number of minutes.
func ValidTime(t time.Time) bool {
	_, offset := t.Zone()
	return t.Year() >= 0 && t.Year() <= 9999 && offset%60 == 0 && offset > -86400 && offset < 86400
}

// FormatDateTime is the format date-time of RFC 3339.
func FormatDateTime(s string) bool {
	_, ok := ParseTime(s)
	return ok
}
