package pgque_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func TestCreateQueue_AgainLeavesItAsItIs(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	info, err := b.QueueInfo(t.Context(), "orders")
	b.must(err)
	if info.TickerMaxLag != 50*time.Millisecond || info.Name != "orders" || info.Tables != 3 || info.LastTick == 0 {
		t.Errorf("new queue %+v", info)
	}
	b.must(b.SetQueueConfig(t.Context(), "orders", "ticker_max_lag", "7 seconds"))
	b.must(b.CreateQueue(t.Context(), "orders"))
	if info, err = b.QueueInfo(t.Context(), "orders"); err != nil || info.TickerMaxLag != 7*time.Second {
		t.Errorf("created again: %+v, %v", info, err)
	}
}

func TestCreateQueue_ManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			if err := b.CreateQueue(t.Context(), "invoices"); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if queues, err := b.Queues(t.Context()); err != nil || len(queues) != 2 || queues[0].Name != "invoices" {
		t.Errorf("queues %+v, %v", queues, err)
	}
}

func TestDropQueue_WithConsumersOnlyByForce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	if err := b.DropQueue(t.Context(), "orders"); !errors.Is(err, pgque.ErrQueueHasConsumers) {
		t.Errorf("drop: %v", err)
	}
	b.must(b.ForceDropQueue(t.Context(), "orders"))
	if _, err := b.QueueInfo(t.Context(), "orders"); !errors.Is(err, pgque.ErrQueueNotFound) {
		t.Errorf("info afterwards: %v", err)
	}
	if err := b.DropQueue(t.Context(), "orders"); !errors.Is(err, pgque.ErrQueueNotFound) {
		t.Errorf("drop again: %v", err)
	}
}

func TestSubscribe_AgainKeepsThePlace(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 3)
	b.tick()
	b.subscribe("billing")
	consumers, err := b.Consumers(t.Context(), "orders")
	b.must(err)
	if len(consumers) != 1 || consumers[0].Consumer != "billing" || consumers[0].Queue != "orders" || consumers[0].Pending < 3 {
		t.Errorf("consumers %+v", consumers)
	}
	if page := b.receive("billing", 10); len(page) != 3 {
		t.Errorf("received %v", page)
	}
	b.must(b.Unsubscribe(t.Context(), "orders", "billing"))
	if _, err := b.Receive(t.Context(), "orders", "billing", 1); !errors.Is(err, pgque.ErrConsumerNotFound) {
		t.Errorf("received after the end: %v", err)
	}
	if all, err := b.Consumers(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("consumers %+v, %v", all, err)
	}
}

func TestSetQueueConfig_NonsenseIsRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for parameter, value := range map[string]string{"ticker_max_count": "-1", "colour": "red", "ticker_max_lag": "soon"} {
		if err := b.SetQueueConfig(t.Context(), "orders", parameter, value); !errors.Is(err, pgque.ErrInvalidConfig) {
			t.Errorf("%s = %s: %v", parameter, value, err)
		}
	}
	b.must(b.SetQueueConfig(t.Context(), "orders", "ticker_max_count", "1"))
	b.must(b.SetQueueConfig(t.Context(), "orders", "ticker_max_lag", "0"))
}

func TestVersion_IsTheInstalledOne(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.Install(t.Context()))
	if v, err := b.Version(t.Context()); err != nil || v != pgque.Version {
		t.Errorf("version %q, %v", v, err)
	}
}
