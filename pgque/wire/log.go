package wire

import "log/slog"

// Attrs are what logs show of an event, or of a part of one.
type Attrs []slog.Attr

// Add adds a member.
//
//go:noinline
func (a *Attrs) Add(name string, value any) { *a = append(*a, slog.Any(name, value)) }

// Hide adds a member whose value logs do not show.
//
//go:noinline
func (a *Attrs) Hide(name string) { *a = append(*a, slog.String(name, "[hidden]")) }

// Value is the group of all members.
func (a *Attrs) Value() slog.Value { return slog.GroupValue(*a...) }
