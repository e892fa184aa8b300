package pgque

import (
	"context"
	"log/slog"
	"testing"
	"time"
)

// signalHandler tells of each record.
type signalHandler struct {
	slog.Handler
	heard chan slog.Record
}

func (h signalHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h signalHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }

func (h signalHandler) Handle(_ context.Context, r slog.Record) error {
	select {
	case h.heard <- r:
	default:
	}
	return nil
}

// The timer has found no call and is about to stop; a call that begins just then finds
// it armed, and is watched all the same.
func TestHang_ACallThatBeginsWhileTheTimerStopsIsWatched(t *testing.T) {
	t.Parallel()
	heard := make(chan slog.Record, 1)
	c := NewOffline(WithLogger(slog.New(signalHandler{slog.DiscardHandler, heard}))).
		NewConsumer("orders", "billing", WithHangWarning(time.Millisecond))
	s := &session{Consumer: c}
	h := s.takeHang()
	h.armed.Store(true)
	h.begin(&messageContext{Context: t.Context(), msg: Message{MsgID: 7}})
	h.disarm()
	select {
	case <-heard:
	case <-time.After(time.Minute):
		t.Error("the call is not named")
	}
	s.putHang(h)
	again, deadline := time.NewTicker(time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for h.armed.Load() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatal("the timer runs on without a call")
		}
	}
}
