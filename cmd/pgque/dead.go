package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// deadFlags select dead letters.
func deadFlags(f *flag.FlagSet, o *options) {
	f.StringVar(&o.dead.Queue, "queue", "", "only those of this `queue`")
	f.StringVar(&o.dead.Consumer, "consumer", "", "only those of this `consumer`")
	f.StringVar(&o.dead.Type, "type", "", "only those of this event `type`")
	f.StringVar(&o.dead.Reason, "reason", "", "only those of exactly this `reason`")
}

func deadListFlags(f *flag.FlagSet, o *options) {
	deadFlags(f, o)
	jsonFlag(f, o)
	f.IntVar(&o.dead.Limit, "limit", 100, "at most this `number`, the newest")
	f.Int64Var(&o.dead.Before, "before", 0, "only `ids` below this one: the last one of a list, to go on")
}

func deadPurgeFlags(f *flag.FlagSet, o *options) {
	f.DurationVar(&o.olderThan, "older-than", 30*24*time.Hour, "`age` from which dead letters go, for good")
}

func deadExportFlags(f *flag.FlagSet, o *options) {
	f.StringVar(&o.pkg, "package", "main_test", "`name` of the test file's package")
}

func listDead(ctx context.Context, o *options, _ []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		letters, err := c.DeadLetters(ctx, o.dead)
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(o.stdout, append([]pgque.DeadLetter{}, letters...))
		}
		if len(letters) == 0 {
			o.printf("no dead letters\n")
			return nil
		}
		t := newTable(o.stdout, "ID", "QUEUE", "CONSUMER", "TYPE", "DIED", "REASON")
		for _, l := range letters {
			t.row(strconv.FormatInt(l.ID, 10), l.Queue, l.Consumer, l.Message.Type, age(time.Since(l.DiedAt))+" ago", oneLine(l.Reason))
		}
		return t.flush()
	})
}

// oneLine fits a reason into a table.
func oneLine(text string) string {
	const most = 80
	quoted := strconv.Quote(text)
	line := []rune(quoted[1 : len(quoted)-1])
	if len(line) > most {
		return string(line[:most-1]) + "…"
	}
	return string(line)
}

func showDead(ctx context.Context, o *options, args []string) error {
	return withLetter(ctx, o, "dead show", args[0], func(_ *pgque.Client, l pgque.DeadLetter) error {
		return printJSON(o.stdout, l)
	})
}

func exportDead(ctx context.Context, o *options, args []string) error {
	return withLetter(ctx, o, "dead export", args[0], func(_ *pgque.Client, l pgque.DeadLetter) error {
		source, err := l.GoTest(o.pkg)
		if err != nil {
			return fmt.Errorf("pgque: -package %q: %w", o.pkg, err)
		}
		_, err = o.stdout.Write(source)
		return err
	})
}

// replayDead replays the dead letters whose ids are given, or those that the flags
// select. It stops at the first that cannot be replayed; those before it are.
func replayDead(ctx context.Context, o *options, args []string) error {
	if len(args) == 0 && o.dead == (pgque.DeadLetterFilter{}) {
		return usagef("dead replay", "dead replay: name ids, or select with flags")
	}
	if len(args) > 0 && o.dead != (pgque.DeadLetterFilter{}) {
		return usagef("dead replay", "dead replay: either ids or flags that select")
	}
	ids, err := parseIDs("dead replay", args)
	if err != nil {
		return err
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		if len(ids) == 0 {
			n, err := c.ReplayDeadLetters(ctx, o.dead)
			o.printf("%d replayed\n", n)
			return err
		}
		for _, id := range ids {
			msg, err := c.ReplayDeadLetter(ctx, id)
			if err != nil {
				return err
			}
			o.printf("dead letter %d replayed as message %d\n", id, msg)
		}
		return nil
	})
}

func purgeDead(ctx context.Context, o *options, args []string) error {
	if o.olderThan < 0 {
		return usagef("dead purge", "-older-than %v: must not be negative", o.olderThan)
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		n, err := c.PurgeDeadLetters(ctx, args[0], o.olderThan)
		if err != nil {
			return err
		}
		o.printf("%d dead letters purged\n", n)
		return nil
	})
}

func withLetter(ctx context.Context, o *options, command, arg string, f func(*pgque.Client, pgque.DeadLetter) error) error {
	ids, err := parseIDs(command, []string{arg})
	if err != nil {
		return err
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		letter, err := c.DeadLetter(ctx, ids[0])
		if err != nil {
			return err
		}
		return f(c, letter)
	})
}

func parseIDs(command string, args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return nil, usagef(command, "%s: %q is no id of a dead letter", command, arg)
		}
		ids[i] = id
	}
	return ids, nil
}
