package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgque/pgque-go/pgque/internal/child"
)

// Follow makes the server a standby of another one that runs, which then streams to it:
// see Options.StandbyOf. It is stopped if it runs, and its own data are lost.
func (s *Server) Follow(ctx context.Context, primary *Server) error {
	if err := s.Stop(Immediate); err != nil {
		return err
	}
	err := os.RemoveAll(s.dataDir())
	if err == nil {
		err = s.copyFrom(ctx, primary)
	}
	if err == nil {
		err = s.configure(nil)
	}
	if err != nil {
		return fmt.Errorf("pgque: follow the server on port %d: %w", primary.port, err)
	}
	return s.Restart()
}

// copyFrom copies the data of a server that runs, as a standby of it. It asks SQL for
// what pg_basebackup does, a program that not every PostgreSQL comes with.
func (s *Server) copyFrom(ctx context.Context, primary *Server) (err error) {
	conn, err := pgx.Connect(ctx, primary.DSN(""))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	b := backup{conn: conn, from: primary.dataDir(), to: s.dataDir(), own: func(name string) error { return child.Chown(name, s.owner) }}
	if err := b.run(ctx); err != nil {
		return err
	}
	follow := fmt.Sprintf("primary_conninfo = %s\n", quoteSetting(fmt.Sprintf("host=127.0.0.1 port=%d user=postgres", primary.port)))
	return errors.Join(
		b.write("standby.signal", ""),
		appendFile(filepath.Join(b.to, "postgresql.auto.conf"), follow))
}

// backup is an online backup. Its session has to live from begin to end.
type backup struct {
	conn     *pgx.Conn
	from, to string
	own      func(name string) error // gives what was written to the user of the server
}

func (b backup) run(ctx context.Context) error {
	begin, end, err := b.functions(ctx)
	if err != nil {
		return err
	}
	if _, err := b.conn.Exec(ctx, begin); err != nil {
		return err
	}
	if err := b.copyTree(".", isPassing); err != nil {
		return err
	}
	var label, last string
	if err := b.conn.QueryRow(ctx, end).Scan(&label, &last); err != nil {
		return err
	}
	if err := b.copyTree("pg_wal", func(name string) bool { return isLogAfter(name, last) }); err != nil {
		return err
	}
	return b.write("backup_label", label)
}

// functions are the statements that begin a backup, and that end it and return its
// label with the last file of the log that it needs.
func (b backup) functions(ctx context.Context) (begin, end string, err error) {
	var version, senders int
	err = b.conn.QueryRow(ctx, `
		select current_setting('server_version_num')::int, current_setting('max_wal_senders')::int`).Scan(&version, &senders)
	switch {
	case err != nil:
		return "", "", err
	case senders == 0:
		return "", "", errors.New("a standby needs a primary whose max_wal_senders is not 0, and whose wal_level is replica")
	case version < 15_00_00:
		return `select pg_start_backup('pgque', true, false)`,
			`select labelfile, pg_walfile_name(lsn) from pg_stop_backup(false, false)`, nil
	}
	return `select pg_backup_start('pgque', true)`,
		`select labelfile, pg_walfile_name(lsn) from pg_backup_stop(false)`, nil
}

// copyTree copies what is in a directory and not left out. A file may go away while
// the server works; the log then says what became of it.
func (b backup) copyTree(dir string, leaveOut func(name string) bool) error {
	return filepath.WalkDir(filepath.Join(b.from, dir), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(b.from, path)
		if err != nil || leaveOut(filepath.ToSlash(name)) {
			return err
		}
		if entry.IsDir() {
			return b.makeDir(name)
		}
		return b.copyFile(name)
	})
}

// isPassing reports files that a server writes for itself alone, anew at each start,
// and the log, which is copied last.
func isPassing(name string) bool {
	switch name {
	case "postmaster.pid", "postmaster.opts":
		return true
	}
	for _, dir := range []string{"pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"} {
		if strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// isLogAfter reports a file of the log behind the last one, which may be half written.
func isLogAfter(name, last string) bool {
	file := strings.TrimPrefix(name, "pg_wal/")
	return len(file) == len(last) && file > last
}

func (b backup) makeDir(name string) error {
	target := filepath.Join(b.to, name)
	return errors.Join(os.MkdirAll(target, 0o700), b.own(target))
}

func (b backup) copyFile(name string) error {
	source, err := os.Open(filepath.Join(b.from, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	return b.writeFrom(name, source)
}

func (b backup) write(name, text string) error { return b.writeFrom(name, strings.NewReader(text)) }

func (b backup) writeFrom(name string, source io.Reader) error {
	target := filepath.Join(b.to, name)
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, source)
	return errors.Join(err, f.Close(), b.own(target))
}
