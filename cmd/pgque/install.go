package main

import (
	"context"
	"errors"
	"flag"
	"runtime/debug"

	"github.com/pgque/pgque-go/pgque"
)

func install(ctx context.Context, o *options, _ []string) error {
	return withClient(ctx, o, func(c *pgque.Client) error {
		before, err := engineVersion(ctx, c)
		if err != nil {
			return err
		}
		if err := pgque.Install(ctx, c.Pool()); err != nil {
			return err
		}
		after, err := c.Version(ctx)
		if err != nil {
			return err
		}
		switch before {
		case "":
			o.printf("engine %s installed\n", after)
		case after:
			o.printf("engine %s was installed already; its functions were renewed\n", after)
		default:
			o.printf("engine upgraded from %s to %s\n", before, after)
		}
		return nil
	})
}

func yesFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.yes, "yes", false, "say that all queues and events may go, for good")
}

func uninstall(ctx context.Context, o *options, _ []string) error {
	if !o.yes {
		return usagef("uninstall", "uninstall: removes all queues and events for good: say -yes if they may go")
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		version, err := engineVersion(ctx, c)
		if err != nil {
			return err
		}
		if err := c.Uninstall(ctx); err != nil {
			return err
		}
		if version == "" {
			o.printf("no engine in the database\n")
			return nil
		}
		o.printf("engine %s removed\n", version)
		return nil
	})
}

// printVersion asks the database only when one is named.
func printVersion(ctx context.Context, o *options, _ []string) error {
	o.printf("pgque %s, installs engine %s\n", programVersion(), pgque.Version)
	if o.dsn == "" {
		return nil
	}
	return withClient(ctx, o, func(c *pgque.Client) error {
		version, err := engineVersion(ctx, c)
		if err != nil {
			return err
		}
		if version == "" {
			o.printf("no engine in the database: \"pgque install\" installs it\n")
			return nil
		}
		o.printf("engine %s in the database\n", version)
		return nil
	})
}

// engineVersion is "" where no engine is installed.
func engineVersion(ctx context.Context, c *pgque.Client) (string, error) {
	version, err := c.Version(ctx)
	if errors.Is(err, pgque.ErrNotInstalled) {
		return "", nil
	}
	return version, err
}

// programVersion is the version of the module as go install has built it, or
// the revision of a build in a clone.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	return info.Main.Version + " " + info.GoVersion
}
