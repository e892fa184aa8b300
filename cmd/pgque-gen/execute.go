package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

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
	if err := c.readTypes(&opts, stderr); err != nil {
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
	changed, err := c.write(files)
	if !c.watching {
		changed.written = nil // which is what was asked for
	}
	changed.report(stderr)
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return nil
}

// readTypes adds what -types names.
func (c *command) readTypes(opts *gen.Options, stderr io.Writer) error {
	if c.typeFile == "" {
		return nil
	}
	text, err := os.ReadFile(c.typeFile)
	if err != nil {
		return fmt.Errorf("-types: %w", err)
	}
	list, diags := gen.ReadTypes(text, filepath.ToSlash(c.typeFile))
	opts.Types = slices.Concat(opts.Types, list)
	return report(diags, stderr)
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

// compare names the files that a run would change, and the run.
func (c *command) compare(files []gen.File, stderr io.Writer) error {
	present, err := generated(c.out)
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	stale := 0
	tell := func(name, what string) {
		stale++
		fmt.Fprintf(stderr, "%s: %s\n", c.path(name), what)
	}
	for _, f := range files {
		switch text, ok := present[f.Name]; {
		case c.isForeign(f.Name, present):
			tell(f.Name, inTheWay)
		case !ok:
			tell(f.Name, "is missing")
		case !bytes.Equal(text, f.Bytes):
			tell(f.Name, "is stale")
		}
		delete(present, f.Name)
	}
	for _, name := range sortedNames(present) {
		if !isHusk(present[name]) {
			tell(name, "is not needed any more")
		}
	}
	if stale == 0 {
		return nil
	}
	fmt.Fprintf(stderr, "pgque-gen: the package is not what the schemas say; run:\n\t%s\n", c.writing())
	return errReported
}

// writing is the command line without -check.
func (c *command) writing() string {
	words := []string{"pgque-gen"}
	for _, arg := range c.args {
		if name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); name == "check" && strings.HasPrefix(arg, "-") {
			continue
		}
		words = append(words, shellWord(arg))
	}
	return strings.Join(words, " ")
}

// shellWord quotes what a shell would not take as it is.
func shellWord(s string) string {
	special := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./=:,@%+", r)
	}
	if s != "" && strings.IndexFunc(s, special) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
