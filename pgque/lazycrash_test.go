package pgque_test

import (
	"context"
	"sync"
	"syscall"
	"testing"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// A settlement is answered before it is on disk. The server is killed in between: the page
// comes again, under an id that no page had before, and nothing else changes.
func TestServerKilled_ASettlementThatWasNotOnDiskIsARedelivery(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t, pgquetest.WithSetting("wal_writer_delay", "10s"), pgquetest.WithSetting("autovacuum", "off"),
		pgquetest.WithSetting("synchronous_commit", "on"))
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	b.subscribe("billing")
	b.stopWriter()
	var mu sync.Mutex
	pages := make(map[int64]int64) // first message by batch id
	var handled ledger
	settled := make(chan struct{})
	goOn, release := b.gate()
	kill := true
	c := b.NewConsumer("orders", "billing", pgque.WithMaxMessages(2), pgque.WithoutTicking(),
		pgque.WithPageHook(func(pgque.SettledPage) {
			if kill {
				kill = false
				settled <- struct{}{}
				<-goOn
			}
		}))
	c.Handle("a", func(_ context.Context, msg pgque.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if first, ok := pages[msg.BatchID]; ok && msg.MsgID != first && msg.MsgID != first+1 {
			t.Errorf("batch %d has the messages %d and %d", msg.BatchID, first, msg.MsgID)
		} else if !ok {
			pages[msg.BatchID] = msg.MsgID
		}
		handled.note(msg)
		return nil
	})
	sent := b.send("a", 6)
	b.tick()
	b.start(c)
	within(t, "the first page is settled", settled)
	s.Kill()
	s.Restart()
	release()
	until(t, "nothing is left", func() bool { return b.isDrained("billing") })
	if len(handled.deliveries()) < 8 || handled.messages() != len(sent) {
		t.Errorf("delivered %v of %v: the first page should have come twice", handled.deliveries(), sent)
	}
	if first := handled.count[sent[0]]; first != 2 {
		t.Errorf("the first message came %d times", first)
	}
}

// stopWriter stops the process of the server that brings settlements to the disk, now and
// then.
func (b *bus) stopWriter() {
	b.t.Helper()
	pid := b.number("select pid from pg_stat_activity where backend_type = 'walwriter'")
	b.must(syscall.Kill(int(pid), syscall.SIGSTOP))
}

// isDrained reports that the consumer has finished the last tick. The server may be coming
// up.
func (b *bus) isDrained(consumer string) (drained bool) {
	err := b.Pool().QueryRow(b.t.Context(), `
		select s.sub_last_tick = (select max(tick_id) from pgque.tick where tick_queue = s.sub_queue) and s.sub_batch is null
		from pgque.subscription s join pgque.consumer c on c.co_id = s.sub_consumer where c.co_name = $1`, consumer).Scan(&drained)
	return err == nil && drained
}
