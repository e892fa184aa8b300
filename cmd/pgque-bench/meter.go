package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// cost is what some work took.
type cost struct {
	events int
	wall   time.Duration
	client time.Duration // processor time of this process
	server time.Duration // processor time of all server processes
	wal    int64         // bytes of write-ahead log
	allocs uint64
}

func (c cost) rate() float64 { return float64(c.events) / c.wall.Seconds() }

// reading is the state of all meters.
type reading struct {
	at     time.Time
	client time.Duration
	server time.Duration
	wal    int64
	allocs uint64
}

// measure runs work between two readings. work returns how many events it did.
func (l *lab) measure(ctx context.Context, work func(ctx context.Context) (int, error)) (cost, error) {
	before, err := l.read(ctx)
	if err != nil {
		return cost{}, err
	}
	begun := time.Now()
	n, err := work(ctx)
	wall := time.Since(begun)
	if err != nil {
		return cost{}, err
	}
	after, err := l.read(ctx)
	if n == 0 && err == nil {
		err = fmt.Errorf("nothing was done")
	}
	return cost{events: n, wall: wall, client: after.client - before.client, server: after.server - before.server,
		wal: after.wal - before.wal, allocs: after.allocs - before.allocs}, err
}

func (l *lab) read(ctx context.Context) (reading, error) {
	var r reading
	if err := l.admin.QueryRow(ctx, `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn`).Scan(&r.wal); err != nil {
		return r, err
	}
	var err error
	if r.server, err = serverTime(l.postmaster); err != nil {
		return r, err
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return r, err
	}
	r.client = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	r.allocs, r.at = memory.Mallocs, time.Now()
	return r, nil
}

// clockTick is the unit of /proc/PID/stat on Linux.
const clockTick = 10 * time.Millisecond

// serverTime adds up the processor time of the postmaster, of its children that have
// ended (it has waited for them) and of those that run.
func serverTime(postmaster int) (time.Duration, error) {
	stat, err := readStat(fmt.Sprintf("/proc/%d/stat", postmaster))
	if err != nil {
		return 0, err
	}
	ticks := stat.own + stat.ended
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		if child, err := readStat(file); err == nil && child.parent == postmaster {
			ticks += child.own
		}
	}
	return time.Duration(ticks) * clockTick, nil
}

type procStat struct {
	parent int
	own    int64
	ended  int64
}

// readStat reads the fields behind the command's name, which may hold anything.
func readStat(file string) (procStat, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return procStat{}, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return procStat{}, fmt.Errorf("%s has %d fields", file, len(fields))
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
		return n
	}
	return procStat{parent: int(number(1)), own: number(11) + number(12), ended: number(13) + number(14)}, nil
}
