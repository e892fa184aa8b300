package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/pgque/pgque-go/gen/schema"
)

// watchInterval is how often -watch looks at the schemas.
const watchInterval = 300 * time.Millisecond

// watch generates, and again whenever a schema changes, until ctx ends. Errors
// are printed and wait for the next change; the run that mends them says so.
func (c *command) watch(ctx context.Context, stdout, stderr io.Writer) {
	fmt.Fprintf(stderr, "pgque-gen: watching %s\n", strings.Join(c.schemas, ", "))
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	last, broken := "", false
	for {
		if now := c.fingerprint(); now != last {
			last = now
			err := c.execute(stdout, stderr)
			switch {
			case err != nil && !errors.Is(err, errReported):
				fmt.Fprintln(stderr, "pgque-gen:", err)
			case err == nil && broken:
				fmt.Fprintln(stderr, "pgque-gen: in order again")
			}
			broken = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// fingerprint differs when one of the files that a run reads is added, removed or
// written to. What else lies below the folders, such as the package itself or a
// repository's history, does not count.
func (c *command) fingerprint() string {
	var b strings.Builder
	for _, root := range c.schemas {
		trace(&b, root, schema.Skips)
	}
	if c.typeFile != "" {
		trace(&b, c.typeFile, nothing)
	}
	for _, r := range c.refRoots {
		trace(&b, r.dir, nothing)
	}
	return b.String()
}

func nothing(fs.DirEntry) bool { return false }

// trace writes down the state of the file at root, or of those below it that are
// not skipped.
func trace(b *strings.Builder, root string, skips func(fs.DirEntry) bool) {
	if target, err := filepath.EvalSymlinks(root); err == nil {
		root = target // which WalkDir would not enter
	}
	// What cannot be read is told by the run that follows.
	_ = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			fmt.Fprintln(b, name, err)
			return nil
		case name != root && skips(entry) && entry.IsDir():
			return fs.SkipDir
		case name != root && skips(entry) || entry.IsDir():
			return nil
		}
		if info, err := entry.Info(); err == nil {
			fmt.Fprintln(b, name, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
}
