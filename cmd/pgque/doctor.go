package main

import (
	"context"
	"flag"
	"fmt"
	"slices"

	"github.com/pgque/pgque-go/pgque"
)

func repairFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.repair, "repair", false, "mend queues that came from another server with a dump or a logical copy")
	jsonFlag(f, o)
}

// doctor fails when something is wrong, so that a monitor can run it.
func doctor(ctx context.Context, o *options, _ []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		if o.repair {
			if err := repair(ctx, o, c); err != nil {
				return err
			}
		}
		findings, err := c.Health(ctx)
		if err != nil {
			return err
		}
		if err := printFindings(o, findings); err != nil {
			return err
		}
		if slices.ContainsFunc(findings, pgque.Finding.IsTrouble) {
			return errTrouble
		}
		return nil
	})
}

var errTrouble = fmt.Errorf("pgque: something is wrong: see above")

func repair(ctx context.Context, o *options, c *pgque.Client) error {
	mended, err := c.Rebase(ctx)
	if err == nil && !o.json {
		o.printf("%d queues mended\n", mended)
	}
	return err
}

func printFindings(o *options, findings []pgque.Finding) error {
	if o.json {
		return printJSON(o.stdout, findingReports(findings))
	}
	t := newTable(o.stdout, "COMPONENT", "STATUS", "DETAIL")
	for _, f := range findings {
		t.row(f.Component, f.Status, f.Detail)
	}
	return t.flush()
}
