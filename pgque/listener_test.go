package pgque_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest"
)

// listening counts the connections that listen for ticks of "orders".
func (b *bus) listening() int64 {
	b.t.Helper()
	return b.number(`select count(*) from pg_stat_activity
		where datname = current_database() and application_name = 'pgque listener'`)
}

func TestListener_OneConnectionForAllConsumersGoneWithTheLast(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.must(b.CreateQueue(t.Context(), "invoices"))
	var stops []func() error
	got := make(chan pgque.Message, 2)
	for queue, name := range map[string]string{"orders": "billing", "invoices": "mail"} {
		c := b.NewConsumer(queue, name)
		c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
		b.must(b.Subscribe(t.Context(), queue, name))
		_, err := b.Send(t.Context(), queue, pgque.Event{})
		b.must(err)
		stops = append(stops, b.start(c))
		within(t, "it runs", got)
	}
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	_ = stops[0]()
	if n := b.listening(); n != 1 {
		t.Errorf("%d connections listen for the second consumer", n)
	}
	_ = stops[1]()
	until(t, "nobody listens", func() bool { return b.listening() == 0 })
}

func TestListener_TickOfAnotherIsNoticedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer("orders", "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	for range 3 { // each tick wakes it
		b.send("a", 1)
		b.tick()
		within(t, "the tick is noticed", got)
	}
}

func TestListener_ComesBackAfterItsConnectionWasEnded(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer("orders", "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	b.terminate("pgque listener")
	b.send("a", 1) // announced while nobody may be listening
	b.tick()
	within(t, "the tick is noticed", got)
	until(t, "somebody listens again", func() bool { return b.listening() == 1 })
	b.send("a", 1)
	b.tick()
	within(t, "the next tick is noticed", got)
}

// A connection that is open and dead, as behind a firewall that has forgotten it: here the
// process at its other end is halted, on a server that no other test waits for.
func TestListener_NoticesThatItsConnectionIsDead(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	b.subscribe("billing")
	log := &logBook{}
	client := pgque.New(b.Pool(), pgque.WithLogger(log.logger()), pgque.WithSilence(200*time.Millisecond, time.Second))
	t.Cleanup(client.Close)
	got := make(chan pgque.Message, 2)
	c := client.NewConsumer("orders", "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.start(c)
	b.send("a", 1)
	b.tick()
	within(t, "it runs", got)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	b.halt("pgque listener")
	b.send("a", 1)
	b.tick()
	within(t, "the event of which it did not hear", got)
	until(t, "it hears again", func() bool { return strings.Contains(log.text(), "notifications arrive again") })
	if n := strings.Count(log.text(), "notifications do not arrive"); n == 0 {
		t.Errorf("it did not say that it was deaf: %s", log.text())
	}
}

// The session that holds the turn ends when its process's machine loses its power, too:
// the server sends a word now and then to see whether the other end is there.
func TestListener_TheServerNoticesThatItIsGone(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	c := b.NewConsumer("orders", "billing")
	c.Handle("*", func(context.Context, pgque.Message) error { return nil })
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	port := b.number("select client_port from pg_stat_activity where datname = current_database() and application_name = 'pgque listener'")
	until(t, "the server looks after it within half a minute", func() bool {
		left, ok := keepAliveTimer(t, int(b.Pool().Config().ConnConfig.Port), int(port))
		return ok && left <= 30*time.Second
	})
}

// keepAliveTimer is when Linux will look whether the other end of a connection is there. It
// is not ok while the connection waits for something else.
func keepAliveTimer(t *testing.T, local, remote int) (left time.Duration, ok bool) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("only Linux shows the timers of connections")
	}
	if err != nil {
		t.Fatal(err)
	}
	const keepAlive = "02"
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // NUMBER LOCAL REMOTE STATE QUEUES TIMER:HUNDREDTHS ...
		if len(fields) < 6 || fields[1] != fmt.Sprintf("0100007F:%04X", local) || fields[2] != fmt.Sprintf("0100007F:%04X", remote) {
			continue
		}
		timer, when, _ := strings.Cut(fields[5], ":")
		hundredths, err := strconv.ParseInt(when, 16, 64)
		return time.Duration(hundredths) * 10 * time.Millisecond, err == nil && timer == keepAlive
	}
	return 0, false
}

// halt stops the process at the other end of the one connection of an application, until
// the test ends.
func (b *bus) halt(application string) {
	b.t.Helper()
	pid := int(b.number("select pid from pg_stat_activity where datname = current_database() and application_name = $1", application))
	b.must(syscall.Kill(pid, syscall.SIGSTOP))
	b.t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
}

func TestListener_WithoutNotificationsItPollsAndSaysSoOnce(t *testing.T) {
	t.Parallel()
	s := pgquetest.Start(t)
	b := busOver(t, pgquetest.New(t, pgquetest.On(s)))
	// A role that may not open a second connection cannot listen.
	b.exec("create role narrow login connection limit 1")
	b.exec("grant pgque_reader, pgque_writer, pgque_admin to narrow")
	narrow, err := pgque.Connect(t.Context(), strings.Replace(b.Pool().Config().ConnString(), "user=postgres", "user=narrow", 1)+" pool_max_conns=1")
	b.must(err)
	defer narrow.Close()
	log := &logBook{}
	client := pgque.New(narrow.Pool(), pgque.WithLogger(log.logger()))
	defer client.Close()
	got := make(chan pgque.Message, 1)
	c := client.NewConsumer("orders", "billing")
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.subscribe("billing")
	stop := b.start(c)
	for range 3 {
		b.send("a", 1) // by another client: no hint inside the process
		within(t, "the event is noticed", got)
	}
	b.exec("alter role narrow connection limit 5")
	until(t, "it hears again", func() bool { return strings.Contains(log.text(), "notifications arrive again") })
	_ = stop()
	if n := strings.Count(log.text(), "notifications do not arrive"); n != 1 {
		t.Errorf("said %d times that it polls: %s", n, log.text())
	}
}

func TestListener_QueueNamesAreQuoted(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const queue = `Odd "queue"; name`
	b.must(b.CreateQueue(t.Context(), queue))
	got := make(chan pgque.Message, 1)
	c := b.NewConsumer(queue, "billing", pgque.WithoutTicking(), pgque.WithPollInterval(time.Hour))
	c.Handle("*", func(_ context.Context, msg pgque.Message) error { got <- msg; return nil })
	b.must(b.Subscribe(t.Context(), queue, "billing"))
	b.start(c)
	until(t, "somebody listens", func() bool { return b.listening() == 1 })
	_, err := b.Send(t.Context(), queue, pgque.Event{})
	b.must(err)
	pgquetest.Tick(t, b.Client, queue)
	within(t, "the tick is noticed", got)
}
