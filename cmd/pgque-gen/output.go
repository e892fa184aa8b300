package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/emit"
)

func (c *command) path(name string) string { return filepath.Join(c.out, name) }

// generated returns the files in the folder that an earlier run has written, by
// name. A folder that is not there has none.
func generated(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string][]byte{}, nil
	}
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(text, []byte(emit.Header)) {
			files[e.Name()] = text
		}
	}
	return files, nil
}

// changes are the paths of the files that a run has touched.
type changes struct{ written, removed, emptied []string }

func (c changes) report(stderr io.Writer) {
	for _, name := range c.written {
		fmt.Fprintf(stderr, "%s: written\n", name)
	}
	for _, name := range c.removed {
		fmt.Fprintf(stderr, "%s: not needed any more; removed\n", name)
	}
	for _, name := range c.emptied {
		fmt.Fprintf(stderr, "%s: not needed any more; emptied, for go generate will open it: remove it, or let the next run do so\n", name)
	}
}

// write puts the files in place, those that are as they should be excepted, and
// removes those of earlier runs that are not needed any more. A file that was
// not generated is in the way, and nothing is written.
func (c *command) write(files []gen.File) (done changes, err error) {
	present, err := generated(c.out)
	if err != nil {
		return done, err
	}
	if err := c.refuseForeign(files, present); err != nil {
		return done, err
	}
	if err := os.MkdirAll(c.out, 0o777); err != nil {
		return done, err
	}
	c.sweep()
	var fresh []gen.File
	for _, f := range files {
		if text, ok := present[f.Name]; !ok || !bytes.Equal(text, f.Bytes) {
			fresh = append(fresh, f)
		}
		delete(present, f.Name)
	}
	if done.written, err = c.replace(fresh); err != nil {
		return done, err
	}
	return c.discard(present, done)
}

// discard removes what is not needed any more. Go generate has listed the files of
// all packages before it runs the first command, and fails on one that is gone when
// its turn comes: below it the file is emptied, and removed by the next run, for
// which go generate does not list it.
func (c *command) discard(present map[string][]byte, done changes) (changes, error) {
	for _, name := range sortedNames(present) {
		if os.Getenv("GOFILE") != "" && !isHusk(present[name]) {
			emptied, err := c.replace([]gen.File{{Name: name, Bytes: husk(c.pkg)}})
			if err != nil {
				return done, err
			}
			done.emptied = append(done.emptied, emptied...)
			continue
		}
		if err := os.Remove(c.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, err
		}
		done.removed = append(done.removed, c.path(name))
	}
	return done, nil
}

// unlisted keeps a file out of every build, and out of what go generate opens.
const unlisted = "//go:build ignore"

// husk is what is left of a file until the next run.
func husk(pkg string) []byte {
	return fmt.Appendf(nil, "%s. DO NOT EDIT.\n\n%s\n\n// Nothing is left of this file: remove it, or let the next run do so.\npackage %s\n", emit.Header, unlisted, pkg)
}

func isHusk(text []byte) bool { return bytes.Contains(text, []byte("\n"+unlisted+"\n")) }

func (c *command) refuseForeign(files []gen.File, present map[string][]byte) error {
	for _, f := range files {
		if c.isForeign(f.Name, present) {
			return fmt.Errorf("%s %s; move it or choose another -out", c.path(f.Name), inTheWay)
		}
	}
	return nil
}

const inTheWay = "is in the way: it was not written by pgque-gen"

// isForeign reports a name that something has which was not generated.
func (c *command) isForeign(name string, present map[string][]byte) bool {
	_, err := os.Lstat(c.path(name))
	_, ours := present[name]
	return err == nil && !ours
}

// replace gives the files their places and returns their paths. Each was written
// beside before the first one gets its place: who is killed or has no room left
// meanwhile leaves the package as it was, and nobody sees half a file.
func (c *command) replace(files []gen.File) (replaced []string, err error) {
	var staged []string
	defer func() {
		for _, name := range staged[len(replaced):] {
			_ = os.Remove(name)
		}
	}()
	for _, f := range files {
		name, err := c.stage(f.Bytes)
		if err != nil {
			return nil, err
		}
		staged = append(staged, name)
	}
	for i, f := range files {
		if err := os.Rename(staged[i], c.path(f.Name)); err != nil {
			return replaced, err
		}
		replaced = append(replaced, c.path(f.Name))
	}
	return replaced, nil
}

// stagePattern are the names of files that have no place yet; no build sees them.
const stagePattern = ".pgque-gen-*"

// stage writes a file that has no place yet, and leaves none behind on failure.
func (c *command) stage(text []byte) (name string, err error) {
	temp, err := os.CreateTemp(c.out, stagePattern)
	if err != nil {
		return "", err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return temp.Name(), err
}

// staleAge is how old a file without a place is when nobody can be about to give
// it one.
const staleAge = time.Hour

// sweep removes what a run that was killed has left behind.
func (c *command) sweep() {
	entries, _ := os.ReadDir(c.out) // what cannot be read is told by what follows
	for _, e := range entries {
		left, _ := path.Match(stagePattern, e.Name())
		if info, err := e.Info(); left && err == nil && time.Since(info.ModTime()) > staleAge {
			_ = os.Remove(c.path(e.Name()))
		}
	}
}

func sortedNames(files map[string][]byte) []string {
	return slices.Sorted(maps.Keys(files))
}
