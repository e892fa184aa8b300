// Package server runs throw-away PostgreSQL servers: for tests (package
// pgquetest wraps it) and for programs that want to show something on a machine
// where no database is waiting for them.
//
// A server listens on a port of its own on 127.0.0.1 and keeps everything it
// writes in one directory beneath os.TempDir. A watchdog process stops it and
// removes that directory as soon as the program that started it is gone,
// however it went: by Close, by os.Exit, by a panic or by kill -9.
//
// Connections need no password (trust authentication), the superuser is
// "postgres". That is right for data nobody misses on a machine one shares with
// nobody, and for nothing else.
package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgque/pgque-go/pgque/internal/child"
)

// Options describe a server. The zero value is a fast server of the version
// that is found first, on a free port.
type Options struct {
	// BinDir holds initdb and postgres. Defaults to what FindBinDir finds.
	BinDir string

	// Port on 127.0.0.1. Defaults to a free one below the ports that the
	// system gives to outgoing connections.
	Port int

	// Durable makes commits survive a crash of the machine, at the speed of
	// its disk. Without it nothing is synced to disk: commits survive a killed
	// server, but not a power cut. Defaults to false.
	Durable bool

	// StandbyOf makes the server a copy of a running one that streams from it until
	// it is promoted: select pg_promote(). That one needs the settings wal_level =
	// replica and max_wal_senders of 2 at least; its settings are copied. Defaults
	// to nil, a server of its own.
	StandbyOf *Server

	// Settings are written to postgresql.conf after the settings that this
	// package chooses, so they win. Defaults to none.
	Settings map[string]string
}

// Mode says how a server is asked to stop; the words are those of pg_ctl.
type Mode string

const (
	Smart     Mode = "smart"     // waits until every client has gone
	Fast      Mode = "fast"      // rolls open transactions back, writes a checkpoint
	Immediate Mode = "immediate" // stops at once; the next start recovers from the log
)

// A start includes initdb, a stop a checkpoint and a restart recovery; on a
// machine busy with other tests each may take many times its usual second.
const (
	startTimeout = 90 * time.Second
	stopTimeout  = 60 * time.Second
)

// Server is a running, stopped or killed PostgreSQL server. Its methods may be
// called from several goroutines; they take effect one after the other.
type Server struct {
	binDir   string
	port     int
	dir      string
	owner    *user.User // whom the server runs as; nil: as this process
	watchdog *child.Watchdog

	mu         sync.Mutex
	postmaster *child.Process // nil while the server is down
	crashed    bool           // went down without cleaning up after itself
}

// Start creates a database cluster and returns once the server accepts
// connections. ctx bounds the start only; a context without a deadline is given
// one of 90 seconds. The caller owns the server and calls Close; one that
// forgets leaves nothing behind all the same.
//
// Run as root it starts the server as the user postgres, or nobody, because
// PostgreSQL refuses to run as root. Without an installed PostgreSQL it returns
// an error that names the command which provides one.
func Start(ctx context.Context, o Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s, err := prepare(o)
	if err != nil {
		return nil, fmt.Errorf("pgque: start a throw-away PostgreSQL: %w", err)
	}
	if err = s.initialise(ctx, o); err == nil {
		err = s.firstStart(ctx, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pgque: start a throw-away PostgreSQL: %w", err), s.Close())
	}
	return s, nil
}

// prepare finds the programs and makes the directory, already guarded by the
// watchdog: from here on nothing can be left behind.
func prepare(o Options) (*Server, error) {
	binDir := o.BinDir
	if binDir == "" {
		var err error
		if binDir, err = FindBinDir(); err != nil {
			return nil, err
		}
	}
	owner, err := child.Owner()
	if err != nil {
		return nil, err
	}
	w, err := child.Watch(owner)
	if err != nil {
		return nil, err
	}
	return &Server{binDir: binDir, port: o.Port, dir: w.Dir(), owner: owner, watchdog: w}, nil
}

func (s *Server) initialise(ctx context.Context, o Options) error {
	if o.StandbyOf != nil {
		if err := s.copyFrom(ctx, o.StandbyOf); err != nil {
			return err
		}
		return s.configure(o.Settings)
	}
	err := s.complete(ctx, "initdb", "--pgdata", s.dataDir(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if err != nil {
		return err
	}
	return s.configure(settings(o))
}

// complete runs a program to its end.
func (s *Server) complete(ctx context.Context, program string, args ...string) error {
	p, err := s.spawn(program, args...)
	if err != nil {
		return err
	}
	s.watchdog.Guard(p)
	defer s.watchdog.Guard(nil)
	if err := p.Wait(ctx); err != nil {
		return errors.Join(err, p.Kill())
	}
	if !p.Succeeded() {
		return fmt.Errorf("%s: %w", program, s.logError())
	}
	return nil
}

// settings that suit a server whose life is short and whose clients are tests.
func settings(o Options) map[string]string {
	durable := "off"
	if o.Durable {
		durable = "on"
	}
	set := map[string]string{
		"fsync":                      durable,
		"full_page_writes":           durable,
		"synchronous_commit":         "on", // costs little without fsync, and a killed server loses nothing
		"wal_level":                  "minimal",
		"max_wal_senders":            "0",
		"max_wal_size":               "4GB",
		"checkpoint_timeout":         "30min",
		"max_connections":            "300",
		"shared_buffers":             "128MB",
		"dynamic_shared_memory_type": "mmap", // files in the data directory: nothing stays in /dev/shm
		"jit":                        "off",
		"timezone":                   "UTC",
		"lc_messages":                "C",
		"log_line_prefix":            "%m [%p] %u@%d ",
	}
	maps.Copy(set, o.Settings)
	return set
}

func (s *Server) configure(set map[string]string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = %s\n", quoteSetting(s.dir))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&b, "%s = %s\n", name, quoteSetting(set[name]))
	}
	return appendFile(filepath.Join(s.dataDir(), "postgresql.conf"), b.String())
}

func quoteSetting(value string) string {
	return "'" + strings.ReplaceAll(value, "'", "''") + "'"
}

func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// firstStart chooses another port when somebody took the free one that was
// chosen before the server could. A port that was asked for is not changed.
func (s *Server) firstStart(ctx context.Context, o Options) error {
	for {
		if o.Port == 0 {
			port, err := child.FreePort()
			if err != nil {
				return err
			}
			s.port = port
		}
		err := s.launch(ctx)
		if err == nil || o.Port != 0 || !s.portWasTaken() {
			return err
		}
	}
}

// launch starts the postmaster and waits until it accepts connections.
func (s *Server) launch(ctx context.Context) error {
	p, err := s.spawn("postgres", "-D", s.dataDir(), "-p", strconv.Itoa(s.port))
	if err != nil {
		return err
	}
	s.watchdog.Guard(p)
	err = child.WaitUntil(ctx, func() bool { return p.Exited() || s.ready(p.PID()) })
	if err == nil && p.Exited() {
		s.watchdog.Guard(nil)
		return fmt.Errorf("postgres: %w", s.logError())
	}
	s.postmaster = p
	return err
}

// ready reads what the postmaster writes for pg_ctl: its process id in the
// first line of postmaster.pid, its state in the eighth.
func (s *Server) ready(pid int) bool {
	text, err := os.ReadFile(filepath.Join(s.dataDir(), "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	return err == nil && len(lines) > 7 &&
		strings.TrimSpace(lines[0]) == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// spawn runs a program of PostgreSQL's with its output in the server's log.
func (s *Server) spawn(program string, args ...string) (*child.Process, error) {
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return child.Start(filepath.Join(s.binDir, program), args, s.dir, log, s.owner)
}

// DSN returns the connection string of a database on this server, for the
// superuser postgres; "" means the database postgres. It is in keyword form,
// so that a test may connect as another role by replacing user=postgres.
func (s *Server) DSN(database string) string {
	if database == "" {
		database = "postgres"
	}
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=%s sslmode=disable", s.port, quoteDSN(database))
}

func quoteDSN(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// Port on 127.0.0.1; it stays the same over a Restart.
func (s *Server) Port() int { return s.port }

// Dir holds everything the server writes. It is gone after Close.
func (s *Server) Dir() string { return s.dir }

// LogFile is the server's log. It is gone after Close.
func (s *Server) LogFile() string { return filepath.Join(s.dir, "log") }

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }

// Stop asks the server to stop and returns when it has. Stopping a server that
// is down does nothing. A server that does not stop within a minute is killed,
// and that is an error.
func (s *Server) Stop(mode Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop(mode)
}

func (s *Server) stop(mode Mode) error {
	if s.postmaster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := shutDown(s.postmaster, mode); err != nil {
		return fmt.Errorf("pgque: stop the throw-away PostgreSQL: %w", err)
	}
	if err := s.postmaster.Wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("pgque: %s stop of the throw-away PostgreSQL: %w", mode, err), s.kill())
	}
	s.down()
	return nil
}

// shutDown sends the signal by which a postmaster knows the mode.
func shutDown(postmaster *child.Process, mode Mode) error {
	signals := map[Mode]syscall.Signal{Smart: syscall.SIGTERM, Fast: syscall.SIGINT, Immediate: syscall.SIGQUIT}
	signal, ok := signals[mode]
	if !ok {
		return fmt.Errorf("mode %q: there are %q, %q and %q", mode, Smart, Fast, Immediate)
	}
	return postmaster.Signal(signal)
}

// Kill ends every process of the server with SIGKILL, as a crash would, and
// returns when they are gone. Killing a server that is down does nothing.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kill()
}

func (s *Server) kill() error {
	if s.postmaster == nil {
		return nil
	}
	if err := s.postmaster.KillFamily(); err != nil {
		return fmt.Errorf("pgque: kill the throw-away PostgreSQL: %w", err)
	}
	s.crashed = true
	s.down()
	return nil
}

func (s *Server) down() {
	s.postmaster = nil
	s.watchdog.Guard(nil)
}

// Restart starts a server that was stopped or killed, and returns once it
// accepts connections again. A running server is stopped (Fast) first.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stop(Fast); err != nil {
		return err
	}
	return s.restart()
}

func (s *Server) restart() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	err := s.launch(ctx)
	for err != nil && isStillHeld(err) && ctx.Err() == nil {
		time.Sleep(heldPause)
		err = s.launch(ctx)
	}
	if err != nil {
		return fmt.Errorf("pgque: restart the throw-away PostgreSQL: %w", err)
	}
	s.crashed = false
	return nil
}

// heldPause is the time between two starts while a session of the killed server has not
// noticed yet that it is alone.
const heldPause = 200 * time.Millisecond

func isStillHeld(err error) bool {
	return strings.Contains(err.Error(), "pre-existing shared memory block")
}

// Close stops the server and removes its directory. A second call does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watchdog == nil {
		return nil
	}
	var err error
	if s.crashed {
		// Only a start frees the System V shared memory that a killed server leaves.
		err = s.restart()
	}
	err = errors.Join(err, s.stop(Immediate), s.watchdog.Finish())
	s.watchdog = nil
	return err
}
