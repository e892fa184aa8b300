package wire

import "time"

// What follows writes a member at once: the text before its value, which is its name
// and what else is always the same, and the value as the Append functions do.

// PutString appends text and a string.
//
//go:noinline
func PutString(b []byte, text, s string) []byte { return AppendString(append(b, text...), s) }

// PutBool appends text and a boolean.
//
//go:noinline
func PutBool(b []byte, text string, v bool) []byte { return AppendBool(append(b, text...), v) }

// PutInt appends text and an integer.
//
//go:noinline
func PutInt(b []byte, text string, i int64) []byte { return AppendInt(append(b, text...), i) }

// PutUint appends text and an integer.
//
//go:noinline
func PutUint(b []byte, text string, u uint64) []byte { return AppendUint(append(b, text...), u) }

// PutFloat appends text and a number.
//
//go:noinline
func PutFloat(b []byte, text string, f float64) []byte { return AppendFloat(append(b, text...), f) }

// PutTime appends text and a date-time.
//
//go:noinline
func PutTime(b []byte, text string, t time.Time) []byte { return AppendTime(append(b, text...), t) }

// PutUUID appends text and a UUID.
//
//go:noinline
func PutUUID(b []byte, text string, u UUID) []byte { return AppendUUID(append(b, text...), u) }

// PutDate appends text and a date.
//
//go:noinline
func PutDate(b []byte, text string, d Date) []byte { return AppendDate(append(b, text...), d) }

// PutTimeOfDay appends text and a time.
//
//go:noinline
func PutTimeOfDay(b []byte, text string, t TimeOfDay) []byte {
	return AppendTimeOfDay(append(b, text...), t)
}

// PutDuration appends text and a duration.
//
//go:noinline
func PutDuration(b []byte, text string, d Duration) []byte {
	return AppendDuration(append(b, text...), d)
}
