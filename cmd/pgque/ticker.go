package main

import (
	"context"
	"log/slog"

	"github.com/pgque/pgque-go/pgque"
)

// runTicker ends well when it is interrupted: that is how it ends.
func runTicker(ctx context.Context, o *options, _ []string) error {
	if o.interval <= 0 {
		return usagef("ticker", "-interval %v: must be more than 0", o.interval)
	}
	log := slog.New(slog.NewTextHandler(o.stderr, nil))
	return withClient(ctx, o, func(c *pgque.Client) error {
		log.Info("ticking all queues", "interval", o.interval)
		err := c.Ticker(pgque.WithTickInterval(o.interval)).Start(ctx)
		if ctx.Err() != nil {
			log.Info("stopped")
			return nil
		}
		return err
	}, pgque.WithLogger(log))
}
