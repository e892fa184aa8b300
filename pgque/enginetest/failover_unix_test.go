//go:build unix

package enginetest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

var failovers = flag.Int("failovers", 1, "how often to fail over to a standby")

// TestFailover kills the primary under load and promotes its synchronous standby, to
// which the clients then connect; the old primary becomes the new one's standby, and
// so on. What was committed is there.
func TestFailover_NothingThatWasCommittedIsLost(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	h := newHistory(t, p.dsn)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.run(ctx, func(ctx context.Context) {
		defer cancel()
		for n := 0; n < *failovers && ctx.Err() == nil; n++ {
			if err := p.failOver(ctx); err != nil {
				t.Error(err)
				return
			}
			pause(500 * time.Millisecond)
		}
	})
	h.check()
}

// pair is a primary and the server that is to become its standby.
type pair struct {
	primary, standby *server.Server
	backup           string // the program pg_basebackup
	dsn              string // of whichever is the primary
}

func newPair(t *testing.T) *pair {
	t.Helper()
	binDir, err := server.FindBinDir()
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{backup: filepath.Join(binDir, "pg_basebackup")}
	if _, err := os.Stat(p.backup); err != nil {
		t.Skipf("this PostgreSQL came without pg_basebackup, which makes a standby: %v", err)
	}
	o := server.Options{BinDir: binDir, Durable: true, Settings: map[string]string{
		"wal_level": "replica", "max_wal_senders": "5", "wal_keep_size": "256MB", "hot_standby": "on",
	}}
	p.primary, p.standby = startServer(t, o), startServer(t, o)
	p.dsn = fmt.Sprintf("host=127.0.0.1,127.0.0.1 port=%d,%d user=postgres sslmode=disable target_session_attrs=read-write dbname=proof",
		p.primary.Port(), p.standby.Port())
	newDatabase(t, p.primary.DSN(""))
	return p
}

// failOver makes the standby follow the primary, kills the primary once it depends on
// the standby for every commit, and lets the two change places.
func (p *pair) failOver(ctx context.Context) error {
	if err := p.follow(ctx); err != nil {
		return err
	}
	if err := p.synchronize(ctx); err != nil {
		return err
	}
	pause(time.Second)
	if err := p.primary.Kill(); err != nil {
		return err
	}
	p.primary, p.standby = p.standby, p.primary
	return on(ctx, p.primary, func(conn *pgx.Conn) error {
		return execOn(ctx, conn, `select pg_promote()`)
	})
}

// follow replaces the data of the standby with a copy of the primary's. The copy is
// made before the primary learns to wait for a standby: it must not wait itself, once
// it is promoted.
func (p *pair) follow(ctx context.Context) error {
	if err := p.standby.Stop(server.Immediate); err != nil {
		return err
	}
	dir, err := os.Stat(p.standby.Dir())
	if err != nil {
		return err
	}
	data := filepath.Join(p.standby.Dir(), "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.backup, "--pgdata", data, "--dbname", p.primary.DSN(""), "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	cmd.Dir = p.standby.Dir()
	if owner := dir.Sys().(*syscall.Stat_t); os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pg_basebackup: %w: %s", err, output.Bytes())
	}
	return p.standby.Restart()
}

// synchronize returns once nothing is committed that the standby has not on its disk.
func (p *pair) synchronize(ctx context.Context) error {
	return on(ctx, p.primary, func(conn *pgx.Conn) error {
		if err := execOn(ctx, conn, `alter system set synchronous_standby_names = '*'`); err != nil {
			return err
		}
		if err := execOn(ctx, conn, `select pg_reload_conf()`); err != nil {
			return err
		}
		if err := until(ctx, conn, `select exists (select from pg_stat_replication where sync_state = 'sync')`); err != nil {
			return err
		}
		var position string
		if err := conn.QueryRow(ctx, `select pg_current_wal_lsn()::text`).Scan(&position); err != nil {
			return err
		}
		return until(ctx, conn, `select exists (select from pg_stat_replication where flush_lsn >= $1::pg_lsn)`, position)
	})
}

func on(ctx context.Context, s *server.Server, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.DSN(""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return do(conn)
}

func until(ctx context.Context, conn *pgx.Conn, fact string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var is bool
		if err := conn.QueryRow(ctx, fact, args...).Scan(&is); err != nil {
			return fmt.Errorf("%s: %w", fact, err)
		}
		if is {
			return nil
		}
		pause(10 * time.Millisecond)
	}
}
