package pgque_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

const (
	workerEnv    = "PGQUE_TEST_WORKER"
	workerDSNEnv = "PGQUE_TEST_WORKER_DSN"
)

// workers are what a process of its own can do until it is killed.
var workers = map[string]func(dsn string){"consume": consumeUntilKilled, "produce": produceUntilKilled,
	"exit": consumeUntilDeadly, "exit deaf": consumeDeafUntilDeadly, "measure": consumeMeasured}

// startWorker runs the test binary as a worker on the bus's database. It is gone
// when the test ends, and when this process does.
func (b *bus) startWorker(name string, output io.Writer) *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+name, workerDSNEnv+"="+b.Pool().Config().ConnString())
	cmd.Stdout, cmd.Stderr = output, os.Stderr
	_, err := cmd.StdinPipe() // its end tells the worker that we are gone
	b.must(err)
	b.must(cmd.Start())
	b.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

func connectWorker(dsn string) *pgque.Client {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(2)
	}()
	c, err := pgque.Connect(context.Background(), dsn)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return c
}

func killSelf() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {} // until it arrives
}

const (
	workerPage = 10
	workerLife = 15 // messages: in the middle of the second page
)

// consumeUntilKilled dies inside a handler in the middle of a page, after a first
// page was settled.
func consumeUntilKilled(dsn string) {
	client := connectWorker(dsn)
	handled := 0
	c := client.NewConsumer("orders", "billing", pgque.WithMaxMessages(workerPage))
	c.HandleTx("tx", func(ctx context.Context, tx pgx.Tx, msg pgque.Message) error {
		err := leaveEffect(ctx, tx, msg)
		if handled++; handled == workerLife {
			killSelf()
		}
		return err
	})
	c.Handle("plain", func(ctx context.Context, msg pgque.Message) error {
		_, err := client.Pool().Exec(ctx, "insert into seen values ($1)", msg.MsgID)
		if handled++; handled == workerLife {
			killSelf()
		}
		return err
	})
	_ = c.Start(context.Background())
}

// consumeUntilDeadly ends the process at a deadly message.
func consumeUntilDeadly(dsn string) { runUntilDeadly(connectWorker(dsn)) }

// consumeDeafUntilDeadly does so as behind a pooler.
func consumeDeafUntilDeadly(dsn string) { runUntilDeadly(deaf(connectWorker(dsn))) }

// deaf is a client that hears no notification, and so cannot take turns.
func deaf(c *pgque.Client) *pgque.Client {
	return pgque.New(c.Pool(), pgque.WithSilence(time.Hour, time.Nanosecond))
}

func runUntilDeadly(client *pgque.Client) {
	c := client.NewConsumer("orders", "billing", pgque.WithConcurrency(2))
	c.HandleTx("tx", leaveEffect)
	c.Handle("plain", func(ctx context.Context, msg pgque.Message) error {
		_, err := client.Pool().Exec(ctx, "insert into seen values ($1)", msg.MsgID)
		return err
	})
	c.Handle("deadly", func(context.Context, pgque.Message) error { os.Exit(3); return nil })
	c.HandleTx("deadly.tx", func(context.Context, pgx.Tx, pgque.Message) error { os.Exit(3); return nil })
	_ = c.Start(context.Background())
}

func TestQuarantine_MessageThatKillsTheProcessIsFound(t *testing.T) {
	for name, story := range map[string]struct{ worker, good, deadly string }{
		"plain":            {"exit", "plain", "deadly"},
		"in a transaction": {"exit", "tx", "deadly.tx"},
		"without turns":    {"exit deaf", "plain", "deadly"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBus(t)
			b.effects()
			b.exec("create table seen (msg_id bigint)")
			b.subscribe("billing")
			good := b.send(story.good, 4)
			deadly := b.send(story.deadly, 1)
			good = append(good, b.send(story.good, 4)...)
			b.tick()
			deaths := 0
			for b.number("select count(*) from pgque.dead_letter") == 0 || b.number("select count(distinct msg_id) from effect")+b.number("select count(distinct msg_id) from seen") < int64(len(good)) {
				worker := b.startWorker(story.worker, nil)
				ended := make(chan error, 1)
				go func() { ended <- worker.Wait() }()
				died := false
				until(t, "the process dies, or has done all", func() bool {
					select {
					case <-ended:
						died = true
					default:
					}
					return died || b.number("select count(*) from pgque.dead_letter") == 1 &&
						b.number("select count(distinct msg_id) from effect")+b.number("select count(distinct msg_id) from seen") == int64(len(good))
				})
				if !died {
					_ = worker.Process.Kill()
					<-ended
					break
				}
				if deaths++; deaths > 10 {
					t.Fatal("it dies for ever")
				}
			}
			letters, err := b.DeadLetters(t.Context(), pgque.DeadLetterFilter{})
			b.must(err)
			if len(letters) != 1 || letters[0].Message.MsgID != deadly[0] || !strings.Contains(letters[0].Reason, "the process died 3 times") {
				t.Errorf("dead letters %+v, want message %d", letters, deadly)
			}
			if deaths < 3 || deaths > 5 {
				t.Errorf("%d deaths", deaths)
			}
			if story.good == "tx" {
				b.eachOnce(good)
			}
		})
	}
}

func TestQuarantine_StoppingInPeaceIsNoDeath(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	sent := b.send("a", 2)
	b.tick()
	for range 5 {
		running := make(chan struct{})
		c := b.NewConsumer("orders", "billing", pgque.WithDrainTimeout(time.Millisecond))
		c.Handle("a", func(ctx context.Context, _ pgque.Message) error {
			close(running)
			<-ctx.Done()
			return ctx.Err()
		})
		b.startUntil(c, running)
	}
	if got := b.startForAll(b.NewConsumer("orders", "billing"), len(sent)); !slices.Equal(ids(got), sent) {
		t.Errorf("came %v, want %v", ids(got), sent)
	}
	if lines := b.log.text(); strings.Contains(lines, "died") {
		t.Errorf("log: %s", lines)
	}
}

// As behind a pooler: all of them get the same page, and live.
func TestQuarantine_ProcessesWithoutTurnsAreNoDeaths(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	b.send("a", 2)
	b.tick()
	begun := make(chan struct{}, 100)
	goOn, release := b.gate()
	for range 6 {
		client := deaf(b.Client)
		t.Cleanup(client.Close)
		c := client.NewConsumer("orders", "billing")
		c.Handle("a", func(context.Context, pgque.Message) error { begun <- struct{}{}; <-goOn; return nil })
		b.start(c)
		within(t, "it has begun with the page", begun)
	}
	until(t, "one of them guards its note", func() bool { return b.guards() == 1 })
	release()
	b.untilDrained("billing")
	if n := b.number("select count(*) from pgque.dead_letter"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	until(t, "nobody guards the note any more", func() bool { return b.guards() == 0 })
}

func (b *bus) guards() int64 {
	b.t.Helper()
	return b.number(`select count(*) from pg_stat_activity
		where datname = current_database() and application_name = 'pgque quarantine'`)
}

func TestWithQuarantine_WrongNumbersAreRefused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for _, n := range []int{-1, 1} {
		if err := b.NewConsumer("orders", "billing", pgque.WithQuarantine(n)).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "WithQuarantine") {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func produceUntilKilled(dsn string) {
	client := connectWorker(dsn)
	for i := 0; ; i++ {
		id, err := client.Send(context.Background(), "orders", pgque.Event{Payload: i})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		fmt.Println(id)
	}
}

func TestConsumerKilled_HandlesAllAgainOrExactlyOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.effects()
	b.exec("create table seen (msg_id bigint)")
	b.subscribe("billing")
	const each = 50
	transactional := b.send("tx", each)
	b.send("plain", each)
	b.tick()
	lives := 0
	for b.number("select count(*) from effect") < each || b.number("select count(distinct msg_id) from seen") < each {
		if lives++; lives > 2*each {
			t.Fatal("no progress")
		}
		worker := b.startWorker("consume", nil)
		ended := make(chan error, 1)
		go func() { ended <- worker.Wait() }()
		until(t, "the worker dies or is done", func() bool {
			select {
			case <-ended:
				return true
			default:
				return b.number("select count(distinct msg_id) from seen") == each
			}
		})
		_ = worker.Process.Kill()
	}
	b.eachOnce(transactional)
	if seen := b.number("select count(*) from seen"); seen > int64(each+lives*workerPage) {
		t.Errorf("%d plain messages were seen %d times in %d lives", each, seen, lives)
	}
	if lives < 3 {
		t.Errorf("only %d lives", lives)
	}
}

func TestProducerKilled_WhatWasReportedIsStored(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	reader, writer := io.Pipe()
	worker := b.startWorker("produce", writer)
	go func() { _ = worker.Wait(); _ = writer.Close() }()
	lines := bufio.NewScanner(reader)
	var reported []int64
	for lines.Scan() {
		id, err := strconv.ParseInt(lines.Text(), 10, 64)
		b.must(err)
		if reported = append(reported, id); len(reported) == 100 {
			b.must(worker.Process.Kill())
		}
	}
	if len(reported) < 100 {
		t.Fatalf("the producer ended of itself after %d events", len(reported))
	}
	b.tick()
	stored := make(map[int64]bool)
	page := b.receive("billing", 1<<20)
	for _, m := range page {
		stored[m.MsgID] = true
	}
	for _, id := range reported {
		if !stored[id] {
			t.Errorf("event %d was reported and is not stored", id)
		}
	}
	if len(page) > len(reported)+1 {
		t.Errorf("%d stored, %d reported: more than the one on its way", len(page), len(reported))
	}
}

const backlog = 10_000 // messages of a kilobyte, for each kind of handler

// consumeMeasured handles a backlog of all three kinds, and prints the largest heap that
// it saw on the way.
func consumeMeasured(dsn string) {
	client := connectWorker(dsn)
	var most, handled atomic.Uint64
	ctx, done := context.WithCancel(context.Background())
	note := func(n int) {
		before := handled.Add(uint64(n)) - uint64(n)
		if now := before + uint64(n); now/500 != before/500 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapAlloc))
		}
		if handled.Load() == 3*backlog {
			done()
		}
	}
	c := client.NewConsumer("orders", "billing", pgque.WithMaxMessages(500), pgque.WithConcurrency(2))
	c.Handle("plain", func(context.Context, pgque.Message) error { note(1); return nil })
	c.HandleTx("tx", func(context.Context, pgx.Tx, pgque.Message) error { note(1); return nil })
	c.HandleBatch("batch", func(_ context.Context, msgs []pgque.Message) []error { note(len(msgs)); return nil })
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
	}
	fmt.Println(most.Load())
}

// A ticker that pauses for a day leaves one huge batch. It is measured in a process of its
// own, since other tests use memory too.
func TestStart_MemoryIsThatOfAPageWhateverTheBacklog(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	b.subscribe("billing")
	for _, eventType := range []string{"plain", "tx", "batch"} {
		events := make([]pgque.Event, backlog)
		for i := range events {
			events[i] = pgque.Event{Type: eventType, Payload: strings.Repeat("x", 1000)}
		}
		_, err := b.SendBatch(t.Context(), "orders", events)
		b.must(err)
	}
	b.tick()
	if batches := b.number("select count(*) from pgque.tick") - 1; batches != 1 {
		t.Fatalf("the backlog is %d batches", batches)
	}
	var output strings.Builder
	worker, ended := b.startWorker("measure", &output), make(chan error, 1)
	go func() { ended <- worker.Wait() }()
	b.must(within(t, "all is handled", ended))
	heap, err := strconv.Atoi(strings.TrimSpace(output.String()))
	b.must(err)
	t.Logf("%d KB of heap for %d KB of messages", heap/1000, 3*backlog)
	if heap > 15_000_000 {
		t.Errorf("a heap of %d bytes for pages of half a megabyte: it grows with the backlog", heap)
	}
}
