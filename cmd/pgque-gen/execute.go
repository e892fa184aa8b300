package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/schema"
)

// errReported ends a run about which everything has been said.
var errReported = errors.New("reported")

func (c *command) execute(stdout, stderr io.Writer) error {
	sources, err := c.sources()
	if err != nil {
		return err
	}
	opts, err := c.options()
	if err != nil {
		return err
	}
	if c.dump {
		return dump(sources, opts, stdout, stderr)
	}
	files, diags := gen.Generate(sources, opts)
	if err := report(diags, stderr); err != nil {
		return err
	}
	if c.check {
		return c.compare(files, stderr)
	}
	return c.write(files)
}

// report prints what there is to say about the schemas; errors end the run.
func report(diags []schema.Diagnostic, stderr io.Writer) error {
	for _, d := range diags {
		fmt.Fprintln(stderr, gen.Format(d))
	}
	if gen.HasErrors(diags) {
		return errReported
	}
	return nil
}

func dump(sources []schema.Source, opts gen.Options, stdout, stderr io.Writer) error {
	m, diags := gen.Model(sources, opts)
	if err := report(diags, stderr); err != nil {
		return err
	}
	out, err := gen.Dump(m)
	if err != nil {
		return err
	}
	_, err = stdout.Write(out)
	return err
}

// compare names the files that a run would change.
func (c *command) compare(files []gen.File, stderr io.Writer) error {
	present, err := generated(c.out)
	if err != nil {
		return err
	}
	var stale []string
	for _, f := range files {
		if text, ok := present[f.Name]; !ok || !bytes.Equal(text, f.Bytes) {
			stale = append(stale, f.Name)
		}
		delete(present, f.Name)
	}
	stale = append(stale, sortedNames(present)...)
	for _, name := range stale {
		fmt.Fprintf(stderr, "%s: stale: run pgque-gen without -check\n", c.path(name))
	}
	if len(stale) > 0 {
		return errReported
	}
	return nil
}
