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
)

// watchInterval is how often -watch looks at the schemas.
const watchInterval = 300 * time.Millisecond

// watch generates, and again whenever a schema changes, until ctx ends. Errors
// are printed and wait for the next change.
func (c *command) watch(ctx context.Context, stdout, stderr io.Writer) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	last := ""
	for {
		if now := c.fingerprint(); now != last {
			last = now
			if err := c.execute(stdout, stderr); err != nil && !errors.Is(err, errReported) {
				fmt.Fprintln(stderr, "pgque-gen:", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// fingerprint differs when a file below the folders of the flags is added,
// removed or written to.
func (c *command) fingerprint() string {
	roots := append([]string{}, c.schemas...)
	if c.typeFile != "" {
		roots = append(roots, c.typeFile)
	}
	for _, r := range c.refRoots {
		roots = append(roots, r.dir)
	}
	var b strings.Builder
	for _, root := range roots {
		if target, err := filepath.EvalSymlinks(root); err == nil {
			root = target // which WalkDir would not enter
		}
		// What cannot be read is told by the run that follows.
		_ = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				fmt.Fprintln(&b, name, err)
				return nil
			}
			if info, err := entry.Info(); err == nil && !entry.IsDir() {
				fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return b.String()
}
