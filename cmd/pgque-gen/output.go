package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		fmt.Fprintf(stderr, "%s: removed\n", name)
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
	for _, f := range files {
		text, ok := present[f.Name]
		delete(present, f.Name)
		if ok && bytes.Equal(text, f.Bytes) {
			continue
		}
		if err := replace(c.path(f.Name), f.Bytes); err != nil {
			return done, err
		}
		done.written = append(done.written, c.path(f.Name))
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
			if err := replace(c.path(name), husk(c.pkg)); err != nil {
				return done, err
			}
			done.emptied = append(done.emptied, c.path(name))
			continue
		}
		if err := os.Remove(c.path(name)); err != nil {
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
		_, err := os.Lstat(c.path(f.Name))
		if _, ours := present[f.Name]; err == nil && !ours {
			return fmt.Errorf("%s is in the way: it was not written by pgque-gen; move it or choose another -out", c.path(f.Name))
		}
	}
	return nil
}

// replace writes beside the file and then renames, so that nobody sees a half.
func replace(name string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(name), ".pgque-gen-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}

func sortedNames(files map[string][]byte) []string {
	return slices.Sorted(maps.Keys(files))
}
