package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/pgque/pgque-go/pgque"
)

func status(ctx context.Context, o *options, _ []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		report, err := look(ctx, c)
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(o.stdout, report)
		}
		return printStatus(o, report)
	})
}

func look(ctx context.Context, c *pgque.Client) (statusReport, error) {
	engine, err := c.Version(ctx)
	if err != nil {
		return statusReport{}, err
	}
	queues, err := c.Queues(ctx)
	if err != nil {
		return statusReport{}, err
	}
	consumers, err := c.Consumers(ctx, "")
	if err != nil {
		return statusReport{}, err
	}
	answers, err := tickings(ctx, c, queues, consumers)
	if err != nil {
		return statusReport{}, err
	}
	report := statusReport{Engine: engine, Queues: queueReports(queues), Consumers: consumerReports(consumers)}
	for i, q := range report.Queues {
		report.Queues[i].Ticking = answers[q.Queue]
	}
	report.PostgreSQL, report.Database, err = server(ctx, c)
	return report, err
}

// server is what the server told when the connection was made.
func server(ctx context.Context, c *pgque.Client) (version, database string, err error) {
	conn, err := c.Pool().Acquire(ctx)
	if err != nil {
		return "", "", err
	}
	defer conn.Release()
	return conn.Conn().PgConn().ParameterStatus("server_version"), conn.Conn().Config().Database, nil
}

func printStatus(o *options, r statusReport) error {
	o.printf("engine %s in database %q, PostgreSQL %s\n%s\n", r.Engine, r.Database, r.PostgreSQL, summary(r.Queues))
	if len(r.Queues) == 0 {
		return nil
	}
	o.printf("\n")
	if err := printQueues(o, r.Queues); err != nil {
		return err
	}
	if len(r.Consumers) == 0 {
		o.printf("\nno consumers: what is sent now nobody will receive\n")
		return nil
	}
	o.printf("\n")
	return printConsumers(o, r.Consumers)
}

// summary answers in one line whether events flow.
func summary(queues []queueReport) string {
	names := make(map[ticking][]string)
	for _, q := range queues {
		names[q.Ticking] = append(names[q.Ticking], q.Queue)
	}
	switch {
	case len(queues) == 0:
		return `no queues: "pgque queue create NAME" creates one`
	case len(names[nobody]) > 0:
		return fmt.Sprintf(`NOBODY IS TICKING %s: start a consumer or "pgque ticker", or schedule pgque.ticker() and pgque.maint() with pg_cron`,
			strings.Join(names[nobody], ", "))
	case len(names[yes]) > 0:
		return "somebody is ticking"
	}
	return "no queue needs a tick now"
}

func printQueues(o *options, queues []queueReport) error {
	t := newTable(o.stdout, "QUEUE", "TICKING", "LAST TICK", "NEW", "EVENTS/S")
	for _, q := range queues {
		t.row(q.Queue, string(q.Ticking), age(duration(q.LastTickSeconds)), strconv.FormatInt(q.NewEvents, 10), rate(q.EventsPerSecond))
	}
	return t.flush()
}

func printConsumers(o *options, consumers []consumerReport) error {
	t := newTable(o.stdout, "QUEUE", "CONSUMER", "LAG", "PENDING", "LAST SEEN", "OPEN BATCH")
	for _, c := range consumers {
		batch := "-"
		if c.Batch != 0 {
			batch = strconv.FormatInt(c.Batch, 10)
		}
		t.row(c.Queue, c.Consumer, age(duration(c.LagSeconds)), strconv.FormatInt(c.PendingEvents, 10), age(duration(c.LastSeenSeconds)), batch)
	}
	return t.flush()
}
