package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// A command is what the flags ask for.
type command struct {
	args     []string // as they were given
	schemas  []string
	out      string
	pkg      string
	check    bool
	dump     bool
	watching bool
	version  bool
	defaults bool
	examples bool
	fuzz     bool
	format   string
	refRoots []refRoot
	types    []model.TypeMapping
	typeFile string
}

// A refRoot serves references below prefix from a folder.
type refRoot struct{ prefix, dir string }

// parseFlags prints the help that is asked for.
func parseFlags(args []string, stdout io.Writer) (*command, error) {
	c := &command{args: args}
	f := flag.NewFlagSet("pgque-gen", flag.ContinueOnError)
	f.SetOutput(io.Discard) // an error is told once, and without all the flags behind it
	f.Func("schemas", "read schemas from this `folder` or file; repeatable", func(s string) error {
		if s == "" {
			return errors.New("must name a folder or a file")
		}
		c.schemas = append(c.schemas, s)
		return nil
	})
	f.StringVar(&c.out, "out", "", "write the package into this `folder`")
	f.StringVar(&c.pkg, "package", "", "call the package `name`; defaults to the name of the folder")
	f.BoolVar(&c.check, "check", false, "write nothing; fail when the files in the folder are not what would be written")
	f.BoolVar(&c.dump, "dump", false, "write nothing; print what would be generated as JSON")
	f.BoolVar(&c.watching, "watch", false, "generate again whenever a schema changes, until interrupted")
	f.BoolVar(&c.examples, "examples", false, "add generators of random valid and invalid events, for tests")
	f.BoolVar(&c.fuzz, "fuzz", false, "add a fuzz target for every event, and -examples for their seeds")
	f.BoolVar(&c.defaults, "defaults", false, "fill in the default of a member that a received event lacks, where its rules surely accept it")
	f.StringVar(&c.format, "format", "assert", "what format means, as `meaning`: assert makes it a rule, annotation does not")
	f.Func("ref-root", "serve references below a URI from a folder: `PREFIX=DIR`; repeatable", func(s string) error {
		prefix, dir, ok := strings.Cut(s, "=")
		if !ok || prefix == "" || dir == "" {
			return errors.New("must be PREFIX=DIR")
		}
		c.refRoots = append(c.refRoots, refRoot{prefix, dir})
		return nil
	})
	f.Func("type", "hold the values of a format, or of the schema at FILE#POINTER, in a Go type: `KEY=TYPE`, such as\nuuid=github.com/google/uuid.UUID or shared/money.json#/$defs/cents=*math/big.Int; repeatable", func(s string) error {
		i := strings.LastIndexByte(s, '=')
		if i <= 0 {
			return errors.New("must be KEY=TYPE")
		}
		g, err := model.ParseGoType(s[i+1:])
		c.types = append(c.types, model.TypeMapping{Key: s[:i], Go: g})
		return err
	})
	f.StringVar(&c.typeFile, "types", "", "read what -type says from a `file`: an object, as JSON or YAML, from KEY to TYPE")
	f.BoolVar(&c.version, "version", false, "print the version that stands in generated files, and nothing else")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(f, stdout)
		}
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return c, c.validate()
}

// usage is the answer to -help.
func usage(f *flag.FlagSet, stdout io.Writer) {
	fmt.Fprint(stdout, `pgque-gen turns folders of JSON Schema files into a Go package.

	pgque-gen -schemas schemas -out events

A folder is a queue, a file in it is an event type. Nothing is written when a
schema has an error. The exit code is 0 when all is well, 1 when the schemas
have errors or -check found stale files, and 2 for wrong flags.

`)
	f.SetOutput(stdout)
	f.PrintDefaults()
}

func (c *command) validate() error {
	switch {
	case c.version:
		return nil
	case len(c.schemas) == 0:
		return errors.New("-schemas is missing: name the folder with the schemas")
	case c.out == "" && !c.dump:
		return errors.New("-out is missing: name the folder for the package")
	case c.watching && (c.check || c.dump):
		return errors.New("-watch writes: it does not go with -check or -dump")
	case c.check && c.dump:
		return errors.New("-check and -dump print different things: ask for one")
	case c.format != "assert" && c.format != "annotation":
		return fmt.Errorf("-format %q: must be assert or annotation", c.format)
	}
	if c.pkg == "" {
		c.pkg = packageName(c.out)
		if !gen.IsPackageName(c.pkg) {
			return fmt.Errorf("the folder of -out is called %q, which is no name for a package: choose one with -package", c.pkg)
		}
		return nil
	}
	if !gen.IsPackageName(c.pkg) {
		return fmt.Errorf("-package %q: must be a Go identifier", c.pkg)
	}
	return nil
}

// packageName is the name of the folder as an identifier.
func packageName(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil || dir == "" {
		return "events"
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(filepath.Base(abs)))
	if name = strings.TrimLeft(name, "0123456789"); name == "" {
		return "events"
	}
	return name
}

func (c *command) options() (gen.Options, error) {
	opts := gen.Options{
		Package:          c.pkg,
		FormatAnnotation: c.format == "annotation",
		Examples:         c.examples,
		Fuzz:             c.fuzz,
		Defaults:         c.defaults,
		Types:            c.types,
		RootQueues:       map[string]string{},
	}
	for _, r := range c.refRoots {
		root, err := os.OpenRoot(r.dir)
		if err != nil {
			return opts, fmt.Errorf("-ref-root: %w", err)
		}
		opts.RefRoots = append(opts.RefRoots, schema.RefRoot{Prefix: r.prefix, FS: root.FS(), Name: filepath.ToSlash(r.dir)})
	}
	for _, s := range c.schemas {
		folder, name, err := rootQueue(s)
		if err != nil {
			return opts, err
		}
		opts.RootQueues[folder] = name
	}
	return opts, nil
}

// rootQueue is the folder as positions name it, and the queue of the files right
// in it: its own name, wherever the command runs.
func rootQueue(arg string) (folder, queue string, err error) {
	dir, _, err := splitArgument(arg)
	if err != nil {
		return "", "", err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", "", err
	}
	return sourceName(dir), path.Base(filepath.ToSlash(abs)), nil
}

// sourceName is how positions begin.
func sourceName(dir string) string {
	name := filepath.ToSlash(filepath.Clean(dir))
	if name == "." {
		return ""
	}
	return name
}
