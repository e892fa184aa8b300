package pgque_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
)

const (
	workerEnv    = "PGQUE_TEST_WORKER"
	workerDSNEnv = "PGQUE_TEST_WORKER_DSN"
)

// workers are what a process of its own can do until it is killed.
var workers = map[string]func(dsn string){"consume": consumeUntilKilled, "produce": produceUntilKilled}

// startWorker runs the test binary as a worker on the bus's database. It is gone
// when the test ends.
func (b *bus) startWorker(name string, output io.Writer) *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+name, workerDSNEnv+"="+b.Pool().Config().ConnString())
	cmd.Stdout, cmd.Stderr = output, os.Stderr
	b.must(cmd.Start())
	b.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

func connectWorker(dsn string) *pgque.Client {
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
	lines := bufio.NewScanner(reader)
	var reported []int64
	for lines.Scan() {
		id, err := strconv.ParseInt(lines.Text(), 10, 64)
		b.must(err)
		if reported = append(reported, id); len(reported) == 100 {
			b.must(worker.Process.Kill())
			go func() { _ = worker.Wait(); _ = writer.Close() }()
		}
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
