package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func helpCommand() command { return command{name: "help", run: help} }

// help describes the command that args name, or all of them.
func help(_ context.Context, o *options, args []string) error {
	if len(args) == 0 {
		return overview(o.stdout)
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
	t := newTable(w)
	fmt.Fprint(w, "pgque looks after PgQue queues in a PostgreSQL database.\n\nUsage: pgque COMMAND [FLAGS] [ARGUMENTS]\n\n")
	for _, c := range commands() {
		t.row("  "+strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
The database is the one of -dsn or of the environment variable %s:
  export %s='postgres://user@host:5432/database'

Exit status: %d done, %d failed, %d wrong usage.
"pgque help COMMAND" describes one command.
`, dsnEnv, dsnEnv, exitOK, exitFailed, exitUsage)
	return err
}

func describe(w io.Writer, c command) error {
	fmt.Fprintf(w, "Usage: pgque %s\n\n%s.\n\n", strings.TrimSpace(c.name+" [FLAGS] "+c.args), sentence(c.summary))
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(w)
	c.addFlags(f, new(options))
	f.PrintDefaults()
	return nil
}

func sentence(s string) string {
	return strings.ToUpper(s[:1]) + s[1:]
}
