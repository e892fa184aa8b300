package main

import (
	"context"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pgque/pgque-go/pgque"
)

func replayFlags(f *flag.FlagSet, o *options) {
	f.Int64Var(&o.replay.FromID, "from-id", 0, "only events with this `id` or a higher one")
	f.Int64Var(&o.replay.ToID, "to-id", 0, "only events with this `id` or a lower one")
	f.Func("since", "only events sent at this `time` or later; RFC 3339, or how long ago, such as 2h", timeInto(&o.replay.Since))
	f.Func("until", "only events sent before this `time`", timeInto(&o.replay.Until))
	f.Func("types", "only events of these types, a comma-separated `list`", func(list string) error {
		o.replay.Types = strings.Split(list, ",")
		return nil
	})
}

func timeInto(t *time.Time) func(string) error {
	return func(text string) (err error) {
		*t, err = parseTime(text, time.Now())
		return err
	}
}

// parseTime reads a point in time, or how long before now it was.
func parseTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a time such as 2006-01-02T15:04:05Z nor how long ago it was, such as 2h", text)
	}
	return t, nil
}

func addConsumer(ctx context.Context, o *options, args []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		if err := c.Subscribe(ctx, args[0], args[1]); err != nil {
			return err
		}
		o.printf("consumer %q is subscribed to %q\n", args[1], args[0])
		return nil
	})
}

// removeConsumer refuses a name that is not there, which is most likely mistyped.
func removeConsumer(ctx context.Context, o *options, args []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		consumers, err := c.Consumers(ctx, args[0])
		if err != nil {
			return err
		}
		isIt := func(i pgque.ConsumerInfo) bool {
			return i.Consumer == args[1] || strings.HasPrefix(i.Consumer, args[1]+"#") // slots of a partitioned one
		}
		if !slices.ContainsFunc(consumers, isIt) {
			return fmt.Errorf("pgque: remove %q from %q: %w", args[1], args[0], pgque.ErrConsumerNotFound)
		}
		if err := c.Unsubscribe(ctx, args[0], args[1]); err != nil {
			return err
		}
		o.printf("consumer %q is not subscribed to %q any more\n", args[1], args[0])
		return nil
	})
}

func seekConsumer(ctx context.Context, o *options, args []string) error {
	to, err := parseTime(args[2], time.Now())
	if err != nil {
		return usagef("consumer seek", "consumer seek: %v", err)
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		tick, err := c.Seek(ctx, args[0], args[1], to)
		if err != nil {
			return err
		}
		o.printf("consumer %q on %q goes on behind tick %d\n", args[1], args[0], tick)
		return nil
	})
}

func replayToConsumer(ctx context.Context, o *options, args []string) error {
	if reflect.ValueOf(o.replay).IsZero() {
		return usagef("consumer replay", "consumer replay: say which events, as with -since 2h")
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		n, err := c.Replay(ctx, args[0], args[1], o.replay)
		if err != nil {
			return err
		}
		o.printf("%d events go to %q on %q once more\n", n, args[1], args[0])
		return nil
	})
}
