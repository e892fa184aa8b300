package pgque

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestRetryPolicy_DelayGrowsToItsLimit(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{Delay: time.Second, Factor: 2, MaxDelay: 10 * time.Second}
	want := []time.Duration{1, 2, 4, 8, 10, 10}
	for i, seconds := range want {
		if d := p.delay(i + 1); d != seconds*time.Second {
			t.Errorf("after %d failures %v, want %v", i+1, d, seconds*time.Second)
		}
	}
	if d := p.delay(100_000); d != 10*time.Second {
		t.Errorf("an overflowing power gives %v", d)
	}
}

func TestRetryPolicy_JitterStaysInsideTheDelay(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{Delay: time.Minute, Jitter: 0.5}
	for range 1000 {
		if d := p.delay(1); d < 30*time.Second || d > time.Minute {
			t.Fatalf("delay %v", d)
		}
	}
}

func TestRetryPolicy_LastAttemptIsDead(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{MaxAttempts: 3}
	for retries, want := range []verdict{verdictRetry, verdictRetry, verdictDead, verdictDead} {
		if got := p.verdictOn(Message{RetryCount: &retries}, errors.New("no")).verdict; got != want {
			t.Errorf("after %d retries verdict %d, want %d", retries, got, want)
		}
	}
}

func TestRetryPolicy_NonsenseIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range []RetryPolicy{
		{Immediate: -1}, {Delay: -1}, {MaxDelay: -1}, {Factor: 0.5}, {Factor: -1},
		{Jitter: -0.1}, {Jitter: 1.1}, {MaxAttempts: -1},
	} {
		if p.validate() == nil {
			t.Errorf("%+v was taken", p)
		}
	}
	if err := (RetryPolicy{}).validate(); err != nil {
		t.Errorf("the zero policy was refused: %v", err)
	}
}

func TestRetry_ImmediateTriesThenWhatThePolicySays(t *testing.T) {
	t.Parallel()
	calls := 0
	h := Retry(RetryPolicy{Immediate: 2, Delay: 5 * time.Second})(func(context.Context, Message) error {
		calls++
		return errors.New("no")
	})
	var asked *outcome
	if err := h(context.Background(), Message{}); !errors.As(err, &asked) || asked.delay != 5*time.Second {
		t.Errorf("outcome %v", err)
	}
	if calls != 3 {
		t.Errorf("called %d times, want 3", calls)
	}
}

func TestRetry_LeavesTheHandlersOwnOutcomeAlone(t *testing.T) {
	t.Parallel()
	calls := 0
	broken := errors.New("broken")
	h := Retry(RetryPolicy{Immediate: 5})(func(context.Context, Message) error {
		calls++
		return Permanent(broken)
	})
	var asked *outcome
	err := h(context.Background(), Message{})
	if !errors.As(err, &asked) || asked.verdict != verdictDead || !errors.Is(err, broken) || calls != 1 {
		t.Errorf("%d calls, outcome %v", calls, err)
	}
}
