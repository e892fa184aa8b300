package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgque/pgque-go/cmd/pgque-bench/events"
	"github.com/pgque/pgque-go/pgque"
	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

// lab is the server of the run.
type lab struct {
	server     *server.Server
	admin      *pgxpool.Pool
	postmaster int // process id
	databases  int
}

// openLab starts a server with the settings of production: what is committed is on
// disk, and the log is complete enough for a standby.
func openLab(ctx context.Context) (*lab, error) {
	s, err := server.Start(ctx, server.Options{Durable: true, Settings: map[string]string{
		"wal_level": "replica", "max_wal_senders": "5", "shared_buffers": "256MB",
	}})
	if err != nil {
		return nil, err
	}
	l := &lab{server: s}
	if l.admin, err = pgxpool.New(ctx, s.DSN("postgres")); err != nil {
		return nil, err
	}
	var dir string
	if err := l.admin.QueryRow(ctx, `show data_directory`).Scan(&dir); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(dir + "/postmaster.pid")
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	l.postmaster, err = strconv.Atoi(line)
	return l, err
}

func (l *lab) close() error {
	l.admin.Close()
	return l.server.Close()
}

// bench is one database with the engine and the queue orders in it.
type bench struct {
	lab    *lab
	name   string
	pool   *pgxpool.Pool
	client *pgque.Client
	extra  []func()
}

// newBench makes a database. Its pool has room for conns connections.
func (l *lab) newBench(ctx context.Context, conns int) (*bench, error) {
	l.databases++
	b := &bench{lab: l, name: fmt.Sprintf("bench_%d", l.databases)}
	if _, err := l.admin.Exec(ctx, `create database `+b.name); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(l.server.DSN(b.name))
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(conns)
	if b.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b.client = pgque.New(b.pool, pgque.WithLogger(quiet))
	if err := b.client.Install(ctx); err != nil {
		return nil, err
	}
	return b, b.client.CreateQueue(ctx, events.QueueOrders)
}

func (b *bench) close(ctx context.Context) error {
	for _, f := range b.extra {
		f()
	}
	b.client.Close()
	b.pool.Close()
	_, err := b.lab.admin.Exec(ctx, `drop database `+b.name+` with (force)`)
	return err
}

// eventTable is the queue's current event table.
func (b *bench) eventTable(ctx context.Context) (table string, err error) {
	err = b.pool.QueryRow(ctx, `select pgque.current_event_table($1)`, events.QueueOrders).Scan(&table)
	return table, err
}

// tick makes what was sent receivable.
func (b *bench) tick(ctx context.Context) error {
	_, err := b.pool.Exec(ctx, `select pgque.tick_queue($1)`, events.QueueOrders)
	return err
}
