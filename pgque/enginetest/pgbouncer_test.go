package enginetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/internal/testserver"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// TestPgBouncer is TestHistory through a pooler that gives every transaction
// another session. Its clients must not count on prepared statements.
func TestPgBouncer_NothingIsLostDoubledOrInvented(t *testing.T) {
	t.Parallel()
	h := newHistory(t, startBouncer(t))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	h.run(ctx, h.killSessions)
	h.check()
}

// Notifications do not pass such a pooler, so a consumer polls.
func TestPgBouncer_ClientSendsAndConsumes(t *testing.T) {
	t.Parallel()
	dsn := startBouncer(t)
	for _, mode := range []string{"exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) { sendAndConsume(t, dsn+" default_query_exec_mode="+mode, mode) })
	}
}

func sendAndConsume(t *testing.T, dsn, queue string) {
	client, err := pgque.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Pool().Exec(t.Context(), `select pgque.create_queue($1), pgque.subscribe($1, 'c')`, queue); err != nil {
		t.Fatal(err)
	}
	const events = 50
	for i := range events {
		if _, err := client.Send(t.Context(), queue, pgque.Event{Type: []string{"plain", "tx"}[i%2], Payload: i}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	handled := map[string]bool{}
	note := func(msg pgque.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if handled[msg.Payload] = true; len(handled) == events {
			cancel()
		}
		if msg.RetryCount == nil && msg.MsgID%10 == 0 {
			return fmt.Errorf("every tenth, once")
		}
		return nil
	}
	consumer := client.NewConsumer(queue, "c", pgque.WithPollInterval(50*time.Millisecond), pgque.WithRetryAfter(0), pgque.WithMaxMessages(7))
	consumer.Handle("plain", func(_ context.Context, msg pgque.Message) error { return note(msg) })
	consumer.HandleTx("tx", func(_ context.Context, _ pgx.Tx, msg pgque.Message) error { return note(msg) })
	if err := consumer.Start(ctx); ctx.Err() == nil {
		t.Fatal(err)
	}
	if len(handled) != events {
		t.Errorf("%d of %d events were handled", len(handled), events)
	}
}

// startBouncer starts PgBouncer in transaction mode before a database with the engine,
// and returns the connection string through it.
func startBouncer(t *testing.T) (dsn string) {
	t.Helper()
	s := testserver.Start(t, server.Options{})
	newDatabase(t, s.DSN(""))
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres sslmode=disable dbname=proof default_query_exec_mode=exec",
		testserver.StartPooler(t, s.Port()))
}
