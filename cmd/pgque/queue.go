package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pgque/pgque-go/pgque"
)

// createQueues stops at the first queue that cannot be created; those before it
// stay.
func createQueues(ctx context.Context, o *options, names []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		for _, name := range names {
			if err := createQueue(ctx, o, c, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func createQueue(ctx context.Context, o *options, c *pgque.Client, name string) error {
	_, err := c.QueueInfo(ctx, name)
	if err == nil {
		o.printf("queue %q exists already\n", name)
		return nil
	}
	if !errors.Is(err, pgque.ErrQueueNotFound) {
		return err
	}
	if err := c.CreateQueue(ctx, name); err != nil {
		return err
	}
	o.printf("queue %q created\n", name)
	return nil
}

// dropQueues stops at the first queue that cannot be dropped; those before it
// are gone.
func dropQueues(ctx context.Context, o *options, names []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		drop := c.DropQueue
		if o.force {
			drop = c.ForceDropQueue
		}
		for _, name := range names {
			if err := drop(ctx, name); err != nil {
				return err
			}
			o.printf("queue %q dropped\n", name)
		}
		return nil
	})
}

const queueParameters = `  ticker_max_count    waiting events that make a tick due (500)
  ticker_max_lag      age of waiting events that makes a tick due, such as '50 ms'
  ticker_idle_period  longest time between two ticks of an idle queue (1 minute)
  ticker_paused       no ticks while true (false)
  external_ticker     ticks come from outside (false)
  rotation_period     time between two rotations of its tables (2 hours)
  max_retries         how often a message is put back before it is a dead letter (5)

`

func setQueue(ctx context.Context, o *options, args []string) error {
	queue, parameter, value := args[0], args[1], args[2]
	return withClient(ctx, o, func(c *pgque.Client) error {
		if err := c.SetQueueConfig(ctx, queue, parameter, value); err != nil {
			return err
		}
		o.printf("%s of queue %q is %s\n", parameter, queue, value)
		return nil
	})
}

func pauseQueues(ctx context.Context, o *options, names []string) error {
	return pause(ctx, o, names, "true", "paused")
}

func resumeQueues(ctx context.Context, o *options, names []string) error {
	return pause(ctx, o, names, "false", "resumed")
}

// pause stops at the first queue that it cannot change; those before it are changed.
func pause(ctx context.Context, o *options, names []string, value, done string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		for _, name := range names {
			if err := c.SetQueueConfig(ctx, name, "ticker_paused", value); err != nil {
				return err
			}
			o.printf("queue %q %s\n", name, done)
		}
		return nil
	})
}

func listQueues(ctx context.Context, o *options, _ []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		queues, err := c.Queues(ctx)
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(o.stdout, queueReports(queues))
		}
		if len(queues) == 0 {
			o.printf("no queues: \"pgque queue create NAME\" creates one\n")
			return nil
		}
		t := newTable(o.stdout, "QUEUE", "LAST TICK", "NEW", "EVENTS/S", "MAX LAG", "ROTATION")
		for _, q := range queues {
			t.row(q.Name, age(q.SinceTick), strconv.FormatInt(q.NewEvents, 10), rate(q.EventsPerSecond),
				age(q.TickerMaxLag), age(q.RotationPeriod))
		}
		return t.flush()
	})
}

func rate(perSecond float64) string { return fmt.Sprintf("%.1f", perSecond) }
