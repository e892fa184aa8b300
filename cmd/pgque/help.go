package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func helpCommand() command { return command{name: "help", run: help} }

// help describes the command that args name, or all that begin with that word, or all
// of them.
func help(_ context.Context, o *options, args []string) error {
	if len(args) == 0 {
		return overview(o.stdout)
	}
	if family := commandsOf(args[0]); len(args) == 1 && len(family) > 0 {
		fmt.Fprintf(o.stdout, "Usage: pgque %s COMMAND [FLAGS] [ARGUMENTS]\n\n", args[0])
		return summarize(o.stdout, family)
	}
	c, rest, err := findCommand(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("", "there is no command %q", strings.Join(args, " "))
	}
	return describe(o.stdout, c)
}

func overview(w io.Writer) error {
	fmt.Fprint(w, "pgque looks after PgQue queues in a PostgreSQL database.\n\nUsage: pgque COMMAND [FLAGS] [ARGUMENTS]\n\n")
	if err := summarize(w, commands()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
The database is the one of -dsn or of the environment variable %s:
  export %s='%s'

Exit status: %d done, %d failed, %d wrong usage.
"pgque help COMMAND" describes one command.
`, dsnEnv, dsnEnv, dsnExample, exitOK, exitFailed, exitUsage)
	return err
}

func summarize(w io.Writer, some []command) error {
	t := newTable(w)
	for _, c := range some {
		t.row("  "+strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	return t.flush()
}

// commandsOf are the commands of two words that begin with this one.
func commandsOf(word string) (family []command) {
	for _, c := range commands() {
		if strings.HasPrefix(c.name, word+" ") {
			family = append(family, c)
		}
	}
	return family
}

func describe(w io.Writer, c command) error {
	fmt.Fprintf(w, "Usage: pgque %s\n\n%s.\n\n%s", strings.TrimSpace(c.name+" [FLAGS] "+c.args), sentence(c.summary), c.more)
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(w)
	c.addFlags(f, new(options))
	f.PrintDefaults()
	return nil
}

func sentence(s string) string {
	return strings.ToUpper(s[:1]) + s[1:]
}
