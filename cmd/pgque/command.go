package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// command is one line of the help and what it does.
type command struct {
	name    string // one or two words
	args    string // what follows the flags, for the help
	summary string
	more    string                        // what the help says beside it
	flags   func(*flag.FlagSet, *options) // nil: none but -dsn
	least   int                           // of arguments
	most    int
	run     func(ctx context.Context, o *options, args []string) error
}

const anyNumber = 1 << 30

// options are the values of all flags, and where output goes.
type options struct {
	dsn      string
	json     bool
	force    bool
	yes      bool
	repair   bool
	interval time.Duration

	replay    pgque.ReplayFilter
	dead      pgque.DeadLetterFilter
	olderThan time.Duration
	pkg       string

	stdout, stderr io.Writer
}

func commands() []command {
	return []command{
		{name: "install", summary: "install the engine into the database, or upgrade it; data stays", run: install},
		{name: "uninstall", summary: "remove the engine with all queues and events", flags: yesFlag, run: uninstall},
		{name: "version", summary: "print the versions of this program and of the engine in the database", run: printVersion},
		{name: "status", summary: "show queues, consumers, their lag, and whether anybody ticks", flags: jsonFlag, run: status},
		{name: "doctor", summary: "look for what is wrong, and exit 1 if anything is", flags: repairFlag, run: doctor},
		{name: "queue list", summary: "list the queues", flags: jsonFlag, run: listQueues},
		{name: "queue create", args: "NAME...", summary: "create queues", least: 1, most: anyNumber, run: createQueues},
		{name: "queue set", args: "NAME PARAMETER VALUE", summary: "set a parameter of a queue, such as rotation_period to '4 hours'", more: queueParameters, least: 3, most: 3, run: setQueue},
		{name: "queue pause", args: "NAME...", summary: "stop the ticks of queues: they take events, but nobody receives them", least: 1, most: anyNumber, run: pauseQueues},
		{name: "queue resume", args: "NAME...", summary: "let paused queues tick again", least: 1, most: anyNumber, run: resumeQueues},
		{name: "queue drop", args: "NAME...", summary: "drop queues with their events", flags: forceFlag, least: 1, most: anyNumber, run: dropQueues},
		{name: "consumer add", args: "QUEUE NAME", summary: "subscribe a consumer: it sees what is sent from now on", least: 2, most: 2, run: addConsumer},
		{name: "consumer remove", args: "QUEUE NAME", summary: "unsubscribe a consumer, with its waiting retries", least: 2, most: 2, run: removeConsumer},
		{name: "consumer seek", args: "QUEUE NAME TIME", summary: "move a consumer to a time, such as 2006-01-02T15:04:05Z, or 2h for two hours ago", least: 3, most: 3, run: seekConsumer},
		{name: "consumer replay", args: "QUEUE NAME", summary: "send retained events once more, to this consumer alone", flags: replayFlags, least: 2, most: 2, run: replayToConsumer},
		{name: "dead list", summary: "list dead letters, newest first", flags: deadListFlags, run: listDead},
		{name: "dead show", args: "ID", summary: "show one dead letter with its message", least: 1, most: 1, run: showDead},
		{name: "dead replay", args: "[ID...]", summary: "give dead letters to their consumers once more, by id or by flags", flags: deadFlags, most: anyNumber, run: replayDead},
		{name: "dead purge", args: "QUEUE", summary: "remove old dead letters of a queue for good", flags: deadPurgeFlags, least: 1, most: 1, run: purgeDead},
		{name: "dead export", args: "ID", summary: "print a Go test that fails like the dead letter", flags: deadExportFlags, least: 1, most: 1, run: exportDead},
		{name: "ticker", summary: "tick and maintain all queues until interrupted; several may run", flags: intervalFlag, run: runTicker},
		{name: "help", args: "[COMMAND]", summary: "describe the commands, or one of them", most: 2, run: help},
	}
}

func jsonFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.json, "json", false, "print JSON")
}

func forceFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.force, "force", false, "drop the queue's consumers, retries and dead letters with it")
}

func intervalFlag(f *flag.FlagSet, o *options) {
	f.DurationVar(&o.interval, "interval", 100*time.Millisecond, "`time` between two passes over the queues")
}

const (
	dsnEnv     = "PGQUE_DSN"
	dsnExample = "postgres://user@host:5432/database"
)

func dsnFlag(f *flag.FlagSet, o *options) {
	f.StringVar(&o.dsn, "dsn", o.dsn, "`connection` string of the database; the environment variable "+dsnEnv+" if not given")
}

// usageError is a command line that makes no sense.
type usageError struct {
	problem string
	command string // whose help explains it; "" for the program's
}

func usagef(command, format string, args ...any) error {
	return &usageError{problem: fmt.Sprintf(format, args...), command: command}
}

func (e *usageError) Error() string {
	return fmt.Sprintf("pgque: %s\nrun %q for how it is used", e.problem, strings.TrimSpace("pgque help "+e.command))
}

// parse finds the command and reads its flags, which may stand before, between
// and after the arguments. -h anywhere means help about what came before it, and
// -version is what many programs call their version.
func parse(args []string) (command, *options, []string, error) {
	o := &options{dsn: os.Getenv(dsnEnv)}
	if len(args) == 1 && (args[0] == "-version" || args[0] == "--version") {
		args = []string{"version"}
	}
	words, err := parseFlags("", dsnFlag, o, args, 1)
	if errors.Is(err, flag.ErrHelp) || err == nil && len(words) == 0 && len(args) == 0 {
		return helpCommand(), o, nil, nil
	}
	if err != nil {
		return command{}, nil, nil, err
	}
	c, rest, err := findCommand(words)
	if err != nil {
		return command{}, nil, nil, err
	}
	rest, err = parseFlags(c.name, c.addFlags, o, rest, anyNumber)
	if errors.Is(err, flag.ErrHelp) {
		return helpCommand(), o, strings.Fields(c.name), nil
	}
	if err == nil {
		err = c.checkCount(rest)
	}
	return c, o, rest, err
}

// parseFlags goes on after each argument, where package flag stops, until it
// has seen most of them; what follows is returned as it is.
func parseFlags(command string, add func(*flag.FlagSet, *options), o *options, args []string, most int) ([]string, error) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	add(f, o)
	var words []string
	for len(args) > 0 && len(words) < most {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return words, err
		} else if err != nil {
			return nil, usagef(command, "%v", err)
		}
		if args = f.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return append(words, args...), nil
}

func (c command) addFlags(f *flag.FlagSet, o *options) {
	dsnFlag(f, o)
	if c.flags != nil {
		c.flags(f, o)
	}
}

func (c command) checkCount(args []string) error {
	switch {
	case len(args) < c.least:
		return usagef(c.name, "%s: %s is missing", c.name, strings.TrimSuffix(c.args, "..."))
	case len(args) > c.most:
		return usagef(c.name, "%s: %q is one argument too many", c.name, args[c.most])
	case slices.Contains(args, ""):
		return usagef(c.name, "%s: an argument is empty", c.name)
	}
	return nil
}

// findCommand matches one or two words, and says what there is when nothing
// matches.
func findCommand(words []string) (command, []string, error) {
	if len(words) == 0 {
		return command{}, nil, usagef("", "a command is missing")
	}
	var follow []string // second words of commands that begin as asked
	for _, c := range commands() {
		name := strings.Fields(c.name)
		if len(words) >= len(name) && slices.Equal(name, words[:len(name)]) {
			return c, words[len(name):], nil
		}
		if name[0] == words[0] {
			follow = append(follow, name[1])
		}
	}
	switch {
	case len(follow) == 0:
		return command{}, nil, usagef("", "there is no command %q", words[0])
	case len(words) == 1:
		return command{}, nil, usagef("", "%s: what? One of %s", words[0], strings.Join(follow, ", "))
	}
	return command{}, nil, usagef("", "there is no command %q; %s can %s", words[0]+" "+words[1], words[0], strings.Join(follow, ", "))
}
